"""Chance in tone rather than in geometry, on whole batches of ink maps on the training device.

The workers draw lines, paper and tools; this makes each epoch's copy differ in what a scanner, a
compressor or the ink normalisation itself may do to it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_UNCHANGED_SHARE = 0.3
_GAMMA = 0.6  # largest absolute logarithm of the tone curve's exponent
_FAINTEST = 0.65  # smallest gain
_NOISE = 0.06  # largest standard deviation of the grain
_HAZE = 0.08  # largest amplitude of stains that the paper's flattening left


def jitter(ink: Tensor, rng: torch.Generator) -> Tensor:
    """Blur, tone curve, gain, stains and grain, each in a random amount per drawing.

    Args:
        ink: ``[N, 1, S, S]`` float32 in 0..1.
        rng: on the same device.

    Returns:
        The same shape and range.
    """

    def amount(low: float, high: float) -> Tensor:
        unit = torch.rand((len(ink), 1, 1, 1), generator=rng, device=ink.device)
        return low + (high - low) * unit

    def normal(size: int) -> Tensor:
        shape = (len(ink), 1, size, size)
        return torch.randn(shape, generator=rng, device=ink.device)

    size = ink.shape[-1]
    changed = torch.lerp(ink, _blurred(ink), amount(-1, 1).clamp(min=0))
    changed = changed.clamp(min=1e-4) ** torch.exp(amount(-_GAMMA, _GAMMA)) * amount(_FAINTEST, 1)
    stains = F.interpolate(normal(8), size=(size, size), mode="bilinear") * amount(0, _HAZE)
    changed = changed + stains + normal(size) * amount(0, _NOISE)
    return torch.where(amount(0, 1) < _UNCHANGED_SHARE, ink, changed.clamp(0, 1))


def _blurred(ink: Tensor) -> Tensor:
    """A binomial blur of standard deviation 1 pixel, white beyond the border.

    Sums of shifted copies: a convolution of one channel takes a processor ten times as long.
    """
    for axis, border in ((2, (0, 0, 2, 2)), (3, (2, 2, 0, 0))):
        size, wide = ink.shape[axis], F.pad(ink, border)
        shifted = [wide.narrow(axis, start, size) for start in range(5)]
        ink = (shifted[0] + shifted[4] + 4 * (shifted[1] + shifted[3]) + 6 * shifted[2]) / 16
    return ink


def cut_out(ink: Tensor, rng: torch.Generator, count: int = 3, side: float = 0.25) -> Tensor:
    """Erase random rectangles (DeVries and Taylor, 2017), so that no single stroke decides.

    Args:
        ink: ``[N, 1, S, S]``.
        rng: on the same device.
        count: rectangles per drawing.
        side: largest side of a rectangle, as a share of S.
    """
    size = ink.shape[-1]
    random = torch.rand((len(ink), count, 2, 2), generator=rng, device=ink.device)
    middle, half = random[:, :, 0] * size, random[:, :, 1] * (side * size / 2)
    places = torch.arange(size, device=ink.device) + 0.5
    covered = (places - middle[..., None]).abs() < half[..., None]  # [N, count, axis, S]
    erased = (covered[:, :, 1, :, None] & covered[:, :, 0, None, :]).any(dim=1)
    return ink.masked_fill(erased[:, None], 0.0)
