"""Small PNG plots of a comparison: curves of training, bars of scores, sheets of drawings."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")  # a file is wanted, also where there is no screen
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from addon.core.files import write_whole

FloatArray = NDArray[np.floating]

SMOOTHING = 1.2
"""Standard deviation of the weights that smooth a curve, in points of it."""

_WIDTH, _HEIGHT, _DPI = 7.0, 3.6, 110  # inches, and pixels per inch
_TILE = 1.9  # inches, of a drawing on a sheet
_COLOURS = plt.get_cmap("tab10").colors  # type: ignore[attr-defined]
_PALE = 0.25
_PALETTE = 128  # colours of a file: plots and line drawings need no more, and it is a third as big
_LEVEL_LABELS = 50  # characters below a plot that fit side by side


@dataclass(frozen=True)
class Curve:
    """A quantity over a training.

    Attributes:
        epochs: ``[n]`` rising.
        values: ``[n]``.
    """

    epochs: FloatArray
    values: FloatArray


@dataclass(frozen=True)
class Bar:
    """A value with, where it is known, its 95 % interval."""

    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Tile:
    """A drawing on a sheet: ``[H, W, 3]`` uint8 BGR, and the words above it."""

    picture: NDArray[np.uint8]
    caption: str


def smooth(values: FloatArray, deviation: float = SMOOTHING) -> FloatArray:
    """A curve without its noise that neither leads nor lags: a straight line stays as it is.

    At each point the line that fits best around it (local linear regression with Gaussian weights;
    Cleveland, 1979): a mere average would lag where the curve ends while it rises.

    Args:
        values: ``[n]``.
        deviation: of the weights, points.

    Returns:
        ``[n]``.
    """
    places = np.arange(len(values), dtype=np.float64)
    result = np.array(values, np.float64)
    if len(values) < 3:
        return result
    for i, place in enumerate(places):
        weights = np.exp(-0.5 * ((places - place) / deviation) ** 2)
        # np.polyfit squares its weights.
        result[i] = np.polyval(np.polyfit(places - place, values, 1, w=np.sqrt(weights)), 0.0)
    return result


def mean_curve(curves: Sequence[Curve]) -> tuple[Curve, FloatArray, FloatArray]:
    """Several runs of one model as one: mean, lowest and highest over the epochs that all reached.

    Each curve is interpolated at the epochs of all of them, for runs with a budget of time get
    unequally far.
    """
    first = max(curve.epochs[0] for curve in curves)
    last = min(curve.epochs[-1] for curve in curves)
    epochs = np.unique(np.concatenate([curve.epochs for curve in curves]))
    epochs = epochs[(epochs >= first) & (epochs <= last)]
    rows = np.array([np.interp(epochs, curve.epochs, curve.values) for curve in curves])
    return Curve(epochs, rows.mean(axis=0)), rows.min(axis=0), rows.max(axis=0)


def curves(path: Path, models: Mapping[str, Sequence[Curve]], title: str, label: str) -> None:
    """Smoothed curves of several models, over what was measured in pale.

    Args:
        path: of the PNG.
        models: name -> its runs, at least one each; more than one shows the smoothed extremes too.
        title: above the plot.
        label: of the quantity.
    """
    figure, axes = _axes(title)
    for number, (name, runs) in enumerate(models.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        for run in runs:
            axes.plot(run.epochs, run.values, color=colour, alpha=_PALE, linewidth=0.8)
        mean, low, high = mean_curve([Curve(run.epochs, smooth(run.values)) for run in runs])
        marker = "o" if len(mean.epochs) == 1 else None
        axes.plot(mean.epochs, mean.values, color=colour, linewidth=1.8, label=name, marker=marker)
        if len(runs) > 1:
            axes.fill_between(mean.epochs, low, high, color=colour, alpha=_PALE / 2, linewidth=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    _write(figure, path, axes)


def bars(path: Path, models: Mapping[str, Mapping[str, Bar]], title: str, label: str) -> None:
    """Groups of bars: one group for each category, in it one bar for each model.

    Args:
        path: of the PNG.
        models: name -> category -> bar; all have the same categories.
        title: above the plot.
        label: of the quantity.
    """
    figure, axes = _axes(title)
    width = 0.8 / len(models)
    for number, (name, groups) in enumerate(models.items()):
        places = np.arange(len(groups)) + (number - (len(models) - 1) / 2) * width
        values = np.array([bar.value for bar in groups.values()])
        colour = _COLOURS[number % len(_COLOURS)]
        axes.bar(places, values, width * 0.9, color=colour, label=name)
        ends = [bar.interval or (bar.value, bar.value) for bar in groups.values()]
        if any(bar.interval for bar in groups.values()):
            axes.vlines(places, *zip(*ends, strict=True), color="0.25", linewidth=0.9)
    categories = list(next(iter(models.values())))
    turned = 30 if sum(map(len, categories)) > _LEVEL_LABELS else 0
    axes.set_xticks(
        range(len(categories)), categories, rotation=turned, ha="right" if turned else "center"
    )
    axes.tick_params(axis="x", length=0)
    axes.grid(False, axis="x")
    axes.set_ylabel(label)
    axes.set_ylim(0, 1)
    _write(figure, path, axes)


def sheet(path: Path, rows: Mapping[str, Sequence[Tile]], title: str) -> None:
    """Pictures in rows, each row with its name at the left.

    Args:
        path: of the PNG.
        rows: name -> tiles; rows may differ in length.
        title: above the sheet.
    """
    columns = max(len(tiles) for tiles in rows.values())
    figure, grid = plt.subplots(
        len(rows),
        columns,
        squeeze=False,
        figsize=(_TILE * columns, (_TILE + 0.25) * len(rows) + 0.4),
        layout="constrained",
    )
    figure.suptitle(title, fontsize=10)
    for line, (name, tiles) in zip(grid, rows.items(), strict=True):
        for axes in line:
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_frame_on(False)
        line[0].set_ylabel(name, fontsize=8)
        for axes, tile in zip(line, tiles, strict=False):
            axes.imshow(tile.picture[:, :, ::-1])
            axes.set_title(tile.caption, fontsize=7)
    _write(figure, path)


def _axes(title: str) -> tuple[Figure, Axes]:
    figure, axes = plt.subplots(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    axes.set_title(title, fontsize=10, loc="left")
    axes.grid(True, color="0.9", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _write(figure: Figure, path: Path, axes: Axes | None = None) -> None:
    if axes is not None:
        axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    drawn, small = io.BytesIO(), io.BytesIO()
    # Without a date and a version the same figures give the same file.
    figure.savefig(drawn, format="png", dpi=_DPI, metadata={"Software": None})
    plt.close(figure)
    Image.open(drawn).convert("RGB").quantize(_PALETTE, dither=Image.Dither.NONE).save(small, "PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, small.getvalue())
