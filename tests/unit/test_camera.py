from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from addon.core.camera import Camera, look_at, ring, scattered

coordinate = st.floats(-5, 5)
point = st.tuples(coordinate, coordinate, coordinate)
SIZE = (320, 240)


@st.composite
def cameras(draw: st.DrawFn) -> Camera:
    eye, target = np.array(draw(point)), np.array(draw(point))
    assume(np.linalg.norm(eye - target) > 0.1)
    return look_at(
        eye,
        target,
        size=SIZE,
        focal=draw(st.floats(10, 2000)),
        roll=draw(st.floats(-3, 3)),
        orthographic=draw(st.booleans()),
    )


@given(cameras())
def test_rotation_is_proper(camera: Camera) -> None:
    np.testing.assert_allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(camera.rotation) == pytest.approx(1)


@given(cameras(), st.lists(point, min_size=1, max_size=5))
def test_camera_space_and_back(camera: Camera, points: list[tuple[float, float, float]]) -> None:
    world = np.array(points)
    np.testing.assert_allclose(camera.to_world(camera.to_camera(world)), world, atol=1e-9)


@given(cameras(), point)
def test_a_pixel_and_a_depth_give_the_point_back(
    camera: Camera, world: tuple[float, float, float]
) -> None:
    in_camera = camera.to_camera(world)
    assume(in_camera[2] > 0.05)
    pixel = camera.project(world)
    scale = 1 if camera.orthographic else in_camera[2]
    back = np.append((pixel - camera.centre) / camera.focal * scale, in_camera[2])
    np.testing.assert_allclose(camera.to_world(back), world, atol=1e-6)


@given(cameras(), point)
def test_projection_is_that_of_the_intrinsics(
    camera: Camera, world: tuple[float, float, float]
) -> None:
    assume(not camera.orthographic)
    in_camera = camera.to_camera(world)
    assume(in_camera[2] > 0.05)
    homogeneous = camera.intrinsics @ in_camera
    np.testing.assert_allclose(camera.project(world), homogeneous[:2] / homogeneous[2], rtol=1e-9)


def test_a_target_lies_in_the_middle_of_the_picture() -> None:
    camera = look_at((1, -4, 2), (0.3, 0.2, 1), size=SIZE, focal=300)
    np.testing.assert_allclose(camera.project((0.3, 0.2, 1)), (160, 120), atol=1e-9)
    np.testing.assert_allclose(camera.position, (1, -4, 2), atol=1e-12)


def test_front_view_shows_world_x_to_the_right_and_world_z_up() -> None:
    camera = look_at((0, -5, 1), (0, 0, 1), size=SIZE, focal=300)
    middle, right, up = camera.project([(0, 0, 1), (1, 0, 1), (0, 0, 2)])
    assert right[0] > middle[0] and right[1] == pytest.approx(middle[1])
    assert up[1] < middle[1] and up[0] == pytest.approx(middle[0])


def test_positive_roll_turns_the_picture_clockwise() -> None:
    camera = look_at((0, -5, 0), (0, 0, 0), size=SIZE, focal=300, roll=0.1)
    top = camera.project((0, 0, 1)) - camera.centre
    assert top[0] > 0 and top[1] < 0


@given(st.floats(-1, 1), st.booleans())
def test_straight_down_is_no_special_case(roll: float, orthographic: bool) -> None:
    camera = look_at(
        (0, 0, 3), (0, 0, 0), size=SIZE, focal=100, roll=roll, orthographic=orthographic
    )
    assert np.isfinite(camera.project((0.5, 0.2, 0))).all()


def test_points_behind_the_eye_have_no_picture() -> None:
    camera = look_at((0, -5, 0), (0, 0, 0), size=SIZE, focal=300)
    assert np.isnan(camera.project((0, -6, 0))).all()


def test_a_camera_cannot_look_at_itself() -> None:
    with pytest.raises(ValueError, match="own position"):
        look_at((1, 1, 1), (1, 1, 1), size=SIZE, focal=300)


