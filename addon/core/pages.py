"""Grey pictures, as all that look for something on a page take them.

Pixels as in :mod:`image`.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

GreyArray = NDArray[np.uint8]


def shrunk(grey: GreyArray, side: int) -> GreyArray:
    """A picture ``[H, W]``, its longer side at most so many pixels; itself if it is no larger."""
    height, width = grey.shape
    shrink = side / max(height, width, 1)
    if shrink >= 1 or not grey.size:
        return grey
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
