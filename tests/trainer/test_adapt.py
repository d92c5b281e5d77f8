import math

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from addon.core import skeleton
from addon.core.errors import UserError
from trainer import adapt, models, photometric
from trainer.heatmaps import decode_figures, gaussian_factors

SIZE = 128


def _dots(points: torch.Tensor) -> torch.Tensor:
    """One channel per keypoint, each with a soft dot, ``[N * 23, 1, SIZE, SIZE]``."""
    along_y, along_x = gaussian_factors(points * 4, SIZE, sigma=2.0)
    return (along_y[..., :, None] * along_x[..., None, :]).flatten(0, 1)[:, None]


def test_points_follow_the_distorted_picture(monkeypatch):
    monkeypatch.setattr(photometric, "jitter", lambda ink, rng: ink)
    monkeypatch.setattr(photometric, "cut_out", lambda ink, rng: ink)
    points = torch.rand(1, 23, 2, generator=torch.Generator().manual_seed(3)) * 60 + 34
    seen = torch.ones(1, 23, dtype=torch.bool)
    turned = set()
    for seed in range(12):
        # The same chance for every keypoint's own picture as for the figure.
        _, places, valid = adapt.distort(
            torch.zeros(1, 1, SIZE, SIZE), points, seen, torch.Generator().manual_seed(seed)
        )
        for joint, dot in enumerate(_dots(points)):
            picture, _, _ = adapt.distort(
                dot[None], points, seen, torch.Generator().manual_seed(seed)
            )
            flipped = _is_flipped(points, places)
            row = skeleton.FLIP[joint] if flipped else joint
            turned.add(flipped)
            peak = divmod(int(picture.argmax()), SIZE)
            if valid[0, row]:
                assert (
                    np.hypot(peak[1] + 0.5 - places[0, row, 0], peak[0] + 0.5 - places[0, row, 1])
                    < 1.5
                )
    assert turned == {True, False}


