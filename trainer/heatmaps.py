"""Heatmaps on the training device: targets from keypoints, and keypoints from logits.

The centre of cell (row, column) is the input pixel ``((column + .5) * 4, (row + .5) * 4)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from addon.core import estimator

from .models import STRIDE

Decoder = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Of logits ``[N, K, H, W]``: points ``[N, K, 2]`` in input pixels and scores ``[N, K]``."""

DECODERS = ("figure", "window", "quarter", "dark")
"""What :func:`decoder` knows."""

MSE_SCALE = 10.0
"""Logits per unit of heatmap under the squared error: a softmax of the logits then still has its
mass at the peak (e^10 against the background's 64^2 cells), so that one decoding serves all."""

BACKGROUND = 4.0
"""Log-odds against a keypoint where its logit is 0, under ``bce`` and ``pixel``: the maps of a
fresh network are nearly empty, as their targets are (the prior of Lin et al., Focal Loss, ICCV
2017). Half-full maps would take long to empty before anything else is learnt."""

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
    """``addon.core.estimator.decode`` for tensors: the mean in a window around the maximum.

    Args:
        logits: ``[N, K, H, W]``.

    Returns:
        Points ``[N, K, 2]`` in input pixels, and the probability mass around each, ``[N, K]``.
    """
    weights = logits.detach().float().flatten(2).softmax(dim=2).view_as(logits)
    rows, columns = _peaks(weights)
    mass = _patch(weights, rows, columns, _WINDOW)
    score = mass.sum(dim=(2, 3))
    steps = torch.arange(_WINDOW, device=logits.device) - _WINDOW // 2
    offset = torch.stack([(mass.sum(dim=2) * steps).sum(-1), (mass.sum(dim=3) * steps).sum(-1)], -1)
    return _pixels(rows, columns, offset / score[..., None]), score


def decode_figures(logits: Tensor) -> tuple[Tensor, Tensor]:
    """``addon.core.estimator.decode_figure`` of each drawing: left and right limbs kept apart.

    Args:
        logits: ``[N, 23, H, W]``; they are decoded on the processor, one drawing after another.

    Returns:
        Points ``[N, 23, 2]`` in input pixels and scores ``[N, 23]``, on the logits' device.
    """
    found = [estimator.decode_figure(one) for one in logits.detach().float().cpu().numpy()]
    points, scores = (
        torch.stack([torch.from_numpy(v) for v in part]) for part in zip(*found, strict=True)
    )
    return points.to(logits.device), scores.to(logits.device)


def confidence(logits: Tensor, loss: str) -> Tensor:
    """The maps that a network learns under a loss, all of them Gaussians around the keypoints.

    Args:
        logits: ``[N, K, S, S]``.
        loss: one of ``losses.NAMES``.

    Returns:
        The same shape: the sum of a map is 1 under ``softmax``, its peak is 1 under the others.
    """
    if loss == "mse":
        return logits / MSE_SCALE
    if loss == "bce":
        return (logits - BACKGROUND).sigmoid()
    if loss == "pixel":
        background = torch.full_like(logits[:, :1], BACKGROUND)
        return torch.cat([logits, background], dim=1).softmax(dim=1)[:, :-1]
    return logits.flatten(2).softmax(dim=2).view_as(logits)


def decode_quarter(logits: Tensor, loss: str) -> tuple[Tensor, Tensor]:
    """The maximum, moved by a quarter of a cell towards the larger neighbour along each axis.

    As Stacked Hourglass (Newell et al., ECCV 2016), HRNet and the thesis decode. Scores are those
    of :func:`decode`, so that decoders differ in the places only.

    Args:
        logits: ``[N, K, H, W]``.
        loss: that the network was trained with.
    """
    maps = confidence(logits.detach().float(), loss)
    rows, columns = _peaks(maps)
    patch = _patch(maps, rows, columns, 3)
    slope = torch.stack(
        [patch[..., 1, 2] - patch[..., 1, 0], patch[..., 2, 1] - patch[..., 0, 1]], dim=-1
    )
    inside = _inside(rows, columns, logits.shape)
    return _pixels(rows, columns, 0.25 * slope.sign() * inside[..., None]), decode(logits)[1]


