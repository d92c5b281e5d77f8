"""Stroke packs: what goes in comes out, and damage is told."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import skeleton
from addon.core.strokes import UNITS_PER_PIXEL, StrokePack, View


def make_view(rng: np.random.Generator, strokes: int = 5, number: int = 0) -> View:
    lengths = rng.integers(2, 30, strokes)
    return View(
        strokes=[rng.uniform(-300, 600, (n, 2)).astype(np.float32) for n in lengths],
        keypoints=rng.uniform(0, 256, (skeleton.COUNT, 2)).astype(np.float32),
        visibility=rng.integers(0, 3, skeleton.COUNT).astype(np.uint8),
        joints=rng.normal(size=(skeleton.COUNT, 3)).astype(np.float32),
        frame=10 * number,
        camera=number % 8,
    )


def make_pack(seed: int, views: int = 3, clip: tuple[str, str] = ("Ann", "walk")) -> StrokePack:
    rng = np.random.default_rng(seed)
    return StrokePack.from_views(
        [make_view(rng, int(rng.integers(0, 8)), i) for i in range(views)], 256, clip
    )


def assert_same_view(a: View, b: View, tolerance: float = 0.0) -> None:
    assert len(a.strokes) == len(b.strokes)
    for one, other in zip(a.strokes, b.strokes, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance)
    np.testing.assert_array_equal(a.keypoints, b.keypoints)
    np.testing.assert_array_equal(a.visibility, b.visibility)
    np.testing.assert_array_equal(a.joints, b.joints)
    assert (a.frame, a.camera) == (b.frame, b.camera)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(*[st.floats(-1000, 1000, width=32)] * 2), min_size=2, max_size=20),
        max_size=12,
    )
)
def test_strokes_survive_the_file_within_half_a_unit(tmp_path_factory, strokes) -> None:
    view = make_view(np.random.default_rng(0), 0)
    view.strokes.extend(np.array(stroke, dtype=np.float32) for stroke in strokes)
    path = tmp_path_factory.mktemp("pack") / "clip.npz"
    StrokePack.from_views([view], 256, ("Ann", "walk")).save(path)
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
    StrokePack.from_views([], 256, ("Ann", "walk")).save(tmp_path / "none.npz")
    assert len(StrokePack.load(tmp_path / "none.npz")) == 0


def test_a_stroke_far_outside_is_refused() -> None:
    view = make_view(np.random.default_rng(0), 0)
    view.strokes.append(np.array([[0, 0], [1100, 0]], dtype=np.float32))
    with pytest.raises(ValueError, match="leaves the picture"):
        StrokePack.from_views([view], 256, ("Ann", "walk"))


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
