"""Pictures: reading any file, telling ink from paper, finding the figures, cutting out one of them.

Pixels as everywhere in Croquis: origin at the top-left corner, x right, y down, the centre of the
first pixel at (0.5, 0.5). An *ink map* is float32 in 0..1 where 1 is ink and 0 is paper; it is what
the network is trained on and what it is given.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import UserError
from .pages import GreyArray, shrunk
from .panels import DEEPEST, Panel, find_panels, without_panels

InkArray = NDArray[np.float32]
FloatArray = NDArray[np.float64]

MARGIN = 1.25
"""Side of the network's square crop, as a multiple of the longer side of the figure's box."""

LARGEST_SIDE = 2048
"""Pixels; larger pictures are shrunk before anything is looked for, for time and memory."""

_LIGHT = 128  # grey; lines above it would hardly show on white
_FEW_DARK = 0.02  # of what is drawn on nothing: light lines have no larger dark part
_LINE = 0.04  # of a drawing's longer side: its lines are no broader
_FEW_THICK = 0.1  # of a drawing: where nothing is filled, no larger part lies within lines
_LINE_SIDE = 256  # pixels of a drawing when only its lines' width matters
_PAPER_GRID = 48  # blocks along the longer side in which the paper's brightness is estimated
_PAPER_WINDOW = 19  # blocks; lines and areas narrower than this do not pass for shadows
_PAPER_LEVEL = 224  # grey of flattened paper: leaves room for what is brighter than its estimate
_PAPER_ROUNDS = 5  # fits of the paper's surface, each through the light blocks of the one before
_DEEPEST_SHADOW = 0.55  # of the surface's brightness; what is darker is drawn
_DARK_PAGE = 100  # grey; a page below it may carry light lines
_NOISE_REACH = 3.5  # spreads (5 % to 25 % quantile) above the latter that are still noise
_FAINTEST = 0.08  # darkness below which nothing counts as a stroke

# Where figures are looked for; lengths are shares of the page's longer side unless said otherwise.
_FIND_SIDE = 384  # pixels
_NARROWEST = 4  # pixels; a narrower page holds no figure
_INKED = 0.4  # ink above this is drawn
_EDGE_DEPTH = 0.2  # of the width and height: as far in as the page's edges and frames reach
_EDGE_CONTACT = 0.3  # of the shorter side: as long do they touch the picture's border
_RULE = 0.84  # of the width: a line of this length is ruled
_RULES = 0.5  # of the width: several parallel lines of this length are, if they reach a side
_RULE_END = 0.08  # of the width: a line that ends no farther from a side reaches it
_FEWEST_RULES = 6
_RULE_ALONE = 0.4  # of the width: so much longer is a ruled line than what is around it ...
_RULE_SPACE = 0.025  # ... up to this distance
_RULE_TILT = 0.12  # steepest slope of a ruled line
_BRIDGE = 0.018  # gaps up to this width, where a ruled line crossed a stroke, are closed
_FRAME = 0.35  # of the width and height: a frame around a figure is no smaller
_FRAMED = 0.4  # of the frame's height: what it holds is no smaller (but eyes in a square head)
_FRAME_RIM = 0.04  # of its own width and height: as broad is a frame
_CLOSING = 0.008  # gaps in a line up to this width are closed
_SPECK = 0.015  # up to this size it is no fragment
_LINK = 0.05  # of the larger group: no farther apart, fragments belong together
_LINK_ANYWAY = 0.025  # nor if no farther apart than this, however small they are
_TOUCHING = 0.01  # so near, even a flat piece below a figure belongs to it
_GROUND = 0.08  # of a figure's height: as high do the ground and its shadow reach
_ON_GROUND = 0.6  # of the ground's width: a figure on it is no wider
_SMALLEST_FIGURE = 0.06
_SMALLEST_SHARE = 0.2  # of the largest figure
_SEVERAL = 4  # figures: a page with more is one of studies
_USUAL = 2.0  # of a figure's extent: the side of its page, were it alone
_COVERED = 0.9  # of a panel: as much of it lies in a figure that it is a part of
_BEYOND = 1.7  # of the bounds of its parts that are boxes: a figure is larger
_BREADTH = (0.25, 1.5)  # of its height: what stands beside panels is as broad ...
_TALLEST_CAPTION = 0.5  # ... or taller than this, of the tallest figure within
_ENDLESS = 1e6  # pixels: no page reaches as far


class Box(NamedTuple):
    """An axis-aligned rectangle in pixels: top-left corner, width, height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """The middle, pixels."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height


@dataclass(frozen=True)
class Affine:
    """A map of the plane, ``target = matrix[:, :2] @ source + matrix[:, 2]``.

    Attributes:
        matrix: ``[2, 3]`` float64.
    """

    matrix: FloatArray

    def apply(self, points: ArrayLike) -> FloatArray:
        """Points ``[..., 2]`` through the map."""
        return np.asarray(points, dtype=np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def inverse(self) -> Affine:
        """The way back.

        Raises:
            numpy.linalg.LinAlgError: the map flattens the plane.
        """
        linear = np.linalg.inv(self.matrix[:, :2])
        return Affine(np.column_stack([linear, -linear @ self.matrix[:, 2]]))


def load_grey(path: str | os.PathLike[str]) -> GreyArray:
    """Read a picture file as grey.

    Colours become their luma, 16 bits become 8, transparency lies on paper (see :func:`to_grey`),
    and the rotation that a camera notes in a JPEG or PNG (EXIF) is applied.

    Args:
        path: any format that OpenCV reads: PNG, JPEG, WebP, TIFF, BMP, ...

    Returns:
        ``[H, W]`` uint8.

    Raises:
        UserError: there is no such file, or it is not a whole picture.
    """
    path = Path(path)
    try:
        # Not cv2.imread: on Windows it cannot open names beyond the system's code page.
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"There is no picture at {path}; choose another file.") from None
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise UserError(f"{path.name} could not be read ({reason}); choose another file.") from None
    if not data:
        raise UserError(f"{path.name} is an empty file; choose a picture (PNG or JPEG).")
    picture = _decode(data)
    if picture is None:
        raise UserError(
            f"{path.name} is damaged or is not a picture that Croquis can read; "
            "save it again as PNG or JPEG."
        )
    return to_grey(picture)


def _decode(data: bytes) -> NDArray | None:
    """The picture in ``data`` as OpenCV decodes it, or None where it is not a whole picture."""
    encoded = np.frombuffer(data, np.uint8)
    jpeg, png = data.startswith(b"\xff\xd8"), data.startswith(b"\x89PNG")
    # OpenCV fills the missing rest of a truncated file with grey and says nothing. The end marker
    # of a JPEG must follow its last scan: the preview in a camera's file has one of its own.
    if jpeg and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        return None
    if png and b"IEND" not in data[-64:]:
        return None
    log_level = cv2.getLogLevel()
    cv2.setLogLevel(0)  # what is wrong with a file is said once, by the caller
    try:
        if jpeg:
            return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
        picture = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
        # "Unchanged" is the only way to the alpha channel, but it leaves a camera's rotation out.
        opaque = picture is not None and (picture.ndim == 2 or picture.shape[2] == 3)
        if png and opaque and b"eXIf" in data:
            return cv2.imdecode(encoded, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
        return picture
    except cv2.error:
        return None  # for instance larger than OpenCV's limit of 2^30 pixels
    finally:
        cv2.setLogLevel(log_level)


def to_grey(picture: NDArray) -> GreyArray:
    """A picture as grey on white paper, or on black where only light lines are drawn on nothing.

    Args:
        picture: ``[H, W]`` or ``[H, W, C]`` in OpenCV's order (blue, green, red), uint8, uint16 or
            float in 0..1; a second or fourth channel is straight alpha.

    Returns:
        ``[H, W]`` uint8.
    """
    if picture.dtype == np.uint16:
        picture = cv2.convertScaleAbs(picture, alpha=1 / 257)
    elif picture.dtype != np.uint8:
        values = np.nan_to_num(picture.astype(np.float32), nan=1.0, posinf=1.0, neginf=0.0)
        picture = np.clip(values * 255, 0, 255).astype(np.uint8)
    if picture.ndim == 2:
        return picture
    channels = picture.shape[2]
    if channels == 1:
        return picture[:, :, 0]
    if channels == 3:
        return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    grey = picture[:, :, 0] if channels == 2 else cv2.cvtColor(picture, cv2.COLOR_BGRA2GRAY)
    alpha = picture[:, :, -1]
    drawn = cv2.multiply(grey, alpha, scale=1 / 255)
    if ground(grey, alpha) == 0:
        return drawn
    return cv2.add(drawn, cv2.bitwise_not(alpha))  # grey * alpha + 255 * (1 - alpha)


def ground(grey: GreyArray, alpha: GreyArray) -> int:
    """The paper for a drawing on nothing: 0, black, where it is all light lines, else 255.

    A light figure that is filled, however thin and pale its outlines, shows on white: on black it
    would be a silhouette.

    Args:
        grey: ``[H, W]`` uint8.
        alpha: ``[H, W]`` uint8, straight.
    """
    opaque = alpha > 127
    area = np.count_nonzero(opaque)
    if not area or np.count_nonzero(opaque & (grey < _LIGHT)) >= _FEW_DARK * area:
        return 255
    x, y, width, height = cv2.boundingRect(opaque.astype(np.uint8))
    cover = shrunk(alpha[y : y + height, x : x + width], _LINE_SIDE)
    reach = max(3, round(_LINE * max(cover.shape))) | 1
    thick = np.count_nonzero(cv2.erode(cover, np.ones((reach, reach), np.uint8)) > 127)
    return 0 if 255 * thick < _FEW_THICK * cover.sum() else 255


def displayed(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light, clipped to 0..1, as a screen shows it (sRGB, IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    bright = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(light > 0.0031308, bright, 12.92 * light)


def ink(grey: GreyArray) -> InkArray:
    """Tell ink from paper: the normalisation that training and use share.

    The paper's brightness is estimated from the light parts of every neighbourhood and divided out,
    so that shadows, grey and coloured paper become 0; then the contrast is stretched between the
    paper's noise and the darkest strokes, so that thin pencil becomes nearly 1. White lines on a
    dark page count as ink. A clean black-on-white drawing stays as it is.

    Args:
        grey: ``[H, W]`` uint8.

    Returns:
        ``[H, W]`` float32, 1 = ink, 0 = paper; all 0 for a blank page.
    """
    if not grey.size:
        return np.zeros(grey.shape, np.float32)
    blocks = shrunk(grey, _PAPER_GRID)
    if _is_dark_page(grey, blocks):
        grey, blocks = cv2.bitwise_not(grey), cv2.bitwise_not(blocks)
    paper = cv2.resize(_paper(blocks), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    flat = cv2.divide(grey, paper, scale=_PAPER_LEVEL)
    darkness = 1 - np.arange(256) / _PAPER_LEVEL
    return cv2.LUT(flat, _stretch(darkness, _histogram(flat)))


def _histogram(grey: GreyArray) -> FloatArray:
    """``[256]`` how many pixels have each value."""
    return cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(np.float64)


def _is_dark_page(grey: GreyArray, blocks: GreyArray) -> bool:
    """True for light lines on a dark page.

    Such a page is dark as a whole and all around its border (a black silhouette is not), and what
    stands out from it is lighter (in a dim photograph of a white page it is darker).
    """
    border = np.concatenate([blocks[0], blocks[-1], blocks[:, 0], blocks[:, -1]])
    middle = np.median(blocks)
    if not (middle < _DARK_PAGE and np.median(border) < _DARK_PAGE):
        return False
    deviation = np.arange(256) - middle
    return bool(_histogram(grey) @ deviation**3 >= 0)


def _paper(blocks: GreyArray) -> GreyArray:
    """The brightness of the bare paper, from a picture shrunk to blocks; same shape, at least 1.

    A quadratic surface through the light blocks follows the fall-off of a lamp or a lens right to
    the page's border. A closing then follows what is less smooth, a shadow's edge; it is not
    allowed far below the surface, where it would take a wide black area for paper.
    """
    light = cv2.morphologyEx(blocks, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    values = light.ravel().astype(np.float64)
    design = _quadratic_design(blocks.shape)
    keep = np.ones(len(values), dtype=np.bool_)
    surface = values
    for _ in range(_PAPER_ROUNDS):
        rows = design[keep]
        # The small ridge keeps a page of a few blocks solvable.
        normal = rows.T @ rows + 1e-6 * len(rows) * np.eye(design.shape[1])
        surface = design @ np.linalg.solve(normal, rows.T @ values[keep])
        keep = values > surface * 0.97
        if np.count_nonzero(keep) < 2 * design.shape[1]:
            break
    # Outside the light blocks the surface is a guess: it may not leave their range.
    low, high = (values[keep].min(), values[keep].max()) if keep.any() else (1.0, 255.0)
    fitted = np.clip(surface, low, high).reshape(blocks.shape).astype(np.float32)
    fitted = np.maximum(fitted, 1)
    # Both closings lie above the paper: the picture's own on a slope's dark border, the quotient's
    # at a shadow's edge, which the surface cannot follow. The lower one is the better estimate.
    window = np.ones((_PAPER_WINDOW, _PAPER_WINDOW), np.uint8)
    own = cv2.morphologyEx(light, cv2.MORPH_CLOSE, window).astype(np.float32)
    sloped = fitted * cv2.morphologyEx(light / fitted, cv2.MORPH_CLOSE, window)
    paper = np.maximum(np.minimum(own, sloped), fitted * _DEEPEST_SHADOW)
    return np.clip(np.round(cv2.blur(paper, (5, 5))), 1, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def _quadratic_design(shape: tuple[int, int]) -> FloatArray:
    """``[rows * columns, 6]``: 1, x, y, x^2, xy, y^2 of each block, x and y in -1..1."""
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float64) for n in shape)
    y, x = np.repeat(rows, shape[1]), np.tile(columns, shape[0])
    return np.stack([x**0, x, y, x * x, x * y, y * y], axis=1)


def _stretch(darkness: FloatArray, counts: FloatArray) -> InkArray:
    """A curve over grey values that makes the paper's noise 0 and strong strokes 1.

    Args:
        darkness: ``[256]``, falling from 1: how much darker than the paper each grey value is.
        counts: ``[256]`` how many pixels have it.

    Returns:
        ``[256]`` float32 in 0..1.
    """
    rising, counts = darkness[::-1], counts[::-1]
    share = np.cumsum(counts) / max(1.0, counts.sum())
    # Even a densely hatched drawing leaves a quarter of the page bare: its spread is the noise.
    light, middle = (float(rising[int(np.searchsorted(share, q))]) for q in (0.05, 0.25))
    floor = float(np.clip(middle + _NOISE_REACH * (middle - light), 0, 0.5))
    inked = np.where(rising > max(floor, _FAINTEST), counts, 0.0)
    if not inked.any():
        return np.zeros(256, np.float32)
    strong = float(rising[int(np.searchsorted(np.cumsum(inked) / inked.sum(), 0.9))])
    return np.clip((darkness - floor) / max(strong - floor, _FAINTEST), 0, 1).astype(np.float32)


def find_figures(grey: GreyArray) -> list[Box]:
    """The drawn figures of a page, largest first.

    Each panel is a page of its own. The page's own marks (its edges, a frame, ruled lines) and
    specks are left out. What remains are fragments of ink; those that lie near each other, measured
    against their size, are one figure, unless they stand side by side like two people.

    Args:
        grey: ``[H, W]`` uint8.

    Returns:
        At least one box around ink, in pixels of ``grey``.

    Raises:
        UserError: nothing is drawn on the page.
    """
    page = shrunk(grey, LARGEST_SIDE)
    boxes = _figures(page) if page.size else []
    if not boxes:
        raise UserError("Nothing is drawn on this page; choose a picture with a figure on it.")
    y, x = np.array(grey.shape) / page.shape
    boxes = [Box(box.x * x, box.y * y, box.width * x, box.height * y) for box in boxes]
    return sorted(boxes, key=lambda box: box.area, reverse=True)


def _figures(grey: GreyArray, levels: int = DEEPEST) -> list[Box]:
    """The figures of a page and of its panels, so many levels deep."""
    everywhere = np.ones_like(grey)
    panels = find_panels(grey) if levels else []
    beside = _separate(*without_panels(grey, panels)) if panels else []
    if beside:
        found, panels = panels, _no_parts(panels, _separate(grey, everywhere))
        if len(panels) < len(found):
            beside = _separate(*without_panels(grey, panels)) if panels else []
    boxes = [
        box._replace(x=box.x + panel.left, y=box.y + panel.top)
        for panel in panels
        for box in _figures(panel.grey, levels - 1)
    ]
    if not boxes:
        return _separate(grey, everywhere)
    # Beside panels are captions and the edges of a table, too.
    tallest = max(box.height for box in boxes)
    for box in beside:
        like_figure = _BREADTH[0] < box.width / box.height < _BREADTH[1]
        if box.height > (_SMALLEST_SHARE if like_figure else _TALLEST_CAPTION) * tallest:
            boxes.append(box)
    return boxes


def _no_parts(panels: list[Panel], figures: list[Box]) -> list[Panel]:
    """The panels that are no part of a figure: a robot's trunk and head are rectangles, too.

    Args:
        panels: of a page.
        figures: of the page when panels do not matter: several panels may be taken for one figure,
            but they make up all of it.
    """
    corners = np.array([(one.left, one.top) for one in panels]).reshape(-1, 2)
    sizes = np.array([one.grey.shape[::-1] for one in panels]).reshape(-1, 2)
    parts = np.zeros(len(panels), dtype=bool)
    for x, y, width, height in figures:
        low = np.maximum(corners, (x, y))
        high = np.minimum(corners + sizes, (x + width, y + height))
        within = np.maximum(high - low, 0).prod(axis=1)
        some = within > 0
        if not some.any():
            continue
        of_panels = np.prod(high[some].max(axis=0) - low[some].min(axis=0))
        if width * height > _BEYOND * of_panels:
            parts |= within > _COVERED * sizes.prod(axis=1)
    return [panel for panel, part in zip(panels, parts, strict=True) if not part]


def _separate(grey: GreyArray, where: GreyArray) -> list[Box]:
    """The figures of a page whose panels do not matter, drawn where a mask is 1."""
    height, width = grey.shape
    page = shrunk(grey, _FIND_SIDE)
    where = cv2.resize(where, page.shape[::-1], interpolation=cv2.INTER_NEAREST)
    fragments, labels = _fragments(_drawn(page) & where)
    side = max(page.shape)
    groups = _group(fragments, labels, side)
    if len(groups) >= _SEVERAL:
        # So many are small, and their lines faint. Their own size, not the page's, says what is
        # near; those that were taken for one look larger than they are, so it may take two tries.
        fragments, labels = _fragments(_drawn(page, _INKED / 2) & where)
        for _ in range(2):
            typical = float(np.median([group.extent for group in groups]))
            groups = _group(fragments, labels, min(side, round(_USUAL * typical)))
    x, y = width / page.shape[1], height / page.shape[0]
    groups = [_without_ground(group, labels > 0) for group in groups]
    return [Box(g.left * x, g.top * y, g.width * x, g.height * y) for g in groups]


def _drawn(page: GreyArray, inky: float = _INKED) -> GreyArray:
    """1 where the page has ink that is neither its edge nor a frame nor a ruled line, else 0.

    Args:
        page: ``[H, W]`` uint8.
        inky: what is above it in an ink map is drawn.
    """
    if min(page.shape) < _NARROWEST:
        return np.zeros_like(page)
    inked = ink(page)
    edges = _page_edges(inked > inky)
    if edges.any():
        inked = _brighten(np.where(edges, np.float32(0), inked))
    drawn = (inked > inky).astype(np.uint8)
    faint = (inked > inky / 2).astype(np.uint8)
    # One after the other: where the lines of a grid cross, those left over go with the second.
    rest = drawn & ~_rules(drawn, faint)
    rest &= ~_rules(rest.T.copy(), faint.T.copy()).T
    reach = max(3, round(_BRIDGE * max(drawn.shape))) | 1
    drawn &= cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    drawn[_frames(drawn)] = 0
    return drawn


def _page_edges(drawn: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The ink of frames, of the table around a photographed page, of shadows along its edges.

    A frame runs around the whole page, the others run along the picture's border; none of them
    reaches into its middle. (A figure at the side of the page does neither.)
    """
    height, width = drawn.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(drawn.astype(np.uint8))

    def within(share: float) -> NDArray[np.intp]:
        """How many pixels of each component lie so near to the border."""
        y, x = max(1, round(share * height)), max(1, round(share * width))
        rim = np.ones(drawn.shape, dtype=bool)
        rim[y : height - y, x : width - x] = False
        return np.bincount(labels[rim], minlength=count)

    around = (stats[:, cv2.CC_STAT_WIDTH] > 0.8 * width) & (
        stats[:, cv2.CC_STAT_HEIGHT] > 0.8 * height
    )
    along = within(0) > _EDGE_CONTACT * min(height, width)
    outside = within(_EDGE_DEPTH) > 0.97 * stats[:, cv2.CC_STAT_AREA]
    edge = (around | along) & outside
    edge[0] = False  # label 0 is the paper
    return edge[labels]


