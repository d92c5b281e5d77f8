"""Adaptation to real drawings, which have no labels.

Self-training with a mean teacher (Tarvainen and Valpola, NeurIPS 2017): the averaged network labels
a drawing as it is, and the network being trained must find the same keypoints in a turned, scaled,
soiled and partly erased copy. Only keypoints of which the teacher is sure count.
Batch statistics of real drawings (AdaBN) need no training at all; features that do not tell the
domains apart are trained in ``adversarial``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from addon.core import skeleton

from . import checkpoint, data, photometric
from .heatmaps import Decoder, decode

_ROTATION = math.radians(40)
_SCALE = (0.7, 1.2)
_SHIFT = 0.08  # of the picture's side
_STATISTICS = 1024  # drawings, at most, that batch statistics are taken from
_RAMP = 0.15  # of the whole training, over which the term grows to its full weight

FLIP = list(skeleton.FLIP)


def ramp(share: float, start: float) -> float:
    """Weight of the unlabelled term, 0..1, at ``share`` of the training (Laine and Aila, 2017)."""
    if share < start:
        return 0.0
    return math.exp(-5 * (1 - min(1.0, (share - start) / _RAMP)) ** 2)


@torch.no_grad()
def pseudo_labels(
    teacher: nn.Module,
    ink: Tensor,
    threshold: float,
    tolerance: float = 0.04,
    decoder: Decoder = decode,
) -> tuple[Tensor, Tensor]:
    """Keypoints of unlabelled drawings, and which of them to believe.

    A keypoint is believed where the window around the peak holds enough of the probability AND the
    drawing's mirror image gives the same place: a network that guesses left and right fails that.

    Args:
        teacher: in evaluation mode.
        ink: ``[N, 1, S, S]``.
        threshold: least probability in the peak's window.
        tolerance: largest distance between the two answers, as a share of S.
        decoder: reads the keypoints off the maps; ``heatmaps.decode_figures`` gives both knees of a
            drawing that does not tell left from right a place each, and learns from them where the
            mirror image chooses the same.

    Returns:
        Points ``[N, 23, 2]`` in input pixels and a bool mask ``[N, 23]``.
    """
    as_is = teacher(ink).float()
    mirrored = teacher(ink.flip(-1)).float().flip(-1)[:, FLIP]
    distance = (decoder(as_is)[0] - decoder(mirrored)[0]).norm(dim=-1)
    points, scores = decoder((as_is + mirrored) / 2)
    return points, (scores > threshold) & (distance < tolerance * ink.shape[-1])


def distort(
    ink: Tensor, points: Tensor, valid: Tensor, rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """The student's view: flipped, turned, scaled and moved, then soiled and partly erased.

    Args:
        ink: ``[N, 1, S, S]``.
        points: ``[N, 23, 2]`` pixels.
        valid: ``[N, 23]`` bool.
        rng: on the same device.

    Returns:
        The same three for the distorted drawings; points that left the picture are not valid.
    """
    count, size = len(ink), ink.shape[-1]
    random = torch.rand((count, 5), generator=rng, device=ink.device)
    angle = (2 * random[:, 0] - 1) * _ROTATION
    scale = _SCALE[0] * (_SCALE[1] / _SCALE[0]) ** random[:, 1]
    flip = random[:, 2] < 0.5
    shift = (2 * random[:, 3:] - 1) * _SHIFT * size
    cosine, sine = scale * torch.cos(angle), scale * torch.sin(angle)
    mirror = torch.where(flip, -1.0, 1.0)
    linear = torch.stack([cosine * mirror, -sine, sine * mirror, cosine], dim=1).view(count, 2, 2)

    # affine_grid asks where each output pixel comes from, in coordinates from -1 to 1.
    back = torch.linalg.inv(linear)
    offset = -(back @ (shift * 2 / size)[..., None])
    grid = F.affine_grid(torch.cat([back, offset], dim=2), list(ink.shape), align_corners=False)
    moved = F.grid_sample(ink, grid, align_corners=False)

    places = (points - size / 2) @ linear.mT + (shift + size / 2)[:, None]
    places = torch.where(flip[:, None, None], places[:, FLIP], places)
    valid = torch.where(flip[:, None], valid[:, FLIP], valid)
    valid = valid & ((places >= 0) & (places < size)).all(dim=-1)
    return photometric.cut_out(photometric.jitter(moved, rng), rng), places, valid


@torch.no_grad()
def adapt_batch_norm(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace the batch statistics by those of real drawings (AdaBN, Li et al., 2017).

    Args:
        network: changed in place, left in evaluation mode.
        batches: ink maps ``[N, 1, S, S]`` on the network's device; their plain average is taken.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a cumulative average instead of a fading one
    network.train()
    for ink in batches:
        network(ink)
    network.eval()
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def adapt_batch_norm_to(network: nn.Module, folder: Path, size: int, device: torch.device) -> None:
    """:func:`adapt_batch_norm` to the pictures of a folder, or to a thousand spread over it.

    Args:
        network: on the device; changed in place, left in evaluation mode.
        folder: of drawings; needs no labels.
        size: side of the network's input, pixels.
        device: of the network.

    Raises:
        UserError: there are no pictures in the folder.
    """
    drawings = data.UnlabelledDataset([folder], size, seed=0)
    count = min(len(drawings), _STATISTICS)
    tickets = np.linspace(0, len(drawings) - 1, count).astype(int).tolist()
    batches = data.loader(drawings, 32, workers=0, tickets=tickets)
    adapt_batch_norm(network, (data.to_ink(batch, device) for batch in batches))


def weights_adapted_to(state: Mapping[str, Any], folder: Path) -> dict[str, Tensor]:
    """A checkpoint's averaged weights with the batch statistics of a folder of drawings.

    Args:
        state: of the checkpoint, see :mod:`.checkpoint`.
        folder: of drawings; needs no labels.

    Raises:
        UserError: there are no pictures in the folder.
    """
    network = checkpoint.network(dict(state))
    adapt_batch_norm_to(network, folder, state["size"], torch.device("cpu"))
    return network.state_dict()
