"""Small pieces of rotation geometry that the lifter, the solver and their scores share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_TINY = 1e-12


def unit(vectors: ArrayLike) -> FloatArray:
    """Vectors ``[..., D]`` at length one; a vector of no length stays zero."""
    vectors = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > _TINY, vectors / np.maximum(length, _TINY), 0.0)


def skew(vectors: ArrayLike) -> FloatArray:
    """``[..., 3]`` -> the matrices ``[..., 3, 3]`` with ``skew(a) @ b == cross(a, b)``."""
    x, y, z = np.moveaxis(np.asarray(vectors, dtype=np.float64), -1, 0)
    zero = np.zeros_like(x)
    rows = [[zero, -z, y], [z, zero, -x], [-y, x, zero]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def from_vector(vectors: ArrayLike) -> FloatArray:
    """Rotation vectors ``[..., 3]`` (axis times radians) -> matrices (Rodrigues' formula)."""
    vectors = np.asarray(vectors, dtype=np.float64)
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    k = skew(vectors)
    # sin(x)/x and (1 - cos(x))/x^2; np.sinc is sin(pi x)/(pi x).
    return (
        np.eye(3) + np.sinc(angle / np.pi) * k + 0.5 * np.sinc(angle / (2 * np.pi)) ** 2 * (k @ k)
    )


def about_axis(axis: int, angle: float) -> FloatArray:
    """The rotation ``[3, 3]`` by ``angle`` radians about coordinate axis 0, 1 or 2."""
    c, s = np.cos(angle), np.sin(angle)
    i, j = ((1, 2), (2, 0), (0, 1))[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def from_quaternions(quaternions: ArrayLike) -> FloatArray:
    """Quaternions ``[..., 4]`` (w, x, y, z) of any length but zero -> matrices ``[..., 3, 3]``."""
    w, x, y, z = np.moveaxis(unit(quaternions), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def to_quaternions(matrices: ArrayLike) -> FloatArray:
    """Rotation matrices ``[..., 3, 3]`` -> unit quaternions ``[..., 4]`` (w, x, y, z), w >= 0.

    The four columns of ``4 q qT`` follow from the matrix; the longest is the most exact
    (Shepperd 1978).
    """
    m = np.asarray(matrices, dtype=np.float64)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    skewed, summed = m - np.swapaxes(m, -1, -2), m + np.swapaxes(m, -1, -2)
    wx, wy, wz = skewed[..., 2, 1], skewed[..., 0, 2], skewed[..., 1, 0]
    xy, xz, yz = summed[..., 0, 1], summed[..., 0, 2], summed[..., 1, 2]
    columns = np.stack(
        [
            np.stack([1 + xx + yy + zz, wx, wy, wz], axis=-1),
            np.stack([wx, 1 + xx - yy - zz, xy, xz], axis=-1),
            np.stack([wy, xy, 1 - xx + yy - zz, yz], axis=-1),
            np.stack([wz, xz, yz, 1 - xx - yy + zz], axis=-1),
        ],
        axis=-2,
    )
    longest = np.argmax(np.diagonal(columns, axis1=-2, axis2=-1), axis=-1)
    chosen = np.take_along_axis(columns, longest[..., None, None], axis=-2)[..., 0, :]
    return unit(chosen) * np.where(chosen[..., :1] < 0, -1.0, 1.0)


def slerp(a: ArrayLike, b: ArrayLike, share: float) -> FloatArray:
    """Rotations ``[..., 3, 3]`` on the shortest way from ``a`` to ``b`` (Shoemake 1985).

    Args:
        a, b: rotation matrices ``[..., 3, 3]``.
        share: how far of the way, 0 to 1.
    """
    start = np.asarray(a, dtype=np.float64)
    turn = to_quaternions(np.swapaxes(start, -1, -2) @ np.asarray(b, dtype=np.float64))
    half = share * np.arctan2(np.linalg.norm(turn[..., 1:], axis=-1), turn[..., 0])[..., None]
    part = np.concatenate([np.cos(half), np.sin(half) * unit(turn[..., 1:])], axis=-1)
    return start @ from_quaternions(part)


def to_vector(matrix: ArrayLike) -> FloatArray:
    """A rotation matrix ``[3, 3]`` -> its rotation vector ``[3]``, angle at most pi."""
    m = np.asarray(matrix, dtype=np.float64)
    axis = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    sine, cosine = np.linalg.norm(axis) / 2, (np.trace(m) - 1) / 2
    angle = float(np.arctan2(sine, cosine))
    if sine > 1e-6:
        return axis / (2 * sine) * angle
    if cosine > 0:
        return axis / 2
    # Half a turn: (m + 1) / 2 is axis times axis; its longest column is the most exact.
    outer = (m + np.eye(3)) / 2
    column = outer[:, int(np.argmax(np.diag(outer)))]
    return unit(column) * angle


def between(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """The smallest rotation ``[3, 3]`` that turns direction ``a`` ``[3]`` into direction ``b``."""
    a, b = unit(a), unit(b)
    axis = np.cross(a, b)
    cosine = float(a @ b)
    if cosine < -1 + 1e-9:  # opposite: half a turn about anything that stands across
        across = unit(np.cross(a, np.eye(3)[int(np.argmin(np.abs(a)))]))
        return 2 * np.outer(across, across) - np.eye(3)
    k = skew(axis)
    return np.eye(3) + k + k @ k / (1 + cosine)


def fit(source: ArrayLike, target: ArrayLike, weights: ArrayLike) -> FloatArray:
    """The rotation that best turns directions ``source`` into ``target`` (Kabsch 1976).

    Args:
        source, target: ``[N, 3]``.
        weights: ``[N]``, not negative.

    Returns:
        ``[3, 3]`` minimising ``sum w |R s - t|^2``. What the directions leave open (no direction at
        all, or a single one) is decided towards no turn.
    """
    source, target = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    # A trace of the identity makes the open cases well posed and changes the others by nothing
    # visible.
    correlation = (target * np.asarray(weights)[:, None]).T @ source + 1e-9 * np.eye(3)
    u, _, vt = np.linalg.svd(correlation)
    sign = np.sign(np.linalg.det(u @ vt))
    return np.asarray((u * np.array([1.0, 1.0, sign])) @ vt, np.float64)


def align(points: ArrayLike, target: ArrayLike) -> FloatArray:
    """Points ``[N, 3]`` moved, turned and scaled onto ``target`` in the least-squares sense.

    The alignment of PA-MPJPE (Umeyama 1991, without reflection).
    """
    points, target = np.asarray(points, dtype=np.float64), np.asarray(target, dtype=np.float64)
    a, b = points - points.mean(axis=0), target - target.mean(axis=0)
    u, values, vt = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = float((values * signs).sum() / max(float((a**2).sum()), _TINY))
    return scale * a @ ((u * signs) @ vt).T + target.mean(axis=0)


def pa_mpjpe(points: ArrayLike, target: ArrayLike) -> float:
    """Mean distance per joint after Procrustes alignment, in the target's unit."""
    distances = np.linalg.norm(align(points, target) - np.asarray(target), axis=1)
    return float(distances.mean())
