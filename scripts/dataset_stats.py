"""Say what a dataset holds and whether its labels are sane.

python scripts/dataset_stats.py out/dataset --sheet sheet.png --json stats.json

Counts, coverage of views and joint angles, figure sizes, duplicates, and a check of every label
against the others. Clips are read one by one: memory grows by 8 bytes a drawing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import sys
from array import array
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
from numpy.typing import NDArray

from addon.core import rle, skeleton
from addon.core.dataset import MAPS
from addon.core.errors import UserError
from addon.core.files import write_whole
from addon.core.folder import Clip, Entry, Folder
from addon.core.rotations import unit
from addon.core.sheet import contact_sheet
from scripts._common import run

FloatArray = NDArray[np.float64]
Row = dict[str, int]

NEAR_DEGREES = 6.0
"""Two figures are near-equal if none of :data:`SEGMENTS` differs by more, as the camera sees it."""

SAMPLE = 4096
"""Figures kept to estimate how many near-equal ones other clips hold."""

REACH = 0.03
"""How far outside its mask a joint that is seen may lie, as a share of the picture's side: bones
end a little outside the flesh (the head's top, toes)."""

STRAY_LIMIT = 0.05
"""Share of the seen keypoints that may lie further outside before the labels count as wrong."""

BOX_SLACK = 1.5
"""How far a mask may reach out of its box, pixels."""

AREA_SLACK = 1.05
"""How much larger than the silhouette's area a mask may be: redrawn datasets round both."""

OFF_LIMIT = 0.5
"""How far 3D joints may re-project from the keypoints, pixels."""

SEGMENTS = (
    ("Hips", "Neck"),
    ("Neck", "HeadTop_End"),
    ("RightArm", "LeftArm"),
    ("RightUpLeg", "LeftUpLeg"),
    *(
        (side + start, side + end)
        for side in ("Left", "Right")
        for start, end in (
            ("Arm", "ForeArm"),
            ("ForeArm", "Hand"),
            ("UpLeg", "Leg"),
            ("Leg", "Foot"),
        )
    ),
)
"""The directions that make a pose, seen from somewhere."""

AZIMUTHS = np.arange(-180, 181, 30)
ELEVATIONS = np.arange(-90, 91, 30)
ANGLES = np.arange(-180, 181, 20)
SIZES = np.linspace(0, 1, 11)
_EXAMPLES = 5


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="dataset_stats.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("folder", type=Path, metavar="FOLDER", help="the dataset")
    add("--sheet", type=Path, metavar="FILE", help="write a contact sheet with all labels (PNG)")
    add("--json", type=Path, metavar="FILE", help="also write the figures here")
    return result


def main(arguments: list[str]) -> None:
    """Read, print, and end with status 2 if something is wrong with the dataset."""
    options = parser().parse_args(arguments)
    folder = Folder(options.folder)
    names = folder.clips()
    stats = Stats(folder)
    for number, name in enumerate(names, 1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(names)} clips", end="", file=sys.stderr, flush=True)
        stats.add(name)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    report = stats.report()
    print(table(report))
    if options.json:
        write_whole(options.json, json.dumps(report, indent=1).encode())
    sentences = stats.problems.sentences()
    if options.sheet:
        try:
            _, code = cv2.imencode(".png", contact_sheet(options.folder))
        except UserError as error:
            sentences.append(f"The contact sheet cannot be drawn: {error}")
        else:
            write_whole(options.sheet, code.tobytes())
    if sentences:
        raise UserError("\n".join(sentences))


class Problems:
    """What is wrong with a dataset: how often, and where for the first few times."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.places: dict[str, list[str]] = {}

    def add(self, what: str, where: str) -> None:
        """Note that ``what`` is wrong at ``where``."""
        self.counts[what] += 1
        places = self.places.setdefault(what, [])
        if len(places) < _EXAMPLES:
            places.append(where)

    def sentences(self) -> list[str]:
        """One sentence a kind."""
        result = []
        for what, count in self.counts.items():
            more = ", ..." if count > len(self.places[what]) else ""
            result.append(f"{what}: {count} times ({', '.join(self.places[what])}{more}).")
        return result


class Stats:
    """The figures of a dataset, gathered clip by clip with :meth:`add`."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.problems = Problems()
        self.clips = self.views = self.figures = 0
        self.counts: dict[str, Counter[str]] = {
            name: Counter()
            for name in ("splits", "styles", "inks", "characters", "animations", "figures_a_view")
        }
        self.split_of: dict[str, str] = {}
        self.coverage = Coverage()
        self.pictures = Pictures()
        self.labels = Labels(self.problems)
        self.sizes = np.zeros(len(SIZES) - 1, np.int64)

    def add(self, name: str) -> None:
        """Count a clip and check its labels. What is wrong goes to :attr:`problems`."""
        try:
            clip = self.folder.clip(name)
        except UserError as error:
            self.problems.add(str(error).rstrip("."), f"clips/{name}.json")
            return
        self.clips += 1
        self.pictures.begin(name)
        for image, figures in clip.views:
            self._count(image, figures)
            self._pictures(clip, image)
            for figure in figures:
                self.labels.add(image, figure, self.folder.labels)
        try:
            self._records(clip)
        except UserError as error:
            self.problems.add(str(error).rstrip("."), name)

    def _count(self, image: Entry, figures: list[Entry]) -> None:
        self.views += 1
        self.figures += len(figures)
        self.counts["splits"][image["split"]] += 1
        self.counts["styles"][image["style"]] += 1
        self.counts["inks"][image["ink"]["preset"] if "ink" in image else "no picture"] += 1
        self.counts["figures_a_view"][str(len(figures))] += 1
        for figure in figures:
            self.counts["characters"][figure["character"]] += 1
            self.counts["animations"][figure["animation"]] += 1
            side = max(figure["bbox"][2:]) / max(image["width"], image["height"])
            self.sizes[min(int(max(side, 0) * len(self.sizes)), len(self.sizes) - 1)] += 1
            split = self.split_of.setdefault(figure["character"], image["split"])
            if split != image["split"]:
                self.problems.add(
                    f"The character {figure['character']} stands in two splits", image["file_name"]
                )

    def _pictures(self, clip: Clip, image: Entry) -> None:
        """Whether a drawing's files are there, whole and of its size."""
        for label in ("images", *MAPS):
            if label != "images" and label not in self.folder.labels:
                continue
            if label == "images" and not self.folder.about.get("images", True):
                continue
            path = clip.picture_path(image, label)
            where = str(path.relative_to(self.folder.path))
            try:
                data = path.read_bytes()
            except OSError:
                self.problems.add("A picture is missing", where)
                continue
            if png_size(data) is None:
                self.problems.add("A picture is no whole PNG", where)
            elif png_size(data) != (image["width"], image["height"]):
                self.problems.add("A picture has another size than its entry says", where)
            if label == "images":
                self.pictures.add(data)

    def _records(self, clip: Clip) -> None:
        """A clip's 3D joints and strokes, held against its annotations."""
        drawn = {
            (image["frame"], image["camera"], figure["figure"]): figure
            for image, figures in clip.views
            for figure in figures
        }
        for label, rows in (("3d", clip.joint_rows), ("strokes", clip.stroke_rows)):
            if label in self.folder.labels and set(rows) != set(drawn):
                file = "joints" if label == "3d" else label
                self.problems.add(
                    "A record does not hold the figures of its clip", f"{file}/{clip.name}.npz"
                )
        joints, strokes = clip.joints, clip.strokes
        if joints is not None:
            rows, seen, parallel = clip.joint_rows, joints.camera_space, joints.orthographic
            self.coverage.heights(joints.extrinsics)
            self.labels.project(clip, drawn)
        elif strokes is not None:
            rows, seen = clip.stroke_rows, strokes.joints
            parallel = np.zeros(len(seen), bool)
        else:
            return
        if not np.isfinite(seen).all():
            self.problems.add("A joint has no place", clip.name)
            return
        order = [row for key, row in rows.items() if key in drawn]
        who = [drawn[key]["character"] for key in rows if key in drawn]
        self.coverage.add(seen[order].astype(np.float64), parallel[order], who)

    def report(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        self._whole()
        return {
            "dataset": str(self.folder.path),
            "labels": list(self.folder.labels),
            "clips": self.clips,
            "views": self.views,
            "figures": self.figures,
            **{name: dict(counter.most_common()) for name, counter in self.counts.items()},
            "figure_sizes": histogram(SIZES, self.sizes),
            **self.coverage.report(),
            "duplicates": {
                "pictures": self.pictures.duplicates(),
                **self.coverage.duplicates(),
            },
            "checks": self.labels.report(),
            "failed": self._failed(),
            "problems": dict(self.problems.counts),
        }

    def _whole(self) -> None:
        """What concerns the dataset as a whole."""
        if not (self.folder.path / "annotations.json").exists():
            self.problems.add(
                "The clips are not gathered yet; let render_dataset.py end", "annotations.json"
            )
        if (share := self.labels.stray_share) > STRAY_LIMIT:
            self.problems.add(
                f"{share:.1%} of the keypoints marked seen lie outside their masks", "clips"
            )

    def _failed(self) -> list[Any]:
        try:
            failed = json.loads((self.folder.path / "failed.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError):
            self.problems.add("A file cannot be read", "failed.json")
            return []
        return failed if isinstance(failed, list) else [failed]


# --------------------------------------------------------------------------------------------------
# Poses and views


class Coverage:
    """From where figures are seen, how their joints are bent, and how many are near-equal."""

    def __init__(self) -> None:
        self.figures = 0
        self.views = np.zeros((len(ELEVATIONS) - 1, len(AZIMUTHS) - 1), np.int64)
        self.cameras = np.zeros(len(ELEVATIONS) - 1, np.int64)
        self.angles = {
            name: np.zeros(len(ANGLES) - 1, np.int64)
            for name in ("elbow", "knee", "hip", "shoulder")
        }
        self.repeated = 0
        self._clips = 0
        self._characters: dict[str, int] = {}
        self._rng = np.random.default_rng(0)
        self._sample = np.zeros((SAMPLE, len(SEGMENTS), 3), np.float32)
        self._source = np.zeros((SAMPLE, 2), np.int64)  # clip and character of each

    def add(self, joints: FloatArray, parallel: NDArray[np.bool_], characters: list[str]) -> None:
        """Count the figures of a clip.

        Args:
            joints: ``[N, 23, 3]`` metres, camera space.
            parallel: ``[N]`` whether the camera is orthographic.
            characters: of each figure.
        """
        azimuth, elevation = view_angles(joints, parallel)
        self.views += np.histogram2d(elevation, azimuth, (ELEVATIONS, AZIMUTHS))[0].astype(np.int64)
        for name, values in joint_angles(joints).items():
            self.angles[name] += np.histogram(values[np.isfinite(values)], ANGLES)[0]
        directions = pose_directions(joints)
        self.repeated += int(repeats(directions).sum())
        numbers = [self._characters.setdefault(c, len(self._characters)) for c in characters]
        self._keep(directions, np.array(numbers, np.int64))
        self.figures += len(joints)
        self._clips += 1

    def heights(self, extrinsics: FloatArray) -> None:
        """Count cameras ``[N, 3, 4]`` by how far they look down on the scene."""
        down = -extrinsics[:, 2, 2]  # the camera's axis is the third row, world Z its third column
        degrees = np.degrees(np.arcsin(np.clip(down, -1, 1)))
        self.cameras += np.histogram(degrees, ELEVATIONS)[0]

    def _keep(self, directions: NDArray[np.float32], characters: NDArray[np.int64]) -> None:
        """A uniform sample of all figures so far (algorithm R, Vitter 1985)."""
        seen = self.figures + np.arange(len(directions))
        place = np.where(seen < SAMPLE, seen, self._rng.integers(0, seen + 1))
        kept = place < SAMPLE
        self._sample[place[kept]] = directions[kept]
        self._source[place[kept], 0] = self._clips
        self._source[place[kept], 1] = characters[kept]

    def report(self) -> dict[str, Any]:
        """The histograms."""
        return {
            "posed_figures": self.figures,
            "view_coverage": {
                "azimuth_from": AZIMUTHS[:-1].tolist(),
                "elevation_from": ELEVATIONS[:-1].tolist(),
                "counts": self.views.tolist(),
            },
            "camera_elevation": histogram(ELEVATIONS, self.cameras),
            "joint_angles": {n: histogram(ANGLES, values) for n, values in self.angles.items()},
        }

    def duplicates(self) -> dict[str, Any]:
        """Near-equal figures: counted within clips, estimated between them."""
        count = min(self.figures, SAMPLE)
        other = same = 0
        for start in range(0, count, 256):
            rows = slice(start, min(start + 256, count))
            near = near_equal(self._sample[rows], self._sample[:count])
            near &= self._source[rows, None, 0] != self._source[None, :count, 0]
            other += int(near.sum())
            near &= self._source[rows, None, 1] == self._source[None, :count, 1]
            same += int(near.sum())
        # Each sampled figure meets count - 1 of the figures - 1 that it would meet in all.
        scale = (self.figures - 1) / (count - 1) / count if count > 1 else 0.0
        return {
            "near_equal_in_clip": self.repeated,
            "near_equal_in_clip_share": self.repeated / max(self.figures, 1),
            "near_equal_elsewhere": other * scale,
            "near_equal_elsewhere_same_character": same * scale,
        }


def _place(joints: FloatArray, name: str) -> FloatArray:
    return joints[:, skeleton.INDEX[name]]


def _frame(
    joints: FloatArray, limb: str, low: str, high: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Left, front and up of a part of the body, each ``[N, 3]``, in the joints' frame.

    Args:
        joints: ``[N, 23, 3]`` in any right-handed frame.
        limb: ``Arm`` or ``UpLeg``: its two joints give the direction across.
        low, high: joints that give the direction upwards.
    """
    left = unit(_place(joints, "Left" + limb) - _place(joints, "Right" + limb))
    up = _place(joints, high) - _place(joints, low)
    up = unit(up - (up * left).sum(axis=1, keepdims=True) * left)
    return left, np.cross(left, up), up


def view_angles(joints: FloatArray, parallel: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Where the camera stands, as the figure's trunk would say it.

    Args:
        joints: ``[N, 23, 3]`` metres, camera space.
        parallel: ``[N]`` whether the camera is orthographic.

    Returns:
        Azimuth ``[N]`` degrees, 0 in front of the trunk, 90 at its left, 180 behind it; elevation
        ``[N]`` degrees, 90 above its neck. For a standing figure these are the usual angles.
    """
    left, front, up = _frame(joints, "UpLeg", "Hips", "Neck")
    middle = (_place(joints, "Hips") + _place(joints, "Neck")) / 2
    eye = np.where(parallel[:, None], [0.0, 0.0, -1.0], unit(-middle))
    x, y, z = ((eye * axis).sum(axis=1) for axis in (front, left, up))
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(np.clip(z, -1, 1)))


def joint_angles(joints: FloatArray) -> dict[str, FloatArray]:
    """Flexion of both sides' joints, degrees.

    Args:
        joints: ``[N, 23, 3]`` in any right-handed frame.

    Returns:
        ``elbow`` and ``knee`` ``[2 N]``, 0 stretched; ``hip`` and ``shoulder`` ``[2 N]``, 0 with
        the limb along the trunk, 90 forwards, negative backwards, 180 overhead; NaN where the limb
        points within 20 degrees of straight sideways, where flexion means nothing.
    """
    result: dict[str, list[FloatArray]] = {}
    for side in ("Left", "Right"):
        for name, chain in (
            ("elbow", ("Arm", "ForeArm", "Hand")),
            ("knee", ("UpLeg", "Leg", "Foot")),
        ):
            a, b, c = (_place(joints, side + joint) for joint in chain)
            cosine = (unit(b - a) * unit(c - b)).sum(axis=1)
            result.setdefault(name, []).append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
        for name, start, end, low, high in (
            ("hip", "UpLeg", "Leg", "Hips", "Spine1"),
            ("shoulder", "Arm", "ForeArm", "Spine1", "Neck"),
        ):
            left, front, up = _frame(joints, start, low, high)
            limb = unit(_place(joints, side + end) - _place(joints, side + start))
            forwards, upwards = (limb * front).sum(axis=1), (limb * up).sum(axis=1)
            flexion = np.degrees(np.arctan2(forwards, -upwards))
            sideways = np.abs((limb * left).sum(axis=1)) > np.cos(np.radians(20))
            result.setdefault(name, []).append(np.where(sideways, np.nan, flexion))
    return {name: np.concatenate(sides) for name, sides in result.items()}


def pose_directions(joints: FloatArray) -> NDArray[np.float32]:
    """``[N, 12, 3]`` unit directions of :data:`SEGMENTS`, in camera space.

    They hold the pose and the view of it at once.
    """
    starts, ends = ([skeleton.INDEX[pair[i]] for pair in SEGMENTS] for i in (0, 1))
    return unit(joints[:, ends] - joints[:, starts]).astype(np.float32)


def near_equal(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.bool_]:
    """``[N, M]`` whether no direction of ``a[i]`` ``[N, 12, 3]`` is far from that of ``b[j]``."""
    result = np.ones((len(a), len(b)), bool)
    least = np.cos(np.radians(NEAR_DEGREES))
    for segment in range(len(SEGMENTS)):
        result &= a[:, segment] @ b[:, segment].T >= least
    return result


def repeats(directions: NDArray[np.float32]) -> NDArray[np.bool_]:
    """``[N]`` whether a figure is near-equal to an earlier one."""
    result = np.zeros(len(directions), bool)
    for start in range(0, len(directions), 256):
        rows = np.arange(start, min(start + 256, len(directions)))
        near = near_equal(directions[rows], directions[: rows[-1] + 1])
        result[rows] = (near & (np.arange(rows[-1] + 1) < rows[:, None])).any(axis=1)
    return result


# --------------------------------------------------------------------------------------------------
# Pictures


class Pictures:
    """Which pictures are equal to the byte: a hash of 8 bytes each."""

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._starts: list[int] = []
        self._clips: list[str] = []

    def begin(self, clip: str) -> None:
        """The pictures that follow belong to this clip."""
        self._starts.append(len(self._hashes))
        self._clips.append(clip)

    def add(self, data: bytes) -> None:
        """A picture's file."""
        digest = hashlib.blake2b(data, digest_size=8).digest()
        self._hashes.append(int.from_bytes(digest, "little"))

    def duplicates(self) -> dict[str, Any]:
        """How many pictures equal an earlier one, and the clips of the first few pairs."""
        hashes = np.frombuffer(self._hashes, np.uint64)
        order = np.argsort(hashes, kind="stable")
        again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
        pairs = [[self._clip(int(order[i + step])) for step in (0, 1)] for i in again[:_EXAMPLES]]
        return {"count": len(again), "clips": pairs}

    def _clip(self, number: int) -> str:
        """The clip of a picture, by how many pictures came before it."""
        return self._clips[int(np.searchsorted(self._starts, number, side="right")) - 1]


def png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG file; None if it is none, or cut short."""
    # Signature, then the header chunk; the last chunk is always the same twelve bytes.
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or not data.endswith(b"IEND\xaeB`\x82"):
        return None
    if len(data) < 33 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


# --------------------------------------------------------------------------------------------------
# Labels against each other


class Labels:
    """Each figure's labels, held against each other."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.keypoints = np.zeros(3, np.int64)  # outside, hidden, seen
        self.judged = self.stray = 0
        self.stray_by_keypoint = np.zeros(skeleton.COUNT, np.int64)
        self.masks = 0
        self.visible_shares = np.zeros(10, np.int64)
        self.worst_projection = 0.0

    @property
    def stray_share(self) -> float:
        """Of the keypoints marked seen, the share that lies outside its figure's mask."""
        return self.stray / max(self.judged, 1)

    def add(self, image: Entry, figure: Entry, labels: tuple[str, ...]) -> None:
        """Check a figure."""
        where = f"{image['file_name']}, figure {figure['figure']}"
        _, _, width, height = figure["bbox"]
        if min(width, height, figure["area"]) <= 0:
            self.problems.add("A figure has an empty box or no area", where)
        mask = None
        if "mask" in labels:
            mask = self._mask(image, figure, where)
        if "keypoints" in labels:
            self._keypoints(image, figure, mask, where)

    def _mask(self, image: Entry, figure: Entry, where: str) -> NDArray[np.uint8] | None:
        if "segmentation" not in figure:
            self.problems.add("A figure has no mask", where)
            return None
        if figure["segmentation"]["size"] != [image["height"], image["width"]]:
            self.problems.add("A mask has another size than its picture", where)
            return None
        try:
            mask = rle.decode(figure["segmentation"]).astype(np.uint8)
        except ValueError:
            self.problems.add("A mask does not decode", where)
            return None
        self.masks += 1
        area = int(mask.sum())
        share = area / max(figure["area"], 1e-9)
        if share > AREA_SLACK:
            self.problems.add("A mask is larger than its figure's silhouette", where)
        self.visible_shares[min(int(share * 10), 9)] += 1
        if area:
            x, y, width, height = cv2.boundingRect(mask)
            left, top, wide, high = figure["bbox"]
            out = max(left - x, top - y, x + width - left - wide, y + height - top - high)
            if out > BOX_SLACK:
                self.problems.add("A mask reaches out of its box", where)
        return mask

    def _keypoints(
        self, image: Entry, figure: Entry, mask: NDArray[np.uint8] | None, where: str
    ) -> None:
        if "keypoints" not in figure:
            self.problems.add("A figure has no keypoints", where)
            return
        rows = np.array(figure["keypoints"], np.float64).reshape(-1, 3)
        if not np.isin(rows[:, 2], (0, 1, 2)).all():
            self.problems.add("A keypoint's visibility is none of 0, 1, 2", where)
            return
        visibility = rows[:, 2].astype(int)
        self.keypoints += np.bincount(visibility, minlength=3)
        size = (image["width"], image["height"])
        labelled = rows[visibility > 0, :2]
        # Rounding to 0.01 may put a keypoint onto the border itself.
        if not ((labelled >= 0) & (labelled <= size)).all():
            self.problems.add("A keypoint outside the picture is not marked so", where)
            return
        if figure.get("num_keypoints") != len(labelled):
            self.problems.add("num_keypoints is not the number of labelled keypoints", where)
        seen = np.flatnonzero(visibility == 2)
        if mask is None or not len(seen):
            return
        reach = max(2, round(REACH * max(size)))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        cells = np.minimum(rows[seen, :2].astype(int), np.array(size) - 1)
        stray = seen[cv2.dilate(mask, disc)[cells[:, 1], cells[:, 0]] == 0]
        self.judged += len(seen)
        self.stray += len(stray)
        self.stray_by_keypoint[stray] += 1

    def project(self, clip: Clip, drawn: dict[tuple[int, int, int], Entry]) -> None:
        """Hold the re-projected 3D joints of a clip against its 2D keypoints."""
        joints = clip.joints
        if joints is None:
            return
        for key, row in clip.joint_rows.items():
            keypoints = drawn.get(key, {}).get("keypoints")
            if keypoints is None:
                continue
            rows = np.array(keypoints, np.float64).reshape(-1, 3)
            pixels = joints.camera(row, (1, 1)).project(joints.world[row])
            off = np.linalg.norm(pixels - rows[:, :2], axis=1)[rows[:, 2] > 0]
            worst = float(np.nan_to_num(off, nan=np.inf).max(initial=0.0))
            self.worst_projection = max(self.worst_projection, worst)
            if worst > OFF_LIMIT:
                self.problems.add("3D joints do not re-project onto the keypoints", clip.name)

    def report(self) -> dict[str, Any]:
        """The figures."""
        outside, hidden, seen = (int(n) for n in self.keypoints)
        strays = {
            skeleton.KEYPOINTS[i]: int(self.stray_by_keypoint[i])
            for i in np.argsort(-self.stray_by_keypoint, kind="stable")
            if self.stray_by_keypoint[i]
        }
        return {
            "keypoints": {"seen": seen, "hidden": hidden, "outside": outside},
            "seen_outside_mask": self.stray,
            "seen_outside_mask_share": self.stray_share,
            "seen_outside_mask_by_keypoint": strays,
            "masks": self.masks,
            "visible_share_of_figures": histogram(SIZES, self.visible_shares),
            "worst_reprojection_px": self.worst_projection,
        }


def histogram(edges: NDArray[Any], counts: NDArray[np.int64]) -> dict[str, int]:
    """Counts by bin, as ``{"from..to": count}``."""
    names = (f"{a:g}..{b:g}" for a, b in zip(edges[:-1], edges[1:], strict=True))
    return dict(zip(names, counts.tolist(), strict=True))


# --------------------------------------------------------------------------------------------------
# The table


def table(report: dict[str, Any]) -> str:
    """The report as text of at most 100 columns."""
    lines = [
        f"{report['dataset']}: {report['views']:,} drawings of {report['figures']:,} figures in "
        f"{report['clips']:,} clips",
        f"labels: {', '.join(report['labels'])}",
    ]
    for name, title in (
        ("splits", "splits (drawings)"),
        ("styles", "styles (drawings)"),
        ("inks", "inks (drawings)"),
        ("figures_a_view", "figures a drawing"),
        ("characters", "characters (figures)"),
        ("animations", "animations (figures)"),
    ):
        lines += ["", title, *_counts(report[name])]
    lines += ["", "longer side of the figure's box, share of the picture's"]
    lines += _bars(report["figure_sizes"])
    if report["posed_figures"]:
        lines += _coverage(report)
    else:
        lines += ["", "poses and views are not known: the dataset has no label 3d or strokes"]
    return "\n".join([*lines, *_checks(report)])


def _counts(counts: dict[str, int]) -> list[str]:
    """The largest counts, and how many there are besides."""
    total = max(sum(counts.values()), 1)
    lines = [
        f"  {name[:60]:<60} {count:>10,} {count / total:>6.1%}"
        for name, count in list(counts.items())[:20]
    ]
    return [*lines, f"  ... and {len(counts) - 20:,} more"] if len(counts) > 20 else lines


def _bars(counts: dict[str, int]) -> list[str]:
    """A histogram, without the empty bins at its ends."""
    filled = [i for i, count in enumerate(counts.values()) if count]
    if not filled:
        return ["  nothing"]
    total, most = sum(counts.values()), max(counts.values())
    return [
        f"  {name:>10} {count:>10,} {count / total:>6.1%} {'#' * round(40 * count / most)}".rstrip()
        for name, count in list(counts.items())[filled[0] : filled[-1] + 1]
    ]


def _coverage(report: dict[str, Any]) -> list[str]:
    view = report["view_coverage"]
    total = max(sum(map(sum, view["counts"])), 1)
    lines = ["", "views, % of the figures: across, the camera's azimuth around the trunk from"]
    lines += ["(0 in front, 90 at the figure's left); down, its elevation above the trunk from"]
    lines += ["       " + "".join(f"{a:>7}" for a in view["azimuth_from"])]
    for low, row in reversed(list(zip(view["elevation_from"], view["counts"], strict=True))):
        lines.append(f"  {low:>5}" + "".join(f"{100 * n / total:>7.1f}" for n in row))
    if any(report["camera_elevation"].values()):
        lines += ["", "cameras above the horizon, degrees", *_bars(report["camera_elevation"])]
    for joint, counts in report["joint_angles"].items():
        lines += ["", f"{joint} flexion, degrees", *_bars(counts)]
    return lines


def _checks(report: dict[str, Any]) -> list[str]:
    twins, checks = report["duplicates"], report["checks"]
    points = checks["keypoints"]
    lines = ["", "duplicates"]
    lines += [f"  equal pictures                                 {twins['pictures']['count']:>10,}"]
    if report["posed_figures"]:
        lines += [
            f"  near-equal figures earlier in their clip       {twins['near_equal_in_clip']:>10,} "
            f"{twins['near_equal_in_clip_share']:>6.1%}",
            "  near-equal figures in other clips, each        "
            f"{twins['near_equal_elsewhere']:>10.2f} (estimated; of the same character "
            f"{twins['near_equal_elsewhere_same_character']:.2f})",
        ]
    lines += ["", "labels"]
    if total := sum(points.values()):
        shares = ", ".join(f"{count / total:.1%} {name}" for name, count in points.items())
        lines += [f"  keypoints: {shares}"]
    if checks["masks"]:
        most = list(checks["seen_outside_mask_by_keypoint"])[:3]
        lines += [
            f"  seen but outside the mask: {checks['seen_outside_mask']:,} keypoints, "
            f"{checks['seen_outside_mask_share']:.2%}" + (f" ({', '.join(most)})" if most else ""),
            "  visible share of each silhouette",
            *_bars(checks["visible_share_of_figures"]),
        ]
    if "3d" in report["labels"]:
        lines += [f"  3D joints re-project within {checks['worst_reprojection_px']:.3f} px"]
    if report["failed"]:
        lines += ["", f"not rendered: {len(report['failed'])} (failed.json says why)"]
    wrong = sum(report["problems"].values())
    return [*lines, "", f"{wrong} problems" if wrong else "nothing is wrong"]


if __name__ == "__main__":
    run(main)