def _frames(drawn: GreyArray) -> NDArray[np.bool_]:
    """Boxes drawn around something: their ink lies along their own bounds and nowhere else."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(drawn)
    frame = np.zeros(len(stats), dtype=bool)
    height, width = drawn.shape
    for number, (x, y, w, h, area) in enumerate(stats.tolist()):
        if number == 0 or w < _FRAME * width or h < _FRAME * height:
            continue
        inset_x, inset_y = max(2, round(_FRAME_RIM * w)), max(2, round(_FRAME_RIM * h))
        inner = np.s_[y + inset_y : y + h - inset_y, x + inset_x : x + w - inset_x]
        own = labels[inner] == number
        within = np.flatnonzero((drawn[inner] & ~own).any(axis=1))
        tall = within.size > 0 and within[-1] - within[0] > _FRAMED * h
        frame[number] = tall and np.count_nonzero(own) < 0.03 * area
    return frame[labels]


def _rules(drawn: GreyArray, faint: GreyArray) -> GreyArray:
    """The thin straight lines across a ``[H, W]`` mask, from left to right and a little tilted.

    One line is a rule if it runs across the whole page. Of several parallel ones less is asked:
    they may begin at a margin, and be broken off.

    Args:
        drawn: the mask.
        faint: a mask that also has what is paler: a thin line that tilts is dashed in the other.
    """
    height, width = drawn.shape
    # A third of the columns says how long a line is.
    thickened = cv2.dilate(faint, np.ones((3, 1), np.uint8))[:, 1::3].copy()
    everywhere, columns = np.ones_like(thickened), thickened.shape[1]
    # Neighbouring slopes differ by less than a thickened line at the page's sides.
    slopes = np.linspace(-_RULE_TILT, _RULE_TILT, 2 * round(_RULE_TILT * width / 3) + 1)
    lengths = np.zeros((len(slopes), height))
    reaching = np.zeros(lengths.shape, dtype=bool)
    end = max(1, round(_RULE_END * columns))
    for slope, length, reaches in zip(slopes, lengths, reaching, strict=True):
        shear, size = _shear(3 * slope, columns), (columns, height)
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        level = cv2.warpAffine(thickened, shear, size, flags=flags)
        shown = cv2.warpAffine(everywhere, shear, size, flags=flags)
        # A tilted line leaves the page at its top or bottom: its part on the page counts.
        length[:] = level.sum(axis=1) / np.maximum(shown.sum(axis=1), columns / 2)
        for side in (np.s_[:, :end], np.s_[:, -end:]):
            reaches |= 2 * level[side].sum(axis=1) >= shown[side].sum(axis=1)
    # A line also shows, shorter, at other slopes and in the rows beside it.
    longest = cv2.dilate(lengths.max(axis=0)[:, None], np.ones((5, 1), np.uint8)).ravel()
    # Around it is paper, and not as much ink as in it: hatching and costumes are full of lines.
    reach = max(3, round(_RULE_SPACE * height))
    around = np.pad(lengths, ((0, 0), (reach, reach)), mode="reflect")
    around = np.lib.stride_tricks.sliding_window_view(around, 2 * reach + 1, axis=1)
    alone = lengths - np.percentile(around, 25, axis=2) > _RULE_ALONE
    rules = np.zeros_like(drawn)
    candidates = alone & (lengths > 0.9 * longest)
    for row, slope in enumerate(slopes):
        several = candidates[row] & (lengths[row] > _RULES) & reaching[row]
        starts = np.count_nonzero(several[1:] & ~several[:-1])
        single = candidates[row] & (lengths[row] > _RULE)
        found = several if starts >= _FEWEST_RULES else single
        if found.any():
            rows = np.repeat(found.astype(np.uint8)[:, None], width, axis=1)
            shear = _shear(slope, width)
            rules |= cv2.warpAffine(rows, shear, (width, height), flags=cv2.INTER_NEAREST)
    # What is thicker than most of the rules' ink is no rule: limbs that cross them, or run along
    # one.
    rules &= drawn
    for thickness in range(2, max(4, round(0.03 * height))):
        if np.count_nonzero(_higher(drawn, thickness) & rules) < 0.5 * np.count_nonzero(rules):
            return rules & ~_higher(drawn, thickness + 1)
    return np.zeros_like(drawn)


def _higher(drawn: GreyArray, pixels: int) -> GreyArray:
    """What of a mask stands in upright runs of at least so many pixels."""
    return cv2.morphologyEx(drawn, cv2.MORPH_OPEN, np.ones((pixels, 1), np.uint8))


def _shear(slope: float, width: int) -> FloatArray:
    """``[2, 3]`` the map that tilts level lines, around the middle column."""
    return np.array([[1, 0, 0], [slope, 1, -slope * width / 2]])


def _fragments(drawn: GreyArray) -> tuple[list[_Bounds], NDArray[np.int32]]:
    """The connected pieces of a mask without specks.

    Returns:
        Their bounds, and ``[H, W]`` labels: 0, or 1 + the place in that list.
    """
    side = max(drawn.shape)
    reach = max(3, round(_CLOSING * side)) | 1
    closed = cv2.morphologyEx(drawn, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    keep = extent > _SPECK * side
    keep[0] = False  # label 0 is the paper
    number = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    bounds = [_Bounds(x, y, x + w, y + h) for x, y, w, h, _ in stats[keep].tolist()]
    return bounds, number[labels]


def _gaps(labels: NDArray[np.int32]) -> list[tuple[float, int, int]]:
    """Distances between neighbouring fragments, ``(pixels, row, row)``, shortest first.

    Neighbours are those whose Voronoi cells touch; the shortest way from one to the other crosses
    their common border, so that one distance transform serves all pairs.
    """
    distance, cells = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
    )
    # OpenCV numbers the cells by connected zero regions of its own: take our number from each.
    ours = np.zeros(int(cells.max()) + 1, np.int64)
    inside = labels > 0
    ours[cells[inside]] = labels[inside]
    owner = ours[cells]
    count = int(labels.max()) + 1
    keys, gaps = [], []
    for first, second in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1, :], np.s_[1:, :]),
    ):
        a, b = owner[first], owner[second]
        border = a != b
        low, high = np.minimum(a, b)[border], np.maximum(a, b)[border]
        keys.append(low * count + high)
        gaps.append((distance[first] + distance[second])[border])
    key, gap = np.concatenate(keys), np.concatenate(gaps)
    order = np.argsort(gap, kind="stable")
    unique, first_seen = np.unique(key[order], return_index=True)
    shortest = gap[order][first_seen]
    pairs = zip(shortest.tolist(), unique.tolist(), strict=True)
    return sorted((d, k // count - 1, k % count - 1) for d, k in pairs)


class _Bounds(NamedTuple):
    """A group of fragments by its sides, in pixels of the shrunk page."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def extent(self) -> int:
        return max(self.width, self.height)

    @property
    def area(self) -> int:
        return self.width * self.height

    def union(self, other: _Bounds) -> _Bounds:
        low = min(self.left, other.left), min(self.top, other.top)
        return _Bounds(*low, max(self.right, other.right), max(self.bottom, other.bottom))

    def overlap(self, other: _Bounds) -> tuple[int, int]:
        """Width and height of what both have in common; negative: how far they are apart."""
        return (
            min(self.right, other.right) - max(self.left, other.left),
            min(self.bottom, other.bottom) - max(self.top, other.top),
        )

    def covers(self, other: _Bounds) -> bool:
        """Most of the other, which is not larger, lies within."""
        width, height = self.overlap(other)
        return self.area >= other.area and max(width, 0) * max(height, 0) > 0.7 * other.area


