import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from addon.core import image, skeleton
from addon.core.errors import UserError
from trainer import evaluate

SHARED = Path(__file__).parents[3] / "shared" / "data" / "drawings" / "validation"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data/drawings")
FULL = [np.ones(skeleton.COUNT)]


def _drawing(ambiguous: bool = False) -> evaluate.Drawing:
    keypoints = np.random.default_rng(4).uniform(0, 100, (skeleton.COUNT, 2))
    labelled = np.ones(skeleton.COUNT, dtype=bool)
    box = image.Box(0, 0, 100, 100)
    return evaluate.Drawing(Path("a.png"), "here", box, keypoints, labelled, ambiguous)


def _moved(drawing: evaluate.Drawing, name: str, by: float) -> np.ndarray:
    keypoints = drawing.keypoints.copy()
    keypoints[skeleton.INDEX[name], 0] += by
    return keypoints


def test_oks_by_hand():
    # area 0.53 * 100 * 100 = 5300; the wrist's constant is 2 * 0.062 = 0.124;
    # 10 px away: exp(-100 / (2 * 5300 * 0.124^2)) = exp(-0.61354) = 0.54143; 11 joints are right.
    drawing = _drawing()
    similarity = evaluate.oks(_moved(drawing, "LeftHand", 10), drawing)
    assert similarity == pytest.approx((11 + 0.54143) / 12, abs=1e-5)


def test_joints_without_label_or_beyond_the_twelve_do_not_count():
    drawing = _drawing()
    labelled = drawing.labelled.copy()
    labelled[skeleton.INDEX["LeftHand"]] = False
    unlabelled = replace(drawing, labelled=labelled)
    assert evaluate.oks(_moved(drawing, "LeftHand", 50), unlabelled) == 1
    assert evaluate.oks(_moved(drawing, "Spine2", 50), drawing) == 1


@pytest.mark.parametrize(
    ("distance", "ap"),
    # One figure whose 12 joints are all `distance` away from the truth has one OKS, and AP is the
    # share of the thresholds .50, .55 ... .95 that it reaches.
    [(0, 1.0), (8, 0.6), (40, 0.0)],
)
def test_average_precision_by_hand(distance, ap):
    drawing = _drawing()
    keypoints = drawing.keypoints + (distance, 0)
    exponents = distance**2 / (2 * 5300 * (2 * evaluate.SIGMAS) ** 2)
    similarity = float(np.exp(-exponents).mean())
    reached = sum(similarity >= t / 100 for t in range(50, 100, 5)) / 10
    assert reached == pytest.approx(ap)
    assert evaluate.average_precision([drawing], [keypoints], [1.0])[0] == pytest.approx(ap)


def test_a_confident_wrong_answer_costs_precision():
    drawings = [_drawing(), _drawing()]
    answers = [drawings[0].keypoints, drawings[1].keypoints + 90]
    surer = evaluate.average_precision(drawings, answers, [0.9, 0.1])[0]
    less_sure = evaluate.average_precision(drawings, answers, [0.1, 0.9])[0]
    assert surer == pytest.approx(0.505, abs=0.01)  # COCO's 101 recalls, 51 of them reached
    assert less_sure == pytest.approx(surer / 2, abs=0.01)


def _swap(keypoints: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    rows = [skeleton.INDEX[skeleton.mirror_name(name)] for name in names]
    swapped = keypoints.copy()
    swapped[[skeleton.INDEX[name] for name in names]] = keypoints[rows]
    return swapped


@pytest.mark.parametrize("limbs", [skeleton.ARMS, skeleton.LEGS, skeleton.ARMS + skeleton.LEGS])
def test_swapped_limbs_count_only_where_the_drawing_is_ambiguous(limbs):
    drawing = _drawing()
    answer = _swap(drawing.keypoints, limbs)
    assert evaluate.score([drawing], [answer], FULL).ap < 0.5
    ambiguous = replace(drawing, ambiguous=True)
    assert evaluate.score([ambiguous], [answer], FULL).ap == pytest.approx(1)


def test_a_single_swapped_wrist_is_wrong_even_in_an_ambiguous_drawing():
    drawing = _drawing(ambiguous=True)
    answer = _swap(drawing.keypoints, ("LeftHand", "RightHand"))
    assert evaluate.score([drawing], [answer], FULL).mean_oks < 1


def test_pck_counts_labelled_joints_within_a_share_of_the_longer_side():
    drawing = replace(_drawing(), box=image.Box(0, 0, 50, 100))
    answer = drawing.keypoints.copy()
    for name, distance in (("LeftHand", 9.9), ("RightHand", 10.1), ("LeftFoot", 21)):
        answer[skeleton.INDEX[name], 1] += distance
    assert evaluate.pck([answer], [drawing], 0.1) == pytest.approx(10 / 12)
    assert evaluate.pck([answer], [drawing], 0.2) == pytest.approx(11 / 12)


@needs_shared
def test_the_truth_of_the_shared_drawings_scores_one():
    drawings = evaluate.load_drawings(SHARED)
    assert len(drawings) == 93 and all(drawing.path.is_file() for drawing in drawings)
    assert all(drawing.labelled[list(skeleton.COMMON_INDEX)].sum() >= 8 for drawing in drawings)
    truth = [drawing.keypoints for drawing in drawings]
    scores = evaluate.score(drawings, truth, FULL * len(drawings))
    assert (scores.ap, scores.mean_oks, scores.pck01) == pytest.approx((1, 1, 1))


@needs_shared
def test_swapping_all_arms_of_the_shared_drawings_hurts_only_clear_ones():
    drawings = evaluate.load_drawings(SHARED)
    for group, check in ((True, math.isclose), (False, lambda a, b: a < 0.9 * b)):
        some = [drawing for drawing in drawings if drawing.ambiguous is group]
        answers = [_swap(drawing.keypoints, skeleton.ARMS) for drawing in some]
        assert check(evaluate.score(some, answers, FULL * len(some)).ap, 1.0)


def test_annotations_elsewhere_are_one_plain_sentence(tmp_path):
    with pytest.raises(UserError, match="no keypoints.json"):
        evaluate.load_drawings(tmp_path)
    (tmp_path / "keypoints.json").write_text(json.dumps({"images": []}))
    with pytest.raises(UserError, match="not in COCO's keypoint format"):
        evaluate.load_drawings(tmp_path)
