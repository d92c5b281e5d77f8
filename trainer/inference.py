"""A trained network on pictures, whichever way it is stored: the add-on's path, plus a flip test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from addon.core import estimator, image, skeleton
from addon.core.errors import UserError

from . import checkpoint

SHIPPED = Path(__file__).resolve().parent.parent / "addon" / "models" / "croquis.onnx"

_FLIP = list(skeleton.FLIP)
Logits = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class Predictor:
    """Finds the keypoints of a figure in a picture.

    Args:
        logits: ink maps ``[N, 1, S, S]`` -> heatmap logits ``[N, 23, S / 4, S / 4]``.
        size: S.
        flip: also look at each figure's mirror image and average the heatmaps.
    """

    def __init__(self, logits: Logits, size: int, flip: bool = False) -> None:
        self.logits, self.size, self.flip = logits, size, flip

    @classmethod
    def open(cls, path: Path, flip: bool = False, device: str = "cpu") -> Predictor:
        """From an exported network (.onnx, run by OpenCV as in Blender) or a checkpoint (torch).

        Raises:
            UserError: there is no such file, or it holds no network.
        """
        if path.suffix == ".onnx":
            return cls(*_open_onnx(path), flip)
        state = checkpoint.load(path)
        network = checkpoint.network(state).to(device)

        @torch.inference_mode()
        def logits(ink: NDArray[np.float32]) -> NDArray[np.float32]:
            return network(torch.from_numpy(ink).to(device)).float().cpu().numpy()

        return cls(logits, state["size"], flip)

    def keypoints(
        self, grey: image.GreyArray, box: image.Box
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """The keypoints of the figure in ``box``.

        Args:
            grey: ``[H, W]`` uint8.
            box: pixels of ``grey``.

        Returns:
            ``[23, 2]`` pixels of ``grey`` and scores ``[23]`` in 0..1.
        """
        crop, to_picture = image.crop(image.ink(grey), box, self.size)
        ink = crop[None, None]
        logits = self.logits(ink)
        if self.flip:
            mirrored = self.logits(np.ascontiguousarray(ink[..., ::-1]))
            logits = (logits + mirrored[:, _FLIP, :, ::-1]) / 2
        points, scores = estimator.decode(logits)
        return to_picture.apply(points[0]), scores[0]


def _open_onnx(path: Path) -> tuple[Logits, int]:
    if not path.is_file():
        raise UserError(f"There is no network at {path}.")
    card = path.with_suffix(".json")
    size = estimator.INPUT_SIZE
    if card.is_file():
        size = int(json.loads(card.read_text(encoding="utf-8"))["input_size"])
    try:
        network = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise UserError(f"{path} is not an ONNX file that OpenCV can read.") from error

    def logits(ink: NDArray[np.float32]) -> NDArray[np.float32]:
        network.setInput(ink)
        return np.asarray(network.forward(), dtype=np.float32).copy()

    return logits, size
