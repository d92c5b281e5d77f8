from __future__ import annotations

import numpy as np
import pytest

from addon.core import skeleton
from addon.core.strokes import StrokePack, View
from scripts import evaluate_posing
from tests.unit.synthetic import RIG, plausible

SIDE = 640


@pytest.fixture(scope="module")
def views() -> list[View]:
    result = []
    for seed in range(12):
        truth = plausible(seed)
        result.append(
            View(
                strokes=[truth.keypoints.astype(np.float32)],
                keypoints=truth.keypoints.astype(np.float32),
                visibility=np.full(skeleton.COUNT, 2, np.uint8),
                joints=(truth.joints * 3).astype(np.float32),  # rendered at another size
            )
        )
    return result


def test_true_keypoints_meet_the_acceptance(views: list[View]) -> None:
    scores = evaluate_posing.evaluate(RIG, views, SIDE, evaluate_posing.true_keypoints)
    assert scores["reprojection_median_percent"] < 3
    assert scores["pa_mpjpe_solved_percent"] < min(6, scores["pa_mpjpe_in_plane_percent"])
    assert scores["pa_mpjpe_in_plane_percent"] > 3


def test_the_unit_is_the_characters_height(views: list[View]) -> None:
    """Keypoints that are all moved by 5 % of the height re-project 5 % beside the truth."""

    def beside(view: View, side: int) -> tuple[np.ndarray, np.ndarray]:
        keypoints, scores = evaluate_posing.true_keypoints(view, side)
        return keypoints + (0.05 * 150 * RIG.height, 0), scores

    good = evaluate_posing.evaluate(RIG, views, SIDE, evaluate_posing.true_keypoints)
    moved = evaluate_posing.evaluate(RIG, views, SIDE, beside)
    assert moved["reprojection_median_percent"] == pytest.approx(5, abs=0.7)
    assert moved["pa_mpjpe_solved_percent"] == pytest.approx(
        good["pa_mpjpe_solved_percent"], abs=0.1
    )


def test_views_are_taken_evenly(views: list[View], tmp_path) -> None:
    path = tmp_path / "a.npz"
    StrokePack.from_views(views, SIDE, [("Anna", "walk")]).save(path)
    taken, side = evaluate_posing.load_views([path], 4)
    assert side == SIDE and len(taken) == 4
    np.testing.assert_array_equal(taken[-1].keypoints, views[-1].keypoints)
    assert len(evaluate_posing.load_views([path], 100)[0]) == 12