@given(
    cameras(),
    st.lists(point, min_size=3, max_size=8),
    st.floats(0, 0.3),
)
def test_zoomed_fills_the_picture_and_keeps_the_perspective(
    camera: Camera, points: list[tuple[float, float, float]], margin: float
) -> None:
    world = np.array(points)
    assume((camera.to_camera(world)[:, 2] > 0.1).all())
    before = camera.project(world)
    extent = np.ptp(before, axis=0).max()
    assume(extent > 1)
    zoomed = camera.zoomed(world, margin)
    after = zoomed.project(world)
    free = np.array(SIZE) * margin
    assert (after >= free - 1e-3).all() and (after <= np.array(SIZE) - free + 1e-3).all()
    # One scale and one shift for the whole picture.
    ratio = zoomed.focal / camera.focal
    np.testing.assert_allclose(after - after[0], (before - before[0]) * ratio, atol=1e-3 * ratio)
    np.testing.assert_allclose(zoomed.position, camera.position)


@given(st.integers(1, 12), point, st.floats(1, 10))
def test_ring_stands_around_its_centre(
    count: int, centre: tuple[float, float, float], radius: float
) -> None:
    eyes = np.array([c.position for c in ring(centre, radius, count, size=SIZE, focal=200)])
    offsets = eyes - np.array(centre)
    np.testing.assert_allclose(np.linalg.norm(offsets, axis=1), radius)
    np.testing.assert_allclose(offsets[:, 2], 0, atol=1e-9)
    np.testing.assert_allclose(offsets[0] / radius, (0, -1, 0), atol=1e-9)
    if count > 2:
        np.testing.assert_allclose(offsets.sum(axis=0), 0, atol=1e-6)
        # Counter-clockwise from above.
        assert np.cross(offsets[0], offsets[1])[2] > 0


def thrown(count: int = 200, seed: int = 0) -> list[Camera]:
    rng = np.random.default_rng(seed)
    return scattered((1, 2, 0.9), 1.7, count, size=(256, 256), rng=rng)


def test_scattered_cameras_stand_where_they_should() -> None:
    offsets = np.stack([camera.position - (1, 2, 0.9) for camera in thrown()])
    distance = np.linalg.norm(offsets, axis=1) / 1.7
    assert 1.3 <= distance.min() < 1.5 and 6.5 < distance.max() <= 8.0
    elevation = np.degrees(np.arcsin(offsets[:, 2] / (1.7 * distance)))
    assert -25 <= elevation.min() < -15 and 45 < elevation.max() <= 60


def test_scattered_cameras_see_every_side() -> None:
    for seed in range(20):
        offsets = np.stack([camera.position[:2] - (1, 2) for camera in thrown(8, seed)])
        azimuth = np.sort(np.degrees(np.arctan2(offsets[:, 1], offsets[:, 0])))
        gaps = np.diff(np.append(azimuth, azimuth[0] + 360))
        # Each one leaves its place by at most 0.4 of the 45 degrees between places.
        assert gaps.min() > 8 and gaps.max() < 82


def test_scattered_cameras_have_every_lens_and_a_slight_roll() -> None:
    cameras = thrown()
    share = np.mean([camera.orthographic for camera in cameras])
    assert 0.1 < share < 0.3
    up = [camera.project((1, 2, 1.3)) - camera.project((1, 2, 0.5)) for camera in cameras]
    roll = np.degrees([np.arctan2(x, -y) for x, y in up])
    assert 3 < np.std(roll) < 12
    figure = np.array([1, 2, 0.9]) + np.random.default_rng(1).uniform(-0.85, 0.85, (50, 3))
    for camera in cameras:
        # Unzoomed they show three heights: the figure is small, whole and in front.
        pixels = camera.project(figure)
        assert (camera.to_camera(figure)[:, 2] > 0).all()
        assert (pixels > 0).all() and (pixels < 256).all()
        fitted = camera.zoomed(figure, 0.1).project(figure)
        assert np.ptp(fitted, axis=0).max() == pytest.approx(256 * 0.8)


def test_the_same_seed_throws_the_same_cameras() -> None:
    for one, other in zip(thrown(5, 3), thrown(5, 3), strict=True):
        np.testing.assert_array_equal(one.rotation, other.rotation)
        np.testing.assert_array_equal(one.translation, other.translation)
        assert one.focal == other.focal
