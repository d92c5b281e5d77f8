import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import estimator
from trainer import heatmaps, losses


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), sharpness=st.floats(0.1, 8), height=st.integers(3, 20))
def test_torch_decodes_as_the_addon_does(seed, sharpness, height):
    logits = np.random.default_rng(seed).normal(size=(2, 23, height, 16)) * sharpness
    logits = logits.astype(np.float32)
    points, scores = heatmaps.decode(torch.from_numpy(logits))
    expected_points, expected_scores = estimator.decode(logits)
    np.testing.assert_allclose(points.numpy(), expected_points, atol=1e-3)
    np.testing.assert_allclose(scores.numpy(), expected_scores, atol=1e-5)


def test_figures_are_decoded_as_the_addon_does():
    logits = np.random.default_rng(0).normal(size=(3, 23, 16, 16)).astype(np.float32) * 4
    points, scores = heatmaps.decode_figures(torch.from_numpy(logits))
    for i, one in enumerate(logits):
        expected_points, expected_scores = estimator.decode_figure(one)
        np.testing.assert_array_equal(points[i].numpy(), expected_points)
        np.testing.assert_array_equal(scores[i].numpy(), expected_scores)


@settings(max_examples=40, deadline=None)
@given(x=st.floats(16, 48), y=st.floats(16, 48))
def test_targets_keep_the_part_of_a_cell(x, y):
    along_y, along_x = heatmaps.gaussian_factors(torch.tensor([[[x, y]]]), 16, sigma=1.0)
    logits = torch.log(along_y[..., :, None] * along_x[..., None, :] + 1e-30)
    points, score = heatmaps.decode(logits)
    # The 5 x 5 window cuts the tails of the Gaussian off, a little more on one side.
    assert points[0, 0].numpy() == pytest.approx([x, y], abs=0.4)
    assert float(score) > 0.95


def _perfect(points: torch.Tensor, loss: str, sigma: float, size: int = 16) -> torch.Tensor:
    """Logits of a network that has learnt its target, for each of the losses."""
    along_y, along_x = heatmaps.gaussian_factors(points, size, sigma)
    gaussian = (along_y[..., :, None] * along_x[..., None, :]).clamp(1e-7, 1 - 1e-5)
    if loss == "mse":
        return heatmaps.MSE_SCALE * gaussian
    # One keypoint against the background has the same log-odds as a sigmoid.
    return gaussian.log() if loss == "softmax" else gaussian.logit() + heatmaps.BACKGROUND


@pytest.mark.parametrize("loss", losses.NAMES)
@settings(max_examples=25, deadline=None)
@given(x=st.floats(16, 48), y=st.floats(16, 48), sigma=st.sampled_from([1.0, 1.5]))
def test_dark_finds_the_middle_of_a_gaussian(loss, x, y, sigma):
    logits = _perfect(torch.tensor([[[x, y]]]), loss, sigma)
    points, _ = heatmaps.decode_dark(logits, loss, sigma)
    assert points[0, 0].numpy() == pytest.approx([x, y], abs=0.08)  # pixels: 0.02 of a cell


@pytest.mark.parametrize("loss", losses.NAMES)
@pytest.mark.parametrize(
    ("x", "y", "expected"),
    # Middles of cells are at 2, 6, 10 ... pixels; a quarter of a cell is one pixel.
    [(30.6, 21.1, (31, 21)), (29.5, 22.5, (29, 23)), (1, 30.4, (2, 30))],
)
def test_the_quarter_offset_by_hand(loss, x, y, expected):
    points, _ = heatmaps.decode_quarter(_perfect(torch.tensor([[[x, y]]]), loss, 1.0), loss)
    if x > 4:
        assert points[0, 0].tolist() == pytest.approx(expected)
    else:  # at the border stands no neighbour to compare with
        assert points[0, 0].tolist() == pytest.approx((2, 30))


@pytest.mark.parametrize("name", heatmaps.DECODERS)
def test_decoders_take_any_map(name):
    flat, noise = torch.zeros(1, 23, 16, 16), 30 * torch.randn(1, 23, 16, 16)
    corner = torch.zeros(1, 23, 16, 16)
    corner[..., 15, 0] = 50
    for logits in (flat, noise, corner):
        points, scores = heatmaps.decoder(name)(logits)
        assert points.shape == (1, 23, 2) and scores.shape == (1, 23)
        assert ((points >= 0) & (points <= 64)).all() and ((scores > 0) & (scores < 1.001)).all()
    # The window reaches one cell further than the corner.
    torch.testing.assert_close(points, torch.tensor([2.0, 62.0]).expand(1, 23, 2), atol=0.1, rtol=0)


def test_decoders_agree_on_a_clear_map_to_a_quarter_of_a_cell():
    truth = 16 + 32 * torch.rand(2, 23, 2, generator=torch.Generator().manual_seed(2))
    logits = _perfect(truth, "softmax", 1.0)
    errors = {
        name: float((heatmaps.decoder(name)(logits)[0] - truth).abs().max())
        for name in heatmaps.DECODERS
    }
    assert errors["dark"] < 0.1 and errors["window"] < 0.4 and errors["quarter"] < 1.1
