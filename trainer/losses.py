"""Losses on heatmaps, one value per keypoint, so that the caller decides which keypoints count.

Whatever the loss, a network puts out one map of logits per keypoint, and a softmax over a map's
cells has its mass where the keypoint is: one decoding serves all, and weights learnt under one loss
can start a training under another.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, einsum
from torch.nn import functional as F

from .heatmaps import BACKGROUND, MSE_SCALE, gaussian_factors

KeypointLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Of logits ``[N, K, S, S]``, points ``[N, K, 2]`` in input pixels and a bool mask ``[N, K]`` of
those that are labelled: ``[N, K]``, 0 where there is no label."""

NAMES = ("softmax", "mse", "bce", "pixel")
"""What :func:`keypoint_loss` knows."""

MININGS = ("balanced", "hard", "none")
"""What :func:`pixel_loss` does about the background, which fills nearly the whole map."""

_HARD = 3  # background cells to one keypoint cell (Liu et al., SSD, ECCV 2016)


def keypoint_loss(name: str, sigma: float, mining: str = "balanced") -> KeypointLoss:
    """A loss by its name.

    Args:
        name: one of :data:`NAMES`.
        sigma: of the target's Gaussian, cells.
        mining: one of :data:`MININGS`, for ``pixel``.
    """
    if name == "pixel":
        return lambda logits, points, valid: pixel_loss(logits, points, valid, sigma, mining)
    each = _OF_ONE_MAP[name]

    def loss(logits: Tensor, points: Tensor, valid: Tensor) -> Tensor:
        losses = each(logits, points, sigma)
        # where, not a product: a keypoint far outside may have an infinite loss.
        return losses.where(valid, losses.new_zeros(()))

    return loss


def _gaussians(points: Tensor, size: int, sigma: float) -> Tensor:
    """``[N, K, size, size]``, 1 at each keypoint."""
    along_y, along_x = gaussian_factors(points, size, sigma)
    return along_y[..., :, None] * along_x[..., None, :]


def softmax_loss(logits: Tensor, points: Tensor, sigma: float) -> Tensor:
    """Cross-entropy between the softmax over a map's cells and the Gaussian around the keypoint.

    Args:
        logits: ``[N, K, S, S]``.
        points: ``[N, K, 2]`` pixels of the network's input.
        sigma: of the Gaussian, cells.

    Returns:
        ``[N, K]``. Its smallest possible value is the Gaussian's entropy, not 0. Meaningless where
        the keypoint lies outside the map.
    """
    logits = logits.float()
    along_y, along_x = gaussian_factors(points, logits.shape[-1], sigma)
    along_y = along_y / along_y.sum(dim=-1, keepdim=True).clamp(min=1e-12)
    along_x = along_x / along_x.sum(dim=-1, keepdim=True).clamp(min=1e-12)
    expected = einsum("nkyx,nky,nkx->nk", logits, along_y, along_x)
    return logits.flatten(2).logsumexp(dim=2) - expected


def mse_loss(logits: Tensor, points: Tensor, sigma: float) -> Tensor:
    """Squared error between the map and a Gaussian of height 1 (Novikova, thesis, 2022).

    Args:
        logits: ``[N, K, S, S]``, ``heatmaps.MSE_SCALE`` times the map.
        points: ``[N, K, 2]`` pixels of the network's input.
        sigma: of the Gaussian, cells.

    Returns:
        ``[N, K]``, the mean over the map's cells.
    """
    target = _gaussians(points, logits.shape[-1], sigma)
    return (logits.float() / MSE_SCALE - target).square().mean(dim=(2, 3))


