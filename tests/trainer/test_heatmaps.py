import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import estimator
from trainer import heatmaps
from trainer.losses import LOSSES, masked_mean, mse_loss, softmax_loss


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), sharpness=st.floats(0.1, 8), height=st.integers(3, 20))
def test_torch_decodes_as_the_addon_does(seed, sharpness, height):
    logits = np.random.default_rng(seed).normal(size=(2, 23, height, 16)) * sharpness
    logits = logits.astype(np.float32)
    points, scores = heatmaps.decode(torch.from_numpy(logits))
    expected_points, expected_scores = estimator.decode(logits)
    np.testing.assert_allclose(points.numpy(), expected_points, atol=1e-3)
    np.testing.assert_allclose(scores.numpy(), expected_scores, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(x=st.floats(16, 48), y=st.floats(16, 48))
def test_targets_keep_the_part_of_a_cell(x, y):
    along_y, along_x = heatmaps.gaussian_factors(torch.tensor([[[x, y]]]), 16, sigma=1.0)
    logits = torch.log(along_y[..., :, None] * along_x[..., None, :] + 1e-30)
    points, score = heatmaps.decode(logits)
    # The 5 x 5 window cuts the tails of the Gaussian off, a little more on one side.
    assert points[0, 0].numpy() == pytest.approx([x, y], abs=0.4)
    assert float(score) > 0.95


def _logits_at(points: torch.Tensor) -> torch.Tensor:
    along_y, along_x = heatmaps.gaussian_factors(points, 16, sigma=1.0)
    return 10 * along_y[..., :, None] * along_x[..., None, :]


@pytest.mark.parametrize("name", LOSSES)
def test_the_right_place_costs_least(name):
    truth = torch.tensor([[[30.0, 22.0]]])
    right = LOSSES[name](_logits_at(truth), truth, 1.0)
    for dx, dy in ((4, 0), (0, 4), (-20, 10)):
        wrong = LOSSES[name](_logits_at(truth + torch.tensor([dx, dy])), truth, 1.0)
        assert float(wrong) > float(right)


def test_softmax_loss_of_flat_maps_is_the_uniform_distributions():
    loss = softmax_loss(torch.zeros(1, 1, 16, 16), torch.tensor([[[30.0, 22.0]]]), 1.0)
    assert float(loss) == pytest.approx(np.log(256), abs=1e-4)


def test_mse_of_the_target_itself_is_zero():
    truth = torch.tensor([[[30.0, 22.0]]])
    assert float(mse_loss(_logits_at(truth), truth, 1.0)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_unlabelled_keypoints_move_nothing(name):
    logits = torch.randn(1, 2, 16, 16, requires_grad=True)
    points = torch.tensor([[[30.0, 22.0], [-1e4, 1e4]]])
    loss = masked_mean(LOSSES[name](logits, points, 1.0), torch.tensor([[True, False]]))
    loss.backward()
    assert logits.grad is not None and torch.isfinite(loss)
    assert logits.grad[0, 0].any() and not logits.grad[0, 1].any()


def test_a_batch_without_labels_costs_nothing():
    losses = torch.ones(2, 23)
    assert float(masked_mean(losses, torch.zeros(2, 23, dtype=torch.bool))) == 0
