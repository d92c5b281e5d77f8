"""Drawing styles: how polylines become a picture that looks drawn by a hand.

A :class:`Drawing` says WHAT is drawn (paths in painter's order: open lines, closed shapes with a
fill), a :class:`StrokeStyle` says HOW (tool, hand and paper), and :func:`draw` does it. All lengths
of a style are in pixels of a 256-pixel picture and grow with the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .kinds import TOOLS
from .strokes import runs

FloatArray = NDArray[np.float64]

NO_FILL = -1.0
"""Fill of a path that is only a line."""

TOLERANCE = 0.15
"""Pixels by which a stored line may leave the one that was drawn."""

SHORTEST = 1.5
"""Pixels; what is shorter is a speck (of a mesh's triangles, or between two covers)."""

NO_TAG = -1
"""Tag of a path that shows nothing in particular."""

_REFERENCE = 256  # the picture side in which styles are measured
_SUPERSAMPLING = 3  # lines are drawn without antialiasing on a finer canvas, then averaged: faster
_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates
_MASK_SIZE = 192  # side of the picture in which a stroke drawing's silhouette is found


class Drawing:
    """Paths in painter's order, grouped in layers.

    Within one layer all outlines are painted first, then all fills, then all lines; so shapes of
    one layer melt into a common silhouette, while a later layer covers an earlier one.

    Coordinates are pixels (x right, y down) of the picture to be.
    """

    def __init__(self) -> None:
        """An empty drawing with one empty layer."""
        self.layers = 1
        self.body_layer = -1
        self.tag = NO_TAG
        """What the next paths show, for whom it concerns: a bone, for instance."""
        self.tags: list[int] = []
        """The tag of each path."""
        self._points: list[FloatArray] = []
        self._lengths: list[int] = []
        self._attributes: list[tuple[int, bool, float, float, float, bool]] = []

    def __len__(self) -> int:
        return len(self._lengths)

    def new_layer(self) -> None:
        """Later paths cover what was added before."""
        self.layers += 1

    def line(
        self, points: ArrayLike, *, width: float = 1.0, ink: float = 1.0, droppable: bool = False
    ) -> None:
        """Add an open line.

        Args:
            points: ``[n, 2]`` pixels, n >= 2 (shorter lines are ignored).
            width: multiple of the style's line width.
            ink: multiple of the style's darkness.
            droppable: a style may leave this line out (a short or interior one).
        """
        self._add(np.asarray(points, dtype=np.float64), False, width, ink, NO_FILL, droppable)

    def shape(
        self, points: ArrayLike, *, width: float = 1.0, ink: float = 1.0, fill: float = 0.0
    ) -> None:
        """Add a closed shape.

        Args:
            points: ``[n, 2]`` pixels, the last one joins the first.
            width: multiple of the style's line width; 0 for no outline.
            ink: multiple of the style's darkness.
            fill: darkness of the inside, 0 (paper, hides what is behind) to 1, or ``NO_FILL``.
        """
        self._add(np.asarray(points, dtype=np.float64), True, width, ink, fill, False)

    def open_shape(
        self, points: ArrayLike, *, width: float = 1.0, ink: float = 1.0, fill: float = 0.0
    ) -> None:
        """Add a filled shape whose outline is open between its last and its first point.

        So a limb joins the trunk without a seam. Arguments as for :meth:`shape`.
        """
        self._add(np.asarray(points, dtype=np.float64), False, width, ink, fill, False)

    def tone(self, points: ArrayLike, darkness: float) -> None:
        """Add a patch of tone to the body layer, cut to the silhouette of that layer's lines."""
        self._add(np.asarray(points, dtype=np.float64), True, 0.0, 1.0, darkness, False)

    def body(self, strokes: Iterable[ArrayLike]) -> None:
        """Add a figure that is known by its lines only, as a layer of its own.

        Its silhouette (what the outside cannot reach between lines) hides what was added before.
        """
        self.new_layer()
        self.body_layer = self.layers - 1
        for stroke in strokes:
            self.line(stroke, droppable=True)

    def _add(
        self, points: FloatArray, closed: bool, width: float, ink: float, fill: float, drop: bool
    ) -> None:
        if len(points) < 2:
            return
        self._points.append(points)
        self._lengths.append(len(points))
        self._attributes.append((self.layers - 1, closed, width, ink, fill, drop))
        self.tags.append(self.tag)

    def append(self, other: Drawing) -> None:
        """Paint another drawing, of fill shapes or lines, over this one."""
        offset = self.layers
        self._points += other._points
        self._lengths += other._lengths
        self._attributes += [(a[0] + offset, *a[1:]) for a in other._attributes]
        self.tags += other.tags
        if other.body_layer >= 0:
            self.body_layer = other.body_layer + offset
        self.layers += other.layers

    def points(self) -> FloatArray:
        """All points, ``[P, 2]`` pixels."""
        return np.concatenate(self._points) if self._points else np.zeros((0, 2))

    def mapped(self, function: Callable[[FloatArray], FloatArray]) -> Drawing:
        """The same drawing with its points moved by ``function`` (``[P, 2]`` -> ``[P, 2]``)."""
        result = Drawing()
        result.layers, result.body_layer = self.layers, self.body_layer
        result._lengths, result._attributes = list(self._lengths), list(self._attributes)
        result.tags = list(self.tags)
        if self._points:
            result._points = _pieces(function(self.points()), np.cumsum([0, *self._lengths]))
        return result

    def visible_lines(self, size: int) -> list[NDArray[np.float32]]:
        """The drawing's lines and outlines without what fills painted after them cover.

        So a figure of overlapping shapes becomes a stroke record. What a hand would do to the
        lines (gaps, wobble, strokes left out) is a style's business and not here.

        Args:
            size: side of the square picture, pixels; what lies outside is not visible.

        Returns:
            Polylines ``[n, 2]`` pixels, in painter's order.
        """
        return self.visible_pieces(size)[0]

    def visible_pieces(self, size: int) -> tuple[list[NDArray[np.float32]], NDArray[np.int64]]:
        """:meth:`visible_lines`, and for each of them the path that it is a piece of, ``[S]``.

        Paths count in the order in which they were added; :attr:`tags` says what each one shows.
        """
        if not len(self):
            return [], np.zeros(0, np.int64)
        flat = _Flat.of(self)
        dense = flat.subdivided(0.5)
        side = size * _SUPERSAMPLING
        cells = np.floor(dense.points * _SUPERSAMPLING).astype(np.int64)
        inside = ((cells >= 0) & (cells < side)).all(axis=1)
        x, y = np.clip(cells, 0, side - 1).T
        covered = np.zeros((side, side), np.uint8)  # by the layers painted later
        found: dict[int, list[NDArray[np.float32]]] = {}
        for layer in reversed(range(self.layers)):
            paths = np.flatnonzero(flat.layer == layer)
            # The fills of a body's layer are tones, which cover nothing: its silhouette does.
            filled = paths[flat.fill[paths] >= 0] if layer != self.body_layer else paths[:0]
            fills = {path: np.zeros_like(covered) for path in filled}
            for path, fill in fills.items():
                piece = flat.points[flat.starts[path] : flat.starts[path + 1]]
                fixed = np.round(piece * (_SUPERSAMPLING * 2**_SHIFT)).astype(np.int32)
                cv2.fillPoly(fill, [fixed], 1, cv2.LINE_8, _SHIFT)
            for path in paths[flat.width[paths] > 0]:
                rows = slice(dense.starts[path], dense.starts[path + 1])
                seen = inside[rows] & (covered[y[rows], x[rows]] == 0)
                # Shapes of one layer melt; the lines of a layer are painted over its fills.
                for other in fills if path in fills else ():
                    if other != path:
                        seen &= fills[other][y[rows], x[rows]] == 0
                closed = bool(flat.closed[path])
                found[int(path)] = _seen_pieces(dense.points[rows], seen, closed=closed)
            for fill in fills.values():
                covered |= fill
            if layer == self.body_layer:
                _Silhouette(flat, layer).fill(covered, 1)
        paths = [path for path in sorted(found) for _ in found[path]]
        pieces = [simplified(piece, TOLERANCE) for path in sorted(found) for piece in found[path]]
        return pieces, np.array(paths, np.int64)

    def silhouette(self, size: int) -> NDArray[np.bool_]:
        """``[size, size]``: the pixels of the drawn thing, its lines and all that they enclose.

        Closed shapes count with their inside, filled or not; lines with a pen's common width.
        """
        page = np.zeros((size, size), np.uint8)
        if not len(self):
            return page > 0
        flat = _Flat.of(self)
        fine = np.zeros((size * _SUPERSAMPLING,) * 2, np.uint8)
        if self.body_layer >= 0:
            _Silhouette(flat, self.body_layer).fill(fine, 1)
        pen = StrokeStyle().width * size / _REFERENCE * _SUPERSAMPLING
        # Tones of the body layer are patches within its silhouette, and cut to it.
        own = flat.layer != self.body_layer
        fixed = np.round(flat.points * (_SUPERSAMPLING * 2**_SHIFT)).astype(np.int32)
        for path, piece in enumerate(_pieces(fixed, flat.starts)):
            if own[path] and (flat.closed[path] or flat.fill[path] >= 0):
                cv2.fillPoly(fine, [piece], 1, cv2.LINE_8, _SHIFT)
            if flat.width[path] > 0:
                thickness = max(1, round(pen * flat.width[path]))
                cv2.polylines(fine, [piece], False, 1, thickness, cv2.LINE_8, _SHIFT)
        share = cv2.resize(fine * np.uint8(255), (size, size), interpolation=cv2.INTER_AREA)
        return share > 127

    def resampled(self, step: float) -> Drawing:
        """The same drawing with no two neighbouring points further apart than ``step`` pixels."""
        result = Drawing()
        result.layers, result.body_layer = self.layers, self.body_layer
        result._attributes, result.tags = list(self._attributes), list(self.tags)
        if self._points:
            flat = _Flat.of(self).resampled(step)
            result._points = _pieces(flat.points, flat.starts)
            result._lengths = np.diff(flat.starts).tolist()
        return result


@dataclass(frozen=True)
class StrokeStyle:
    """A tool in a hand, on a paper. Lengths in pixels of a 256-pixel picture.

    Attributes:
        width: line width.
        pressure: how much the width varies along a stroke, 0 to 1.
        taper: how thin a stroke's ends become, 0 to 1.
        ink: darkness of the lines, 0 to 1.
        fading: how much the darkness differs between strokes, 0 to 1.
        grain: how much the paper's tooth shows in the lines (pencil, charcoal), 0 to 1.
        wobble: amplitude of the slow error of a stroke.
        wavelength: of that error.
        jitter: standard deviation of the error of each point.
        step: distance of the points that a stroke is simplified to.
        rounding: number of smoothing passes that round its corners.
        passes: how often each stroke is drawn.
        pass_offset: distance between these.
        overshoot: how far a stroke runs past its end.
        gaps: share of a stroke that is left out, 0 to 1.
        drop_short: strokes below this length are left out.
        drop_interior: probability that a stroke inside the silhouette is left out.
        hatching: tones are hatched lines at about this distance; 0 for flat tones.
        keyline: a white line around dark fills.
        lighting: how unevenly the paper is lit, 0 to 1.
        paper_tone: darkness of the paper, 0 to 1.
        texture: strength of the paper's texture, 0 to 1.
        rulings: distance of printed lines; 0 for none.
        squared: rulings form a grid.
        page_edge: the sheet ends within the picture, on a darker table.
        blur: standard deviation of an unsharp lens.
        jpeg: JPEG quality; 0 for none.
    """

    width: float = 1.6
    pressure: float = 0.0
    taper: float = 0.0
    ink: float = 1.0
    fading: float = 0.0
    grain: float = 0.0
    wobble: float = 0.0
    wavelength: float = 60.0
    jitter: float = 0.0
    step: float = 2.5
    rounding: int = 0
    passes: int = 1
    pass_offset: float = 0.0
    overshoot: float = 0.0
    gaps: float = 0.0
    drop_short: float = 0.0
    drop_interior: float = 0.0
    hatching: float = 0.0
    keyline: bool = False
    lighting: float = 0.0
    paper_tone: float = 0.0
    texture: float = 0.0
    rulings: float = 0.0
    squared: bool = False
    page_edge: bool = False
    blur: float = 0.0
    jpeg: int = 0

    @classmethod
    def random(cls, rng: np.random.Generator, preset: str | None = None) -> StrokeStyle:
        """A style drawn at random.

        Args:
            rng: the only source of chance.
            preset: a key of :data:`PRESETS` to vary; any of them by default.

        Raises:
            KeyError: no such preset.
        """
        if preset is None:
            names = list(_PRESET_WEIGHTS)
            preset = names[rng.choice(len(names), p=list(_PRESET_WEIGHTS.values()))]
        values: dict[str, Any] = {}
        for name, (low, high) in _RANGES[preset].items():
            # The exponent favours the low end: most hands are steadier than the range allows.
            value = low + (high - low) * rng.random() ** 1.5
            values[name] = round(value) if name in _INTEGERS else value
        style = cls(**values)
        return replace(style, **_random_habits(rng), **_random_paper(rng, preset))


_INTEGERS = frozenset(field.name for field in fields(StrokeStyle) if field.type == "int")

_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    # A drawing pen or felt pen in a practised hand.
    "pen": {
        "width": (0.7, 3.0),
        "pressure": (0.0, 0.35),
        "taper": (0.0, 0.5),
        "ink": (1.0, 0.7),
        "fading": (0.0, 0.2),
        "wobble": (0.0, 1.8),
        "wavelength": (30.0, 90.0),
        "jitter": (0.0, 0.25),
        "rounding": (0, 2),
        "overshoot": (0.0, 2.0),
        "drop_short": (0.0, 8.0),
    },
    # A loaded brush: thick in the middle of each stroke, thin at its ends.
    "brush": {
        "width": (1.8, 5.5),
        "pressure": (0.2, 0.8),
        "taper": (0.4, 1.0),
        "ink": (1.0, 0.9),
        "wobble": (0.0, 1.5),
        "wavelength": (30.0, 90.0),
        "jitter": (0.0, 0.2),
        "step": (2.5, 4.0),
        "rounding": (0, 2),
        "overshoot": (0.0, 2.5),
        "gaps": (0.0, 0.1),
        "drop_short": (0.0, 6.0),
    },
    # Grey, grainy, several searching lines.
    "pencil": {
        "width": (0.8, 2.8),
        "pressure": (0.1, 0.5),
        "taper": (0.2, 0.9),
        "ink": (0.9, 0.35),
        "fading": (0.1, 0.6),
        "grain": (0.2, 0.9),
        "wobble": (0.3, 2.5),
        "wavelength": (25.0, 90.0),
        "jitter": (0.0, 0.35),
        "rounding": (0, 3),
        "passes": (1, 3),
        "pass_offset": (0.6, 2.2),
        "overshoot": (0.0, 6.0),
        "gaps": (0.0, 0.12),
        "drop_short": (0.0, 8.0),
    },
    # One thin line of an untrained hand.
    "naive": {
        "width": (0.4, 2.0),
        "pressure": (0.0, 0.2),
        "ink": (1.0, 0.75),
        "wobble": (0.6, 4.0),
        "wavelength": (14.0, 60.0),
        "jitter": (0.05, 0.7),
        "step": (3.0, 11.0),
        "rounding": (0, 2),
        "overshoot": (0.0, 3.0),
        "gaps": (0.0, 0.06),
        "drop_short": (5.0, 22.0),
        "drop_interior": (0.2, 0.95),
    },
    # Signs: one fat even line.
    "pictogram": {
        "width": (3.0, 9.0),
        "ink": (1.0, 0.95),
        "wobble": (0.0, 0.8),
        "step": (3.0, 5.0),
        "rounding": (0, 3),
        "drop_short": (8.0, 25.0),
        "drop_interior": (0.5, 1.0),
    },
    # Steel pen and wood engraving of the nineteenth century.
    "ink": {
        "width": (0.6, 2.2),
        "pressure": (0.3, 1.0),
        "taper": (0.3, 1.0),
        "ink": (1.0, 0.9),
        "wobble": (0.2, 1.6),
        "wavelength": (20.0, 60.0),
        "jitter": (0.0, 0.4),
        "passes": (1, 2),
        "pass_offset": (0.4, 1.5),
        "overshoot": (0.0, 3.0),
        "gaps": (0.0, 0.15),
        "hatching": (2.2, 6.0),
    },
}

