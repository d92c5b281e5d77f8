"""Stroke packs: what goes in comes out, and damage is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import skeleton
from addon.core.strokes import NO_BONE, NOBODY, UNITS_PER_PIXEL, StrokePack, View, within


def make_view(rng: np.random.Generator, strokes: int = 5, number: int = 0, figure: int = 0) -> View:
    lengths = rng.integers(2, 30, strokes)
    return View(
        strokes=[rng.uniform(-300, 600, (n, 2)).astype(np.float32) for n in lengths],
        keypoints=rng.uniform(0, 256, (skeleton.COUNT, 2)).astype(np.float32),
        visibility=rng.integers(0, 3, skeleton.COUNT).astype(np.uint8),
        joints=rng.normal(size=(skeleton.COUNT, 3)).astype(np.float32),
        frame=10 * number,
        camera=number % 8,
        figure=figure,
        box=rng.uniform(0, 99, 4).astype(np.float32),
        owners=rng.choice([0, 1, NOBODY], strokes).astype(np.uint8),
        bones=rng.integers(0, skeleton.COUNT, strokes).astype(np.uint8),
    )


def make_pack(seed: int, views: int = 3, clip: tuple[str, str] = ("Ann", "walk")) -> StrokePack:
    rng = np.random.default_rng(seed)
    return StrokePack.from_views(
        [make_view(rng, int(rng.integers(0, 8)), i) for i in range(views)], 256, [clip]
    )


def assert_same_view(a: View, b: View, tolerance: float = 0.0) -> None:
    assert len(a.strokes) == len(b.strokes)
    for one, other in zip(a.strokes, b.strokes, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance)
    np.testing.assert_array_equal(a.keypoints, b.keypoints)
    np.testing.assert_array_equal(a.visibility, b.visibility)
    np.testing.assert_array_equal(a.joints, b.joints)
    assert (a.frame, a.camera, a.figure) == (b.frame, b.camera, b.figure)
    for name in ("box", "owners", "bones"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(*[st.floats(-1000, 1000, width=32)] * 2), min_size=2, max_size=20),
        max_size=12,
    )
)
def test_strokes_survive_the_file_within_half_a_unit(tmp_path_factory, strokes) -> None:
    view = replace(
        make_view(np.random.default_rng(0), len(strokes)),
        strokes=[np.array(stroke, dtype=np.float32) for stroke in strokes],
    )
    path = tmp_path_factory.mktemp("pack") / "clip.npz"
    StrokePack.from_views([view], 256, [("Ann", "walk")]).save(path)
    assert_same_view(StrokePack.load(path)[0], view, tolerance=0.5 / UNITS_PER_PIXEL + 1e-4)


def test_everything_else_survives_the_file(tmp_path: Path) -> None:
    pack = make_pack(1, views=4)
    pack.save(tmp_path / "clip.npz")
    again = StrokePack.load(tmp_path / "clip.npz")
    assert (again.size, again.clips, len(again)) == (256, [("Ann", "walk")], 4)
    assert again.character(2) == "Ann"
    for i in range(4):
        assert_same_view(again[i], pack[i])


def test_equal_packs_are_equal_files(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        make_pack(2).save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_an_empty_pack_can_be_stored(tmp_path: Path) -> None:
    StrokePack.from_views([], 256, [("Ann", "walk")]).save(tmp_path / "none.npz")
    assert len(StrokePack.load(tmp_path / "none.npz")) == 0


def crowd(seed: int) -> StrokePack:
    """Three drawings of one, three and two figures."""
    rng = np.random.default_rng(seed)
    views = []
    for number, figures in enumerate((1, 3, 2)):
        first = make_view(rng, 6, number)
        views.append(first)
        for figure in range(1, figures):
            other = make_view(rng, 6, number, figure)
            shared = {name: getattr(first, name) for name in ("strokes", "owners", "bones")}
            views.append(replace(other, clip=figure % 2, **shared))
    return StrokePack.from_views(views, 256, [("Ann", "walk"), ("Bob", "run")])


def test_figures_of_one_drawing_share_its_strokes(tmp_path: Path) -> None:
    pack = crowd(3)
    pack.save(tmp_path / "crowd.npz")
    again = StrokePack.load(tmp_path / "crowd.npz")
    assert len(again) == 6 and len(again.drawing_starts) == 4
    assert again.figure.tolist() == [0, 0, 1, 2, 0, 1]
    assert [again.character(i) for i in range(4)] == ["Ann", "Ann", "Bob", "Ann"]
    for i in (2, 3):
        for one, other in zip(again[1].strokes, again[i].strokes, strict=True):
            np.testing.assert_array_equal(one, other)
    owned = sum(len(again[1].strokes_of(owner)) for owner in (0, 1, NOBODY))
    assert owned == len(again[1].strokes) == 6


def test_merging_and_choosing_keep_each_figure_in_its_drawing() -> None:
    pack = StrokePack.merge([crowd(1), make_pack(2, 2), crowd(4)])
    for part, rows in ((pack, range(len(pack))), (pack.subset([11, 3, 2]), (11, 3, 2))):
        for i, row in enumerate(rows):
            assert_same_view(part[i], pack[row])
    assert len(pack.subset([3, 2, 1]).drawing_starts) == 2
    assert_same_view(pack[9], crowd(4)[1], tolerance=1 / UNITS_PER_PIXEL)


def test_packs_of_the_first_format_still_load(tmp_path: Path) -> None:
    pack = make_pack(5, views=3)
    lengths = np.diff(pack.stroke_starts)
    deltas = pack.points.copy()
    deltas[1:] -= pack.points[:-1]
    np.savez(
        tmp_path / "old.npz",
        format=np.array(1),
        size=np.array(256),
        deltas_x=deltas[:, 0],
        deltas_y=deltas[:, 1],
        stroke_lengths=lengths.astype(np.uint16),
        view_strokes=np.diff(pack.drawing_starts).astype(np.uint16),
        keypoints=pack.keypoints,
        visibility=pack.visibility,
        joints=pack.joints,
        frame=pack.frame,
        camera=pack.camera,
        clip=pack.clip,
        clips=np.array(pack.clips),
    )
    old = StrokePack.load(tmp_path / "old.npz")
    for i in range(3):
        np.testing.assert_array_equal(old[i].keypoints, pack[i].keypoints)
        assert len(old[i].strokes) == len(pack[i].strokes)
        assert set(old[i].owners) <= {0} and set(old[i].bones) <= {NO_BONE}


def test_a_stroke_far_outside_is_refused() -> None:
    view = replace(
        make_view(np.random.default_rng(0), 1),
        strokes=[np.array([[0, 0], [1100, 0]], dtype=np.float32)],
    )
    with pytest.raises(ValueError, match="leaves the picture"):
        StrokePack.from_views([view], 256, [("Ann", "walk")])


def test_merge_keeps_views_and_renumbers_clips() -> None:
    packs = [make_pack(1, 2), make_pack(2, 3, ("Bob", "run")), make_pack(3, 1, ("Cy", "sit"))]
    merged = StrokePack.merge(packs)
    views = [pack[i] for pack in packs for i in range(len(pack))]
    for i, view in enumerate(views):
        assert_same_view(merged[i], view)
    assert [merged.character(i) for i in range(6)] == ["Ann", "Ann", "Bob", "Bob", "Bob", "Cy"]


def test_merge_needs_one_size() -> None:
    with pytest.raises(ValueError, match="one picture size"):
        StrokePack.merge([])
    other = make_pack(1)
    other.size = 512
    with pytest.raises(ValueError, match="one picture size"):
        StrokePack.merge([make_pack(1), other])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=9))
def test_subset_takes_views_in_the_order_given(indices: list[int]) -> None:
    pack = StrokePack.merge([make_pack(1, 3), make_pack(2, 3, ("Bob", "run"))])
    part = pack.subset(indices)
    assert len(part) == len(indices)
    for i, index in enumerate(indices):
        assert_same_view(part[i], pack[index])
        assert part.character(i) == pack.character(index)


coordinate = st.floats(-30, 30, width=32)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=8))
def test_cutting_keeps_what_is_inside_and_nothing_else(points: list[tuple[float, float]]) -> None:
    line = np.array(points)
    pieces = within(line, -10.0, 10.0)
    for piece in pieces:
        assert len(piece) > 1 and np.abs(piece).max() <= 10 + 1e-6
    # The length inside, measured by walking along the line in small steps.
    dense = np.concatenate(
        [
            a + np.linspace(0, 1, 2001)[:, None] * (b - a)
            for a, b in zip(line[:-1], line[1:], strict=True)
        ]
    )
    middles = (dense[1:] + dense[:-1]) / 2
    steps = np.linalg.norm(np.diff(dense, axis=0), axis=1)
    inside = steps[(np.abs(middles) < 10).all(axis=1)].sum()
    cut = sum(np.linalg.norm(np.diff(piece, axis=0), axis=1).sum() for piece in pieces)
    assert cut == pytest.approx(inside, abs=0.05 * len(line))


def test_cutting_takes_depth_along() -> None:
    line = np.array([[-5.0, 0, 1], [5.0, 0, 2], [5.0, 20, 4], [0.0, 20, 4], [0.0, 0, 8]])
    first, second = within(line, 0.0, 10.0)
    np.testing.assert_allclose(first, [[0, 0, 1.5], [5, 0, 2], [5, 10, 3]])
    np.testing.assert_allclose(second, [[0, 10, 6], [0, 0, 8]])


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 0.999))
def test_a_truncated_file_is_a_value_error(tmp_path_factory, share: float) -> None:
    path = tmp_path_factory.mktemp("cut") / "clip.npz"
    make_pack(4).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError):
        StrokePack.load(path)


def test_other_files_are_value_errors(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("not a pack")
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "other.npz", points=np.zeros(3))
    np.savez(tmp_path / "newer.npz", format=np.array(99))
    for name in ("text.npz", "array.npy", "other.npz", "newer.npz", "missing.npz"):
        with pytest.raises(ValueError):
            StrokePack.load(tmp_path / name)


def test_saving_leaves_no_partial_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clip.npz"
    make_pack(5).save(path)
    before = path.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["clip.npz"]

    def full_disk(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full_disk)
    with pytest.raises(OSError, match="No space"):
        make_pack(6).save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["clip.npz"]
    assert path.read_bytes() == before
