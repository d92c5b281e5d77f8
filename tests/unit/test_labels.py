from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core import labels, raster, skeleton
from addon.core.camera import Camera, look_at
from addon.core.raster import Buffer
from addon.core.strokes import NO_BONE, NOBODY
from addon.core.surface import PARTS, Surface
from tests.unit.capsule_body import INDEX, RADII, body
from tests.unit.synthetic import T_POSE, places

SIZE = (200, 200)
T = places(T_POSE)
HIDDEN, SEEN = 1, 2


def standing(**moved: tuple[float, float, float]) -> np.ndarray:
    """The T-pose with its arms held out to the front, and some joints elsewhere."""
    joints = T.copy()
    for side in ("Left", "Right"):
        shoulder = joints[INDEX[side + "Arm"]]
        joints[INDEX[side + "ForeArm"]] = shoulder + (0, -0.2, -0.2)
        joints[INDEX[side + "Hand"]] = shoulder + (0, -0.42, -0.3)
    for name, place in moved.items():
        joints[INDEX[name]] = place
    return joints


def view(azimuth: float, target: tuple[float, float, float] = (0, 0, 0.85)) -> Camera:
    """Degrees: 0 sees the figure's face, 90 its left side, 180 its back."""
    angle = np.radians(azimuth)
    eye = np.array([4 * np.sin(angle), -4 * np.cos(angle), target[2]])
    return look_at(eye + (target[0], target[1], 0), target, size=SIZE, focal=380)


def figure(joints: np.ndarray, girth: float = 1.0) -> tuple[np.ndarray, Surface]:
    """Vertices as posed, and the surface of the same body at rest."""
    rest, triangles, bones = body(T, girth)
    return body(joints, girth)[0], Surface.prepare(rest, triangles, bones, T)


def seen(camera: Camera, joints: np.ndarray, *others: Buffer) -> dict[str, int]:
    vertices, surface = figure(joints)
    buffers = [raster.rasterise(camera, vertices, surface.triangles), *others]
    result = labels.visibility(joints, camera, buffers, 0, surface)
    assert result.dtype == np.uint8
    return dict(zip(skeleton.KEYPOINTS, result.tolist(), strict=True))


def board(camera: Camera, low: tuple[float, ...], high: tuple[float, ...]) -> Buffer:
    """An upright board, seen from the front: corners (x, z), at depth y = low[1]."""
    (x0, y, z0), (x1, _, z1) = low, high
    corners = [(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)]
    return raster.rasterise(camera, corners, [(0, 1, 2), (0, 2, 3)])


@pytest.mark.parametrize("azimuth", [0, 180])
def test_front_and_back_show_the_trunk_and_the_legs(azimuth: float) -> None:
    result = seen(view(azimuth), T)
    hidden = {name for name, value in result.items() if value != SEEN}
    # From behind, the heel and the ankle stand before the toes.
    assert hidden <= ({"LeftToeBase", "RightToeBase"} if azimuth else set())


@pytest.mark.parametrize(
    ("azimuth", "near", "far"), [(90, "Left", "Right"), (-90, "Right", "Left")]
)
def test_profile_hides_the_far_side(azimuth: float, near: str, far: str) -> None:
    result = seen(view(azimuth), standing())
    for joint in ("Arm", "UpLeg", "Leg", "Foot"):
        assert result[near + joint] == SEEN, joint
    for joint in ("Arm", "UpLeg", "Leg", "Foot"):
        assert result[far + joint] == HIDDEN, joint
    for joint in ("Spine", "Spine1", "Head"):
        assert result[joint] == SEEN, joint


def test_a_hand_before_the_face_hides_it() -> None:
    head = T[INDEX["Head"]]
    joints = standing(LeftForeArm=(0.25, -0.3, 1.3), LeftHand=tuple(head + (0.0, -0.3, 0.0)))
    assert seen(view(0), standing())["Head"] == SEEN
    result = seen(view(0), joints)
    assert result["Head"] == HIDDEN
    assert result["LeftHand"] == SEEN
    assert seen(view(180), joints)["Head"] == SEEN


@pytest.mark.parametrize(("depth", "knees"), [(-0.5, HIDDEN), (0.5, SEEN)])
def test_props_hide_what_is_behind_them(depth: float, knees: int) -> None:
    camera = view(0)
    result = seen(camera, T, board(camera, (-0.5, depth, 0.35), (0.5, depth, 0.6)))
    assert result["LeftLeg"] == result["RightLeg"] == knees
    assert result["LeftFoot"] == result["Hips"] == SEEN


