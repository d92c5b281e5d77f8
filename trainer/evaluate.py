"""How well keypoints are found: OKS average precision, PCK and mean OKS on annotated drawings.

Everything is measured on the 12 common joints. Where an annotation says that a drawing does not
tell left from right, the best of four readings counts: as it is, arms swapped, legs swapped, both.
How far the figures may be trusted on so few drawings is said by a bootstrap over the drawings.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from addon.core import image, skeleton
from addon.core.errors import UserError
from addon.core.estimator import SHIPPED, Estimator, FigureView
from addon.core.files import write_whole

from . import heatmaps
from .inference import open_decoder, open_estimator

FloatArray = NDArray[np.floating]

AREA_SHARE = 0.53
"""A figure's area as a share of its box, in every OKS here (mean of COCO's persons)."""

_COCO_SIGMAS = {
    "Arm": 0.079,
    "ForeArm": 0.072,
    "Hand": 0.062,
    "UpLeg": 0.107,
    "Leg": 0.087,
    "Foot": 0.089,
}
SIGMAS = np.array([_COCO_SIGMAS[skeleton.without_side(name)] for name in skeleton.COMMON])
"""``[12]`` COCO's constants of the common joints: shoulder, elbow, wrist, hip, knee, ankle."""

RESAMPLES = 1000
"""Samples of the bootstrap."""

_COMMON = list(skeleton.COMMON_INDEX)


@dataclass(frozen=True)
class Drawing:
    """An annotated drawing.

    Attributes:
        path: of the picture.
        source: the collection that it comes from.
        box: the figure, pixels.
        keypoints: ``[23, 2]`` pixels.
        labelled: ``[23]`` bool.
        ambiguous: the drawing does not tell left from right.
    """

    path: Path
    source: str
    box: image.Box
    keypoints: FloatArray
    labelled: NDArray[np.bool_]
    ambiguous: bool = False


@dataclass(frozen=True)
class Scores:
    """Figures over some drawings; PCK@a: share of joints within ``a`` x the box's longer side."""

    drawings: int
    ap: float
    ap50: float
    ap75: float
    mean_oks: float
    pck01: float
    pck02: float


def load_drawings(folder: Path) -> list[Drawing]:
    """The drawings of a folder: ``images/`` and, in COCO's format, ``keypoints.json``.

    Raises:
        UserError: no annotations there, or not in COCO's keypoint format.
    """
    path = folder / "keypoints.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        names = data["categories"][0]["keypoints"]
        # The labelling that knows the most of the names is theirs.
        labelling = max(
            skeleton.LABELLINGS, key=lambda key: len(skeleton.LABELLINGS[key].keys() & set(names))
        )
        pictures = {picture["id"]: picture for picture in data["images"]}
        drawings = []
        for one in data["annotations"]:
            picture = pictures[one["image_id"]]
            rows = np.array(one["keypoints"], dtype=np.float64).reshape(-1, 3)
            rows = skeleton.from_labelling(rows, names, labelling)
            drawings.append(
                Drawing(
                    path=folder / "images" / picture["file_name"],
                    source=str(picture.get("source", folder.name)),
                    box=image.Box(*one["bbox"]),
                    keypoints=rows[:, :2],
                    labelled=rows[:, 2] > 0,
                    ambiguous=bool(one.get("lr_ambiguous", False)),
                )
            )
    except OSError as error:
        raise UserError(f"There is no keypoints.json in {folder}.") from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise UserError(f"{path} is not in COCO's keypoint format.") from error
    if not drawings:
        raise UserError(f"{path} holds no annotation.")
    return drawings


def oks(keypoints: FloatArray, drawing: Drawing) -> float:
    """Object keypoint similarity: mean over the joints of ``exp(-d^2 / (2 area (2 sigma)^2))``.

    Args:
        keypoints: ``[23, 2]`` pixels; only the 12 common joints count.
        drawing: the truth.
    """
    labelled = drawing.labelled[_COMMON]
    if not labelled.any():
        return 0.0
    squared = ((keypoints - drawing.keypoints)[_COMMON] ** 2).sum(axis=1)
    exponent = squared / (2 * AREA_SHARE * drawing.box.area * (2 * SIGMAS) ** 2)
    return float(np.exp(-exponent)[labelled].mean())


def _swapped(*limbs: tuple[str, ...]) -> list[int]:
    """Rows of the keypoints with the sides of some joints exchanged."""
    names = {name for limb in limbs for name in limb}
    return [
        skeleton.FLIP[row] if name in names else row for row, name in enumerate(skeleton.KEYPOINTS)
    ]


