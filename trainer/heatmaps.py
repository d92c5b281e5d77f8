"""Heatmaps on the training device: targets from keypoints, and keypoints from logits.

The centre of cell (row, column) is the input pixel ``((column + .5) * 4, (row + .5) * 4)``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .models import STRIDE

_WINDOW = 5  # cells; a test holds this module to addon.core.estimator.decode


def gaussian_factors(points: Tensor, size: int, sigma: float) -> tuple[Tensor, Tensor]:
    """A Gaussian around each keypoint as two profiles, whose outer product is the map.

    Args:
        points: ``[N, K, 2]`` pixels of the network's input; not rounded to cells.
        size: cells along each side of the maps.
        sigma: standard deviation in cells.

    Returns:
        Along y and along x, ``[N, K, size]`` each, 1 at the keypoint.
    """
    centres = torch.arange(size, device=points.device, dtype=torch.float32) + 0.5
    distance = points.float()[..., None] / STRIDE - centres
    profiles = torch.exp(-(distance**2) / (2 * sigma**2))
    return profiles[:, :, 1], profiles[:, :, 0]


def decode(logits: Tensor) -> tuple[Tensor, Tensor]:
    """``addon.core.estimator.decode`` for tensors.

    Args:
        logits: ``[N, K, H, W]``.

    Returns:
        Points ``[N, K, 2]`` in input pixels, and the probability mass around each, ``[N, K]``.
    """
    count, keypoints, height, width = logits.shape
    weights = logits.detach().float().flatten(2).softmax(dim=2)
    peak = weights.argmax(dim=2)
    steps = torch.arange(_WINDOW, device=logits.device) - _WINDOW // 2
    rows = (peak // width)[..., None, None] + steps[:, None]
    columns = (peak % width)[..., None, None] + steps[None, :]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    cells = rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)
    mass = weights.gather(2, cells.flatten(2)).view(count, keypoints, _WINDOW, _WINDOW) * inside
    score = mass.sum(dim=(2, 3))
    places = torch.stack([columns.expand_as(mass), rows.expand_as(mass)], dim=-1) + 0.5
    points = (mass[..., None] * places).sum(dim=(2, 3)) / score[..., None] * STRIDE
    return points, score
