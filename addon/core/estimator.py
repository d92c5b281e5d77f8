"""From a drawing to keypoints: the keypoint network, run by OpenCV.

The network reads an ink map ``[1, 1, S, S]`` and gives one heatmap of logits for each keypoint,
``[1, 23, S / 4, S / 4]``; the softmax over the pixels of a heatmap is the distribution of that
keypoint's place. Beside the ONNX file lies its card, a JSON file of the same name, which says how
the network was made and what it expects.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from .image import (
    LARGEST_SIDE,
    MARGIN,
    Affine,
    Box,
    InkArray,
    crop,
    find_figures,
    ink,
)
from .pages import GreyArray, shrunk
from .panels import panel_around

FloatArray = NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "models" / "croquis.onnx"
"""The network that comes with Croquis."""

STRIDE = 4
"""Pixels of the network's input to a heatmap cell."""

_WINDOW = 5  # cells along the side of the window around a heatmap's maximum
_TOLERANCE = 0.05  # of a heatmap's width: standard deviation of an error that is as good as none
_LARGEST_INPUT = 2048  # pixels, the side of a network's input
_SECOND_PLACE = 0.05  # share of a pair's probability that makes a second place of it
_TOGETHER = 1 / 3  # probability of one place for both, against two places that are equally likely
_LENGTH_COST = 6.0  # log-probability that a bone costs which is as long as the network's input
_DOUBT = 1e-3  # probability that no window falls below: a floor for ratios of probabilities
# Fitted to synthetic drawings of a character that no training has seen, one in five of them from
# behind: there the network is as sure as from the front, and wrong.
_SIDES_SLOPE = 0.9
_SIDES_MOST = 0.9


_CHAINS = tuple(
    [[skeleton.INDEX["Left" + name], skeleton.INDEX["Right" + name]] for name in names]
    for names in (("Shoulder", "Arm", "ForeArm", "Hand"), ("UpLeg", "Leg", "Foot", "ToeBase"))
)


class Sides(NamedTuple):
    """How sure it is which arms and legs are the left ones, 0..1; 0.5 where it cannot be told."""

    arms: float
    legs: float


@dataclass(frozen=True)
class Estimate:
    """The keypoints of one figure.

    Attributes:
        keypoints: ``[23, 2]`` pixels of the picture, rows as in ``skeleton.KEYPOINTS``.
        scores: ``[23]`` 0..1, see :func:`decode_figure`.
        box: the figure's box, pixels of the picture.
        sides: how sure left and right are.
    """

    keypoints: FloatArray
    scores: FloatArray
    box: Box
    sides: Sides


@dataclass(frozen=True)
class FigureView:
    """A figure as the network sees it.

    Attributes:
        network_input: ``[S, S]`` ink.
        box: the figure's box, pixels of the picture.
        to_page: from the network's input to the picture as it was shrunk for the network.
        zoom: ``[2]`` from there to the picture's own pixels, along x and y.
    """

    network_input: InkArray
    box: Box
    to_page: Affine
    zoom: NDArray[np.floating]

    def to_picture(self, points: NDArray[np.floating]) -> FloatArray:
        """``[K, 2]`` pixels of the network's input -> pixels of the picture, float32."""
        return (self.to_page.apply(points) * self.zoom).astype(np.float32)