def _group(fragments: list[_Bounds], labels: NDArray[np.int32], side: int) -> list[_Bounds]:
    """Join fragments into figures: single linkage, nearest pairs first.

    Args:
        fragments, labels: see :func:`_fragments`.
        side: the page's longer side, pixels.

    Returns:
        The figures that are not tiny beside the largest one.
    """
    groups = dict(enumerate(fragments))
    group_of = list(range(len(fragments)))

    def join(a: int, b: int) -> None:
        groups[a] = groups[a].union(groups.pop(b))
        group_of[:] = [a if group == b else group for group in group_of]

    for gap, i, j in _gaps(labels):
        a, b = group_of[i], group_of[j]
        if a != b and _belong_together(groups[a], groups[b], gap, side):
            join(a, b)
    for a in sorted(groups, key=lambda group: groups[group].area, reverse=True):
        for b in list(groups):
            if a in groups and a != b and groups[a].covers(groups[b]):
                join(a, b)
    largest = max((group.extent for group in groups.values()), default=0)
    smallest = max(_SMALLEST_FIGURE * side, _SMALLEST_SHARE * largest)
    return [group for group in groups.values() if group.extent >= smallest]


def _without_ground(group: _Bounds, drawn: NDArray[np.bool_]) -> _Bounds:
    """A figure's bounds without what lies at its feet far to both sides: ground, shadow, floor."""
    above = group.bottom - max(2, round(_GROUND * group.height))
    columns = np.flatnonzero(drawn[group.top : above, group.left : group.right].any(axis=0))
    if not columns.size:
        return group
    left, right = group.left + int(columns[0]), group.left + int(columns[-1]) + 1
    if right - left > _ON_GROUND * group.width:
        return group
    return group._replace(left=left, right=right)


