"""From a drawing to keypoints: the shipped network, run by OpenCV.

The network reads an ink map ``[N, 1, S, S]`` and gives a heatmap of logits per keypoint,
``[N, 23, S / 4, S / 4]``; the softmax over the pixels of one heatmap is the distribution of that
keypoint's place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

INPUT_SIZE = 256
"""Side S of the network's input, pixels."""

STRIDE = 4
"""Input pixels to a heatmap cell; the centre of cell (row, column) is ``(column + .5, row + .5) * 4``."""

_WINDOW = 5  # cells along the side of the window around a heatmap's maximum


def decode(logits: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Keypoints from heatmaps: the maximum, refined by the mean of the distribution around it.

    The mean over the whole map (integral regression, Sun et al., ECCV 2018) would be drawn towards a
    second mode, such as the other leg; within a window around the maximum it only adds the sub-cell
    part.

    Args:
        logits: ``[N, K, H, W]``.

    Returns:
        The points, ``[N, K, 2]`` float32 pixels of the network's input, and their scores, ``[N, K]``
        float32 in 0..1: the probability that the distribution gives to the window.
    """
    count, keypoints, height, width = logits.shape
    flat = logits.reshape(-1, height * width).astype(np.float32)
    peak = flat.argmax(axis=1)
    weights = np.exp(flat - flat.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    reach = _WINDOW // 2
    offsets = np.arange(-reach, reach + 1)
    rows = (peak // width)[:, None, None] + offsets[:, None]
    columns = (peak % width)[:, None, None] + offsets[None, :]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    cells = np.clip(rows, 0, height - 1) * width + np.clip(columns, 0, width - 1)
    mass = weights[np.arange(len(flat))[:, None, None], cells] * inside
    score = mass.sum(axis=(1, 2))
    x = (mass * (columns + 0.5)).sum(axis=(1, 2)) / score * STRIDE
    y = (mass * (rows + 0.5)).sum(axis=(1, 2)) / score * STRIDE
    points = np.stack([x, y], axis=-1).reshape(count, keypoints, 2)
    return points.astype(np.float32), np.minimum(score, 1).reshape(count, keypoints)