READINGS = tuple(
    _swapped(*limbs)
    for limbs in ((), (skeleton.ARMS,), (skeleton.LEGS,), (skeleton.ARMS, skeleton.LEGS))
)
"""Row orders of the four readings of an ambiguous drawing; the first is as it is."""


def best_reading(keypoints: FloatArray, drawing: Drawing) -> FloatArray:
    """The keypoints with the sides that suit an ambiguous drawing best; else unchanged."""
    if not drawing.ambiguous:
        return keypoints
    return max((keypoints[rows] for rows in READINGS), key=lambda one: oks(one, drawing))


class Matches:
    """Drawings and answers, matched once by pycocotools; the AP of any sample of them.

    Args:
        drawings: one annotated figure each.
        keypoints: ``[23, 2]`` pixels for each drawing, in its best reading.
        scores: one per drawing; they rank the answers.

    Raises:
        UserError: pycocotools is not installed.
    """

    def __init__(
        self,
        drawings: Sequence[Drawing],
        keypoints: Sequence[FloatArray],
        scores: Sequence[float] | FloatArray,
    ) -> None:
        try:
            from pycocotools.coco import COCO
            from pycocotools.cocoeval import COCOeval
        except ImportError as error:
            raise UserError(
                "Average precision needs pycocotools: pip install pycocotools."
            ) from error
        truth, found = self._annotations(drawings, keypoints, scores)
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
            gt: Any = COCO()
            gt.dataset = {
                "info": {},
                "images": [{"id": i} for i in range(1, len(drawings) + 1)],
                "annotations": truth,
                "categories": [{"id": 1, "name": "person"}],
            }
            gt.createIndex()
            result: Any = COCO()
            result.dataset = {**gt.dataset, "annotations": found}
            result.createIndex()
            self._evaluation: Any = COCOeval(gt, result, "keypoints")
            self._evaluation.params.kpt_oks_sigmas = SIGMAS
            # COCO leaves small figures out of its average, and has averages of sizes.
            self._evaluation.params.areaRng = [[0, 1e10]]
            self._evaluation.params.areaRngLbl = ["all"]
            self._evaluation.evaluate()
        self._matches = self._evaluation.evalImgs  # one category, one range of areas: by drawing

    @staticmethod
    def _annotations(
        drawings: Sequence[Drawing],
        keypoints: Sequence[FloatArray],
        scores: Sequence[float] | FloatArray,
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Truth and answers as COCO has them."""

        def flat(points: FloatArray, visible: NDArray[np.bool_]) -> list[float]:
            return np.column_stack([points, 2 * visible])[_COMMON].ravel().tolist()

        truth, found = [], []
        for i, (drawing, points) in enumerate(zip(drawings, keypoints, strict=True), start=1):
            common = {"id": i, "image_id": i, "category_id": 1, "bbox": list(drawing.box)}
            common["area"] = AREA_SHARE * drawing.box.area
            labelled = int(drawing.labelled[_COMMON].sum())
            visible = flat(drawing.keypoints, drawing.labelled)
            truth.append({**common, "iscrowd": 0, "keypoints": visible, "num_keypoints": labelled})
            everywhere = flat(points, np.ones(skeleton.COUNT, dtype=bool))
            found.append({**common, "score": float(scores[i - 1]), "keypoints": everywhere})
        return truth, found

    def precision(self, rows: Iterable[int] | None = None) -> tuple[float, float, float]:
        """COCO's AP over OKS .50:.05:.95, AP50 and AP75.

        Args:
            rows: of the drawings that count, each as often as it occurs; None for all once.
        """
        chosen = self._matches if rows is None else [self._matches[row] for row in rows]
        self._evaluation.evalImgs = chosen
        self._evaluation.params.imgIds = list(range(1, len(chosen) + 1))
        self._evaluation._paramsEval.imgIds = self._evaluation.params.imgIds
        with contextlib.redirect_stdout(io.StringIO()):
            self._evaluation.accumulate()
        at = self._evaluation.eval["precision"][:, :, 0, 0, 0].mean(axis=1)  # per OKS threshold
        return float(at.mean()), float(at[0]), float(at[5])


def average_precision(
    drawings: Sequence[Drawing], keypoints: Sequence[FloatArray], scores: Sequence[float]
) -> tuple[float, float, float]:
    """AP, AP50 and AP75 of some answers, see :class:`Matches`."""
    return Matches(drawings, keypoints, scores).precision()


def score(
    drawings: Sequence[Drawing], keypoints: Sequence[FloatArray], scores: Sequence[FloatArray]
) -> Scores:
    """All figures of merit.

    Args:
        drawings: the truth.
        keypoints: ``[23, 2]`` pixels for each drawing.
        scores: ``[23]`` for each; a figure's score is the mean over the common joints.

    Raises:
        UserError: pycocotools is not installed.
    """
    read = [best_reading(points, one) for points, one in zip(keypoints, drawings, strict=True)]
    similarity = [oks(points, one) for points, one in zip(read, drawings, strict=True)]
    ap, ap50, ap75 = average_precision(
        drawings, read, [float(one[_COMMON].mean()) for one in scores]
    )
    return Scores(
        drawings=len(drawings),
        ap=ap,
        ap50=ap50,
        ap75=ap75,
        mean_oks=float(np.mean(similarity)),
        pck01=pck(read, drawings, 0.1),
        pck02=pck(read, drawings, 0.2),
    )


def pck(keypoints: Sequence[FloatArray], drawings: Sequence[Drawing], share: float) -> float:
    """Share of labelled common joints within ``share`` x the longer side of the figure's box."""
    correct = []
    for points, drawing in zip(keypoints, drawings, strict=True):
        distance = np.linalg.norm((points - drawing.keypoints)[_COMMON], axis=1)
        limit = share * max(drawing.box.width, drawing.box.height)
        correct.append((distance < limit)[drawing.labelled[_COMMON]])
    return float(np.concatenate(correct).mean())


@dataclass(frozen=True)
class Seen:
    """What a network makes of a drawing before it is decoded.

    Attributes:
        view: of the figure.
        logits: ``[23, S / 4, S / 4]``.
    """

    view: FigureView
    logits: FloatArray


def see_drawings(
    estimator: Estimator, drawings: Sequence[Drawing], ink_boxes: bool = False, flip: bool = True
) -> list[Seen | None]:
    """The heatmaps of each drawing; None for a page on which nothing is found.

    Args:
        estimator: the network.
        drawings: their annotations are used for the boxes only.
        ink_boxes: look for the figure in the ink, as the add-on does, and not at the true box.
        flip: average with the mirror image.
    """
    seen: list[Seen | None] = []
    for drawing in drawings:
        grey = image.load_grey(drawing.path)
        try:
            view = estimator.view(grey, None if ink_boxes else drawing.box)
        except UserError:
            seen.append(None)
        else:
            seen.append(Seen(view, estimator.heatmaps(view.network_input, flip)))
    return seen


def read_keypoints(
    seen: Sequence[Seen | None], decode: heatmaps.Decoder
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Keypoints ``[23, 2]``, pixels, and scores ``[23]`` of each drawing.

    Nothing found counts as an answer at the page's corner with score 0.

    Args:
        seen: see :func:`see_drawings`.
        decode: heatmaps to keypoints.
    """
    keypoints, scores = [], []
    for one in seen:
        if one is None:
            keypoints.append(np.zeros((skeleton.COUNT, 2)))
            scores.append(np.zeros(skeleton.COUNT))
        else:
            points, score = decode(torch.from_numpy(one.logits)[None])
            keypoints.append(one.view.to_picture(points[0].numpy()))
            scores.append(score[0].numpy())
    return keypoints, scores


def predict_drawings(
    estimator: Estimator,
    drawings: Sequence[Drawing],
    ink_boxes: bool = False,
    flip: bool = True,
    decoder: str = "figure",
) -> tuple[list[FloatArray], list[FloatArray]]:
    """:func:`see_drawings`, then :func:`read_keypoints` with a decoder by its name."""
    seen = see_drawings(estimator, drawings, ink_boxes, flip)
    return read_keypoints(seen, open_decoder(estimator, decoder))


def compare_decoders(
    estimator: Estimator, drawings: Sequence[Drawing], ink_boxes: bool = False
) -> dict[str, Scores]:
    """Scores over all drawings by decoder, without and with the flip test (``NAME + flip``)."""
    table = {}
    for flip, suffix in ((False, ""), (True, " + flip")):
        seen = see_drawings(estimator, drawings, ink_boxes, flip)
        for name in heatmaps.DECODERS:
            answers = read_keypoints(seen, open_decoder(estimator, name))
            table[name + suffix] = score(drawings, *answers)
    return table


def by_source(drawings: Sequence[Drawing]) -> dict[str, list[int]]:
    """Source -> the rows of its drawings, sources in alphabetical order."""
    return {
        source: [row for row, drawing in enumerate(drawings) if drawing.source == source]
        for source in sorted({drawing.source for drawing in drawings})
    }


@dataclass(frozen=True)
class JointScores:
    """AP of a joint as if it were the only one, and the share within 0.1 x the longer side."""

    ap: float
    pck01: float


@dataclass(frozen=True)
class Report:
    """All that is known of a network's answers.

    Attributes:
        scores: by source; ``"all"`` comes first.
        macro_ap: mean of the sources' AP: one large source does not outweigh the others.
        samples: by source, ``"all"`` and ``"macro"``: ``[R]`` AP of the bootstrap's samples.
        joints: by the common joints' names, without those that no drawing has labelled.
        oks: ``[N]`` of each drawing in its best reading.
    """

    scores: dict[str, Scores]
    macro_ap: float
    samples: dict[str, FloatArray]
    joints: dict[str, JointScores]
    oks: FloatArray

    def interval(self, name: str) -> tuple[float, float] | None:
        """95 % interval of an AP, by name as in ``samples``; None without a bootstrap."""
        return interval(self.samples[name])


def interval(samples: FloatArray) -> tuple[float, float] | None:
    """The middle 95 % of a bootstrap's samples (the percentile method); None without samples."""
    if not samples.size:
        return None
    low, high = np.percentile(samples, (2.5, 97.5))
    return float(low), float(high)


def assess(
    drawings: Sequence[Drawing],
    keypoints: Sequence[FloatArray],
    scores: Sequence[FloatArray],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Report:
    """Score answers by source and by joint, with a bootstrap over the drawings (Efron, 1979).

    Drawings are drawn with replacement among all, and among those of each source for the source's
    own interval; the macro mean is taken over the latter. The same seed draws the same drawings
    whatever the answers: two networks' samples may be subtracted from each other.

    Args:
        drawings: the truth.
        keypoints: ``[23, 2]`` pixels for each drawing.
        scores: ``[23]`` for each.
        resamples: size of the bootstrap; 0 leaves it out.
        seed: of the bootstrap.

    Raises:
        UserError: pycocotools is not installed.
    """
    groups = {"all": list(range(len(drawings))), **by_source(drawings)}
    read = [best_reading(points, one) for points, one in zip(keypoints, drawings, strict=True)]
    figure_scores = [float(one[_COMMON].mean()) for one in scores]
    matches = Matches(drawings, read, figure_scores)
    table, samples = {}, {}
    for number, (name, rows) in enumerate(groups.items()):
        some, points = [drawings[i] for i in rows], [read[i] for i in rows]
        table[name] = score(some, points, [scores[i] for i in rows])
        rng = np.random.default_rng((seed, number))
        draws = rng.choice(rows, (resamples, len(rows)))
        samples[name] = np.array([matches.precision(draw)[0] for draw in draws])
    sources = [name for name in groups if name != "all"]
    samples["macro"] = np.mean([samples[name] for name in sources], axis=0)
    return Report(
        scores=table,
        macro_ap=float(np.mean([table[name].ap for name in sources])),
        samples=samples,
        joints=_by_joint(drawings, read, figure_scores),
        oks=np.array([oks(points, one) for points, one in zip(read, drawings, strict=True)]),
    )


def _by_joint(
    drawings: Sequence[Drawing], read: Sequence[FloatArray], figure_scores: Sequence[float]
) -> dict[str, JointScores]:
    result = {}
    for joint, name in zip(_COMMON, skeleton.COMMON, strict=True):
        rows = [row for row, drawing in enumerate(drawings) if drawing.labelled[joint]]
        if not rows:
            continue
        only = np.arange(skeleton.COUNT) == joint
        alone = [replace(drawings[row], labelled=only) for row in rows]
        answers = [read[row] for row in rows]
        ap, _, _ = average_precision(alone, answers, [figure_scores[row] for row in rows])
        result[name] = JointScores(ap, pck(answers, alone, 0.1))
    return result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m trainer evaluate``."""
    parser.add_argument("--model", type=Path, default=SHIPPED, help=".onnx file or checkpoint")
    parser.add_argument(
        "--drawings", type=Path, required=True, help="folder with images/ and keypoints.json"
    )
    parser.add_argument(
        "--boxes", choices=("gt", "ink"), default="gt", help="true boxes, or found in the ink"
    )
    parser.add_argument(
        "--no-flip",
        dest="flip",
        action="store_false",
        help="do not average with the mirror image: half the time, less precise",
    )
    parser.add_argument(
        "--decoder",
        choices=(*heatmaps.DECODERS, "all"),
        default="figure",
        help="figure: as the add-on; window: each joint's mean around the maximum; quarter: the "
        "maximum and a quarter of a cell; dark: a Newton step from the maximum; all: one table of "
        "them, without and with the mirror image (default: %(default)s)",
    )
    parser.add_argument(
        "--batch-norm-of",
        type=Path,
        metavar="DIR",
        help="a checkpoint takes on the batch statistics of the drawings in this folder (AdaBN)",
    )
    parser.add_argument("--device", default="cpu", help="for checkpoints: cpu, cuda")
    parser.add_argument(
        "--resamples",
        type=int,
        default=RESAMPLES,
        help="of the drawings, for the 95 %% intervals; 0 for none (default: %(default)s)",
    )
    parser.add_argument(
        "--worst", type=int, default=0, metavar="N", help="list the N drawings of lowest OKS"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")


def main(arguments: argparse.Namespace) -> None:
    """Print tables of scores per source and per joint."""
    drawings = load_drawings(arguments.drawings)
    estimator = open_estimator(arguments.model, arguments.device, arguments.batch_norm_of)
    ink_boxes = arguments.boxes == "ink"
    if arguments.decoder == "all":
        table = compare_decoders(estimator, drawings, ink_boxes)
        print("\n".join(_table(table)))
        if arguments.json:
            rows = {name: asdict(one) for name, one in table.items()}
            facts = {"model": arguments.model.name, "boxes": arguments.boxes, "decoders": rows}
            _write_json(arguments.json, facts)
        return
    started = time.perf_counter()
    answers = predict_drawings(estimator, drawings, ink_boxes, arguments.flip, arguments.decoder)
    seconds = (time.perf_counter() - started) / len(drawings)
    report = assess(drawings, *answers, resamples=arguments.resamples)
    print("\n".join(_lines(report)))
    print(
        f"12 joints, {arguments.boxes} boxes; PCK: share of the box's longer side; "
        f"{seconds * 1000:.0f} ms a drawing"
    )
    worst = np.argsort(report.oks, kind="stable")[: arguments.worst]
    if len(worst):
        print("\nLowest OKS")
    for row in worst:
        print(f"  {report.oks[row]:.3f}  {drawings[row].path.name}")
    if arguments.json:
        facts = {
            "model": arguments.model.name,
            "boxes": arguments.boxes,
            "flip": arguments.flip,
            "decoder": arguments.decoder,
            "seconds_per_drawing": round(seconds, 4),
            **as_json(report, drawings),
        }
        _write_json(arguments.json, facts)


def _write_json(path: Path, facts: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(facts, indent=2) + "\n").encode())


def _table(scores: dict[str, Scores], width: int = 0) -> list[str]:
    """A heading and a line for each name, which takes at least so many characters."""
    width = max(width, *map(len, scores))
    lines = [f"{'':{width}}  drawings     AP   AP50   AP75    OKS  PCK@0.1  PCK@0.2"]
    for name, one in scores.items():
        lines.append(
            f"{name:{width}}  {one.drawings:8d}  {one.ap:.3f}  {one.ap50:.3f}  {one.ap75:.3f}"
            f"  {one.mean_oks:.3f}    {one.pck01:.3f}    {one.pck02:.3f}"
        )
    return lines


def _lines(report: Report) -> list[str]:
    """The tables of scores as text."""
    width = max(map(len, [*report.scores, *report.joints]))

    def between(name: str) -> str:
        limits = report.interval(name)
        return "" if limits is None else f"  {limits[0]:.3f}-{limits[1]:.3f}"

    title = "" if report.interval("all") is None else "  AP 95 %"
    head, *rows = _table(report.scores, width)
    lines = [head + title]
    lines += [row + between(name) for row, name in zip(rows, report.scores, strict=True)]
    lines.append(f"{'macro mean':{width}}  {'':8}  {report.macro_ap:.3f}{'':39}{between('macro')}")
    lines += ["", f"{'':{width}}     AP  PCK@0.1"]
    lines += [
        f"{name:{width}}  {one.ap:.3f}    {one.pck01:.3f}" for name, one in report.joints.items()
    ]
    return lines


def as_json(report: Report, drawings: Sequence[Drawing]) -> dict[str, Any]:
    """A report as plain values: scores, intervals (None without a bootstrap), OKS by drawing."""
    return {
        "scores": {name: asdict(one) for name, one in report.scores.items()},
        "macro_ap": report.macro_ap,
        "ap_95": {name: report.interval(name) for name in report.samples},
        "joints": {name: asdict(one) for name, one in report.joints.items()},
        "drawings": [
            {"file_name": drawing.path.name, "source": drawing.source, "oks": round(float(one), 4)}
            for drawing, one in zip(drawings, report.oks, strict=True)
        ],
    }
