"""The networks: one interface, ink maps ``[N, 1, S, S]`` -> logits ``[N, 23, S / 4, S / 4]``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from addon.core.errors import UserError

from .hrnet import PRESETS, HRNet
from .unet import UNet, UNetConfig

NAMES: tuple[str, ...] = ("unet", *PRESETS)
"""What :func:`build` knows."""

STRIDE = 4
"""Input pixels per heatmap cell, along each axis, for every network here."""

Network = HRNet | UNet


class WithFeatures(nn.Module):
    """A network that puts out what its last layer reads, too.

    One forward pass serves both: what wraps a module, as DistributedDataParallel and
    ``torch.compile`` do, sees its ``forward`` only.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits ``[N, K, S / 4, S / 4]`` and features ``[N, C, S / 4, S / 4]``."""
        features = self.network.features(x)
        return self.network.final_layer(features), features


def build(name: str, **config: Any) -> Network:
    """A network with fresh weights.

    Args:
        name: one of :data:`NAMES`.
        config: fields of ``HRNetConfig`` or ``UNetConfig`` that differ from the preset's.

    Returns:
        A module from float32 ink maps ``[N, 1, S, S]`` (1 = ink, S a multiple of 32) to heatmap
        logits ``[N, 23, S / 4, S / 4]``.

    Raises:
        UserError: the name is not known.
    """
    if name == "unet":
        return UNet(replace(UNetConfig(), **config))
    if name in PRESETS:
        return HRNet(replace(PRESETS[name], **config))
    raise UserError(f"There is no network called {name}; choose one of {', '.join(NAMES)}.")
