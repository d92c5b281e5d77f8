import copy
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from addon.core.errors import UserError
from trainer import adversarial, checkpoint
from trainer.adversarial import Adversary, discriminator, domain_loss
from trainer.train import Settings, Trainer

CPU = torch.device("cpu")
every_update = pytest.mark.parametrize("update", adversarial.UPDATES)


def _kernels(network: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(p.shape) for p in network.parameters() if p.ndim > 1]


@pytest.mark.parametrize(
    ("name", "kernels"),
    [
        ("mlp1", [(256, 32, 1, 1), (1, 256)]),
        ("mlp2", [(256, 32, 1, 1), *[(256, 256)] * 3, (1, 256)]),
        ("conv1", [(64, 32, 4, 4), (128, 64, 2, 2), (256, 128, 2, 2), (512, 256, 4, 4), (1, 512)]),
        ("conv2", [(64, 32, 4, 4), (64, 64, 2, 2), (64, 64, 2, 2), (64, 64, 4, 4), (1, 64)]),
    ],
)
def test_the_layers_are_those_of_the_thesis(name, kernels):
    # Its maps have 64 x 48 cells and the first kernel of conv1 is 4 x 3; ours are square.
    assert _kernels(discriminator(name, 32, 64)) == kernels


@pytest.mark.parametrize("name", adversarial.DISCRIMINATORS)
@pytest.mark.parametrize("size", [16, 48, 56, 64])
def test_discriminators_take_the_maps_of_any_input(name, size):
    network = discriminator(name, 5, size)
    logits = network(torch.rand(3, 5, size, size))
    assert logits.shape == (3, 1)
    logits.sum().backward()
    first = next(network.parameters())
    assert first.grad is not None and first.grad.any()


def test_an_unknown_discriminator_is_the_users_mistake():
    with pytest.raises(UserError, match="no discriminator called mlp3"):
        discriminator("mlp3", 8, 16)


def test_the_domains_weigh_the_same_however_many_drawings_they_have():
    # Four synthetic drawings are told, one real one is not: right in half of the domains.
    loss, accuracy = domain_loss(torch.full((5, 1), -2.0), labelled=4)
    assert float(accuracy) == 0.5
    assert float(loss) == pytest.approx((math.log1p(math.exp(-2)) + math.log1p(math.exp(2))) / 2)
    _, accuracy = domain_loss(torch.tensor([-1.0, -1, -1, 1, 1])[:, None], labelled=4)
    assert float(accuracy) == pytest.approx((0.75 + 1) / 2)


def _adversary(update: str, gamma: float = 0.3, name: str = "mlp1", channels: int = 4) -> Adversary:
    torch.manual_seed(1)
    return Adversary(name, channels, 16, gamma, update, CPU)


@every_update
def test_the_network_gets_the_discriminators_gradient_times_minus_gamma(update):
    features = torch.randn(6, 4, 16, 16, requires_grad=True)
    adversary = _adversary(update)
    # At a rate of 0 the discriminator stays the same in its own step.
    verdict = adversary.judge(features, 4, rate=0.0)
    verdict.term.backward()
    assert features.grad is not None
    loss, _ = domain_loss(_adversary(update).network(features), 4)
    (expected,) = torch.autograd.grad(loss, features)
    torch.testing.assert_close(features.grad, expected.mul(-0.3))
    assert float(verdict.loss) == pytest.approx(float(loss.detach()))


@every_update
def test_the_discriminator_learns_with_its_whole_gradient(update):
    features = torch.randn(6, 4, 16, 16, requires_grad=True)
    weights = []
    for gamma in (0.0, 5.0):
        adversary = _adversary(update, gamma)
        adversary.judge(features, 4, rate=1e-2).term.backward()
        adversary.finish()
        weights.append(torch.cat([p.detach().flatten() for p in adversary.network.parameters()]))
    torch.testing.assert_close(*weights)
    fresh = torch.cat([p.detach().flatten() for p in _adversary(update).network.parameters()])
    assert not torch.equal(weights[0], fresh)
    assert all(p.grad is None for p in adversary.network.parameters())


def _domains() -> Tensor:
    """Inputs ``[32, 2, 4, 4]`` whose first channel differs between 24 synthetic and 8 real ones."""
    inputs = torch.randn(32, 2, 1, 1).expand(-1, -1, 4, 4).clone()
    inputs[:, 0] += torch.where(torch.arange(32) < 24, -1.0, 1.0)[:, None, None]
    return inputs


def _told_apart(update: str, gamma: float) -> tuple[float, float]:
    """Accuracy of the last third, and what is left of the domain in the features, of a toy."""
    torch.manual_seed(0)
    network, adversary = nn.Conv2d(2, 1, 1), _adversary(update, gamma, channels=1)
    nn.init.ones_(network.weight)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    accuracies = []
    for _ in range(300):
        features = network(_domains())
        verdict = adversary.judge(features, 24, rate=0.003)
        # In the place of keypoints: what the second channel says must be kept.
        (verdict.term + (network.weight[0, 1, 0, 0] - 1) ** 2).backward()
        adversary.finish()
        optimizer.step()
        optimizer.zero_grad()
        accuracies.append(float(verdict.accuracy))
    return float(np.mean(accuracies[-100:])), float(network.weight[0, 0].detach().abs())


