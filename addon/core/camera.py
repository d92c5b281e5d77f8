"""Cameras: one projection, one convention.

World space is Blender's (metres, Z up). Camera space is OpenCV's: x right, y down, z forward,
metres. Pictures are measured in pixels, origin at the top-left corner, x right, y down, and the
centre of the first pixel at (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A pinhole or orthographic camera without lens distortion or skew.

    Attributes:
        rotation: ``[3, 3]`` world to camera; its rows are the camera's x, y, z axes in world space.
        translation: ``[3]`` metres; ``camera = rotation @ world + translation``.
        focal: pixels (perspective), or pixels per metre (orthographic).
        centre: ``[2]`` the principal point, pixels.
        size: width and height of the picture, pixels.
        orthographic: parallel projection along z.
    """

    rotation: FloatArray
    translation: FloatArray
    focal: float
    centre: FloatArray
    size: tuple[int, int]
    orthographic: bool = False

    @property
    def position(self) -> FloatArray:
        """The eye in world space, ``[3]`` metres."""
        return -self.rotation.T @ self.translation

    @property
    def intrinsics(self) -> FloatArray:
        """``[3, 3]`` the matrix K of a perspective camera, pixels."""
        return np.array(
            [[self.focal, 0, self.centre[0]], [0, self.focal, self.centre[1]], [0, 0, 1]]
        )

    def to_camera(self, world: ArrayLike) -> FloatArray:
        """World points ``[..., 3]`` in camera space, metres."""
        return np.asarray(world, dtype=np.float64) @ self.rotation.T + self.translation

    def to_world(self, points: ArrayLike) -> FloatArray:
        """Camera-space points ``[..., 3]`` in world space, metres."""
        return (np.asarray(points, dtype=np.float64) - self.translation) @ self.rotation

    def project_camera(self, points: ArrayLike) -> FloatArray:
        """Camera-space points ``[..., 3]`` -> pixels ``[..., 2]``.

        Points at or behind the eye of a perspective camera have no picture and come out as NaN.
        """
        points = np.asarray(points, dtype=np.float64)
        plane = points[..., :2]
        if not self.orthographic:
            depth = np.where(points[..., 2:] > 1e-9, points[..., 2:], np.nan)
            plane = plane / depth
        return plane * self.focal + self.centre

    def project(self, world: ArrayLike) -> FloatArray:
        """World points ``[..., 3]`` -> pixels ``[..., 2]``; see :meth:`project_camera`."""
        return self.project_camera(self.to_camera(world))

    def zoomed(self, points: ArrayLike, margin: float) -> Camera:
        """The same eye and direction, zoomed and shifted so that the points fill the picture.

        A zoom changes no perspective: it is a crop of a larger picture (focal length and principal
        point move, the eye does not).

        Args:
            points: ``[N, 3]`` world space, metres.
            margin: the free border on the tighter side, as a share of the picture (0.1 = 10 %).

        Raises:
            ValueError: no point lies in front of the camera.
        """
        pixels = self.project(points).reshape(-1, 2)
        pixels = pixels[np.isfinite(pixels).all(axis=1)]
        if not len(pixels):
            raise ValueError("no point lies in front of the camera")
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        size = np.array(self.size, dtype=np.float64)
        scale = float(np.min(size * (1 - 2 * margin) / np.maximum(high - low, 1e-9)))
        middle = (low + high) / 2
        return replace(
            self, focal=self.focal * scale, centre=(self.centre - middle) * scale + size / 2
        )


def look_at(
    eye: ArrayLike,
    target: ArrayLike,
    *,
    size: tuple[int, int],
    focal: float,
    roll: float = 0.0,
    orthographic: bool = False,
) -> Camera:
    """A camera at ``eye`` whose axis goes through ``target``, world Z upwards in the picture.

    Args:
        eye, target: ``[3]`` world space, metres.
        size: picture width and height, pixels.
        focal: pixels, or pixels per metre for an orthographic camera.
        roll: radians; positive turns the picture's content clockwise.
        orthographic: parallel projection.

    Raises:
        ValueError: eye and target coincide.
    """
    eye = np.asarray(eye, dtype=np.float64)
    forward = np.asarray(target, dtype=np.float64) - eye
    length = float(np.linalg.norm(forward))
    if length < 1e-9:
        raise ValueError("a camera cannot look at its own position")
    forward = forward / length
    # Looking straight up or down, world Z gives no direction in the picture: world Y takes over.
    up = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 0.9999 else np.array([0.0, 1.0, 0.0])
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    rotation = np.stack([c * right - s * down, s * right + c * down, forward])
    return Camera(
        rotation=rotation,
        translation=-rotation @ eye,
        focal=float(focal),
        centre=np.array(size, dtype=np.float64) / 2,
        size=size,
        orthographic=orthographic,
    )


def ring(
    centre: ArrayLike,
    radius: float,
    count: int,
    *,
    size: tuple[int, int],
    focal: float,
    start: float = 0.0,
) -> list[Camera]:
    """Cameras at the corners of a level regular polygon, all looking at its centre.

    The thesis' protocol is eight of them at mid-back height (METHODS.md, A). The first one stands
    in front of a character that faces -Y (Blender's front view), the next ones go counter-clockwise
    seen from above.

    Args:
        centre: ``[3]`` world space, metres.
        radius: metres.
        count: number of cameras.
        size: picture width and height, pixels.
        focal: pixels.
        start: radians added to every azimuth.
    """
    centre = np.asarray(centre, dtype=np.float64)
    angles = start + 2 * np.pi * np.arange(count) / count - np.pi / 2
    return [
        look_at(
            centre + radius * np.array([np.cos(a), np.sin(a), 0.0]), centre, size=size, focal=focal
        )
        for a in angles
    ]


def scattered(
    centre: ArrayLike,
    height: float,
    count: int,
    *,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> list[Camera]:
    """Cameras thrown about a figure, as artists see their models: every side, every lens.

    Their azimuths are spread evenly, each one off its place a little. They look from up to 25
    degrees below the centre to 60 above it, with a slight roll, at a point a little above or below
    the centre. One in five is orthographic; the others stand from 1.3 heights away (a wide lens:
    near limbs grow) to 8 heights (nearly orthographic). Zoom them (:meth:`Camera.zoomed`) to fill
    the picture: the focal length given here shows three heights.

    Args:
        centre: ``[3]`` world space, metres, the middle of what is to be seen.
        height: metres, the size of what is to be seen.
        count: number of cameras.
        size: picture width and height, pixels.
        rng: the only source of chance.
    """
    centre = np.asarray(centre, dtype=np.float64)
    start = rng.uniform(0, 2 * np.pi)
    cameras = []
    for number in range(count):
        azimuth = start + 2 * np.pi * (number + rng.uniform(-0.4, 0.4)) / count
        elevation = np.radians(rng.triangular(-25, 5, 60))
        orthographic = rng.random() < 0.2
        # Nearness is what changes a drawing, so its logarithm is spread evenly.
        distance = height * np.exp(rng.uniform(np.log(1.3), np.log(8.0)))
        level = np.array([np.cos(azimuth), np.sin(azimuth), 0.0]) * np.cos(elevation)
        target = centre + (0, 0, rng.uniform(-0.25, 0.25) * height)
        cameras.append(
            look_at(
                centre + distance * (level + (0, 0, np.sin(elevation))),
                target,
                size=size,
                focal=min(size) / (3 * height) * (1.0 if orthographic else distance),
                roll=np.radians(rng.normal(0, 6)),
                orthographic=orthographic,
            )
        )
    return cameras
