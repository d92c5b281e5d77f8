"""From a drawing to keypoints: the keypoint network, run by OpenCV.

The network reads an ink map ``[1, 1, S, S]`` and gives one heatmap of logits for each keypoint,
``[1, 23, S / 4, S / 4]``; the softmax over the pixels of a heatmap is the distribution of that
keypoint's place. Beside the ONNX file lies its card, a JSON file of the same name, which says how
the network was made and what it expects.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .errors import UserError
from .image import MARGIN, Box, GreyArray, InkArray, crop, find_figures, ink

FloatArray = NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "models" / "croquis.onnx"
"""The network that comes with Croquis."""

INPUT_SIZE = 256
"""Side S of the input that networks are trained for, unless their cards say otherwise, pixels."""

STRIDE = 4
"""Pixels of the network's input to a heatmap cell."""

_WINDOW = 5  # cells along the side of the window around a heatmap's maximum
_LARGEST_SIDE = 2048  # pixels; larger pictures are shrunk first, for time and memory
_DOUBT = 1e-3  # probability that no window falls below: a floor for ratios of probabilities


class Sides(NamedTuple):
    """How sure it is which arms and legs are the left ones, 0..1; 0.5 where it cannot be told."""

    arms: float
    legs: float


@dataclass(frozen=True)
class Estimate:
    """The keypoints of one figure.

    Attributes:
        keypoints: ``[23, 2]`` pixels of the picture, rows as in ``skeleton.KEYPOINTS``.
        scores: ``[23]`` 0..1, the probability of each place.
        box: the figure's box, pixels of the picture.
        sides: how sure left and right are.
    """

    keypoints: FloatArray
    scores: FloatArray
    box: Box
    sides: Sides


class Estimator:
    """The keypoint network, ready to use.

    Networks are loaded once in a process, until their files change: making a second estimator costs
    nothing. Calls from several threads wait for each other.
    """

    def __init__(self, model_path: str | os.PathLike[str] | None = None) -> None:
        """Load a network.

        Args:
            model_path: an ONNX file with its card (``.json``) beside it; None for the shipped one.

        Raises:
            UserError: the network or its card is missing, damaged, or made for another skeleton.
        """
        path = SHIPPED if model_path is None else Path(model_path)
        changed = tuple(_modified(file) for file in (path, path.with_suffix(".json")))
        self._network = _load(path, changed)

    @property
    def card(self) -> dict[str, Any]:
        """What the network's card says: how it was made, on what, its scores and weaknesses."""
        return dict(self._network.card)

    @property
    def input_size(self) -> int:
        """Side of the network's square input, pixels."""
        return self._network.size

    def heatmaps(self, network_input: InkArray, flip_test: bool = False) -> FloatArray:
        """Run the network.

        Args:
            network_input: ``[S, S]`` ink, as :func:`image.crop` cuts it.
            flip_test: average the logits with those of the mirrored picture; takes twice the time.

        Returns:
            ``[23, S / 4, S / 4]`` logits.
        """
        logits = self._network.forward(network_input)
        if flip_test:
            mirrored = self._network.forward(np.ascontiguousarray(network_input[:, ::-1]))
            logits = (logits + mirrored[list(skeleton.FLIP), :, ::-1]) / 2
        return logits

    def estimate(
        self, grey: GreyArray, box: Box | None = None, figure: int = 0, flip_test: bool = False
    ) -> Estimate:
        """Find the keypoints of a figure in a picture.

        Args:
            grey: ``[H, W]`` uint8.
            box: the figure, pixels; None to look for it.
            figure: where it is looked for, which of the figures, 0 being the largest.
            flip_test: see :meth:`heatmaps`.

        Raises:
            UserError: the page is empty, has fewer figures, or the box has no extent.
        """
        shrink = min(1.0, _LARGEST_SIDE / max(*grey.shape, 1))
        size = (max(1, round(grey.shape[1] * shrink)), max(1, round(grey.shape[0] * shrink)))
        page = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if shrink < 1 else grey
        zoom = np.array([grey.shape[1] / size[0], grey.shape[0] / size[1]])
        if box is None:
            box = _choose(find_figures(grey), figure)
        small = Box(*(box[:2] / zoom), *(box[2:] / zoom))
        network_input, to_page = crop(ink(page), small, self.input_size)
        logits = self.heatmaps(network_input, flip_test)
        points, scores = decode(logits[None])
        return Estimate(
            keypoints=(to_page.apply(points[0]) * zoom).astype(np.float32),
            scores=scores[0],
            box=box,
            sides=sides(logits, points[0]),
        )


