from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core.camera import Camera, look_at
from addon.core.raster import empty, nearest, rasterise

SIZE = (40, 30)


def straight(orthographic: bool = False, size: tuple[int, int] = SIZE) -> Camera:
    """Camera space is world space; a metre at z = 1 (or anywhere) is ten pixels."""
    return Camera(np.eye(3), np.zeros(3), 10.0, np.array(size, dtype=float) / 2, size, orthographic)


def cast(camera: Camera, corners: np.ndarray, x: int, y: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the ray through a pixel's centre meets triangles [T, 3, 3] (Moeller, Trumbore 1997).

    Returns depth [T] along the camera's z, inf where it misses, and barycentric weights [T, 3].
    """
    plane = (np.array([x + 0.5, y + 0.5]) - camera.centre) / camera.focal
    if camera.orthographic:
        origin, direction = np.array([*plane, 0.0]), np.array([0.0, 0.0, 1.0])
    else:
        origin, direction = np.zeros(3), np.array([*plane, 1.0])
    local = camera.to_camera(corners)
    b, c = local[:, 1] - local[:, 0], local[:, 2] - local[:, 0]
    p = np.cross(direction, c)
    determinant = (b * p).sum(axis=1)
    s = origin - local[:, 0]
    u = (s * p).sum(axis=1) / determinant
    q = np.cross(s, b)
    v = (direction * q).sum(axis=1) / determinant
    depth = (c * q).sum(axis=1) / determinant
    weights = np.stack([1 - u - v, u, v], axis=1)
    hit = (weights >= 0).all(axis=1) & (depth > 0)
    return np.where(hit, depth, np.inf), weights


@pytest.mark.parametrize("orthographic", [False, True])
@pytest.mark.parametrize("size", [0.1, 0.5, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_rays(orthographic: bool, size: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    camera = look_at(
        (1, -4, 2), (0, 0, 0), size=SIZE, focal=9 if orthographic else 36, orthographic=orthographic
    )
    triangles = rng.permutation(60).reshape(-1, 3)
    centres = np.repeat(rng.normal(0, 0.6, (20, 3)), 3, axis=0)
    vertices = np.empty((60, 3))
    vertices[triangles.ravel()] = centres + rng.normal(0, size, (60, 3))
    corners = vertices[triangles]
    keep = (camera.to_camera(corners)[..., 2] > 0.1).all(axis=1)
    triangles, corners = triangles[keep], corners[keep]
    buffer = rasterise(camera, vertices, triangles)
    hits = 0
    for y in range(SIZE[1]):
        for x in range(SIZE[0]):
            depth, weights = cast(camera, corners, x, y)
            if (np.abs(weights).min(axis=1) < 1e-6).any():
                continue  # on an edge either answer is right
            if not np.isfinite(depth).any():
                assert buffer.triangle[y, x] == -1
                assert buffer.depth[y, x] == np.inf
                assert not buffer.weights[y, x].any()
                continue
            hits += 1
            first = int(depth.argmin())
            assert buffer.triangle[y, x] == first
            assert buffer.depth[y, x] == pytest.approx(depth[first], rel=1e-5)
            np.testing.assert_allclose(buffer.weights[y, x], weights[first], atol=1e-4)
    assert hits > 5


@given(st.integers(0, 10_000), st.booleans())
def test_no_cracks_between_neighbours(seed: int, orthographic: bool) -> None:
    # A crumpled sheet that covers the picture, cut into triangles: every pixel must see it.
    rng = np.random.default_rng(seed)
    n = 12
    across, down = np.meshgrid(np.linspace(-2.6, 2.6, n), np.linspace(-2.1, 2.1, n))
    jitter = rng.uniform(-0.1, 0.1, (2, n, n))
    z = np.ones((n, n)) if orthographic else rng.uniform(0.5, 2.0, (n, n))
    sheet = np.stack([(across + jitter[0]) * z, (down + jitter[1]) * z, z], axis=-1)
    i = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    triangles = np.concatenate(
        [np.stack([i, i + 1, i + n], 1), np.stack([i + n + 1, i + 1, i + n], 1)]
    )
    buffer = rasterise(straight(orthographic), sheet.reshape(-1, 3), triangles)
    assert (buffer.triangle >= 0).all()
    np.testing.assert_allclose(buffer.weights.sum(axis=-1), 1, atol=1e-6)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_edges_through_pixel_centres(order: tuple[int, ...]) -> None:
    # Level, upright and diagonal edges, all exactly through centres, seen from both sides.
    corners = np.array([[-1.95, -1.45, 1], [1.05, -1.45, 1], [-1.95, 1.55, 1]])
    buffer = rasterise(straight(), corners, [order])
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    np.testing.assert_array_equal(buffer.triangle == 0, (x + y <= 30) & (y <= 30))
    np.testing.assert_allclose(buffer.depth[buffer.triangle == 0], 1)


def test_weights_give_the_point_on_the_ray() -> None:
    corners = np.array([[-2, -1, 1], [3, -1, 2], [-1, 4, 5.0]])
    camera = straight()
    buffer = rasterise(camera, corners, [(0, 1, 2)])
    y, x = np.nonzero(buffer.triangle >= 0)
    points = buffer.weights[y, x] @ corners
    np.testing.assert_allclose(points[:, 2], buffer.depth[y, x], rtol=1e-5)
    np.testing.assert_allclose(camera.project(points), np.stack([x, y], axis=1) + 0.5, atol=1e-3)


def test_what_lies_behind_the_eye_or_beside_the_picture_is_left_out() -> None:
    corners = np.array([[-1, -1, 1], [1, -1, 1], [0, 1, 1], [0, 0, -1], [0, 0, 0], [90, 0, 1.0]])
    for triangle in [(0, 1, 3), (0, 1, 4), (5, 5, 5), (0, 1, 1)]:
        assert (rasterise(straight(), corners, [triangle]).triangle == -1).all()
    assert (rasterise(straight(), corners, np.zeros((0, 3), int)).triangle == -1).all()
    assert (rasterise(straight(), corners, [(0, 1, 2)]).triangle == 0).any()


@pytest.mark.parametrize("height", [0, 1e-13, 1e-7, 1e-5])
def test_slivers_do_no_harm(height: float) -> None:
    # One to three metres away, along a line of pixel centres.
    corners = np.array([[-1.5, -0.05, 1], [1.5, -0.15, 3], [0.3, -0.1 + height, 2.0]])
    buffer = rasterise(straight(), corners, [(0, 1, 2)])
    seen = buffer.triangle >= 0
    assert seen.sum() <= 40
    assert np.isfinite(buffer.weights).all()
    assert ((buffer.depth[seen] > 0.9) & (buffer.depth[seen] < 3.1)).all()


def test_nearest_of_several() -> None:
    camera = straight()
    low = np.array([[-5, -5, 2], [5, -5, 2], [0, 9, 2.0]])
    far, near = rasterise(camera, low, [(0, 1, 2)]), rasterise(camera, low / 2, [(0, 1, 2)])
    nothing = empty(SIZE)
    front = nearest([nothing, far, near])
    assert front.dtype == np.int8
    np.testing.assert_array_equal(front, np.where(near.triangle >= 0, 2, -1))
    np.testing.assert_array_equal(nearest([far, far]), np.where(far.triangle >= 0, 0, -1))
    with pytest.raises(ValueError, match="no buffer"):
        nearest([])
