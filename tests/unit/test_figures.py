"""Figures from the skeleton: the pose stays, left stays left, the drawing fits its keypoints."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import bodies, figures, heads, skeleton
from addon.core.rotations import about_axis
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


def dancing() -> np.ndarray:
    """``[23, 3]`` as :func:`standing`: its left arm to the viewer, its right leg to the side."""
    joints = standing()
    joints[ROW["LeftForeArm"]] = (0.2, -0.42, -0.28)
    joints[ROW["LeftHand"]] = (0.2, -0.4, -0.53)
    joints[ROW["RightLeg"]] = (-0.4, 0.3, 0.05)
    joints[ROW["RightFoot"]] = (-0.7, 0.5, 0.1)
    joints[ROW["RightToeBase"]] = (-0.78, 0.55, -0.02)
    return joints


def turned(joints: np.ndarray, angle: float) -> np.ndarray:
    return joints @ about_axis(1, angle).T


def shot(joints: np.ndarray, distance: float, focal: float = 700.0) -> np.ndarray:
    """``[23, 2]`` pixels in perspective; the joints ``[23, 3]`` are moved to that distance."""
    placed = joints + (0, 0, distance)
    return placed[:, :2] / placed[:, 2:] * focal * distance / 3 + 256


def distance_to(lines: list[np.ndarray], point: np.ndarray) -> float:
    """Pixels from a point to the nearest of some polylines."""
    nearest = np.inf
    for line in lines:
        a, b = line[:-1].astype(float), line[1:].astype(float)
        along = b - a
        t = ((point - a) * along).sum(axis=1) / np.maximum((along * along).sum(axis=1), 1e-12)
        foot = a + np.clip(t, 0, 1)[:, None] * along
        nearest = min(nearest, float(np.linalg.norm(foot - point, axis=1).min()))
    return nearest


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(-3.1, 3.1), st.booleans())
def test_an_exact_stick_figure_runs_through_its_joints(
    seed: int, angle: float, parallel: bool
) -> None:
    joints = turned(dancing(), angle)
    pixels = joints[:, :2] * 200 + 256 if parallel else shot(joints, 3.0)
    joints = joints + (0, 0, 3.0)
    drawing = figures.draw_exact(joints, pixels, "stick", np.random.default_rng(seed))
    lines = [path.astype(np.float64) for path in drawing.visible_lines(512)]
    for name in skeleton.COMMON:
        assert distance_to(lines, pixels[ROW[name]]) < 1.0
    inside = drawing.silhouette(512)
    for name in ("Head", "HeadTop_End"):
        x, y = (0.93 * pixels[ROW[name]] + 0.07 * pixels[ROW["Neck"]]).astype(int)
        assert inside[y - 6 : y + 7, x - 6 : x + 7].any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(-3.1, 3.1))
def test_an_exact_mannequin_covers_its_joints(seed: int, angle: float) -> None:
    joints = turned(dancing(), angle)
    pixels = shot(joints, 3.0)
    rng = np.random.default_rng(seed)
    drawing = figures.draw_exact(joints + (0, 0, 3.0), pixels, "mannequin", rng)
    inside = drawing.silhouette(512)
    for name in (*skeleton.COMMON, "Hips", "Spine1", "Neck", "Head"):
        x, y = pixels[ROW[name]].astype(int)
        assert inside[y - 3 : y + 4, x - 3 : x + 4].any()
    # Flesh lies around the bones, and not far from them.
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    points = drawing.points()
    assert (points.min(axis=0) > low - 60).all() and (points.max(axis=0) < high + 60).all()


@pytest.mark.parametrize("kind", figures.EXACT_KINDS)
def test_an_exact_figure_grows_with_its_picture(kind: str) -> None:
    joints = dancing() + (0, 0, 3.0)
    pixels = shot(dancing(), 3.0)
    one = figures.draw_exact(joints, pixels, kind, np.random.default_rng(4))
    other = figures.draw_exact(joints, 2 * pixels, kind, np.random.default_rng(4))
    np.testing.assert_allclose(other.points(), 2 * one.points(), rtol=1e-9)
    again = figures.draw_exact(joints, pixels, kind, np.random.default_rng(4))
    np.testing.assert_array_equal(again.points(), one.points())
    assert set(one.tags) <= set(range(skeleton.COUNT)) and len(set(one.tags)) >= 12


def test_a_near_hand_is_drawn_larger_in_perspective() -> None:
    def hand(distance: float) -> float:
        joints = dancing()
        drawing = figures.draw_exact(
            joints + (0, 0, distance), shot(joints, distance), "mannequin", np.random.default_rng(1)
        )
        points = np.concatenate(
            [
                path
                for path, tag in zip(drawing._points, drawing.tags, strict=True)
                if tag == ROW["LeftHand"]
            ]
        )
        return bodies.extent(points)

    # A hand 0.53 m before a body 1.2 m away is 1.8 times as near; one 30 m away is not.
    assert 1.4 < hand(1.2) / hand(30.0) < 2.4


def test_an_exact_mannequin_shows_its_front_and_hides_what_is_behind() -> None:
    def head_lines(angle: float) -> float:
        """Length of the lines on the head besides its outline, over several ways of drawing."""
        total = 0.0
        for seed in range(12):
            joints = turned(standing(), angle)
            drawing = figures.draw_exact(
                joints + (0, 0, 3), shot(joints, 3.0), "mannequin", np.random.default_rng(seed)
            )
            pieces, paths = drawing.visible_pieces(512)
            for piece, path in zip(pieces, paths, strict=True):
                if drawing.tags[path] == ROW["Head"] and (piece[0] != piece[-1]).any():
                    total += np.linalg.norm(np.diff(piece, axis=0), axis=1).sum()
        return total

    assert head_lines(0.0) > 3 * head_lines(np.pi)  # the face's cross, from the front only
    # From the side one leg covers the other: less of the farther one is seen.
    joints = turned(standing(), np.pi / 2)
    for seed in range(8):
        drawing = figures.draw_exact(
            joints + (0, 0, 3), shot(joints, 3.0), "mannequin", np.random.default_rng(seed)
        )
        pieces, paths = drawing.visible_pieces(512)
        seen = {"Left": 0.0, "Right": 0.0}
        for piece, path in zip(pieces, paths, strict=True):
            name = skeleton.KEYPOINTS[drawing.tags[path]]
            for side in seen:
                if name in (side + "UpLeg", side + "Leg"):
                    seen[side] += np.linalg.norm(np.diff(piece, axis=0), axis=1).sum()
        depth = {side: joints[ROW[side + "Leg"], 2] for side in seen}
        near, far = sorted(seen, key=lambda side: depth[side])
        assert seen[near] >= seen[far]


def test_no_such_kind_of_exact_figure() -> None:
    with pytest.raises(ValueError, match="sausage"):
        figures.draw_exact(standing(), np.zeros((23, 2)), "sausage", np.random.default_rng(0))