def _belong_together(a: _Bounds, b: _Bounds, gap: float, side: int) -> bool:
    """Whether two groups of fragments, ``gap`` pixels apart, are parts of one figure."""
    if gap > max(_LINK * max(a.extent, b.extent), _LINK_ANYWAY * side) or _two_people(a, b, side):
        return False
    return gap <= _TOUCHING * side or not _is_caption(a, b)


def _two_people(a: _Bounds, b: _Bounds, side: int) -> bool:
    """Two upright groups of about one height, side by side."""
    beside = a.overlap(b)[0] < 0.2 * min(a.width, b.width)
    upright = a.height > 1.2 * a.width and b.height > 1.2 * b.width
    low, high = sorted((a.height, b.height))
    return beside and upright and low > max(0.55 * high, 0.2 * side)


def _is_caption(a: _Bounds, b: _Bounds) -> bool:
    """One is flat and wide, above or below the other: a line of text, a shadow's hatching."""
    flat, other = (a, b) if a.width * b.height > b.width * a.height else (b, a)
    above_or_below = a.overlap(b)[1] <= 0
    return above_or_below and flat.width > max(4 * flat.height, 0.5 * other.width)


def crop(ink_map: InkArray, box: Box, size: int) -> tuple[InkArray, Affine]:
    """Cut a figure out as the network's square input.

    The square has the side ``MARGIN * max(width, height)`` and the box's centre; what lies outside
    the picture is paper. Thin lines, which shrinking makes faint, are brightened again, so that a
    large scan gives the same input as a small one.

    Args:
        ink_map: ``[H, W]`` float32, 1 = ink.
        box: the figure, in pixels of ``ink_map``.
        size: side of the result, pixels.

    Returns:
        The crop, ``[size, size]`` float32 in 0..1, and the map from its pixels to the picture's.

    Raises:
        UserError: the box has no extent.
    """
    side = max(box.width, box.height) * MARGIN
    if not (side > 0 and np.abs(box).max() < _ENDLESS):
        raise UserError("The box around the figure is empty or endless; draw it again.")
    scale = side / size
    corner = np.array(box.centre) - side / 2
    to_picture = Affine(np.column_stack([np.eye(2) * scale, corner]))
    # Whole factors by averaging, the rest by sampling twice as finely: nothing falls in between.
    factor = max(1, int(scale))
    height, width = ink_map.shape
    left, top = (int(v) for v in np.clip(np.floor(corner), 0, (width, height)))
    right, bottom = (int(v) for v in np.clip(np.ceil(corner + side), 0, (width, height)))
    part = ink_map[top:bottom, left:right]
    if not part.size:
        return np.zeros((size, size), np.float32), to_picture
    if factor > 1:
        rest = (-part.shape[0] % factor, -part.shape[1] % factor)
        part = cv2.copyMakeBorder(part, 0, rest[0], 0, rest[1], cv2.BORDER_CONSTANT)
        whole = (part.shape[1] // factor, part.shape[0] // factor)
        part = cv2.resize(part, whole, interpolation=cv2.INTER_AREA)
    fine = 2 if scale > 1 else 1
    step = scale / fine / factor
    offset = (corner - (left, top)) / factor
    # warpAffine counts from pixel centres: its 0 is our 0.5.
    matrix = np.column_stack([np.eye(2) * step, offset + 0.5 * step - 0.5])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    result = cv2.warpAffine(part, matrix, (size * fine, size * fine), flags=flags)
    if fine > 1:
        result = cv2.resize(result, (size, size), interpolation=cv2.INTER_AREA)
    return _brighten(result), to_picture


def _brighten(ink_map: InkArray) -> InkArray:
    """Scale an ink map so that its strong strokes are 1 (again)."""
    values = cv2.convertScaleAbs(ink_map, alpha=255)
    counts = _histogram(values) * (np.arange(256) > 255 * _FAINTEST)
    if not counts.any():
        return ink_map
    strong = int(np.searchsorted(np.cumsum(counts) / counts.sum(), 0.9)) / 255
    return np.minimum(ink_map * np.float32(1 / strong), 1)