@every_update
def test_features_forget_the_domain_where_gamma_is_large_enough(update):
    accuracy, distance = _told_apart(update, gamma=0.0)
    assert accuracy > 0.7 and distance == 1
    confused, left = _told_apart(update, gamma=1.0)
    assert confused < 0.58 and left < 0.2


@every_update
def test_a_restored_adversary_goes_on_the_same(update):
    inputs = [torch.randn(6, 4, 16, 16, generator=torch.Generator().manual_seed(i)) for i in (1, 2)]

    def learn(adversary: Adversary, features: Tensor) -> None:
        adversary.judge(features.clone().requires_grad_(), 4, 1e-2).term.backward()
        adversary.finish()

    one = _adversary(update, name="conv2")
    learn(one, inputs[0])
    torch.manual_seed(9)
    two = Adversary("conv2", 4, 16, 0.3, update, CPU)
    two.load_state_dict(copy.deepcopy(one.state_dict()))  # as from a file
    for adversary in (one, two):
        learn(adversary, inputs[1])
    for a, b in zip(one.network.parameters(), two.network.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(UserError, match="discriminator conv2, not mlp1"):
        _adversary(update).load_state_dict(one.state_dict())


# --------------------------------------------------------------------------------------------------
# In a training


@pytest.fixture
def settings(pack, tmp_path):
    """A run of the smallest network beside three real drawings."""
    (tmp_path / "strokes").mkdir()
    pack.save(tmp_path / "strokes" / "clip.npz")
    (tmp_path / "real").mkdir()
    for i in range(3):
        page = np.full((120, 90), 255, np.uint8)
        cv2.line(page, (45, 20), (45 + 5 * i, 100), 0, 4)
        cv2.imwrite(str(tmp_path / "real" / f"{i}.png"), page)

    def make(**changes) -> Settings:
        usual = {
            "strokes": (tmp_path / "strokes",),
            "out": tmp_path / "run",
            "network": "hrnet-w16-small",
            "size": 64,
            "batch": 4,
            "epochs": 1,
            "workers": 0,
            "evaluate_every": 100,
            "log_seconds": 0,
            "unlabelled": (tmp_path / "real",),
            "unlabelled_weight": 0.0,
            "discriminator": "mlp1",
        }
        (tmp_path / "run").mkdir(exist_ok=True)
        return Settings(**{**usual, **changes})

    return make


def _rows(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_adaptation_goes_on_alone_and_beside_self_training(settings, weight):
    run = settings(unlabelled_weight=weight, unlabelled_start=0.5, gamma=0.1)
    assert Trainer(run).run()
    rows = [row for row in _rows(run.out) if "loss" in row]
    assert all(0 <= row["discriminator_accuracy"] <= 1 for row in rows)
    assert all(row["discriminator_loss"] > 0 for row in rows)
    taught = ["unlabelled_loss" in row for row in rows]
    assert taught == [weight > 0 and i >= len(rows) / 2 for i in range(len(rows))]


def test_the_discriminator_changes_what_the_network_learns(settings):
    weights = []
    for gamma in (0.0, 1.0):
        trainer = Trainer(settings(gamma=gamma, epochs=0.5))
        trainer.run()
        weights.append(trainer.network.conv1.weight)
    assert not torch.equal(*weights)


@every_update
def test_an_adapting_run_resumes_exactly(settings, update):
    def states(trainer: Trainer) -> list[Tensor]:
        assert trainer.adversary is not None
        parts = (trainer.network, trainer.average.network, trainer.adversary.network)
        return [value for part in parts for value in part.state_dict().values()]

    run = {"discriminator": "conv2", "adversary": update, "gamma": 0.1}
    whole = Trainer(settings(**run))
    whole.run()
    whole.file.unlink()
    first = Trainer(settings(**run))
    before = first.step

    def killed(*arguments):
        if first.progress.step == 3:
            first.save()
            raise KeyboardInterrupt
        return before(*arguments)

    first.step = killed
    with pytest.raises(KeyboardInterrupt):
        first.run()
    second = Trainer(settings(**run, resume=True))
    assert second.progress.step == 3
    second.run()
    assert second.progress.step == whole.progress.step
    for one, two in zip(states(second), states(whole), strict=True):
        assert torch.equal(one, two)
    # The discriminator is no part of what a network needs to be used.
    assert checkpoint.network(checkpoint.load(second.file))(torch.rand(1, 1, 64, 64)).shape[1] == 23
    with pytest.raises(UserError, match="other adaptation"):
        Trainer(settings(**run | {"discriminator": None}, resume=True))


def test_a_discriminator_without_real_drawings_is_the_users_mistake(settings):
    with pytest.raises(UserError, match="--unlabelled"):
        Trainer(settings(unlabelled=()))
