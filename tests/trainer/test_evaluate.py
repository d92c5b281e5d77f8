import argparse
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


def _some(count: int, source: str, right: float) -> tuple[list, list, list]:
    """Drawings of a source, and answers of which the share ``right`` is exact and sure."""
    drawings = [replace(_drawing(), source=source) for _ in range(count)]
    exact = [i < round(right * count) for i in range(count)]
    answers = [
        drawing.keypoints + 90 * (not good) for drawing, good in zip(drawings, exact, strict=True)
    ]
    scores = [np.full(skeleton.COUNT, 0.9 if good else 0.1) for good in exact]
    return drawings, answers, scores


def test_the_macro_mean_weighs_small_sources_like_large_ones():
    parts = [_some(30, "large", 1.0), _some(5, "small", 0.2)]
    report = evaluate.assess(*(large + small for large, small in zip(*parts, strict=True)))
    assert list(report.scores) == ["all", "large", "small"]
    small = report.scores["small"].ap
    assert report.scores["large"].ap == pytest.approx(1) and small < 0.25
    assert report.macro_ap == pytest.approx((1 + small) / 2)
    assert report.scores["all"].ap > 0.85


def test_the_interval_holds_the_ap_and_narrows_with_the_number_of_drawings():
    few = evaluate.assess(*_some(20, "a", 0.5))
    many = evaluate.assess(*_some(180, "a", 0.5))
    widths = []
    for report in (few, many):
        limits = report.interval("all")
        assert limits is not None and limits[0] < report.scores["all"].ap < limits[1]
        widths.append(limits[1] - limits[0])
    # The mean of n answers that are right half of the time spreads by .5 / sqrt(n).
    assert widths[0] == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(20), rel=0.2)
    assert widths[1] == pytest.approx(widths[0] / 3, rel=0.25)


def test_the_same_seed_draws_the_same_drawings_whatever_the_answers():
    drawings, answers, scores = _some(40, "a", 0.5)
    first, again, other = (
        evaluate.assess(drawings, answers, scores, 50, seed).samples["all"] for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    worse = [points + 4 for points in answers]
    paired = first - evaluate.assess(drawings, worse, scores, 50).samples["all"]
    assert (paired >= 0).all() and paired.std() < first.std()


def test_precision_of_a_sample_is_that_of_its_drawings_alone():
    drawings, answers, scores = _some(10, "a", 0.6)
    means = [float(one.mean()) for one in scores]
    rows = [0, 2, 2, 9]
    sampled = evaluate.Matches(drawings, answers, means).precision(rows)
    alone = evaluate.average_precision(
        [drawings[row] for row in rows],
        [answers[row] for row in rows],
        [means[row] for row in rows],
    )
    assert sampled == pytest.approx(alone)


def test_each_joint_is_scored_as_if_it_were_the_only_one():
    drawing = _drawing()
    no_foot = drawing.labelled.copy()
    no_foot[skeleton.INDEX["LeftFoot"]] = False
    drawing = replace(drawing, labelled=no_foot)
    report = evaluate.assess([drawing], [_moved(drawing, "LeftHand", 11)], FULL, resamples=0)
    # exp(-121 / (2 * 5300 * 0.124^2)) = 0.476: below every threshold.
    assert report.joints["LeftHand"] == evaluate.JointScores(0, 0)
    right = report.joints["RightHand"]
    assert (right.ap, right.pck01) == pytest.approx((1, 1))
    assert len(report.joints) == 11 and report.interval("all") is None


def test_the_command_lists_the_worst_drawings_and_writes_json(tmp_path, monkeypatch, capsys):
    drawings, answers, scores = _some(3, "a", 0.7)
    named = [replace(one, path=Path(f"{i}.png")) for i, one in enumerate(drawings)]
    monkeypatch.setattr(evaluate, "load_drawings", lambda folder: named)
    monkeypatch.setattr(evaluate, "open_estimator", lambda *arguments: None)
    monkeypatch.setattr(evaluate, "predict_drawings", lambda *arguments, **more: (answers, scores))
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    file = tmp_path / "new" / "report.json"
    evaluate.main(parser.parse_args(["--drawings", ".", "--worst", "1", "--json", str(file)]))
    printed = capsys.readouterr().out
    assert "2.png" in printed and "0.png" not in printed and "macro mean" in printed
    report = json.loads(file.read_text())
    assert report["drawings"][2]["oks"] < 0.01 < report["drawings"][0]["oks"]
    assert report["ap_95"]["all"][0] <= report["scores"]["all"]["ap"] <= report["ap_95"]["all"][1]
