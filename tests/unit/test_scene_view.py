"""What a picture of several figures knows about each of them."""

from __future__ import annotations

import numpy as np
import pytest

from addon.core import skeleton
from addon.core.camera import Camera, look_at
from addon.core.scene_view import FigurePose, view_skeletons, view_surfaces
from addon.core.strokes import NO_BONE, NOBODY
from addon.core.surface import Surface
from tests.unit.capsule_body import body
from tests.unit.synthetic import T_POSE, places

T = places(T_POSE)
REST, TRIANGLES, BONES = body(T)
SURFACE = Surface.prepare(REST, TRIANGLES, BONES, T)
CAMERA = look_at((0, -5, 0.9), (0, 0, 0.9), size=(200, 200), focal=400)


def standing(x: float, y: float) -> FigurePose:
    """A figure in T-pose, moved over the ground."""
    return FigurePose(T + (x, y, 0), REST + (x, y, 0), SURFACE)


def test_the_nearer_figure_hides_the_farther_one_and_both_keep_their_boxes() -> None:
    alone = view_surfaces(CAMERA, [standing(0.1, 1.0)], [], []).figures[0]
    far, near = view_surfaces(CAMERA, [standing(0.1, 1.0), standing(0, 0)], [], []).figures
    assert alone is not None and far is not None and near is not None
    assert (far.box, far.area) == (alone.box, alone.area)
    assert alone.mask.sum() == alone.area
    assert 0 < far.mask.sum() < 0.6 * far.area
    assert near.mask.sum() == near.area
    assert not (far.mask & near.mask).any()
    # The trunk's joints stand behind the other's trunk.
    for name in ("Spine1", "Neck"):
        row = skeleton.INDEX[name]
        assert (alone.visibility[row], far.visibility[row], near.visibility[row]) == (2, 1, 2)


def test_a_figure_of_which_nothing_is_seen_is_none() -> None:
    wall = np.array([(-9, -1, -9), (9, -1, -9), (9, -1, 9), (-9, -1, 9)], float)
    faces = np.array([(0, 1, 2), (0, 2, 3)])
    view = view_surfaces(CAMERA, [standing(0, 0)], [], [], obstacles=[(wall, faces)])
    assert view.figures == [None]


def test_ground_lines_are_hidden_by_who_stands_before_them() -> None:
    line = np.column_stack([np.linspace(-0.6, 0.6, 200), np.full(200, 0.5), np.full(200, 0.3)])
    view = view_surfaces(CAMERA, [standing(0, 0)], [], [], ground=[line])
    (figure,) = view.figures
    assert figure is not None
    assert len(view.strokes) == 3  # left of the legs, between them, right of them
    assert set(view.owners) == {NOBODY} and set(view.bones) == {NO_BONE}
    cells = np.concatenate(view.strokes).astype(int)
    assert not figure.mask[cells[:, 1], cells[:, 0]].any()


def test_maps_are_made_when_asked_for() -> None:
    poses = [standing(0, 0)]
    assert view_surfaces(CAMERA, poses, [], []).maps == {}
    view = view_surfaces(CAMERA, poses, [], [], maps=("parts", "uv", "depth"))
    (figure,) = view.figures
    assert figure is not None
    assert sorted(view.maps) == ["depth", "parts", "uv"]
    for picture in view.maps.values():
        seen = picture if picture.ndim == 2 else picture[..., 0]
        np.testing.assert_array_equal(seen > 0, figure.mask)
    offset, scale = view.depth_range
    metres = offset + scale * view.maps["depth"][figure.mask].astype(float)
    assert 4.4 < metres.min() < 5 < metres.max() < 5.4


@pytest.mark.parametrize("kind", ["stick", "mannequin"])
def test_drawn_figures_hide_each_other_from_near_to_far(kind: str) -> None:
    rng = np.random.default_rng(3)
    joints = [T + (0.1, 1.0, 0), T.copy()]
    view = view_skeletons(CAMERA, joints, kind, rng)
    far, near = view.figures
    assert far is not None and near is not None
    assert not (far.mask & near.mask).any()
    assert near.mask.sum() == near.area and far.mask.sum() < far.area
    np.testing.assert_allclose(near.pixels, CAMERA.project(T))
    assert set(near.visibility) == {2}
    assert set(view.owners) == {0, 1}
    # What is drawn of the farther one stays outside the nearer one.
    drawn = np.concatenate([s for s, o in zip(view.strokes, view.owners, strict=True) if o == 0])
    cells = np.clip(drawn.astype(int), 0, 199)
    assert near.mask[cells[:, 1], cells[:, 0]].mean() < 0.1


@pytest.mark.parametrize("kind", ["stick", "mannequin"])
def test_drawn_strokes_know_their_bones(kind: str) -> None:
    joints = T.copy()
    view = view_skeletons(CAMERA, [joints], kind, np.random.default_rng(5))
    pixels = CAMERA.project(joints)
    upper_arm = skeleton.INDEX["LeftArm"]
    strokes = [s for s, b in zip(view.strokes, view.bones, strict=True) if b == upper_arm]
    assert strokes
    elbow, shoulder = pixels[skeleton.INDEX["LeftForeArm"]], pixels[upper_arm]
    middle = np.concatenate(strokes).mean(axis=0)
    assert np.linalg.norm(middle - (elbow + shoulder) / 2) < 0.5 * np.linalg.norm(elbow - shoulder)


def test_a_parallel_camera_sees_the_same_figures() -> None:
    flat = Camera(
        CAMERA.rotation, CAMERA.translation, 90.0, CAMERA.centre, CAMERA.size, orthographic=True
    )
    near, far = view_surfaces(flat, [standing(-0.9, 0), standing(0.9, 3)], [], []).figures
    assert near is not None and far is not None
    assert near.area == pytest.approx(far.area, rel=0.03)  # no perspective: distance is nothing
