"""A trained network on pictures, by the add-on's own path, whichever way it is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from addon.core import skeleton
from addon.core.errors import UserError
from addon.core.estimator import Estimator, FloatArray
from addon.core.image import InkArray

from . import adapt, checkpoint, heatmaps


def open_estimator(path: Path, device: str = "cpu", batch_norm_of: Path | None = None) -> Estimator:
    """The estimator of an exported network (.onnx, run by OpenCV) or of a checkpoint (by torch).

    Args:
        path: of the network.
        device: for a checkpoint.
        batch_norm_of: folder of drawings whose batch statistics a checkpoint takes on (AdaBN).

    Raises:
        UserError: there is no such file, or it holds no network, or an exported one, whose batch
            statistics are part of its weights, is asked to take on others.
    """
    if path.suffix != ".onnx":
        return CheckpointEstimator(path, device, batch_norm_of)
    if batch_norm_of is not None:
        raise UserError("An exported network cannot take on batch statistics; name a checkpoint.")
    return Estimator(path)


def open_decoder(estimator: Estimator, name: str) -> heatmaps.Decoder:
    """A decoder (one of ``heatmaps.DECODERS``) for the maps that a network was trained to give."""
    card = estimator.card
    settings = card.get("settings") or card.get("training", {}).get("settings", {})
    return heatmaps.decoder(name, settings.get("loss", "softmax"), settings.get("sigma", 1.0))


class CheckpointEstimator(Estimator):
    """The add-on's estimator with torch in OpenCV's place."""

    def __init__(self, path: Path, device: str = "cpu", batch_norm_of: Path | None = None) -> None:
        self._state = checkpoint.load(path)
        self._device = torch.device(device)
        self._torch = checkpoint.network(self._state).to(self._device)
        if batch_norm_of is not None:
            adapt.adapt_batch_norm_to(self._torch, batch_norm_of, self.input_size, self._device)

    @property
    def card(self) -> dict[str, Any]:
        """What the checkpoint says of itself, without its weights."""
        return {key: value for key, value in self._state.items() if key in checkpoint.FACTS}

    @property
    def input_size(self) -> int:
        """Side of the network's square input, pixels."""
        return int(self._state["size"])

    @torch.inference_mode()
    def heatmaps(self, network_input: InkArray, flip_test: bool = False) -> FloatArray:
        """See ``Estimator.heatmaps``."""
        ink = torch.from_numpy(network_input).to(self._device)[None, None]
        logits = self._torch(ink)
        if flip_test:
            logits = (logits + self._torch(ink.flip(-1)).flip(-1)[:, list(skeleton.FLIP)]) / 2
        return logits[0].float().cpu().numpy().astype(np.float32)