def bce_loss(logits: Tensor, points: Tensor, sigma: float) -> Tensor:
    """Binary cross-entropy of the sigmoid map against a Gaussian of height 1.

    Args:
        logits: ``[N, K, S, S]``, the sigmoid's argument and ``heatmaps.BACKGROUND``.
        points: ``[N, K, 2]`` pixels of the network's input.
        sigma: of the Gaussian, cells.

    Returns:
        ``[N, K]``, the mean over the map's cells. Its smallest value is the target's entropy.
    """
    target = _gaussians(points, logits.shape[-1], sigma)
    odds = logits.float() - BACKGROUND
    return F.binary_cross_entropy_with_logits(odds, target, reduction="none").mean(dim=(2, 3))


_OF_ONE_MAP = {"softmax": softmax_loss, "mse": mse_loss, "bce": bce_loss}


def pixel_loss(
    logits: Tensor, points: Tensor, valid: Tensor, sigma: float, mining: str = "balanced"
) -> Tensor:
    """Cross-entropy of each cell's class: one of the keypoints, or background.

    The background has no channel of its own: its logit is the same everywhere. A softmax does not
    change when all its logits move together, and the last layer is linear, so K channels less the
    background's are what K channels alone can be: nothing is lost, and checkpoints, exported
    networks and first weights are those of the other losses. The target of a cell is soft: the
    Gaussians around the keypoints, brought to a sum of 1 where they overlap, and background for the
    rest. A keypoint without a label is left out of its drawing's classes.

    Args:
        logits: ``[N, K, S, S]``; the background's is ``heatmaps.BACKGROUND``.
        points: ``[N, K, 2]`` pixels of the network's input.
        valid: ``[N, K]`` bool.
        sigma: of the Gaussians, cells.
        mining: ``none``: the mean over all cells. ``balanced``: the mean over keypoint cells plus
            the mean over background cells. ``hard``: the mean over keypoint cells and three times
            as many background cells, those with the largest loss (SSD, Liu et al., ECCV 2016).

    Returns:
        ``[N, K]``, whose mean over a drawing's valid keypoints is the drawing's loss: each holds
        its own cells and an equal part of the background. 0 where not valid.
    """
    # Less the background's own, whose logit then is 0.
    logits, mask = logits.float() - BACKGROUND, valid[:, :, None, None]
    gaussians = _gaussians(points, logits.shape[-1], sigma).where(mask, logits.new_zeros(()))
    target = gaussians / gaussians.sum(dim=1, keepdim=True).clamp(min=1)
    present = logits.masked_fill(~mask, -torch.inf)
    nothing = torch.zeros_like(logits[:, :1])
    partition = torch.cat([present, nothing], dim=1).logsumexp(dim=1)  # [N, S, S]

    keypoint = (target * (partition[:, None] - logits)).sum(dim=(2, 3))  # [N, K]
    cells = target.sum(dim=(2, 3))
    empty = (1 - target.sum(dim=1)).clamp(min=0).flatten(1)
    background = empty * partition.flatten(1)
    count = valid.sum(dim=1, keepdim=True)
    if mining == "balanced":
        share = keypoint / cells.clamp(min=1e-6)
        rest = background.sum(dim=1, keepdim=True) / empty.sum(dim=1, keepdim=True)
    else:
        if mining == "hard":
            wanted = _HARD * cells.sum(dim=1, keepdim=True)
            background = background.sort(dim=1, descending=True).values
            ranks = torch.arange(background.shape[1], device=background.device)
            chosen = (ranks < wanted).float()
            total = cells.sum(dim=1, keepdim=True) + chosen.sum(dim=1, keepdim=True)
            background, total = background * chosen, total.clamp(min=1)
        else:
            total = float(background.shape[1])
        share = count * keypoint / total
        rest = background.sum(dim=1, keepdim=True) / total
    return (share + rest).where(valid, logits.new_zeros(()))


def labelled_mean(losses: Tensor, valid: Tensor) -> Tensor:
    """The mean over labelled keypoints; 0 where there is none.

    Args:
        losses: ``[N, K]``, 0 where there is no label.
        valid: ``[N, K]`` bool.
    """
    return losses.sum() / valid.sum().clamp(min=1)