def _is_flipped(before: torch.Tensor, after: torch.Tensor) -> bool:
    """Whether the map from before to after turns the plane over, read off three trunk points."""
    rows = [skeleton.INDEX[name] for name in ("Hips", "Neck", "Head")]
    areas = []
    for points in (before, after):
        a, b, c = points[0, rows].numpy()
        areas.append((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
    return areas[0] * areas[1] < 0


def test_points_that_leave_the_picture_do_not_count():
    points = torch.full((1, 23, 2), 1.0)  # the corner: nearly every turn moves it outside
    seen = torch.ones(1, 23, dtype=torch.bool)
    for seed in range(8):
        _, places, valid = adapt.distort(
            torch.zeros(1, 1, SIZE, SIZE), points, seen, torch.Generator().manual_seed(seed)
        )
        inside = ((places >= 0) & (places < SIZE)).all(dim=-1)
        assert torch.equal(valid, inside)


class _Planted(nn.Module):
    """Answers with given places, in the mirrored picture either mirrored too or not."""

    def __init__(self, points: torch.Tensor, confuses_sides: bool) -> None:
        super().__init__()
        self.points, self.confuses_sides, self.calls = points, confuses_sides, 0

    def forward(self, ink: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        points = self.points.clone()
        if self.calls % 2 == 0:  # the flip test's second look
            points[..., 0] = ink.shape[-1] - points[..., 0]
            if not self.confuses_sides:
                points = points[:, list(skeleton.FLIP)]
        along_y, along_x = gaussian_factors(points, ink.shape[-1] // 4, sigma=1.0)
        return 20 * along_y[..., :, None] * along_x[..., None, :]


def test_the_teacher_is_believed_where_its_mirror_image_agrees():
    points = torch.rand(2, 23, 2, generator=torch.Generator().manual_seed(0)) * 80 + 24
    ink = torch.zeros(2, 1, SIZE, SIZE)
    found, sure = adapt.pseudo_labels(_Planted(points, False), ink, threshold=0.5)
    assert sure.all()
    assert float((found - points).norm(dim=-1).max()) < 1.5
    _, sure = adapt.pseudo_labels(_Planted(points, True), ink, threshold=0.5)
    trunk = [row for row, name in enumerate(skeleton.KEYPOINTS) if skeleton.FLIP[row] == row]
    assert sure[:, trunk].all()
    apart = (points - points[:, list(skeleton.FLIP)]).norm(dim=-1) > 0.04 * SIZE
    assert not sure[apart].any()


def test_the_figure_decoder_teaches_a_place_for_each_knee():
    knees = [skeleton.INDEX["LeftLeg"], skeleton.INDEX["RightLeg"]]
    along_y, along_x = gaussian_factors(torch.full((1, 23, 2), 64.0), SIZE // 4, sigma=1.0)
    logits = 10 * along_y[..., :, None] * along_x[..., None, :]
    places = torch.tensor([[[44.0, 64.0], [84.0, 64.0]]])
    along_y, along_x = gaussian_factors(places, SIZE // 4, sigma=1.0)
    right, left = (along_y[..., :, None] * along_x[..., None, :])[0]
    # Both maps show both knees, and more of the left one; the left's map does so a little more.
    logits[0, knees[0]], logits[0, knees[1]] = 10 * right + 10.6 * left, 10 * right + 10.3 * left

    class Teacher(nn.Module):  # the mirrored picture gives the mirrored maps
        def forward(self, ink: torch.Tensor) -> torch.Tensor:
            return logits if ink[0, 0, 0, 0] > 0 else logits.flip(-1)[:, list(skeleton.FLIP)]

    ink = torch.zeros(1, 1, SIZE, SIZE)
    ink[..., 0] = 1
    together, _ = adapt.pseudo_labels(Teacher(), ink, threshold=0.0)
    assert float((together[0, knees[0]] - together[0, knees[1]]).norm()) < 4
    apart, _ = adapt.pseudo_labels(Teacher(), ink, threshold=0.0, decoder=decode_figures)
    assert apart[0, knees, 0].tolist() == pytest.approx([84, 44], abs=2)


def test_flat_answers_are_not_believed():
    flat = models.build("unet").eval()
    _, sure = adapt.pseudo_labels(flat, torch.rand(1, 1, 64, 64), threshold=0.5)
    assert not sure.any()


def test_the_unlabelled_term_grows_after_its_start():
    weights = [adapt.ramp(share, start=0.3) for share in (0.0, 0.29, 0.3, 0.37, 0.45, 1.0)]
    assert weights[:2] == [0, 0] and weights == sorted(weights) and weights[-1] == 1
    assert weights[2] == pytest.approx(math.exp(-5))


def test_batch_norm_takes_on_the_statistics_of_the_drawings():
    layer = nn.BatchNorm2d(1, momentum=0.1)
    network = nn.Sequential(layer)
    batches = [torch.randn(8, 1, 16, 16) * 3 + 5 for _ in range(20)]
    adapt.adapt_batch_norm(network, batches)
    assert layer.running_mean is not None and layer.running_var is not None
    assert layer.running_mean.item() == pytest.approx(5, abs=0.2)
    assert layer.running_var.item() == pytest.approx(9, abs=0.5)
    assert layer.momentum == 0.1 and not network.training


def test_batch_statistics_come_from_a_folder_of_drawings(tmp_path):
    layer = nn.BatchNorm2d(1)
    with pytest.raises(UserError, match="no pictures"):
        adapt.adapt_batch_norm_to(layer, tmp_path, 64, torch.device("cpu"))
    for i in range(3):
        page = np.full((90, 90), 255, np.uint8)
        cv2.rectangle(page, (20, 10), (60, 80), 0, 2 + i)
        cv2.imwrite(str(tmp_path / f"{i}.png"), page)
    means = []
    for _ in range(2):
        adapt.adapt_batch_norm_to(layer, tmp_path, 64, torch.device("cpu"))
        assert layer.running_mean is not None
        means.append(layer.running_mean.item())
    assert means[0] == means[1] and 0.02 < means[0] < 0.5  # the share of ink


def test_the_blur_is_opencvs():
    rng = np.random.default_rng(0)
    picture = rng.random((40, 50), dtype=np.float32)
    profile = cv2.getGaussianKernel(5, 0)  # the binomial one
    expected = cv2.sepFilter2D(picture, -1, profile, profile, borderType=cv2.BORDER_CONSTANT)
    found = photometric._blurred(torch.from_numpy(picture)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_photometric_chance_stays_in_range_and_repeats():
    ink = torch.rand(6, 1, 64, 64)
    one = photometric.jitter(ink, torch.Generator().manual_seed(5))
    two = photometric.jitter(ink, torch.Generator().manual_seed(5))
    assert torch.equal(one, two) and not torch.equal(one, ink)
    assert float(one.min()) >= 0 and float(one.max()) <= 1


def test_cut_out_erases_some_but_not_all():
    erased = photometric.cut_out(torch.ones(16, 1, 64, 64), torch.Generator().manual_seed(0))
    share = 1 - erased.mean(dim=(1, 2, 3))
    assert float(share.mean()) > 0.005 and float(share.max()) < 0.25
