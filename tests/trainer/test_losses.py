import numpy as np
import pytest
import torch
from torch import Tensor

from trainer import heatmaps, losses

VARIANTS = [
    ("softmax", "balanced"),
    ("mse", "balanced"),
    ("bce", "balanced"),
    *(("pixel", mining) for mining in losses.MININGS),
]
every_loss = pytest.mark.parametrize(("name", "mining"), VARIANTS)
YES = torch.tensor([[True]])
EVEN = torch.full((1, 1, 1, 1), heatmaps.BACKGROUND)  # keypoint and background alike


def _logits_at(points: Tensor, low: float = 0.0) -> Tensor:
    along_y, along_x = heatmaps.gaussian_factors(points, 16, sigma=1.0)
    return low + (10 - low) * along_y[..., :, None] * along_x[..., None, :]


@every_loss
def test_the_right_place_costs_least(name, mining):
    truth = torch.tensor([[[30.0, 22.0]]])
    loss = losses.keypoint_loss(name, 1.0, mining)
    right = loss(_logits_at(truth, low=-5), truth, YES)
    for dx, dy in ((4, 0), (0, 4), (-20, 10)):
        wrong = loss(_logits_at(truth + torch.tensor([dx, dy]), low=-5), truth, YES)
        assert float(wrong) > float(right)


@every_loss
def test_unlabelled_keypoints_move_nothing(name, mining):
    logits = torch.randn(1, 2, 16, 16, requires_grad=True)
    points = torch.tensor([[[30.0, 22.0], [-1e4, 1e4]]])
    valid = torch.tensor([[True, False]])
    each = losses.keypoint_loss(name, 1.0, mining)(logits, points, valid)
    assert each.shape == (1, 2) and float(each[0, 1].detach()) == 0
    losses.labelled_mean(each, valid).backward()
    assert logits.grad is not None and torch.isfinite(logits.grad).all()
    assert logits.grad[0, 0].any() and not logits.grad[0, 1].any()


@every_loss
def test_drawings_without_labels_cost_nothing(name, mining):
    logits = torch.randn(2, 3, 16, 16, requires_grad=True)
    none = torch.zeros(2, 3, dtype=torch.bool)
    each = losses.keypoint_loss(name, 1.0, mining)(logits, torch.full((2, 3, 2), 20.0), none)
    mean = losses.labelled_mean(each, none)
    mean.backward()
    assert float(mean.detach()) == 0 and logits.grad is not None and not logits.grad.any()


@every_loss
def test_free_logits_come_to_show_the_keypoints(name, mining):
    torch.manual_seed(0)
    # Spread out: where two keypoints of the pixel loss share cells, each is drawn from the other.
    grid = torch.cartesian_prod(*[torch.arange(5) * 25.0 + 14] * 2)[:23]
    truth = grid + 6 * torch.rand(2, 23, 2) - 3
    valid = torch.ones(2, 23, dtype=torch.bool)
    logits = torch.zeros(2, 23, 32, 32, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.3)
    loss = losses.keypoint_loss(name, 1.0, mining)
    for _ in range(100):
        optimizer.zero_grad()
        losses.labelled_mean(loss(logits, truth, valid), valid).backward()
        optimizer.step()
    # What the add-on does with any network: a softmax over each map's cells.
    points, scores = heatmaps.decode(logits)
    assert float((points - truth).norm(dim=-1).max()) < 3  # pixels: less than a cell
    assert float(scores.min()) > 0.5


def test_softmax_loss_of_flat_maps_is_the_uniform_distributions():
    loss = losses.softmax_loss(torch.zeros(1, 1, 16, 16), torch.tensor([[[30.0, 22.0]]]), 1.0)
    assert float(loss) == pytest.approx(np.log(256), abs=1e-4)


def test_mse_of_the_target_itself_is_zero():
    truth = torch.tensor([[[30.0, 22.0]]])
    assert float(losses.mse_loss(_logits_at(truth), truth, 1.0)) == pytest.approx(0, abs=1e-9)


