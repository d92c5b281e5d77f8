"""A contact sheet: what a dataset looks like at a glance, and what its labels say.

Above, drawings chosen at random from as many characters as there are; below, a few of them again
with one panel for each kind of label. Left limbs are blue, right limbs red and the trunk is green
in every panel, so that a swapped side shows.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton, surface
from .errors import UserError
from .folder import Clip, Entry, Folder
from .strokes import NOBODY, View

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]
"""Blue, green, red, as OpenCV wants them."""

TILE = 256
"""Side of a drawing on the sheet, pixels."""

EXAMPLES = 3
"""How many drawings are shown again with their labels."""

_LOOKED_AT = 4  # clips for each drawing, to find as many characters as there are
_GAP = 12
_CAPTION = 40
_TITLE = 44
_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates
_FAR = 8000.0  # pixels
_PAPER: Colour = (255, 255, 255)
_SHEET: Colour = (236, 239, 240)
_TEXT: Colour = (40, 40, 40)
_QUIET: Colour = (120, 120, 120)
_FIGURES: tuple[Colour, ...] = ((150, 130, 0), (20, 120, 235), (170, 60, 150))
"""Colours of a drawing's first, second and third figure."""


def contact_sheet(
    path: Path,
    count: int = 18,
    columns: int = 6,
    labels: Sequence[str] | None = None,
    seed: int = 0,
) -> Image:
    """Draw a contact sheet of a dataset.

    Args:
        path: the dataset's folder.
        count: drawings in the upper part; fewer where there are not as many.
        columns: of the upper part.
        labels: names of the panels in the lower part (:data:`PANELS`); all that the dataset has by
            default, none for no lower part.
        seed: of the choice of drawings.

    Returns:
        ``[H, W, 3]`` uint8 BGR.

    Raises:
        UserError: the folder is no dataset, it has no finished clip or no such label, a file in it
            is damaged, or a number makes no sense.
    """
    if count < 1 or columns < 1:
        raise UserError("A contact sheet needs at least one drawing and one column.")
    folder = Folder(path)
    present = [name for name in PANELS if name == "boxes" or name in folder.labels]
    wanted = present if labels is None else list(labels)
    missing = [name for name in wanted if name not in present]
    if missing:
        raise UserError(f"{path} has no label {missing[0]}; it has {', '.join(present)}.")

    shots = _choose(folder, count, np.random.default_rng(seed))
    drawings = [shot.tile(TILE) for shot in shots]
    width = columns * (TILE + _GAP) + _GAP
    clips = len(folder.clips())
    bands = [
        _title(f"{path.resolve().name}: {len(shots)} drawings of {clips} clips", width),
        _grid(drawings, columns, width),
    ]
    if wanted:
        bands.append(_title(f"labels: {', '.join(wanted)}", width))
        # The same number of panels in each row, as large as the sheet's width allows.
        per_row = -(-(1 + len(wanted)) // -(-(1 + len(wanted)) // columns))
        side = min((width - _GAP) // per_row - _GAP, 2 * TILE)
        for shot in _examples(shots):
            panels = [shot.tile(side), *(PANELS[name](shot, side) for name in wanted)]
            bands.append(_grid(panels, per_row, width))
    return np.vstack(bands)


# --------------------------------------------------------------------------------------------------
# Choosing


def _choose(folder: Folder, count: int, rng: np.random.Generator) -> list[_Shot]:
    """Drawings at random: one of each character in turn, another clip of it each time."""
    characters: dict[str, list[str]] = {}
    names = folder.clips()
    # Reading all clips would take too long.
    for read, i in enumerate(rng.permutation(len(names))[: _LOOKED_AT * count]):
        if read >= count and len(characters) >= count:
            break
        characters.setdefault(_lead(folder.clip(names[i])), []).append(names[i])
    turns = zip_longest(*characters.values())
    order = [name for turn in turns for name in turn if name is not None]
    shots: list[_Shot] = []
    left: list[list[_Shot]] = []
    for name in order:
        if len(shots) == count:
            return shots
        clip = folder.clip(name)
        views = [_Shot(clip, *clip.views[i]) for i in rng.permutation(len(clip.views))]
        shots += views[:1]
        left.append(views[1:])
    # Fewer clips than drawings asked for: the clips give another view each until there is none.
    more = (shot for turn in zip_longest(*left) for shot in turn if shot is not None)
    return [*shots, *(shot for shot, _ in zip(more, range(count - len(shots)), strict=False))]


def _lead(clip: Clip) -> str:
    """The character that a clip is about: first in its drawings, if it is seen in them."""
    first = Counter(figures[0]["character"] for _, figures in clip.views if figures)
    return first.most_common(1)[0][0] if first else ""


def _examples(shots: list[_Shot]) -> list[_Shot]:
    """The drawings to show with their labels: most figures first, then other characters."""
    ranked = sorted(shots, key=lambda shot: -len(shot.figures))
    chosen = ranked[:1]
    for shot in [*shots, *shots]:
        if len(chosen) == min(EXAMPLES, len(shots)):
            break
        known = {other.character for other in chosen}
        fresh = shot.character not in known or len({s.character for s in shots}) == len(known)
        if fresh and not any(shot is other for other in chosen):
            chosen.append(shot)
    return chosen


# --------------------------------------------------------------------------------------------------
# One drawing


@dataclass(frozen=True)
class _Tile:
    """A picture on the sheet, and two lines under it."""

    picture: Image
    caption: str
    note: str = ""


@dataclass(frozen=True)
class _Shot:
    """A drawing with its labels."""

    clip: Clip
    image: Entry
    figures: list[Entry]

    @property
    def character(self) -> str:
        counts = Counter(figure["character"] for figure in self.figures)
        return " + ".join(f"{n} {name}" if n > 1 else name for name, n in counts.items())

    @property
    def style(self) -> str:
        ink = self.image.get("ink", {}).get("preset")
        return ", ".join(dict.fromkeys(filter(None, (self.image["style"], ink))))

    @property
    def origin(self) -> str:
        """Frame, camera and motions."""
        motions = dict.fromkeys(figure["animation"] for figure in self.figures)
        return f"f{self.image['frame']} c{self.image['camera']}  {' + '.join(motions)}"

    def tile(self, side: int) -> _Tile:
        """The drawing itself."""
        return _Tile(self.page(side), f"{self.character}  ({self.style})", self.origin)

    def key(self, figure: Entry) -> tuple[int, int, int]:
        return self.image["frame"], self.image["camera"], figure["figure"]

    def field(self, entry: Entry, name: str) -> Any:
        """A field that only some datasets have.

        Raises:
            UserError: this one lacks it.
        """
        if name not in entry:
            raise UserError(
                f"clips/{self.clip.name}.json has no {name}; delete it and render the clip again."
            )
        return entry[name]

    def scale(self, side: int) -> float:
        """Pixels of a tile for one of the drawing's."""
        return side / max(self.image["width"], self.image["height"])

    def fixed(self, points: ArrayLike, side: int) -> NDArray[np.int32]:
        """Pixels ``[..., 2]`` of the drawing -> OpenCV's fixed-point coordinates on a tile."""
        places = np.asarray(points, np.float64) * self.scale(side) - 0.5
        # What lies far outside (or behind the camera, NaN) stays within OpenCV's integers.
        places = np.clip(np.nan_to_num(places, nan=-_FAR), -_FAR, _FAR)
        return np.round(places * 2**_SHIFT).astype(np.int32)

    @cached_property
    def record(self) -> View | None:
        """The drawing's strokes, where it has any."""
        rows = self.clip.stroke_rows
        keys = [self.key(figure) for figure in self.figures]
        row = next((rows[key] for key in keys if key in rows), None)
        return None if row is None or self.clip.strokes is None else self.clip.strokes[row]

    def page(self, side: int, strength: float | None = None) -> Image:
        """The drawing on a tile, ``[side, side, 3]``.

        Args:
            side: of the tile, pixels.
            strength: how dark its darkest lines become (0 to 1), so that a label stands out and a
                faint pencil is seen all the same; by default it is as it was drawn.
        """
        page = np.full((side, side, 3), _PAPER, np.uint8)
        picture = self.clip.picture(self.image)
        if picture is not None:
            grey = self.enlarged(picture.astype(np.uint8), side, 255, cv2.INTER_AREA)
            page = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        elif self.record is not None:
            self.polylines(page, self.record.strokes, side, _TEXT)
        if strength is None:
            return page
        ink = 255.0 - page
        darkest = max(float(np.percentile(ink, 99.5)), 20.0)
        return np.round(255 - np.clip(ink / darkest, 0, 1) * 255 * strength).astype(np.uint8)

    def polylines(
        self, page: Image, strokes: Sequence[NDArray], side: int, colour: Colour, width: int = 1
    ) -> None:
        lines = [self.fixed(stroke, side) for stroke in strokes]
        cv2.polylines(page, lines, False, colour, width, cv2.LINE_AA, _SHIFT)

    def enlarged(
        self, values: NDArray, side: int, empty: int = 0, method: int = cv2.INTER_NEAREST
    ) -> NDArray:
        """A picture ``[H, W, ...]`` of the drawing's size on a tile, ``empty`` beside it."""
        scale = self.scale(side)
        size = [min(round(n * scale), side) for n in (self.image["width"], self.image["height"])]
        if scale > 1 and method == cv2.INTER_AREA:
            method = cv2.INTER_CUBIC
        tile = np.full((side, side, *values.shape[2:]), empty, values.dtype)
        tile[: size[1], : size[0]] = cv2.resize(values, size, interpolation=method)
        return tile

    def label(self, name: str, side: int) -> NDArray:
        """A label's picture on a tile.

        Raises:
            UserError: it is missing or damaged.
        """
        values = self.clip.picture(self.image, name)
        if values is None:
            path = self.clip.picture_path(self.image, name)
            raise UserError(f"{path} is missing; delete clips/{self.clip.name}.json, render again.")
        return self.enlarged(np.ascontiguousarray(values), side)


# --------------------------------------------------------------------------------------------------
# The panels


def _keypoints(shot: _Shot, side: int) -> _Tile:
    page = shot.page(side, 0.35)
    counts = np.zeros(3, int)
    for figure in shot.figures:
        rows = np.array(shot.field(figure, "keypoints"), np.float64).reshape(-1, 3)
        visibility = np.clip(rows[:, 2], 0, 2).astype(int)
        counts += np.bincount(visibility, minlength=3)
        _skeleton(page, shot, rows[:, :2], visibility, side)
    note = f"{counts[2]} seen, {counts[1]} hidden (rings), {counts[0]} outside"
    return _Tile(page, "keypoints", note)


def _skeleton(
    page: Image, shot: _Shot, keypoints: NDArray, visibility: NDArray[np.int_], side: int
) -> None:
    """Bones and joints in the colours of their sides; hidden joints as rings."""
    places = shot.fixed(keypoints, side)
    unit = 2**_SHIFT * side / TILE
    for parent, child in skeleton.BONES:
        if visibility[parent] and visibility[child]:
            ends = tuple(places[parent].tolist()), tuple(places[child].tolist())
            cv2.line(page, *ends, _side_colour(child), 1, cv2.LINE_AA, _SHIFT)
    for row in np.flatnonzero(visibility):
        centre, colour = tuple(places[row].tolist()), _side_colour(int(row))
        seen = visibility[row] == 2
        radius = round(unit * (2.6 if seen else 2.9))
        cv2.circle(page, centre, radius, colour if seen else _PAPER, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(page, centre, radius, colour, 1, cv2.LINE_AA, _SHIFT)


def _boxes(shot: _Shot, side: int) -> _Tile:
    page = shot.page(side, 0.5)
    for figure in shot.figures:
        x, y, w, h = figure["bbox"]
        corners = shot.fixed([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], side)
        colour = _figure_colour(figure)
        cv2.polylines(page, [corners], True, colour, 2, cv2.LINE_AA, _SHIFT)
        place = corners[0] // 2**_SHIFT + (4, 14)
        _write(page, str(figure["figure"]), (int(place[0]), int(place[1])), colour)
    areas = ", ".join(f"{figure['area']:.0f}" for figure in shot.figures)
    return _Tile(page, "boxes", f"whole silhouettes, {areas} px")


def _mask(shot: _Shot, side: int) -> _Tile:
    page = shot.page(side, 0.6)
    for figure in shot.figures:
        inside = shot.enlarged(shot.clip.mask(figure).astype(np.uint8), side)
        _tint(page, inside > 0, _figure_colour(figure), 0.45)
        borders, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(page, borders, -1, _figure_colour(figure), 1, cv2.LINE_AA)
    return _Tile(page, "mask", "what is visible of each figure")


def _parts(shot: _Shot, side: int) -> _Tile:
    page = shot.page(side, 0.35)
    parts = shot.label("parts", side)
    for part, colour in enumerate(_PART_COLOURS, 1):
        _tint(page, parts == part, colour, 0.7)
    return _Tile(page, "parts", f"{len(np.unique(parts[parts > 0]))} of {len(_PART_COLOURS)}")


def _uv(shot: _Shot, side: int) -> _Tile:
    page = shot.page(side, 0.35)
    charts, u, v = np.moveaxis(shot.label("uv", side).astype(int), -1, 0)
    # A chequered cloth: four squares along u and v, so that stretches and seams show.
    dark = (u // 64 + v // 64) % 2 == 1
    for chart, part in surface.CHARTS.items():
        colour = _PART_COLOURS[surface.PARTS.index(part)]
        _tint(page, (charts == chart) & dark, colour, 0.9)
        _tint(page, (charts == chart) & ~dark, colour, 0.4)
    return _Tile(
        page, "uv", f"{len(np.unique(charts[charts > 0]))} of {len(surface.CHARTS)} charts"
    )


def _depth(shot: _Shot, side: int) -> _Tile:
    page = np.full((side, side, 3), _PAPER, np.uint8)
    values = shot.label("depth", side).astype(np.float64)
    inside = values > 0
    if not inside.any():
        return _Tile(page, "depth", "no figure")
    offset, scale = shot.field(shot.image, "depth")
    near, far = values[inside].min(), values[inside].max()
    shade = 255 * (far - values) / max(far - near, 1.0)
    colours = cv2.applyColorMap(np.clip(shade, 0, 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    page[inside] = colours[inside]
    metres = [offset + scale * value for value in (near, far)]
    return _Tile(page, "depth", f"{metres[0]:.2f} m (yellow) to {metres[1]:.2f} m")


def _joints(shot: _Shot, side: int) -> _Tile:
    page = shot.page(side, 0.35)
    joints, size = shot.clip.joints, (shot.image["width"], shot.image["height"])
    worst = 0.0
    for figure in shot.figures:
        row = shot.clip.joint_rows.get(shot.key(figure))
        if joints is None or row is None:
            raise UserError(f"joints/{shot.clip.name}.npz lacks a figure; render the clip again.")
        pixels = joints.camera(row, size).project(joints.world[row])
        depth = joints.camera_space[row, :, 2]
        shade = (255 * (depth.max() - depth) / max(float(np.ptp(depth)), 1e-6)).astype(np.uint8)
        colours = cv2.applyColorMap(shade, cv2.COLORMAP_VIRIDIS)[:, 0].tolist()
        places = shot.fixed(pixels, side)
        for parent, child in sorted(skeleton.BONES, key=lambda bone: -depth[list(bone)].mean()):
            ends = tuple(places[parent].tolist()), tuple(places[child].tolist())
            cv2.line(page, *ends, _PAPER, 5, cv2.LINE_AA, _SHIFT)
            cv2.line(page, *ends, colours[child], 3, cv2.LINE_AA, _SHIFT)
        if "keypoints" in figure:
            rows = np.array(figure["keypoints"], np.float64).reshape(-1, 3)
            off = np.linalg.norm(pixels - rows[:, :2], axis=1)[rows[:, 2] > 0]
            worst = max(worst, float(off.max(initial=0.0)))
    note = f"near yellow; off by {worst:.2f} px"
    return _Tile(page, "3d, re-projected", note)


def _strokes(shot: _Shot, side: int) -> _Tile:
    page = np.full((side, side, 3), _PAPER, np.uint8)
    record = shot.record
    if record is None:
        raise UserError(f"strokes/{shot.clip.name}.npz lacks a drawing; render the clip again.")
    width = max(1, round(1.5 * side / TILE))
    for stroke, owner, bone in zip(record.strokes, record.owners, record.bones, strict=True):
        nobody = owner == NOBODY or bone >= skeleton.COUNT
        colour = _QUIET if nobody else _BONE_COLOURS[int(bone)]
        shot.polylines(page, [stroke], side, colour, width)
    nobodys = int((record.owners == NOBODY).sum())
    note = f"{len(record.strokes)} by bone; {nobodys} of no figure (grey)"
    return _Tile(page, "strokes", note)


PANELS: dict[str, Callable[[_Shot, int], _Tile]] = {
    "keypoints": _keypoints,
    "boxes": _boxes,
    "mask": _mask,
    "parts": _parts,
    "uv": _uv,
    "depth": _depth,
    "3d": _joints,
    "strokes": _strokes,
}
"""The panel of each label (and of the boxes, which every dataset has), in the sheet's order."""


# --------------------------------------------------------------------------------------------------
# Colours


def _hues(first: int, last: int, count: int) -> list[Colour]:
    """Colours between two hues (OpenCV's, 0 to 179), alternately darker and lighter."""
    hues = np.linspace(first, last, count)
    values = np.where(np.arange(count) % 2, 225, 165)
    pixels = np.stack([hues, np.full(count, 215), values], axis=-1).astype(np.uint8)
    blue_green_red = cv2.cvtColor(pixels[None], cv2.COLOR_HSV2BGR)[0].tolist()
    return [(b, g, r) for b, g, r in blue_green_red]


def _bone_colours() -> list[Colour]:
    """A colour for each keypoint's bone: trunk green, left blue to violet, right red to orange."""
    groups = {"": (38, 78), "LeftArm": (98, 116), "LeftLeg": (120, 144)}
    groups |= {"RightArm": (168, 179), "RightLeg": (6, 24)}
    members: dict[str, list[int]] = {group: [] for group in groups}
    for row, name in enumerate(skeleton.KEYPOINTS):
        side = next((side for side in ("Left", "Right") if name.startswith(side)), "")
        limb = "Leg" if name.endswith(("Leg", "Foot", "ToeBase")) else "Arm"
        members[side + limb if side else ""].append(row)
    colours: list[Colour] = [_QUIET] * skeleton.COUNT
    for group, rows in members.items():
        for row, colour in zip(rows, _hues(*groups[group], len(rows)), strict=True):
            colours[row] = colour
    return colours


_BONE_COLOURS = _bone_colours()
_LEFT: Colour = (215, 105, 20)
_RIGHT: Colour = (45, 45, 215)
_TRUNK: Colour = (60, 150, 50)


def _part_colours() -> list[Colour]:
    """Each body part in the colour of its bone."""
    bones = {"Upper Leg": "UpLeg", "Lower Leg": "Leg", "Upper Arm": "Arm", "Lower Arm": "ForeArm"}
    colours = []
    for part in surface.PARTS:
        side = next((side for side in ("Left", "Right") if side in part), "")
        place = part.replace(side, "").strip() if side else part
        bone = {"Torso": "Spine1"}.get(place, bones.get(place, place))
        colours.append(_BONE_COLOURS[skeleton.INDEX[side + bone]])
    return colours


_PART_COLOURS = _part_colours()


def _side_colour(row: int) -> Colour:
    name = skeleton.KEYPOINTS[row]
    return _LEFT if name.startswith("Left") else _RIGHT if name.startswith("Right") else _TRUNK


def _figure_colour(figure: Entry) -> Colour:
    return _FIGURES[figure["figure"] % len(_FIGURES)]


def _tint(page: Image, where: NDArray[np.bool_], colour: Colour, strength: float) -> None:
    """Colour the paper; lines stay as dark as they are."""
    glaze = 1 - strength * (1 - np.array(colour) / 255)
    page[where] = np.round(page[where] * glaze).astype(np.uint8)


# --------------------------------------------------------------------------------------------------
# The sheet


def _grid(tiles: list[_Tile], columns: int, width: int) -> Image:
    side = tiles[0].picture.shape[0]
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (side + _CAPTION + _GAP), width, 3), _SHEET, np.uint8)
    for i, tile in enumerate(tiles):
        row, column = divmod(i, columns)
        x, y = _GAP + column * (side + _GAP), row * (side + _CAPTION + _GAP)
        sheet[y : y + side, x : x + side] = tile.picture
        _write(sheet, _fitted(tile.caption, side), (x, y + side + 16), _TEXT)
        _write(sheet, _fitted(tile.note, side), (x, y + side + 33), _QUIET)
    return sheet


def _title(text: str, width: int) -> Image:
    band = np.full((_TITLE, width, 3), _SHEET, np.uint8)
    _write(band, _fitted(text, width - 2 * _GAP, 0.6), (_GAP, 29), _TEXT, 0.6)
    return band


def _write(
    picture: Image, text: str, place: tuple[int, int], colour: Colour, scale: float = 0.42
) -> None:
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)


def _fitted(text: str, width: int, scale: float = 0.42) -> str:
    """The text as far as it fits, in the letters that OpenCV's font has."""
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    if _length(text, scale) <= width:
        return text
    while text and _length(text + "...", scale) > width:
        text = text[:-1]
    return text + "..."


def _length(text: str, scale: float) -> int:
    return cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0]
