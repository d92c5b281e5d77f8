"""Blender's camera objects and :class:`core.camera.Camera`: the one place that converts."""

from __future__ import annotations

import numpy as np
from bpy.types import Object
from mathutils import Matrix
from numpy.typing import NDArray

from ..core.camera import Camera

SENSOR = 36.0
"""Millimetres: Blender's own default, so that focal lengths look familiar."""


def camera_matrix(view: Camera) -> Matrix:
    """Where Blender's camera goes: it looks along its -Z with +Y upwards, ours along +z, y down."""
    matrix = np.eye(4)
    matrix[:3, :3] = view.rotation.T * np.array([1.0, -1.0, -1.0])
    matrix[:3, 3] = view.position
    return Matrix(matrix.tolist())


def view_from_matrix(matrix: Matrix, orthographic: bool, size: tuple[int, int]) -> Camera:
    """The way back of :func:`camera_matrix`, with a focal length as long as the picture is wide."""
    axes = np.array(matrix.to_3x3().normalized(), np.float64)
    rotation = (axes * np.array([1.0, -1.0, -1.0])).T
    return Camera(
        rotation,
        -rotation @ np.array(matrix.translation, np.float64),
        float(size[0]),
        np.array(size, np.float64) / 2,
        size,
        orthographic,
    )


def aim_camera(
    obj: Object, camera: Camera, points: NDArray[np.floating], margin: float = 0.05
) -> Camera:
    """Put a Blender camera object at a camera's eye, its frame centred and wide enough.

    Args:
        obj: a camera object.
        camera: the view; the whole of its picture lies within the frame.
        points: ``[N, 3]`` world space, in the frame too.
        margin: free border, as a share of the frame.

    Returns:
        The camera that ``obj`` now is: same eye and axes, with the focal length of ``obj``.
    """
    obj.matrix_world = camera_matrix(camera)
    local = camera.to_camera(points)
    width, height = camera.size
    half = np.array([width, height]) / 2 * (1 - 2 * margin)
    data = obj.data
    depth = local[:, 2]
    data.clip_start = max(float(depth.min()) * 0.2, 1e-3)
    data.clip_end = float(depth.max()) * 5 + 1
    data.sensor_fit = "HORIZONTAL"
    plane = local[:, :2] if camera.orthographic else local[:, :2] / depth[:, None]
    corners = (np.array([[0, 0], [width, height]]) - camera.centre) / camera.focal
    reach = np.abs(np.concatenate([plane, corners])).max(axis=0)
    focal = float(np.min(half / np.maximum(reach, 1e-9)))
    if camera.orthographic:
        data.type = "ORTHO"
        data.ortho_scale = width / focal
    else:
        data.type = "PERSP"
        data.sensor_width = SENSOR
        data.lens = max(focal * SENSOR / width, 1.0)
        focal = data.lens * width / SENSOR
    return Camera(
        camera.rotation,
        camera.translation,
        focal,
        np.array([width, height]) / 2,
        camera.size,
        camera.orthographic,
    )
