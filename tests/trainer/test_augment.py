"""Training samples: keypoints follow the lines through everything that is done to them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import skeleton
from addon.core.strokes import StrokePack, View
from addon.core.styles import StrokeStyle
from trainer import augment, props
from trainer.poses import random_pose

ROW = skeleton.INDEX
CIRCLE = np.stack([np.cos(np.linspace(0, 7, 12)), np.sin(np.linspace(0, 7, 12))], axis=1)
LEFT = [ROW[n] for n in skeleton.KEYPOINTS if n.startswith("Left")]
RIGHT = [ROW[n] for n in skeleton.KEYPOINTS if n.startswith("Right")]


def dots_pack(rows: list[int], seed: int = 0, views: int = 4) -> StrokePack:
    """Poses whose only strokes are dots at some of their keypoints."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(views):
        joints = random_pose(rng)
        keypoints = joints[:, :2] * 110 + 128
        dots = [(keypoints[i] + 0.7 * CIRCLE).astype(np.float32) for i in rows]
        visible = np.full(skeleton.COUNT, 2, np.uint8)
        made.append(View(dots, keypoints.astype(np.float32), visible, joints.astype(np.float32)))
    return StrokePack.from_views(made, 256, [("dots", "pose")])


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Stroke records only, with a steady pen and nothing around the figure."""
    for name in (
        "FIGURE_SHARE",
        "GROTESQUE_FIGURE_SHARE",
        "TONE_SHARE",
        "CUT_SHARE",
        "INK_BOX_SHARE",
    ):
        monkeypatch.setattr(augment, name, 0.0)
    monkeypatch.setattr(props, "COUNTS", (1.0,))
    monkeypatch.setattr(props, "_fitting", lambda stage: [])
    monkeypatch.setattr(StrokeStyle, "random", lambda rng, preset=None: StrokeStyle(width=2.0))
    return monkeypatch


def distance_to_ink(one: augment.Sample, rows: list[int]) -> np.ndarray:
    """Pixels from each valid keypoint of ``rows`` to the nearest ink."""
    ink = np.argwhere(one.image < 160)[:, ::-1] + 0.5
    chosen = one.keypoints[[i for i in rows if one.valid[i]]]
    return np.linalg.norm(chosen[:, None] - ink[None], axis=2).min(axis=1)


EVERY = list(range(skeleton.COUNT))


@pytest.mark.parametrize("flip", [0.0, 1.0])
@pytest.mark.parametrize("turn", [0.0, 1.0])
@pytest.mark.parametrize("warp", [0.0, 1.0])
def test_ink_lies_at_the_keypoints(bare, flip: float, turn: float, warp: float) -> None:
    bare.setattr(augment, "FLIP_SHARE", flip)
    bare.setattr(augment, "ANY_ROTATION_SHARE", turn)
    bare.setattr(augment, "WARP_SHARE", warp)
    bare.setattr(augment, "STRETCH_SHARE", 1.0)
    for rows, flipped in ((EVERY, EVERY), (LEFT, RIGHT), (RIGHT, LEFT)):
        pack = dots_pack(rows)
        for seed in range(6):
            one = augment.sample(pack, seed % 4, np.random.default_rng(seed))
            assert one.valid.sum() >= 6  # the box holds the dots, which may be of one side
            # The dot of a left joint is a right joint's in the mirror.
            assert distance_to_ink(one, flipped if flip else rows).max() < 3


def test_a_flip_swaps_the_sides(bare) -> None:
    bare.setattr(augment, "WARP_SHARE", 0.0)
    samples = []
    for share in (0.0, 1.0):
        bare.setattr(augment, "FLIP_SHARE", share)
        bare.setattr(augment, "STRETCH_SHARE", 0.0)
        bare.setattr(augment, "ANY_ROTATION_SHARE", 0.0)
        samples.append(augment.sample(dots_pack(EVERY), 0, np.random.default_rng(4)))
    plain, flipped = (s.keypoints - s.keypoints[ROW["Hips"]] for s in samples)
    np.testing.assert_allclose(
        np.linalg.norm(flipped, axis=1),
        np.linalg.norm(plain[list(skeleton.FLIP)], axis=1),
        rtol=0.02,
    )

    def handedness(points: np.ndarray) -> float:
        across = points[ROW["LeftArm"]] - points[ROW["RightArm"]]
        return float(np.sign(np.cross(across, points[ROW["Neck"]])))

    # A mirrored figure whose sides are swapped looks like an ordinary one.
    assert handedness(flipped) == handedness(plain)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_a_warp_neither_tears_nor_loses_the_figure(seed: int) -> None:
    rng = np.random.default_rng(seed)
    keypoints = random_pose(rng)[:, :2] * 110 + 128
    warp = augment.limb_warp(keypoints, keypoints, rng)
    size = np.ptp(keypoints, axis=0).max()
    grid = np.stack(np.meshgrid(*[np.linspace(0, 256, 120)] * 2), axis=-1)
    moved = warp(grid.reshape(-1, 2)).reshape(grid.shape)
    step = 256 / 119
    for axis in (0, 1):
        gaps = np.linalg.norm(np.diff(moved, axis=axis), axis=2)
        assert gaps.max() < 8 * step
    assert np.linalg.norm(moved - grid, axis=2).max() < 1.2 * size


def test_five_hundred_samples_are_sound() -> None:
    rng = np.random.default_rng(7)
    views = []
    for _ in range(20):
        joints = random_pose(rng)
        keypoints = (joints[:, :2] * 110 + 128).astype(np.float32)
        strokes = [keypoints[list(bone)] for bone in skeleton.BONES]
        visible = np.full(skeleton.COUNT, 2, np.uint8)
        views.append(View(strokes, keypoints, visible, joints.astype(np.float32)))
    views.append(View([], views[0].keypoints, views[0].visibility, views[0].joints))
    pack = StrokePack.from_views(views, 256, [("lines", "pose")])
    valid = []
    for seed in range(500):
        one = augment.sample(pack, seed % len(pack), np.random.default_rng(seed))
        assert one.image.shape == (256, 256) and one.image.dtype == np.uint8
        assert one.keypoints.shape == (23, 2) and one.keypoints.dtype == np.float32
        assert np.isfinite(one.keypoints).all()
        inside = ((one.keypoints >= 0) & (one.keypoints < 256)).all(axis=1)
        assert not (one.valid & ~inside).any()
        valid.append(one.valid.mean())
    assert np.mean(valid) > 0.9


def test_equal_chance_gives_equal_samples_of_any_size() -> None:
    pack = dots_pack(EVERY)
    for seed in range(12):
        one, two = (augment.sample(pack, 1, np.random.default_rng(seed), 192) for _ in range(2))
        assert one.image.shape == (192, 192)
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.keypoints, two.keypoints)
        np.testing.assert_array_equal(one.valid, two.valid)


def test_a_cut_removes_the_keypoints_with_the_lines(bare) -> None:
    bare.setattr(augment, "CUT_SHARE", 1.0)
    pack = dots_pack(EVERY)
    lost = 0
    for seed in range(20):
        one = augment.sample(pack, seed % 4, np.random.default_rng(seed))
        # A dot at the border may be half gone.
        assert np.median(distance_to_ink(one, EVERY)) < 2
        assert distance_to_ink(one, EVERY).max() < 6
        gone = [i for i in EVERY if not one.valid[i]]
        lost += len(gone)
    assert lost > 20


def test_the_command_line_writes_a_sheet(tmp_path: Path, capsys) -> None:
    dots_pack(EVERY).save(tmp_path / "dots.npz")
    sheet = tmp_path / "sheet.png"
    augment.main([str(tmp_path / "dots.npz"), "--count", "5", "--sheet", str(sheet)])
    assert "ms a sample" in capsys.readouterr().out
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_the_command_line_refuses_what_is_no_pack(tmp_path: Path, capsys) -> None:
    (tmp_path / "text.npz").write_text("not a pack")
    with pytest.raises(SystemExit) as stop:
        augment.main([str(tmp_path / "text.npz")])
    assert stop.value.code == 2
    assert "text.npz" in capsys.readouterr().err


def test_plain_samples_are_the_record_itself():
    pack = dots_pack(EVERY)
    one, two = (augment.sample(pack, 1, np.random.default_rng(3), 256, True) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    assert one.valid.sum() > 15 and distance_to_ink(one, EVERY).max() < 2.5
    away = one.image.copy()
    for x, y in one.keypoints[one.valid]:
        away[max(0, int(y) - 6) : int(y) + 7, max(0, int(x) - 6) : int(x) + 7] = 255
    assert (away == 255).all()  # no paper, no props