def decode(logits: NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
    """Keypoints from heatmaps: the maximum, refined by the mean of the distribution around it.

    The mean over the whole map (integral regression, Sun et al., ECCV 2018) would be drawn towards
    a second mode, such as the other leg; within a window around the maximum it only adds the part
    below a cell.

    Args:
        logits: ``[N, K, H, W]``.

    Returns:
        The points, ``[N, K, 2]`` float32 pixels of the network's input, and their scores,
        ``[N, K]`` float32 in 0..1: the probability that the distribution gives to the window.
    """
    count, keypoints, height, width = logits.shape
    weights = _softmax(logits.reshape(-1, height, width))
    peaks = weights.reshape(len(weights), -1).argmax(axis=1)
    mass, rows, columns = _windows(weights, peaks // width, peaks % width)
    score = mass.sum(axis=(1, 2))
    # The centre of cell (row, column) is the input pixel ((column + .5) * 4, (row + .5) * 4).
    x = (mass * (columns + 0.5)).sum(axis=(1, 2)) / score * STRIDE
    y = (mass * (rows + 0.5)).sum(axis=(1, 2)) / score * STRIDE
    points = np.stack([x, y], axis=-1).astype(np.float32)
    return points.reshape(count, keypoints, 2), np.minimum(score, 1).reshape(count, keypoints)


def sides(logits: NDArray[np.floating], points: NDArray[np.floating]) -> Sides:
    """How sure the network is of left and right, for the arms and for the legs.

    Each pair of joints is read once as decoded and once swapped. The log of the ratio of the two
    readings' probabilities, averaged over the pairs of the limbs (they are seldom independent),
    gives the probability of the decoded reading. Pairs drawn at one place cannot be swapped.

    Args:
        logits: ``[23, H, W]``.
        points: ``[23, 2]`` decoded, pixels of the network's input.
    """
    height, width = logits.shape[1:]
    weights = _softmax(logits)
    cells = np.clip((points / STRIDE).astype(int), 0, (width - 1, height - 1))

    def probability(maps: list[int], places: list[int]) -> NDArray[np.floating]:
        mass, _, _ = _windows(weights[maps], cells[places, 1], cells[places, 0])
        return np.maximum(mass.sum(axis=(1, 2)), _DOUBT)

    def certainty(names: tuple[str, ...]) -> float:
        joints = [skeleton.INDEX[name] for name in names]
        others = [skeleton.FLIP[joint] for joint in joints]
        apart = np.abs(cells[joints] - cells[others]).max(axis=1) >= _WINDOW
        if not apart.any():
            return 0.5
        ratio = np.log(probability(joints, joints) / probability(joints, others))
        return float(1 / (1 + np.exp(-2 * ratio[apart].mean())))

    return Sides(certainty(skeleton.ARMS), certainty(skeleton.LEGS))


def _softmax(logits: NDArray[np.floating]) -> FloatArray:
    """``[K, H, W]`` logits -> distributions over the pixels of each map."""
    logits = logits.astype(np.float32)
    weights = np.exp(logits - logits.max(axis=(1, 2), keepdims=True))
    return weights / weights.sum(axis=(1, 2), keepdims=True)


def _windows(
    weights: FloatArray, rows: NDArray[np.integer], columns: NDArray[np.integer]
) -> tuple[FloatArray, NDArray[np.integer], NDArray[np.integer]]:
    """The window around one cell of each of K maps.

    Returns:
        The weights, ``[K, 5, 5]``, 0 beyond the map's border, and the rows ``[K, 5, 1]`` and
        columns ``[K, 1, 5]`` of their cells.
    """
    count, height, width = weights.shape
    steps = np.arange(_WINDOW) - _WINDOW // 2
    y = rows[:, None, None] + steps[:, None]
    x = columns[:, None, None] + steps[None, :]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    maps = np.arange(count)[:, None, None]
    return weights[maps, y.clip(0, height - 1), x.clip(0, width - 1)] * inside, y, x


def _choose(figures: list[Box], number: int) -> Box:
    if not 0 <= number < len(figures):
        shows = "one figure" if len(figures) == 1 else f"{len(figures)} figures"
        raise UserError(f"The page shows only {shows}; choose one of them.")
    return figures[number]


class _Network:
    """An OpenCV network, its card, and a lock: OpenCV's networks are not made for threads."""

    def __init__(self, net: cv2.dnn.Net, card: dict[str, Any]) -> None:
        self.card = card
        self.size = int(card["input_size"])
        self._net = net
        self._lock = Lock()

    def forward(self, network_input: InkArray) -> FloatArray:
        """``[S, S]`` ink -> ``[23, S / 4, S / 4]`` logits."""
        with self._lock:
            self._net.setInput(network_input[None, None].astype(np.float32))
            return self._net.forward()[0].copy()


def _modified(path: Path) -> int:
    """Time of the last change, or 0 for a file that is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=1)
def _load(path: Path, _changed: tuple[int, ...]) -> _Network:
    """Read a network and try it once, so that a wrong one is found here and not in the first pose.

    Raises:
        UserError: see :class:`Estimator`.
    """
    help_ = "install Croquis again" if path == SHIPPED else "choose another network"
    try:
        # From memory: OpenCV cannot open names beyond the system's code page on Windows.
        model = np.frombuffer(path.read_bytes(), np.uint8)
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except OSError as error:
        name = Path(error.filename or path).name
        raise UserError(f"The keypoint network's file {name} cannot be read; {help_}.") from error
    except ValueError as error:
        raise UserError(
            f"The keypoint network's card {path.stem}.json is damaged; {help_}."
        ) from error
    expected = {"keypoints": list(skeleton.KEYPOINTS), "stride": STRIDE, "margin": MARGIN}
    if any(card.get(key) != value for key, value in expected.items()) or "input_size" not in card:
        raise UserError(
            f"The keypoint network {path.name} was made for another version of Croquis; {help_}."
        )
    try:
        network = _Network(cv2.dnn.readNetFromONNX(model), card)
        shape = network.forward(np.zeros((network.size, network.size), np.float32)).shape
    except cv2.error as error:
        raise UserError(f"The keypoint network {path.name} is damaged; {help_}.") from error
    if shape != (skeleton.COUNT, network.size // STRIDE, network.size // STRIDE):
        raise UserError(f"{path.name} is not a keypoint network of Croquis; {help_}.")
    return network