def test_another_figure_hides_even_with_the_same_bones() -> None:
    camera = view(0)
    vertices, surface = figure(T)
    behind, before = (
        raster.rasterise(camera, vertices + offset, surface.triangles)
        for offset in ((0, 0.0, 0), (0, -0.5, 0))
    )
    for buffers, number, offset, trunk in (
        ([behind, before], 0, 0.0, HIDDEN),
        ([behind, before], 1, -0.5, SEEN),
    ):
        joints = T + (0, offset, 0)
        result = labels.visibility(joints, camera, buffers, number, surface)
        assert result[INDEX["Spine1"]] == trunk


def test_joints_outside_the_picture_or_the_skin() -> None:
    camera = view(0)
    joints = T.copy()
    joints[INDEX["LeftHand"]] = (3, 0, 1)
    joints[INDEX["RightHand"]] = (0, -9, 1)  # behind the eye
    joints[INDEX["LeftToeBase"]] = (0.5, 0, 0.3)  # beside the body
    vertices, surface = figure(T)
    buffer = raster.rasterise(camera, vertices, surface.triangles)
    result = labels.visibility(joints, camera, [buffer], 0, surface)
    assert result[INDEX["LeftHand"]] == result[INDEX["RightHand"]] == 0
    assert result[INDEX["LeftToeBase"]] == SEEN


def test_a_fatter_body_needs_its_scale() -> None:
    camera = view(0)
    rest, triangles, bones = body(T)
    surface = Surface.prepare(rest, triangles, bones, T)
    fat = raster.rasterise(camera, body(T, 2.2)[0], triangles)
    thin, scaled = (
        labels.visibility(T, camera, [fat], 0, surface, flesh_scale=scale) for scale in (1, 2.2)
    )
    knee = INDEX["LeftLeg"]
    assert (thin[knee], scaled[knee]) == (HIDDEN, SEEN)


@given(st.floats(-180, 180), st.floats(-0.6, 0.6), st.floats(0.1, 1.5), st.floats(-1.5, 1.5))
def test_a_prop_only_ever_hides(azimuth: float, x: float, z: float, y: float) -> None:
    camera = view(azimuth)
    prop = board(camera, (x - 0.2, y, z - 0.2), (x + 0.2, y, z + 0.2))
    without, given_ = seen(camera, standing()), seen(camera, standing(), prop)
    changed = {name for name in without if without[name] != given_[name]}
    for name in changed:
        assert (without[name], given_[name]) == (SEEN, HIDDEN)
        column, row = camera.project(standing()[INDEX[name]]).astype(int)
        depth = camera.to_camera(standing()[INDEX[name]])[2]
        assert prop.depth[row, column] < depth


def test_strokes_know_their_figure_and_bone() -> None:
    camera = view(0, (0.6, 0, 0.85))
    shift = np.array([1.1, 0.4, 0])
    vertices, surface = figure(standing())
    fat, fat_surface = figure(standing(), 1.3)
    buffers = [
        raster.rasterise(camera, vertices, surface.triangles),
        raster.rasterise(camera, fat + shift, fat_surface.triangles),
        board(camera, (0.4, -1.0, 0.0), (0.6, -1.0, 0.3)),
    ]

    def along(start: str, end: str, side: np.ndarray) -> np.ndarray:
        a, b = standing()[[INDEX[start], INDEX[end]]]
        return a + np.linspace(0.2, 0.8, 12)[:, None] * (b - a) + side

    lines = {
        # Outer outlines, exactly at the edge of the skin, and a line in the middle of a limb.
        (0, "RightUpLeg"): along("RightUpLeg", "RightLeg", np.array([-RADII["UpLeg"], 0, 0])),
        (0, "LeftLeg"): along("LeftLeg", "LeftFoot", np.array([0, -RADII["Leg"], 0])),
        (1, "LeftLeg"): along("LeftLeg", "LeftFoot", np.array([1.3 * RADII["Leg"], 0, 0])) + shift,
        (NOBODY, "board"): np.linspace((0.42, -1.0, 0.3), (0.58, -1.0, 0.3), 9),
        (NOBODY, "ground"): np.linspace((-0.5, -1.5, 0.0), (1.5, -1.5, 0.0), 30),
    }
    strokes = [camera.project(line) for line in lines.values()]
    depths = [camera.to_camera(line)[:, 2] for line in lines.values()]
    owners, bones = labels.stroke_owners(strokes, depths, buffers, [surface, fat_surface])
    assert owners.dtype == bones.dtype == np.uint8
    assert owners.tolist() == [owner for owner, _ in lines]
    assert bones.tolist() == [INDEX.get(name, NO_BONE) for _, name in lines]


