"""The example drawings: what they promise, and what the shipped network makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from addon.core import image, skeleton
from addon.core.estimator import SHIPPED, Estimator
from scripts import draw_examples

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TRUTH: dict[str, dict[str, list[float]]] = json.loads(
    (EXAMPLES / "keypoints.json").read_text(encoding="utf-8")
)


def joints(name: str) -> np.ndarray:
    """``[12, 2]`` the joints on which estimators are compared, pixels of the file."""
    return np.array([TRUTH[name][joint] for joint in skeleton.COMMON])


def test_every_drawing_is_described_and_small():
    files = sorted(EXAMPLES.glob("*.png"))
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [file.stem for file in files] == sorted(TRUTH)
    for file in files:
        assert file.stat().st_size < 60 * 1024
        assert f"`{file.name}`" in readme
    assert "CC0" in readme


def test_script_draws_the_committed_files():
    pictures, truth = draw_examples.draw_all()
    assert truth == TRUTH
    for name, picture in pictures.items():
        committed = image.load_grey(EXAMPLES / f"{name}.png")
        assert committed.shape == picture.shape
        # Chance and antialiasing differ a little between versions of numpy and OpenCV.
        assert np.abs(committed.astype(int) - picture).mean() < 3


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_figure_is_found_on_its_page(name: str):
    """No ground line, frame or prop is taken for the figure, and nothing of it is left out."""
    box = image.find_figures(image.load_grey(EXAMPLES / f"{name}.png"))[0]
    points = np.array([TRUTH[name][joint] for joint in TRUTH[name]])
    low, high = points.min(axis=0), points.max(axis=0)
    assert (low > (box.x - 4, box.y - 4)).all()
    assert (high < (box.x + box.width + 4, box.y + box.height + 4)).all()
    assert max(box.width, box.height) < 1.35 * (high - low).max()


@pytest.mark.skipif(not SHIPPED.exists(), reason="this copy has no trained network")
class TestShippedNetwork:
    def close(self, name: str) -> float:
        """Share of the joints found within a tenth of the figure's size.

        Which arm or leg is the left one may be read either way, as in the evaluation on drawings
        that do not tell: a test of the places, not of the sides.
        """
        found = Estimator().estimate(image.load_grey(EXAMPLES / f"{name}.png")).keypoints
        size = np.ptp(joints(name), axis=0).max()
        shares = []
        for limb in (skeleton.ARMS, skeleton.LEGS):
            truth = np.array([TRUTH[name][joint] for joint in limb])
            rows = [skeleton.INDEX[joint] for joint in limb]
            readings = found[rows], found[[skeleton.FLIP[row] for row in rows]]
            distances = [np.linalg.norm(reading - truth, axis=1) for reading in readings]
            shares.append(max(float((d < 0.1 * size).mean()) for d in distances))
        return float(np.mean(shares))

    def test_default_drawing(self):
        assert self.close("gesture_run") >= 0.8

    def test_most_joints_of_all_drawings(self):
        shares = {name: self.close(name) for name in TRUTH}
        assert np.mean(list(shares.values())) >= 0.7, shares