class Estimator:
    """The keypoint network, ready to use.

    Networks are loaded once in a process, until their files change: making a second estimator costs
    nothing. Calls from several threads wait for each other.
    """

    def __init__(self, model_path: str | os.PathLike[str] | None = None, threads: int = 0) -> None:
        """Load a network.

        Args:
            model_path: an ONNX file with its card (``.json``) beside it; None for the shipped one.
            threads: how many threads of the processor run the network; 0 leaves it to OpenCV.

        Raises:
            UserError: the network or its card is missing, damaged, made for another skeleton, or
                they do not belong together.
        """
        path = SHIPPED if model_path is None else Path(model_path)
        changed = tuple(_modified(file) for file in (path, path.with_suffix(".json")))
        self._network = _load(path, changed)
        self._threads = threads

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
        logits = self._network.forward(network_input, self._threads)
        if flip_test:
            mirror_image = np.ascontiguousarray(network_input[:, ::-1])
            mirrored = self._network.forward(mirror_image, self._threads)
            logits = (logits + mirrored[list(skeleton.FLIP), :, ::-1]) / 2
        return logits

    def estimate(
        self, grey: GreyArray, box: Box | None = None, figure: int = 0, flip_test: bool = True
    ) -> Estimate:
        """Find the keypoints of a figure in a picture.

        Args:
            grey: ``[H, W]`` uint8.
            box: the figure, pixels; None to look for it.
            figure: where it is looked for, which of the figures, 0 being the largest.
            flip_test: see :meth:`heatmaps`; it is worth its time.

        Raises:
            UserError: the page is empty, has fewer figures, or the box has no extent.
        """
        view = self.view(grey, box, figure)
        logits = self.heatmaps(view.network_input, flip_test)
        points, scores = decode_figure(logits)
        return Estimate(
            keypoints=view.to_picture(points),
            scores=scores,
            box=view.box,
            sides=sides(logits, points),
        )

    def view(self, grey: GreyArray, box: Box | None = None, figure: int = 0) -> FigureView:
        """What the network gets to see of a figure; arguments and errors of :meth:`estimate`."""
        page = shrunk(grey, LARGEST_SIDE)
        zoom = np.array(grey.shape[::-1]) / np.maximum(page.shape[::-1], 1)
        if box is None:
            small = _choose(find_figures(page), figure)
            box = Box(*(small[:2] * zoom), *(small[2:] * zoom))
        else:
            small = Box(*(box[:2] / zoom), *(box[2:] / zoom))
        # In a panel, its own paper and ink count; the page around it is out of sight.
        panel = panel_around(page, small)
        own = small._replace(x=small.x - panel.left, y=small.y - panel.top)
        network_input, to_panel = crop(ink(panel.grey), own, self.input_size)
        to_page = Affine(to_panel.matrix + [[0, 0, panel.left], [0, 0, panel.top]])
        return FigureView(network_input, box, to_page, zoom)