def test_bce_of_flat_maps_by_hand():
    # A sigmoid of 0 is 1/2: log 2 in every cell, whatever the target.
    loss = losses.bce_loss(EVEN.expand(1, 1, 16, 16), torch.tensor([[[30.0, 22.0]]]), 1.0)
    assert float(loss) == pytest.approx(np.log(2), abs=1e-6)


@pytest.mark.parametrize(
    ("mining", "expected"),
    # Even odds: each of the 3 classes has 1/3, so that every cell costs log 3.
    [("none", np.log(3)), ("hard", np.log(3)), ("balanced", 2 * np.log(3))],
)
def test_pixel_loss_of_flat_maps_by_hand(mining, expected):
    points, valid = torch.tensor([[[30.0, 22.0], [12.0, 40.0]]]), torch.ones(1, 2).bool()
    each = losses.pixel_loss(EVEN.expand(1, 2, 16, 16), points, valid, 1.0, mining)
    assert float(losses.labelled_mean(each, valid)) == pytest.approx(expected, abs=1e-4)


def test_pixel_loss_is_that_of_a_background_channel():
    rng = torch.Generator().manual_seed(5)
    logits, background = torch.randn(1, 4, 8, 8, generator=rng), torch.randn(1, 1, 8, 8)
    points, valid = torch.rand(1, 4, 2, generator=rng) * 32, torch.ones(1, 4).bool()
    each = losses.pixel_loss(logits - background + EVEN, points, valid, 1.0, "none")
    along_y, along_x = heatmaps.gaussian_factors(points, 8, 1.0)
    target = along_y[..., :, None] * along_x[..., None, :]
    target = target / target.sum(dim=1, keepdim=True).clamp(min=1)
    target = torch.cat([target, 1 - target.sum(dim=1, keepdim=True)], dim=1)
    logarithms = torch.cat([logits, background], dim=1).log_softmax(dim=1)
    expected = -(target * logarithms).sum(dim=1).mean()
    torch.testing.assert_close(losses.labelled_mean(each, valid), expected)


@pytest.mark.parametrize("mining", losses.MININGS)
def test_mining_says_how_much_the_background_weighs(mining):
    logits = EVEN.repeat(1, 1, 16, 16).requires_grad_()
    truth = torch.tensor([[[30.0, 30.0]]])
    losses.pixel_loss(logits, truth, YES, 1.0, mining).sum().backward()
    assert logits.grad is not None
    down, up = logits.grad.clamp(min=0).sum(), -logits.grad.clamp(max=0).sum()
    # Odds of 1 in all 256 cells: too high in all but the Gaussian's few, where they are too low.
    expected = {"none": 132, "balanced": 1, "hard": 3}[mining]
    assert float(down / up) == pytest.approx(expected, rel=0.05)


def test_hard_mining_takes_the_cells_that_are_most_wrong():
    truth = torch.tensor([[[30.0, 30.0]]])
    logits = torch.full((1, 1, 16, 16), 0.0)
    logits[0, 0, 12:14, 2:4] = 7.0  # taken for the keypoint
    logits.requires_grad_(True)
    losses.pixel_loss(logits, truth, YES, 1.0, "hard").sum().backward()
    assert logits.grad is not None
    wrong = logits.grad[0, 0, 12:14, 2:4]
    assert float(wrong.min()) > 10 * float(logits.grad[0, 0, :, 12:].abs().max())
    assert int((logits.grad > 0).sum()) < 40


def test_an_unknown_place_is_not_background_either():
    # Where the keypoint's place is not known, its own map is left alone, others are not.
    logits = torch.zeros(1, 2, 16, 16, requires_grad=True)
    points, valid = torch.tensor([[[30.0, 22.0], [30.0, 50.0]]]), torch.tensor([[True, False]])
    losses.pixel_loss(logits, points, valid, 1.0, "none").sum().backward()
    assert logits.grad is not None
    assert float(logits.grad[0, 0, 12, 7]) > 0 and not logits.grad[0, 1].any()