_PRESET_WEIGHTS = {
    "pen": 0.24,
    "brush": 0.22,
    "pencil": 0.2,
    "naive": 0.17,
    "pictogram": 0.06,
    "ink": 0.11,
}


def _random_habits(rng: np.random.Generator) -> dict[str, Any]:
    """Habits of a hand that any tool may show."""
    habits: dict[str, Any] = {}
    if rng.random() < 0.08:
        habits["gaps"] = rng.uniform(0.05, 0.25)
    if rng.random() < 0.08:
        habits["step"] = rng.uniform(8.0, 18.0)
    if rng.random() < 0.35:
        habits["hatching"] = rng.uniform(2.2, 8.0)
    if rng.random() < 0.3:
        habits["keyline"] = True
    return habits


def _random_paper(rng: np.random.Generator, preset: str) -> dict[str, Any]:
    """Paper and camera: pencil drawings are often photographed, the others mostly scanned."""
    paper: dict[str, Any] = {}
    photographed = rng.random() < (0.45 if preset == "pencil" else 0.15)
    if photographed:
        paper["lighting"] = rng.uniform(0.0, 0.5)
        paper["paper_tone"] = rng.uniform(0.0, 0.4)
        paper["texture"] = rng.uniform(0.0, 0.6)
        paper["blur"] = rng.uniform(0.0, 0.9)
        if rng.random() < 0.2:
            paper["rulings"] = rng.uniform(8.0, 24.0)
            paper["squared"] = rng.random() < 0.5
        paper["page_edge"] = rng.random() < 0.1
    elif rng.random() < 0.3:
        paper["blur"] = rng.uniform(0.0, 0.8)
    if rng.random() < 0.3:
        paper["jpeg"] = int(rng.integers(25, 90))
    return paper


