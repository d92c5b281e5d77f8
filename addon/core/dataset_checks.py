"""What a dataset holds, and its labels held against each other.

Clips are read one by one: memory grows by 8 bytes a drawing.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections import Counter
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from . import rle, skeleton
from .clips import FAILED, read_failures
from .coverage import Coverage, histogram
from .dataset import MAPS
from .errors import UserError
from .folder import Clip, Entry, Folder

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

SIZES = np.linspace(0, 1, 11)
_EXAMPLES = 5


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
        failed = self._failed()
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
            "failed": failed,
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

    def _failed(self) -> list[dict[str, Any]]:
        try:
            return [failure.entry() for failure in read_failures(self.folder.path)]
        except UserError as error:
            self.problems.add(str(error).rstrip("."), FAILED)
            return []


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