def test_outline_belongs_to_the_nearer_surface() -> None:
    # A hand's outline drawn over the chest: the chest fills the pixels on its other side.
    joints = standing(LeftForeArm=(0.3, -0.25, 1.2), LeftHand=(0.05, -0.3, 1.2))
    camera = view(0)
    vertices, surface = figure(joints)
    buffer = raster.rasterise(camera, vertices, surface.triangles)
    a, b = joints[[INDEX["LeftForeArm"], INDEX["LeftHand"]]]
    line = a + np.linspace(0.4, 0.9, 15)[:, None] * (b - a) + (0, 0, RADII["ForeArm"])
    owners, bones = labels.stroke_owners(
        [camera.project(line)], [camera.to_camera(line)[:, 2]], [buffer], [surface]
    )
    assert (owners.tolist(), bones.tolist()) == ([0], [INDEX["LeftForeArm"]])


def test_strokes_of_nothing() -> None:
    camera = view(0)
    vertices, surface = figure(T)
    buffer = raster.rasterise(camera, vertices, surface.triangles)
    owners, bones = labels.stroke_owners([], [], [buffer], [surface])
    assert owners.shape == bones.shape == (0,)
    outside = np.array([[-50.0, -50], [400, 3]])
    none = np.zeros((0, 2))
    owners, bones = labels.stroke_owners(
        [outside, none], [np.ones(2), np.zeros(0)], [buffer], [surface]
    )
    assert owners.tolist() == [NOBODY, NOBODY]
    assert bones.tolist() == [NO_BONE, NO_BONE]


def test_maps_show_figures_and_not_props() -> None:
    camera = view(0)
    vertices, surface = figure(T)
    shifted = raster.rasterise(camera, vertices + (0.3, 0.5, 0), surface.triangles)
    buffers = [raster.rasterise(camera, vertices, surface.triangles), shifted]
    prop = board(camera, (-0.5, -0.5, 0.35), (0.5, -0.5, 0.6))
    surfaces = [surface, surface]
    front = raster.nearest([*buffers, prop])

    parts = labels.part_map([*buffers, prop], surfaces)
    charts = labels.chart_map([*buffers, prop], surfaces)
    depth, offset, scale = labels.depth_map(buffers, [prop])
    shown = (front == 0) | (front == 1)
    for picture in (parts, charts[..., 0], depth):
        np.testing.assert_array_equal(picture > 0, shown)
    metres = offset + depth * scale
    for number, buffer in enumerate(buffers):
        mask = front == number
        np.testing.assert_allclose(metres[mask], buffer.depth[mask], atol=scale)
    assert depth.max() == 65535
    for joint, part in (
        ("LeftHand", "Left Lower Arm"),
        ("RightUpLeg", "Right Upper Leg"),
        ("Spine1", "Torso"),
    ):
        x, y = camera.project(T[INDEX[joint]] + (0, -0.1, 0)).astype(int)
        x -= 4 if joint == "LeftHand" else 0
        assert parts[y, x] == PARTS.index(part) + 1


def test_charts_carry_the_place() -> None:
    # In the middle of the left thigh's front: half way along the bone and around the half.
    camera = view(0)
    vertices, surface = figure(T)
    buffer = raster.rasterise(camera, vertices, surface.triangles)
    charts = labels.chart_map([buffer], [surface])
    middle = (T[INDEX["LeftUpLeg"]] + T[INDEX["LeftLeg"]]) / 2
    x, y = camera.project(middle + (0, -RADII["UpLeg"], 0)).astype(int)
    chart, u, v = charts[y, x].tolist()
    assert chart == 10
    assert u == pytest.approx(127, abs=6)
    assert v == pytest.approx(127, abs=20)


def test_maps_of_nothing() -> None:
    nothing = raster.empty((8, 6))
    _, surface = figure(T)
    assert not labels.part_map([nothing], [surface]).any()
    assert labels.chart_map([nothing], [surface]).shape == (6, 8, 3)
    depth, offset, scale = labels.depth_map([nothing])
    assert (depth.any(), offset, scale) == (False, 0.0, 1.0)
    flat = replace(nothing, depth=np.full((6, 8), 2.0, np.float32))
    depth, offset, scale = labels.depth_map([flat])
    np.testing.assert_allclose(offset + depth * scale, 2.0)
