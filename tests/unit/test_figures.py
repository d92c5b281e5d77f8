"""Figures from the skeleton: the pose stays, left stays left, the drawing fits its keypoints."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import bodies, figures, heads, skeleton
from addon.core.styles import Drawing, StrokeStyle, draw

ROW = skeleton.INDEX


def standing() -> np.ndarray:
    """``[23, 3]`` camera space, metres: upright, facing the viewer, arms hanging a little out."""
    joints = np.zeros((skeleton.COUNT, 3))
    heights = {"Spine": 0.1, "Spine1": 0.22, "Spine2": 0.34, "Neck": 0.5, "Head": 0.6}
    for name, height in {**heights, "HeadTop_End": 0.8}.items():
        joints[ROW[name]] = (0, -height, 0)
    for side, sign in (("Left", 1), ("Right", -1)):
        for name, place in {
            "Shoulder": (0.06, -0.47, 0),
            "Arm": (0.18, -0.47, 0),
            "ForeArm": (0.26, -0.2, 0),
            "Hand": (0.3, 0.04, -0.02),
            "UpLeg": (0.09, 0.03, 0),
            "Leg": (0.1, 0.46, -0.01),
            "Foot": (0.1, 0.88, 0.01),
            "ToeBase": (0.12, 0.95, -0.14),
        }.items():
            joints[ROW[side + name]] = np.array(place) * (sign, 1, 1)
    return joints


def bone_directions(joints: np.ndarray) -> np.ndarray:
    parents, children = np.array(skeleton.BONES).T
    bones = joints[children] - joints[parents]
    return bones / np.linalg.norm(bones, axis=1, keepdims=True)


def test_frames_of_a_figure_that_faces_the_viewer() -> None:
    expected = [[1, 0, 0], [0, -1, 0], [0, 0, -1]]  # its left is on the right of the picture
    np.testing.assert_allclose(bodies.chest_frame(standing()), expected, atol=1e-9)
    np.testing.assert_allclose(bodies.pelvis_frame(standing()), expected, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_new_proportions_keep_the_pose(seed: int) -> None:
    joints = standing() + np.random.default_rng(seed).normal(0, 0.02, (skeleton.COUNT, 3))
    other = bodies.reproportioned(joints, np.random.default_rng(seed), 1.2)
    np.testing.assert_allclose(bone_directions(other), bone_directions(joints), atol=1e-6)
    lengths = np.linalg.norm(np.diff(other[[ROW["LeftArm"], ROW["LeftForeArm"]]], axis=0))
    assert 0.1 < lengths < 0.8


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_a_view_turns_the_body_and_does_not_mirror_it(seed: int) -> None:
    joints = standing()
    turned, points = bodies.viewed(joints, np.random.default_rng(seed))
    distances = np.linalg.norm(joints[:, None] - joints[None], axis=2)
    again = np.linalg.norm(turned[:, None] - turned[None], axis=2)
    scale = again.max() / distances.max()
    np.testing.assert_allclose(again, scale * distances, atol=1e-6 * scale)
    # A rotation has determinant 1: the triple product of three bones keeps its sign.
    rows = [ROW["LeftArm"], ROW["Neck"], ROW["LeftToeBase"]]
    assert np.linalg.det(turned[rows] - turned[0]) * np.linalg.det(joints[rows] - joints[0]) > 0
    assert np.isfinite(points).all()
    assert points[ROW["HeadTop_End"], 1] < points[ROW["Hips"], 1]


def test_a_view_without_backs_shows_the_chest() -> None:
    for seed in range(100):
        turned, _ = bodies.viewed(standing(), np.random.default_rng(seed), backs=False)
        assert bodies.chest_frame(turned)[2, 2] < 0.45


def drawn(figure: figures.Figure, style: StrokeStyle) -> tuple[np.ndarray, np.ndarray]:
    """The picture ``[256, 256]`` and the keypoints in it."""
    points = figure.drawing.points()
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 200 / (high - low).max()
    move = 128 - scale * (low + high) / 2
    image = draw(figure.drawing.mapped(lambda p: p * scale + move), style, np.random.default_rng(0))
    return image, figure.keypoints * scale + move


@pytest.mark.parametrize("kind", figures.KINDS)
def test_every_kind_draws_around_its_keypoints(kind: str) -> None:
    limbs = [ROW[s + n] for s in ("Left", "Right") for n in ("ForeArm", "Hand", "Leg", "Foot")]
    for seed in range(25):
        figure = figures.draw_figure(standing(), kind, np.random.default_rng(seed))
        image, keypoints = drawn(figure, StrokeStyle(width=2.0))
        ink = np.argwhere(image < 128)[:, ::-1] + 0.5
        distance = np.linalg.norm(keypoints[limbs, None] - ink[None], axis=2).min(axis=1)
        # A limb's outline is a limb's radius away; a dress may hide the legs.
        assert np.median(distance) < 14
        assert len(ink) > 300


@pytest.mark.parametrize("kind", figures.KINDS)
def test_equal_chance_gives_equal_figures(kind: str) -> None:
    one, two = (figures.draw_figure(standing(), kind, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.keypoints, two.keypoints)
    np.testing.assert_array_equal(one.drawing.points(), two.drawing.points())


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no such kind"):
        figures.draw_figure(standing(), "cubist", np.random.default_rng(0))


def face_ink(turn: float) -> np.ndarray:
    """Ink points ``[n, 2]`` of a face, relative to the head's centre, the body turned (radians)."""
    c, s = np.cos(turn), np.sin(turn)
    joints = standing() @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T * 180
    body = bodies.Body(joints, joints[:, :2].copy(), np.random.default_rng(0), 1.0)
    body.head = bodies.chest_frame(joints)
    drawing = Drawing()
    heads._face(drawing, body, "eyes")
    return drawing.points() - body.head_centre


def test_the_face_looks_where_the_body_faces() -> None:
    front = face_ink(0.0)
    assert abs(front[:, 0].mean()) < 3
    for turn in (0.9, -0.9):
        c, s = np.cos(turn), np.sin(turn)
        forward = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ (0, 0, -1)
        assert np.sign(face_ink(turn)[:, 0].mean()) == np.sign(forward[0])


def test_the_back_of_a_head_has_no_face() -> None:
    assert len(face_ink(np.pi)) == 0


def test_stick_figures_put_limbs_where_their_lines_start() -> None:
    on_spine = 0
    for seed in range(60):
        figure = figures.draw_figure(standing(), "stick", np.random.default_rng(seed))
        left, right = figure.keypoints[ROW["LeftArm"]], figure.keypoints[ROW["RightArm"]]
        on_spine += bool(np.allclose(left, right))
    assert 10 < on_spine < 45  # "line" trunks: both arms leave the spine at one point
