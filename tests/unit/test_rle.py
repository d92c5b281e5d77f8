from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from addon.core import rle

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(masks)
def test_there_and_back(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(rle.decode(rle.encode(mask)), mask)


@given(masks)
def test_agrees_with_pycocotools(mask: np.ndarray) -> None:
    reference = pytest.importorskip("pycocotools.mask")
    theirs = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    ours = rle.encode(mask)
    assert ours["size"] == theirs["size"]
    assert ours["counts"] == theirs["counts"].decode()
    np.testing.assert_array_equal(reference.decode(dict(ours)), mask)


@pytest.mark.parametrize("fill", [False, True])
def test_long_runs_agree_with_pycocotools(fill: bool) -> None:
    reference = pytest.importorskip("pycocotools.mask")
    mask = np.full((3000, 2000), fill)
    mask[1000:1001, 500:1500] = not fill
    theirs = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert rle.encode(mask)["counts"] == theirs["counts"].decode()


def test_known_encoding() -> None:
    # Columns: 0 1 | 1 1 -> runs 1, 3 -> two characters of "0" + run.
    mask = np.array([[False, True], [True, True]])
    assert rle.encode(mask) == {"size": [2, 2], "counts": "13"}


@pytest.mark.parametrize("counts", ["", "12", "1?", "1P", "1é"])
def test_damaged_counts_are_refused(counts: str) -> None:
    with pytest.raises(ValueError):
        rle.decode({"size": [2, 2], "counts": counts})