def _middle(preset: str) -> StrokeStyle:
    values: dict[str, Any] = {}
    for name, (low, high) in _RANGES[preset].items():
        value = (low + high) / 2
        values[name] = round(value) if name in _INTEGERS else value
    return StrokeStyle(**values)


PRESETS: dict[str, StrokeStyle] = {name: _middle(name) for name in TOOLS}
"""The middle of each family of styles, by name."""


def _pieces(points: NDArray, starts: NDArray[np.int64]) -> list[NDArray]:
    """Rows ``starts[i]`` to ``starts[i + 1]`` of the points, for each i (faster than np.split)."""
    bounds = starts.tolist()
    return [points[a:b] for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


@dataclass
class _Flat:
    """All paths of a drawing in flat arrays; closed paths end with their first point again."""

    points: FloatArray  # [P, 2]
    starts: NDArray[np.int64]  # [K + 1]
    layer: NDArray[np.int64]  # [K], as all below
    closed: NDArray[np.bool_]
    width: FloatArray
    ink: FloatArray
    fill: FloatArray
    droppable: NDArray[np.bool_]

    @classmethod
    def of(cls, drawing: Drawing) -> _Flat:
        points, attributes = drawing._points, drawing._attributes
        pieces, lengths = [], []
        for piece, attribute in zip(points, attributes, strict=True):
            pieces.append(piece)
            lengths.append(len(piece) + attribute[1])
            if attribute[1]:
                pieces.append(piece[:1])
        columns = zip(*attributes, strict=True)
        layer, closed, width, ink, fill, droppable = (np.array(column) for column in columns)
        starts = np.cumsum([0, *lengths], dtype=np.int64)
        return cls(np.concatenate(pieces), starts, layer, closed, width, ink, fill, droppable)

    def path_of_point(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(len(self.layer)), np.diff(self.starts))

    def arc_length(self) -> FloatArray:
        """``[P]`` length along the path from its first point."""
        steps = np.zeros(len(self.points))
        delta = np.diff(self.points, axis=0)
        steps[1:] = np.sqrt((delta * delta).sum(axis=1))
        steps[self.starts[1:-1]] = 0.0
        total = np.cumsum(steps)
        return total - np.repeat(total[self.starts[:-1]], np.diff(self.starts))

    def lengths(self) -> FloatArray:
        """``[K]`` length of each path."""
        return self.arc_length()[self.starts[1:] - 1]

    def selected(self, paths: NDArray[np.integer] | NDArray[np.bool_]) -> _Flat:
        """The chosen paths, in the order given."""
        paths = np.flatnonzero(paths) if paths.dtype == np.bool_ else paths
        counts = np.diff(self.starts)[paths]
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        rows = np.arange(total) + np.repeat(self.starts[paths] - (ends - counts), counts)
        return _Flat(
            self.points[rows],
            np.concatenate([[0], ends]).astype(np.int64),
            self.layer[paths],
            self.closed[paths],
            self.width[paths],
            self.ink[paths],
            self.fill[paths],
            self.droppable[paths],
        )

    def resampled(self, step: float | FloatArray) -> _Flat:
        """Points at equal distances of about ``step`` (one number, or one for each path)."""
        along = self.arc_length()
        lengths = along[self.starts[1:] - 1]
        counts = np.maximum(np.ceil(lengths / step).astype(np.int64) + 1, 2 + self.closed)
        starts = np.concatenate([[0], np.cumsum(counts)])
        # One interpolation over all paths: each one lies on its own stretch of a common ruler.
        offsets = np.concatenate([[0.0], np.cumsum(lengths + 1.0)[:-1]])
        ruler = along + np.repeat(offsets, np.diff(self.starts))
        index = np.arange(starts[-1]) - np.repeat(starts[:-1], counts)
        where = index * np.repeat(lengths / (counts - 1), counts) + np.repeat(offsets, counts)
        points = np.stack(
            [
                np.interp(where, ruler, self.points[:, 0]),
                np.interp(where, ruler, self.points[:, 1]),
            ],
            axis=1,
        )
        return replace(self, points=points, starts=starts)

    def subdivided(self, step: float) -> _Flat:
        """The same points, and more between them where they lie further apart than ``step``."""
        ends = np.ones(len(self.points), dtype=np.int64)
        gaps = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        ends[:-1] = np.maximum(np.ceil(gaps / step), 1)
        ends[self.starts[1:] - 1] = 1
        first = np.concatenate([[0], np.cumsum(ends)])
        row = np.repeat(np.arange(len(self.points)), ends)
        share = (np.arange(first[-1]) - first[row]) / ends[row]
        after = np.minimum(row + 1, len(self.points) - 1)
        points = self.points[row] + share[:, None] * (self.points[after] - self.points[row])
        return replace(self, points=points, starts=first[self.starts])

    def smoothed(self, passes: int) -> _Flat:
        """Corners rounded; the ends of each path stay."""
        inner = np.ones(len(self.points), dtype=bool)
        inner[self.starts[:-1]] = False
        inner[self.starts[1:] - 1] = False
        inner = np.flatnonzero(inner)
        points = self.points
        for _ in range(passes):
            points = points.copy()
            points[inner] = (points[inner - 1] + 2 * points[inner] + points[inner + 1]) / 4
        return replace(self, points=points)


def _seen_pieces(
    points: FloatArray, seen: NDArray[np.bool_], *, closed: bool
) -> list[NDArray[np.float32]]:
    """The stretches ``[n, 2]`` of a line whose points are seen, specks left out."""
    if closed and not seen.all() and seen[0] and seen[-1]:
        # The seam of a closed outline is no end: start where something covers it.
        shift = -int(np.argmin(seen))
        points, seen = np.roll(points[:-1], shift, axis=0), np.roll(seen[:-1], shift)
    pieces = []
    for first, last in runs(seen):
        piece = points[first:last].astype(np.float32)
        if np.linalg.norm(np.diff(piece, axis=0), axis=1).sum() >= SHORTEST:
            pieces.append(piece)
    return pieces


def simplified(points: NDArray[np.float32], tolerance: float) -> NDArray[np.float32]:
    """A polyline through fewer of its points (Douglas and Peucker 1973).

    Args:
        points: ``[n, 2]`` pixels. A line that ends exactly where it starts stays closed, which
            OpenCV alone does not do: it drops the last point of such a line.
        tolerance: pixels by which the result may leave the line.
    """
    closed = len(points) > 3 and bool((points[0] == points[-1]).all())
    rows = points[:-1] if closed else points
    fewer = np.asarray(cv2.approxPolyDP(rows[:, None], tolerance, closed)[:, 0], np.float32)
    return np.concatenate([fewer, fewer[:1]]) if closed else fewer


def draw(
    drawing: Drawing, style: StrokeStyle, rng: np.random.Generator, size: int = 256
) -> NDArray[np.uint8]:
    """Draw with a tool, by a hand, on a paper.

    Args:
        drawing: what to draw, in pixels of the picture to be.
        style: how.
        rng: the hand's errors; the same state gives the same picture.
        size: side of the square picture, pixels.

    Returns:
        ``[size, size]`` uint8 grey, dark ink on light paper.
    """
    canvas = np.full((size * _SUPERSAMPLING,) * 2, 255, dtype=np.uint8)
    if len(drawing):
        _paint(canvas, drawing, style, rng, size / _REFERENCE)
    picture = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return _on_paper(picture, style, rng)


def _paint(
    canvas: NDArray[np.uint8],
    drawing: Drawing,
    style: StrokeStyle,
    rng: np.random.Generator,
    scale: float,
) -> None:
    flat = _Flat.of(drawing)
    silhouette = _Silhouette(flat, drawing.body_layer) if drawing.body_layer >= 0 else None
    flat = flat.selected(_kept(flat, style, rng, scale, silhouette))
    if not len(flat.layer):
        return
    flat = _by_hand(flat, style, rng, scale)
    pen = _Pen(canvas, flat, style, rng, scale)
    hatch = None
    bounds = np.searchsorted(flat.layer, np.arange(drawing.layers + 1))
    for layer in range(drawing.layers):
        paths = np.arange(bounds[layer], bounds[layer + 1])
        if not len(paths):
            continue
        filled = paths[flat.fill[paths] >= 0]
        outlined = flat.width[paths] > 0
        is_shape = flat.fill[paths] >= 0
        mask = None
        if silhouette and layer == drawing.body_layer:
            silhouette.fill(canvas, 255)
            if len(filled):
                mask = np.zeros_like(canvas)
                silhouette.fill(mask, 255)
        else:
            if style.keyline and len(dark := filled[flat.fill[filled] > 0.5]):
                pen.keylines(dark)
            pen.strokes(paths[outlined & is_shape])
        if hatch is None and style.hatching > 0 and (flat.fill[filled] > 0).any():
            hatch = _hatching(canvas.shape[0], style, rng, scale)
        for path in filled:
            pen.fill(path, hatch, mask)
        pen.strokes(paths[outlined & ~is_shape])


def _kept(
    flat: _Flat,
    style: StrokeStyle,
    rng: np.random.Generator,
    scale: float,
    silhouette: _Silhouette | None,
) -> NDArray[np.int64]:
    """Paths that this hand draws, in painter's order, each one as often as it draws it."""
    drop = np.zeros(len(flat.layer), dtype=bool)
    if style.drop_short > 0 and flat.droppable.any():
        drop |= flat.lengths() < style.drop_short * scale
    if style.drop_interior > 0 and silhouette is not None:
        chance = rng.random(len(drop)) < style.drop_interior
        drop |= chance & ~silhouette.on_contour(flat)
    kept = np.flatnonzero(~(drop & flat.droppable))
    return np.repeat(kept, np.where(flat.width[kept] > 0, style.passes, 1))


def _by_hand(flat: _Flat, style: StrokeStyle, rng: np.random.Generator, scale: float) -> _Flat:
    """The same paths with the errors of a hand."""
    count = len(flat.layer)
    # Short strokes keep a few points, else a coarse step would turn small shapes into dashes.
    step = np.clip(flat.lengths() / 6, 1.5 * scale, style.step * scale)
    flat = flat.resampled(step)
    if (
        style.step > 6
    ):  # few points chosen: the pen still moves smoothly between them, or straight on
        flat = flat.smoothed(style.rounding).resampled(3.0 * scale)
    else:
        flat = flat.smoothed(style.rounding)
    path = flat.path_of_point()
    points = flat.points
    if style.wobble > 0:
        along = flat.arc_length()
        wavelength = style.wavelength * scale * rng.uniform(0.7, 1.5, count)
        # A hand that errs fast errs little: otherwise lines turn into saws.
        strength = np.minimum(
            style.wobble * scale * rng.uniform(0.3, 1.0, count), 0.05 * wavelength
        )
        wave = 2 * np.pi / wavelength
        phase = rng.uniform(0, 2 * np.pi, (4, count))[:, path]
        turn = along * wave[path]
        error = np.stack(
            [
                np.sin(turn + phase[0]) + 0.5 * np.sin(2.3 * turn + phase[1]),
                np.sin(1.1 * turn + phase[2]) + 0.5 * np.sin(2.7 * turn + phase[3]),
            ],
            axis=1,
        )
        points = points + error * (0.7 * strength[path])[:, None]
    if style.jitter > 0:
        points = points + rng.normal(0, style.jitter * scale, points.shape)
    if style.passes > 1:
        offset = rng.normal(0, style.pass_offset * scale / 2, (count, 2))
        points = points + offset[path]
    if style.overshoot > 0:
        points = points.copy()
        for end, step_in in ((flat.starts[:-1], 1), (flat.starts[1:] - 1, -1)):
            direction = points[end] - points[end + step_in]
            direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9
            reach = rng.uniform(-0.3, 1.0, count) * style.overshoot * scale * ~flat.closed
            points[end] += direction * reach[:, None]
    return replace(flat, points=points)


class _Silhouette:
    """The inside of a figure of which only lines are known: what the outside does not reach."""

    def __init__(self, flat: _Flat, layer: int) -> None:
        lines = flat.selected((flat.layer == layer) & (flat.width > 0))
        self.inside = np.zeros((_MASK_SIZE, _MASK_SIZE), np.uint8)
        self.scale, self.shift = 1.0, np.zeros(2)
        if not len(lines.layer):
            return
        low, high = lines.points.min(axis=0), lines.points.max(axis=0)
        # Three free pixels around, so that the outside is one region.
        self.scale = (_MASK_SIZE - 6) / max(float((high - low).max()), 1e-6)
        self.shift = 3 - low * self.scale
        fixed = np.round((lines.points * self.scale + self.shift) * 2**_SHIFT).astype(np.int32)
        pieces = _pieces(fixed, lines.starts)
        lined = np.zeros_like(self.inside)
        # Thick enough to close the small gaps between a renderer's strokes.
        cv2.polylines(lined, pieces, False, 255, 3, cv2.LINE_8, _SHIFT)
        cv2.floodFill(lined, None, (0, 0), 128)
        self.inside[lined != 128] = 255
        self.inside = cv2.erode(self.inside, np.ones((3, 3), np.uint8))

    def fill(self, canvas: NDArray[np.uint8], value: int) -> None:
        """Paint the silhouette on the canvas."""
        borders, _ = cv2.findContours(self.inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        unit = 2**_SHIFT * _SUPERSAMPLING / self.scale
        fixed = [np.round((border - self.shift) * unit).astype(np.int32) for border in borders]
        if fixed:
            cv2.fillPoly(canvas, fixed, value, cv2.LINE_8, _SHIFT)

    def on_contour(self, flat: _Flat) -> NDArray[np.bool_]:
        """``[K]`` whether a path runs along the border of the silhouette for most of its length."""
        inner = cv2.erode(self.inside, np.ones((5, 5), np.uint8))
        cells = np.round(flat.points * self.scale + self.shift).astype(np.int64)
        cells = np.clip(cells, 0, _MASK_SIZE - 1)
        outside = inner[cells[:, 1], cells[:, 0]] == 0
        share = np.add.reduceat(outside.astype(np.float64), flat.starts[:-1])
        return share > 0.4 * np.diff(flat.starts)


class _Pen:
    """Draws the outlines, lines and fills of a flat drawing on the canvas."""

    def __init__(
        self,
        canvas: NDArray[np.uint8],
        flat: _Flat,
        style: StrokeStyle,
        rng: np.random.Generator,
        scale: float,
    ) -> None:
        self.canvas, self.flat = canvas, flat
        count, path = len(flat.layer), flat.path_of_point()
        self.fixed = np.round(flat.points * (_SUPERSAMPLING * 2**_SHIFT)).astype(np.int32)
        along = flat.arc_length()[:-1]
        length = flat.lengths()[path[:-1]] + 1e-9
        # A fill covers the inner half of its outline (so that neighbours melt): draw it doubled.
        factor = np.where(flat.fill >= 0, 2.0, 1.0) * flat.width
        width = style.width * scale * factor[path[:-1]]
        if style.pressure > 0:
            wave = 2 * np.pi / (scale * rng.uniform(25, 80, count))[path[:-1]]
            phase = rng.uniform(0, 2 * np.pi, count)[path[:-1]]
            width = width * (1 + 0.6 * style.pressure * np.sin(along * wave + phase))
        if style.taper > 0:
            end = np.abs(2 * along / length - 1)
            width = width * (1 - style.taper * end**3)
        thickness = np.clip(np.round(width * _SUPERSAMPLING), 1, 60).astype(np.int64)
        ink = style.ink * np.clip(flat.ink * (1 - style.fading * rng.random(count)), 0, 1)
        grey = np.round(255 * (1 - ink) / 16).astype(np.int64)
        self.tool = thickness * 32 + grey[path[:-1]]
        draws = path[:-1] == path[1:]
        if style.gaps > 0:
            wave = 2 * np.pi / (scale * rng.uniform(20, 70, count))[path[:-1]]
            phase = rng.uniform(0, 2 * np.pi, count)[path[:-1]]
            draws &= np.sin(along * wave + phase) > -np.cos(np.pi * style.gaps)
        self.draws = draws
        self.widest = max(1, round(2 * style.width * scale * _SUPERSAMPLING))

    def _rows(self, paths: NDArray[np.integer]) -> NDArray[np.int64]:
        starts = self.flat.starts
        return np.concatenate([np.arange(starts[p], starts[p + 1] - 1) for p in paths])

    def strokes(self, paths: NDArray[np.integer]) -> None:
        """Draw the lines or outlines of the paths."""
        if not len(paths):
            return
        if paths[-1] - paths[0] + 1 == len(paths):
            first, last = self.flat.starts[paths[0]], self.flat.starts[paths[-1] + 1] - 1
            rows = np.arange(first, last)
        else:
            rows = self._rows(paths)
        rows = rows[self.draws[rows]]
        tools = self.tool[rows]
        for tool in np.unique(tools):
            chosen = rows[tools == tool]
            # Neighbouring segments of one thickness are one polyline: far fewer to hand over.
            breaks = np.flatnonzero(np.diff(chosen) != 1) + 1
            first = chosen[np.concatenate([[0], breaks])].tolist()
            last = chosen[np.concatenate([breaks, [len(chosen)]]) - 1].tolist()
            runs = [self.fixed[a : b + 2] for a, b in zip(first, last, strict=True)]
            grey, thickness = min(int(tool % 32) * 16, 250), int(tool // 32)
            cv2.polylines(self.canvas, runs, False, grey, thickness, cv2.LINE_8, _SHIFT)

    def keylines(self, paths: NDArray[np.integer]) -> None:
        """A white border around the paths, so that dark shapes stay apart."""
        for path in paths:
            piece = self.fixed[self.flat.starts[path] : self.flat.starts[path + 1]]
            cv2.polylines(self.canvas, [piece], True, 255, self.widest + 9, cv2.LINE_8, _SHIFT)

    def fill(
        self,
        path: int,
        hatch: NDArray[np.uint8] | None,
        mask: NDArray[np.uint8] | None,
    ) -> None:
        """Fill a path with paper or tone, within the mask if there is one."""
        piece = self.fixed[self.flat.starts[path] : self.flat.starts[path + 1]]
        darkness = self.flat.fill[path]
        grey = round(255 * (1 - darkness))
        if mask is None and (hatch is None or not 0 < darkness < 0.9):
            cv2.fillPoly(self.canvas, [piece], grey, cv2.LINE_8, _SHIFT)
            return
        area = np.zeros_like(self.canvas)
        cv2.fillPoly(area, [piece], 255, cv2.LINE_8, _SHIFT)
        if mask is not None:
            area &= mask
        if hatch is None or darkness >= 0.9:
            self.canvas[area > 0] = grey
        else:
            cv2.copyTo(hatch, area, self.canvas)


def _hatching(
    side: int, style: StrokeStyle, rng: np.random.Generator, scale: float
) -> NDArray[np.uint8]:
    """``[side, side]`` uint8 full of hatching, crossed at times."""
    sheet = np.full((side, side), 255, dtype=np.uint8)
    grey = round(255 * (1 - style.ink))
    for _ in range(2 if rng.random() < 0.3 else 1):
        spacing = style.hatching * scale * _SUPERSAMPLING
        count = int(1.5 * side / spacing) + 1
        angle = rng.uniform(0, np.pi)
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        place = (np.arange(count) - count / 2 + rng.uniform(-0.25, 0.25, count)) * spacing
        bow = np.linspace(-1, 1, 7)
        curve = rng.uniform(-0.1, 0.1) * side * bow**2
        lines = (
            side / 2
            + (place[:, None] + curve)[..., None] * across
            + (bow * side * 0.75)[None, :, None] * along
            + rng.normal(0, 0.3 * spacing, (count, 7, 1)) * across
        )
        fixed = np.round(lines * 2**_SHIFT).astype(np.int32)
        thickness = int(np.clip(round(style.width * 0.7 * scale * _SUPERSAMPLING), 1, spacing / 2))
        cv2.polylines(sheet, list(fixed), False, grey, max(thickness, 1), cv2.LINE_8, _SHIFT)
    return sheet


def _noise_bank() -> NDArray[np.float32]:
    """``[2, 512, 512]`` fine grain (the paper's tooth) and cloudy texture, standard deviation 1.

    Made once, from a fixed seed: fresh noise for each picture would take longer than its drawing.
    """
    rng = np.random.default_rng(0)
    fine = cv2.GaussianBlur(rng.normal(size=(512, 512)).astype(np.float32), (0, 0), 0.8)
    cloudy = np.zeros((512, 512), np.float32)
    for cells in (6, 16, 48):
        grid = rng.normal(size=(cells, cells)).astype(np.float32)
        cloudy += cv2.resize(grid, (512, 512), interpolation=cv2.INTER_CUBIC)
    bank = np.stack([fine, cloudy])
    return bank / bank.std(axis=(1, 2), keepdims=True)


_NOISE = _noise_bank()


def _noise(kind: int, size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """``[size, size]`` a random window of the noise, enlarged for pictures over 512 pixels."""
    sheet = _NOISE[kind]
    if size > 512:
        return cv2.resize(sheet, (size, size), interpolation=cv2.INTER_LINEAR)
    x, y = rng.integers(0, 512 - size + 1, 2)
    return sheet[y : y + size, x : x + size]


def _on_paper(
    ink: NDArray[np.uint8], style: StrokeStyle, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The inked picture on its paper, as a camera or scanner sees it."""
    size = ink.shape[0]
    scale = size / _REFERENCE
    picture = ink
    if style.grain > 0:
        tooth = np.clip(0.75 + 0.5 * _noise(0, size, rng), 0, 1) * style.grain + (1 - style.grain)
        picture = 255 - (255 - picture.astype(np.float32)) * tooth
    if max(style.lighting, style.paper_tone, style.texture, style.rulings) > 0 or style.page_edge:
        picture = _paper(size, scale, style, rng) * (picture.astype(np.float32) / 255)
    if style.blur > 0.25:
        picture = cv2.GaussianBlur(picture, (0, 0), style.blur * scale)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if style.jpeg > 0:
        _, code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, style.jpeg])
        picture = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)
    return picture


def _paper(
    size: int, scale: float, style: StrokeStyle, rng: np.random.Generator
) -> NDArray[np.float32]:
    """``[size, size]`` brightness of the empty paper, 0 to 255."""
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    slope = rng.uniform(-1, 1, 4).astype(np.float32) * np.float32(0.5 * style.lighting)
    light = 1 + slope[0] * ramp[None] + slope[1] * ramp[:, None]
    light = light + slope[2] * (ramp[None] * ramp[:, None]) - abs(slope[3]) * ramp[None] ** 2
    paper = 255 * (1 - style.paper_tone) * np.clip(light, 0.3, 1.2)
    if style.texture > 0:
        grain = 4 * _noise(0, size, rng) + 5 * _noise(1, size, rng)
        paper = paper + style.texture * grain
    if style.rulings > 0:
        grey = np.float32(rng.uniform(0.6, 0.9))
        spacing, first = style.rulings * scale, rng.uniform(0, style.rulings * scale)
        places = np.arange(first, size, spacing).astype(np.int64)
        paper[places] *= grey
        if style.squared:
            paper[:, places] *= grey
    if style.page_edge:
        angle = rng.uniform(0, 2 * np.pi)
        depth = np.cos(angle) * ramp[None] + np.sin(angle) * ramp[:, None]
        paper = np.where(depth > rng.uniform(0.85, 1.2), rng.uniform(20, 180), paper)
    return np.clip(paper, 0, 255).astype(np.float32)
