"""Pictures: reading any file, telling ink from paper, finding the figures, cutting out one of them.

Pixels as everywhere in Croquis: origin at the top-left corner, x right, y down, the centre of the
first pixel at (0.5, 0.5). An *ink map* is float32 in 0..1 where 1 is ink and 0 is paper; it is what
the network is trained on and what it is given.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import UserError

GreyArray = NDArray[np.uint8]
InkArray = NDArray[np.float32]

MARGIN = 1.25
"""Side of the network's square crop, as a multiple of the longer side of the figure's box."""

_PAPER_GRID = 48  # blocks along the longer side when the paper's brightness is estimated
_PAPER_WINDOW = 19  # blocks; black areas narrower than this do not pass for paper
_PAPER_LEVEL = 224  # grey of flattened paper: leaves room for what is brighter than its estimate
_FIND_SIDE = 512  # longer side of the picture in which figures are looked for, pixels


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

    matrix: NDArray[np.float64]

    def apply(self, points: ArrayLike) -> NDArray[np.float64]:
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

    Colours become their luma, 16 bits become 8, transparency lies on white paper, and a camera's
    rotation (EXIF) is applied.

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
    return _to_grey(picture)


def _decode(data: bytes) -> NDArray | None:
    """The picture in ``data`` as OpenCV decodes it, or None where it is not a whole picture."""
    encoded = np.frombuffer(data, np.uint8)
    jpeg, png = data.startswith(b"\xff\xd8"), data.startswith(b"\x89PNG")
    # OpenCV fills the missing rest of a truncated file with grey and says nothing. The end marker of
    # a JPEG must follow its last scan: the preview inside a camera's file has one of its own.
    if jpeg and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        return None
    if png and b"IEND" not in data[-64:]:
        return None
    try:
        if jpeg:
            return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
        picture = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
        # "Unchanged" is the only way to the alpha channel, but it leaves a camera's rotation out.
        opaque = picture is not None and (picture.ndim == 2 or picture.shape[2] == 3)
        if opaque and (b"eXIf" in data or b"EXIF" in data):
            return cv2.imdecode(encoded, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
        return picture
    except cv2.error:
        return None  # for instance larger than OpenCV's limit of 2^30 pixels


def _to_grey(picture: NDArray) -> GreyArray:
    """Any depth and number of channels -> uint8 ``[H, W]`` on white."""
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
    paper = cv2.bitwise_not(alpha)  # over white: grey * alpha + 255 * (1 - alpha)
    return cv2.add(cv2.multiply(grey, alpha, scale=1 / 255), paper)


def ink(grey: GreyArray) -> InkArray:
    """Tell ink from paper: the normalisation that training and use share.

    The paper's brightness is estimated from the light parts of every neighbourhood and divided out,
    so that shadows, grey and coloured paper become 0; then the contrast is stretched between the
    paper's noise and the darkest strokes, so that thin pencil becomes nearly 1. White lines on a dark
    page count as ink. A clean black-on-white drawing stays as it is.

    Args:
        grey: ``[H, W]`` uint8.

    Returns:
        ``[H, W]`` float32, 1 = ink, 0 = paper; all 0 for an empty page.
    """
    if not grey.size:
        return np.zeros(grey.shape, np.float32)
    height, width = grey.shape
    scale = min(1.0, _PAPER_GRID / max(height, width))
    grid = (max(1, round(width * scale)), max(1, round(height * scale)))
    blocks = cv2.resize(grey, grid, interpolation=cv2.INTER_AREA)
    if _is_dark_page(blocks):
        grey, blocks = cv2.bitwise_not(grey), cv2.bitwise_not(blocks)
    window = np.ones((_PAPER_WINDOW, _PAPER_WINDOW), np.uint8)
    paper = cv2.blur(cv2.morphologyEx(blocks, cv2.MORPH_CLOSE, window), (5, 5))
    paper = cv2.max(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), 1)
    flat = cv2.divide(grey, paper, scale=_PAPER_LEVEL)
    darkness = np.maximum(0, (_PAPER_LEVEL - np.arange(256)) / _PAPER_LEVEL)
    counts = cv2.calcHist([flat], [0], None, [256], [0, 256]).ravel()
    return cv2.LUT(flat, _stretch_curve(darkness, counts))


def _is_dark_page(blocks: GreyArray) -> bool:
    """True for light lines on a dark page: dark as a whole, and all around its border."""
    border = np.concatenate([blocks[0], blocks[-1], blocks[:, 0], blocks[:, -1]])
    return bool(np.median(border) < 100 and np.median(blocks) < 100)


def _stretch_curve(darkness: NDArray[np.float64], counts: NDArray) -> InkArray:
    """What each value becomes so that noise is 0 and strokes are 1.

    Args:
        darkness: ``[256]`` 0..1, falling: how dark each value is, compared with the paper.
        counts: ``[256]`` the histogram.

    Returns:
        ``[256]`` float32, 0..1.
    """
    share = np.cumsum(counts[::-1]) / max(1.0, float(counts.sum()))
    rising = darkness[::-1]

    def quantile(q: float) -> float:
        return float(rising[min(255, int(np.searchsorted(share, q)))])

    # The lightest third of a drawing is paper even where hatching is dense; its spread is noise.
    light, middle = quantile(0.10), quantile(0.40)
    floor = min(middle + 2.0 * (middle - light), 0.5)
    inked = np.where(darkness > max(floor, 0.06), counts, 0.0)
    if not inked.sum():
        return np.zeros(256, np.float32)
    below = np.cumsum(inked[::-1]) / inked.sum()
    strong = float(rising[int(np.searchsorted(below, 0.90))])
    return np.clip((darkness - floor) / max(strong - floor, 0.06), 0, 1).astype(np.float32)


def find_figures(grey: GreyArray) -> list[Box]:
    """The drawn figures of a page, largest first.

    Args:
        grey: ``[H, W]`` uint8.

    Returns:
        At least one box, in pixels of ``grey``.

    Raises:
        UserError: nothing is drawn on the page.
    """
    height, width = grey.shape
    scale = min(1.0, _FIND_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    page = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    mask = (ink(page) > 0.4).astype(np.uint8)
    reach = max(3, round(max(page.shape) * 0.03)) | 1
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    minimum = 0.05 * max(page.shape)
    boxes = []
    for left, top, w, h, _area in stats[1:count]:
        if max(w, h) >= minimum:
            boxes.append(Box(left / scale, top / scale, w / scale, h / scale))
    if not boxes:
        raise UserError("The page is empty: choose a picture with a drawn figure.")
    return sorted(boxes, key=lambda box: -box.area)


def crop(ink_map: InkArray, box: Box, size: int) -> tuple[InkArray, Affine]:
    """Cut a figure out as the network's square input.

    The square has the side ``MARGIN * max(width, height)`` and the box's centre; what lies outside
    the picture is paper.

    Args:
        ink_map: ``[H, W]`` float32, 1 = ink.
        box: the figure, in pixels of ``ink_map``.
        size: side of the result, pixels.

    Returns:
        The crop, ``[size, size]`` float32, and the map from its pixels to the picture's.

    Raises:
        UserError: the box has no extent.
    """
    side = max(box.width, box.height) * MARGIN
    if not (np.isfinite(box).all() and side > 0):
        raise UserError("The box around the figure is empty: draw it anew.")
    scale = side / size
    centre = np.array(box.centre)
    to_picture = Affine(np.column_stack([np.eye(2) * scale, centre - side / 2]))
    # warpAffine counts from pixel centres: its 0 is our 0.5.
    shift = to_picture.matrix.copy()
    shift[:, 2] += 0.5 * scale - 0.5
    if scale > 1:  # shrink by averaging first, or thin lines fall between the samples
        low = np.floor(centre - side / 2).astype(int)
        high = np.ceil(centre + side / 2).astype(int)
        height, width = ink_map.shape
        part = ink_map[max(0, low[1]) : max(0, high[1]), max(0, low[0]) : max(0, high[0])]
        ink_map = cv2.copyMakeBorder(
            part,
            max(0, -low[1]),
            max(0, high[1] - max(height, low[1])),
            max(0, -low[0]),
            max(0, high[0] - max(width, low[0])),
            cv2.BORDER_CONSTANT,
        )
        result = cv2.resize(ink_map, (size, size), interpolation=cv2.INTER_AREA)
        true_side = high - low
        to_picture = Affine(np.column_stack([np.diag(true_side / size), low.astype(np.float64)]))
        return result, to_picture
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(ink_map, shift, (size, size), flags=flags), to_picture
