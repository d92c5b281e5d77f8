"""Losses on heatmaps, one value per keypoint, so that the caller decides which keypoints count."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, einsum

from .heatmaps import gaussian_factors

KeypointLoss = Callable[[Tensor, Tensor, float], Tensor]

MSE_SCALE = 10.0
"""Logits per unit of heatmap under the squared error: a softmax of the logits then still has its
mass at the peak (e^10 against the background's 64^2 cells), so that one decoding serves all."""


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
        logits: ``[N, K, S, S]``, :data:`MSE_SCALE` times the map.
        points: ``[N, K, 2]`` pixels of the network's input.
        sigma: of the Gaussian, cells.

    Returns:
        ``[N, K]``, the mean over the map's cells.
    """
    along_y, along_x = gaussian_factors(points, logits.shape[-1], sigma)
    target = along_y[..., :, None] * along_x[..., None, :]
    return (logits.float() / MSE_SCALE - target).square().mean(dim=(2, 3))


LOSSES: dict[str, KeypointLoss] = {"softmax": softmax_loss, "mse": mse_loss}
"""Name -> loss of logits, points and sigma."""


def masked_mean(losses: Tensor, valid: Tensor) -> Tensor:
    """The mean over labelled keypoints; 0 where there is none.

    Args:
        losses: ``[N, K]``.
        valid: ``[N, K]`` bool.
    """
    # where, not a product: a keypoint far outside may have an infinite loss.
    return losses.where(valid, losses.new_zeros(())).sum() / valid.sum().clamp(min=1)