def decode_dark(logits: Tensor, loss: str, sigma: float) -> tuple[Tensor, Tensor]:
    """The maximum of the smoothed map, moved by one Newton step on its logarithm.

    Distribution-aware coordinate representation (Zhang et al., CVPR 2020): the logarithm of a
    Gaussian is a parabola, so that one step leads to its middle. The step is left out where the
    map has no maximum in it (a Hessian that is not negative definite, a border, more than a cell).
    Scores are those of :func:`decode`.

    Args:
        logits: ``[N, K, H, W]``.
        loss: that the network was trained with.
        sigma: of the target's Gaussian in that training, cells; the maps are smoothed by the same.
    """
    maps = _smoothed(confidence(logits.detach().float(), loss), sigma)
    rows, columns = _peaks(maps)
    patch = _patch(maps, rows, columns, 3).clamp(min=1e-10).log()
    dx = (patch[..., 1, 2] - patch[..., 1, 0]) / 2
    dy = (patch[..., 2, 1] - patch[..., 0, 1]) / 2
    dxx = patch[..., 1, 2] - 2 * patch[..., 1, 1] + patch[..., 1, 0]
    dyy = patch[..., 2, 1] - 2 * patch[..., 1, 1] + patch[..., 0, 1]
    dxy = (patch[..., 2, 2] - patch[..., 2, 0] - patch[..., 0, 2] + patch[..., 0, 0]) / 4
    determinant = dxx * dyy - dxy**2
    peaked = (dxx < 0) & (determinant > 1e-9) & _inside(rows, columns, logits.shape)
    numerators = torch.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], dim=-1)
    step = numerators / determinant.where(peaked, determinant.new_ones(()))[..., None]
    peaked &= (step.abs() <= 1).all(dim=-1)
    return _pixels(rows, columns, step * peaked[..., None]), decode(logits)[1]


def decoder(name: str, loss: str = "softmax", sigma: float = 1.0) -> Decoder:
    """A decoder by its name.

    Args:
        name: ``figure`` (:func:`decode_figures`, what the add-on does), ``window``
            (:func:`decode`), ``quarter`` (:func:`decode_quarter`) or ``dark``
            (:func:`decode_dark`).
        loss: that the network was trained with.
        sigma: of the target's Gaussian in that training, cells.
    """
    known: dict[str, Decoder] = {
        "figure": decode_figures,
        "window": decode,
        "quarter": lambda logits: decode_quarter(logits, loss),
        "dark": lambda logits: decode_dark(logits, loss, sigma),
    }
    return known[name]


def _peaks(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of the largest cell of each map, ``[N, K]`` each."""
    place = maps.flatten(2).argmax(dim=2)
    return place // maps.shape[3], place % maps.shape[3]


def _inside(rows: Tensor, columns: Tensor, shape: torch.Size) -> Tensor:
    """Whether a cell has neighbours on all sides, ``[N, K]``."""
    height, width = shape[2:]
    return (rows > 0) & (rows < height - 1) & (columns > 0) & (columns < width - 1)


def _patch(maps: Tensor, rows: Tensor, columns: Tensor, side: int) -> Tensor:
    """``[N, K, side, side]`` around a cell of each map, 0 beyond the border."""
    count, keypoints, height, width = maps.shape
    steps = torch.arange(side, device=maps.device) - side // 2
    y = rows[..., None, None] + steps[:, None]
    x = columns[..., None, None] + steps[None, :]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    cells = y.clamp(0, height - 1) * width + x.clamp(0, width - 1)
    values = maps.flatten(2).gather(2, cells.flatten(2)).view(count, keypoints, side, side)
    return values * inside


def _pixels(rows: Tensor, columns: Tensor, offset: Tensor) -> Tensor:
    """Input pixels ``[N, K, 2]`` of cells moved by an offset ``[N, K, 2]`` (x, y) in cells."""
    return (torch.stack([columns, rows], dim=-1) + 0.5 + offset) * STRIDE


def _smoothed(maps: Tensor, sigma: float) -> Tensor:
    """Each map convolved with a Gaussian, sigma in cells."""
    reach = math.ceil(3 * sigma)
    steps = torch.arange(-reach, reach + 1, device=maps.device, dtype=maps.dtype)
    profile = torch.exp(-(steps**2) / (2 * sigma**2))
    profile = profile / profile.sum()
    flat = maps.flatten(0, 1)[:, None]
    flat = F.conv2d(flat, profile.view(1, 1, -1, 1), padding=(reach, 0))
    return F.conv2d(flat, profile.view(1, 1, 1, -1), padding=(0, reach)).view_as(maps)