def decode(logits: NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
    """Keypoints from heatmaps, each by itself: the maximum, refined by the mean around it.

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
    points, scores = _refine(weights, peaks // width, peaks % width)
    return points.reshape(count, keypoints, 2), scores.reshape(count, keypoints)


def decode_figure(logits: NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
    """Keypoints of one figure: as :func:`decode`, with left and right limbs kept apart.

    Where a drawing does not tell left from right, the heatmaps of both knees have their modes on
    both knees, and two independent maxima would fall onto the same one. So each pair of joints is
    read together: both at one place, or at two places of their summed maps, either way round. Of
    all readings of a limb, from the trunk outwards, the one is taken (Viterbi, 1967) with which the
    heatmaps agree most and whose bones are short: they do not jump from one leg to the other.

    Each place is the one that is expected to score best where small errors count little, as in OKS:
    the maximum of the distribution convolved with a Gaussian tolerance. A single cell's maximum may
    be a spike beside the place around which most of the probability lies.

    Args:
        logits: ``[23, H, W]``.

    Returns:
        The points, ``[23, 2]`` float32 pixels of the network's input, and their scores, ``[23]``
        float32 in 0..1: the probability of a joint of that name at the place, whichever its side
        (:func:`sides` judges that).
    """
    weights = _softmax(logits)
    gains, masses = (np.stack([f(one) for one in weights]) for f in (_expected_gain, _box_sum))
    width = masses.shape[2]
    rows, columns = np.divmod(gains.reshape(len(gains), -1).argmax(axis=1), width)
    points = np.array([_summit(*one) for one in zip(gains, rows, columns, strict=True)], np.float32)
    scores = np.minimum(masses[np.arange(len(masses)), rows, columns], 1)
    for chain in _CHAINS:
        path = _best_path([_readings(masses, points, pair) for pair in chain], width)
        for pair, reading in zip(chain, path, strict=True):
            if reading.apart:
                rows, columns = reading.cells.T
                points[pair] = [
                    _summit(gains[j], *at) for j, at in zip(pair, reading.cells, strict=True)
                ]
                scores[pair] = np.minimum(masses[pair][:, rows, columns].sum(axis=0), 1)
    return points, scores


class _Reading(NamedTuple):
    """One way to place the left and the right joint of a pair.

    Attributes:
        cells: ``[2, 2]`` row and column of the left joint's cell and of the right one's.
        merit: log-probability.
        apart: they lie at two places.
    """

    cells: NDArray[np.intp]
    merit: float
    apart: bool


def _readings(masses: FloatArray, points: FloatArray, pair: list[int]) -> list[_Reading]:
    """The ways to place a pair that its heatmaps allow.

    Args:
        masses: ``[23, H, W]`` probability of the window around each cell.
        points: ``[23, 2]`` decoded, pixels of the network's input.
        pair: rows of the left and the right joint.
    """
    shape = masses.shape[1:]

    def apart(cells: NDArray[np.intp]) -> list[_Reading]:
        return [_Reading(way, evidence(way), True) for way in (cells, cells[::-1])]

    def evidence(cells: NDArray[np.intp]) -> float:
        return float(np.log(np.maximum(masses[pair, cells[:, 0], cells[:, 1]], _DOUBT)).sum())

    decoded = np.clip(points[pair, ::-1] / STRIDE, 0, np.array(shape) - 1).astype(np.intp)
    if np.abs(decoded[0] - decoded[1]).max() >= _WINDOW:
        return apart(decoded)
    # The sum says how many of the two lie where: one at each of two places, or both at one.
    both = masses[pair].sum(axis=0)
    first = np.unravel_index(both.argmax(), shape)
    y, x = np.ogrid[: shape[0], : shape[1]]
    away = np.maximum(np.abs(y - first[0]), np.abs(x - first[1])) >= _WINDOW
    second = np.unravel_index(np.where(away, both, 0).argmax(), shape)
    result = [_Reading(decoded, evidence(decoded) + np.log(_TOGETHER), False)]
    if both[second] > _SECOND_PLACE * (both[first] + both[second]):
        result += apart(np.array([first, second]))
    return result


def _best_path(readings: Sequence[list[_Reading]], width: int) -> list[_Reading]:
    """One reading of each pair of a limb, so that their merit less the length of bones is greatest.

    Args:
        readings: of each pair, from the trunk outwards.
        width: of the heatmaps, cells.
    """

    def length(a: _Reading, b: _Reading) -> float:
        return float(np.linalg.norm(a.cells - b.cells, axis=1).sum()) / width

    paths = [(reading.merit, [reading]) for reading in readings[0]]
    for options in readings[1:]:
        extended = []
        for reading in options:
            merit, path = max(
                ((m - _LENGTH_COST * length(p[-1], reading), p) for m, p in paths),
                key=lambda pair: pair[0],
            )
            extended.append((merit + reading.merit, [*path, reading]))
        paths = extended
    return max(paths, key=lambda pair: pair[0])[1]


def _box_sum(weights: FloatArray) -> FloatArray:
    """``[H, W]`` -> the sum over the window around each cell."""
    window = (_WINDOW, _WINDOW)
    return cv2.boxFilter(weights, -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)


def _expected_gain(weights: FloatArray) -> FloatArray:
    """``[H, W]`` -> for each cell, how well it is expected to do under the Gaussian tolerance."""
    deviation = _TOLERANCE * weights.shape[1]
    return cv2.GaussianBlur(weights, (0, 0), deviation, borderType=cv2.BORDER_CONSTANT)


def _summit(gain: FloatArray, row: int, column: int) -> tuple[float, float]:
    """The maximum uphill from a cell of ``[H, W]``: x and y, pixels of the network's input.

    Parabolas through the maximum and its neighbours give the part below a cell.
    """
    while True:
        top, left = max(row - 1, 0), max(column - 1, 0)
        around = gain[top : row + 2, left : column + 2]
        step = np.unravel_index(around.argmax(), around.shape)
        if around[step] <= gain[row, column]:
            break
        row, column = top + int(step[0]), left + int(step[1])
    x = column + 0.5 + _vertex(gain[row], column)
    y = row + 0.5 + _vertex(gain[:, column], row)
    return x * STRIDE, y * STRIDE


def _vertex(values: FloatArray, top: int) -> float:
    """Where, from -0.5 to 0.5, the parabola around a maximum has its vertex; 0 at the border."""
    if not 0 < top < len(values) - 1:
        return 0.0
    before, here, after = (float(v) for v in values[top - 1 : top + 2])
    bend = before - 2 * here + after
    return (before - after) / (2 * bend) if bend < 0 else 0.0


def _refine(
    weights: FloatArray, rows: NDArray[np.integer], columns: NDArray[np.integer]
) -> tuple[FloatArray, FloatArray]:
    """The mean of each of K maps within the window around a cell, and the window's weight.

    Returns:
        ``[K, 2]`` pixels of the network's input and ``[K]`` 0..1, float32.
    """
    mass, y, x = _windows(weights, rows, columns)
    score = mass.sum(axis=(1, 2))
    # The centre of cell (row, column) is the input pixel ((column + .5) * 4, (row + .5) * 4). A
    # window without any weight, possible when a place comes from another map, gives its middle.
    middle = np.stack([columns, rows], axis=-1) + 0.5
    mean = np.stack([(mass * (at + 0.5)).sum(axis=(1, 2)) for at in (x, y)], axis=-1)
    some = score > 1e-9
    points = np.where(some[:, None], mean / np.where(some, score, 1)[:, None], middle)
    return (points * STRIDE).astype(np.float32), np.minimum(score, 1)


def sides(logits: NDArray[np.floating], points: NDArray[np.floating]) -> Sides:
    """How sure the network is of left and right, for the arms and for the legs.

    Each pair of joints is read once as decoded and once swapped. The log of the ratio of the two
    readings' probabilities, averaged over the pairs of the limbs (they are seldom independent),
    gives the probability of the decoded reading by logistic regression (Platt 1999), which is
    never surer than drawings from behind allow. Pairs drawn at one place cannot be swapped.

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
        right = 1 / (1 + np.exp(-_SIDES_SLOPE * ratio[apart].mean()))
        return float(np.clip(right, 1 - _SIDES_MOST, _SIDES_MOST))

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


_alone = Lock()
"""Held by the one network that runs: none is made for threads, and all share their number."""


@contextmanager
def _on_threads(count: int) -> Iterator[None]:
    """Let OpenCV use so many threads meanwhile; 0 changes nothing. Only under :data:`_alone`."""
    if count < 1:
        yield
        return
    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


class _Network:
    """An OpenCV network and its card."""

    def __init__(self, net: cv2.dnn.Net, card: dict[str, Any]) -> None:
        self.card = card
        self.size = int(card["input_size"])
        self._net = net

    def forward(self, network_input: InkArray, threads: int = 0) -> FloatArray:
        """``[S, S]`` ink -> ``[23, S / 4, S / 4]`` logits, on so many threads (0: OpenCV's)."""
        with _alone, _on_threads(threads):
            self._net.setInput(network_input[None, None].astype(np.float32))
            return self._net.forward()[0].copy()


def _is_size(value: object) -> bool:
    """Whether a card's value can be the side of a network's input, pixels."""
    return isinstance(value, int) and 0 < value <= _LARGEST_INPUT and value % STRIDE == 0


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
        model = path.read_bytes()
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except OSError as error:
        name = Path(error.filename or path).name
        raise UserError(f"The keypoint network's file {name} cannot be read; {help_}.") from error
    except ValueError as error:
        raise UserError(
            f"The keypoint network's card {path.stem}.json is damaged; {help_}."
        ) from error
    if not isinstance(card, dict) or not _is_size(card.get("input_size")):
        raise UserError(f"The keypoint network's card {path.stem}.json is damaged; {help_}.")
    expected = {"keypoints": list(skeleton.KEYPOINTS), "stride": STRIDE, "margin": MARGIN}
    if any(card.get(key) != value for key, value in expected.items()):
        raise UserError(
            f"The keypoint network {path.name} was made for another version of Croquis; {help_}."
        )
    if card.get("sha256", digest := hashlib.sha256(model).hexdigest()) != digest:
        raise UserError(f"The card {path.stem}.json belongs to another network; {help_}.")
    try:
        network = _Network(cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8)), card)
        shape = network.forward(np.zeros((network.size, network.size), np.float32)).shape
    except cv2.error as error:
        raise UserError(f"The keypoint network {path.name} is damaged; {help_}.") from error
    if shape != (skeleton.COUNT, network.size // STRIDE, network.size // STRIDE):
        raise UserError(f"{path.name} is not a keypoint network of Croquis; {help_}.")
    return network
