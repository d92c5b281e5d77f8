"""What a sketch dataset is: its settings, its folder, and how finished clips become one COCO file.

The work is split into *clips*: one character with one motion. A clip's ``clips/NAME.json`` is
written last, so a clip is finished or absent, and a run that was stopped anywhere goes on where it
was. docs/dataset.md describes the folder for its users.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import coco, skeleton, surface
from .errors import UserError
from .files import files_in, write_whole
from .kinds import EXACT_KINDS, PLAIN, RANDOM, TOOLS

SCHEMA = 2

CHARACTER_SUFFIXES = (".fbx", ".glb", ".gltf", ".vrm", ".blend")
MOTION_SUFFIXES = (".fbx", ".glb", ".gltf", ".bvh", ".npz")

LABELS = ("keypoints", "mask", "parts", "uv", "depth", "3d", "strokes")
"""What can be written about each figure."""

MAPS = ("parts", "uv", "depth")
"""The labels that are pictures of their own."""

STYLES = ("lineart", "freestyle", *EXACT_KINDS)
"""Ways to draw a figure: two that see its mesh, the others its skeleton only."""

SKELETON_STYLES = EXACT_KINDS
"""Of these, the styles that see the skeleton only."""

INKS = (PLAIN, RANDOM, *TOOLS)
"""What the strokes are drawn with: a thin even line, a random tool, or one kind of tool."""

AUTO, NONE = "auto", "none"
"""Values of ``hold_out``: choose some characters for validation, or none."""

_HELD_OUT_SHARE = 0.1
_FOLDERS = ("characters", "animations", "out")
_NOTED_ONLY = ("characters", "animations", "limit")


@dataclass(frozen=True)
class DatasetSettings:
    """What to render.

    Attributes:
        characters, animations: folders of character and animation files.
        out: the dataset's folder; made when it is not there.
        cameras: number of cameras in the ring.
        every: take every N-th frame of an animation.
        size: side of the pictures, pixels.
        limit: number of views after which to stop; 0 renders all.
        max_per_clip: of the frames taken, keep the N most different ones of each clip; 0 keeps all.
        seed: of every random choice, together with the names of clip and frame.
        images: write PNGs (stroke records can be drawn later, too).
        labels: some of :data:`LABELS`.
        figures: fewest and most figures in a picture, 1 to 3.
        props: put chairs, boxes, sticks and ground lines around the figures.
        camera_jitter: throw the cameras about (height, distance, roll, lens) instead of the ring.
        limb_perspective: give each limb a scale of its own by its depth, as artists exaggerate.
        proportions: vary sizes of head, trunk and limbs from clip to clip.
        pose_noise: how far poses leave those of the clip, 0 to 1.
        styles: some of :data:`STYLES`; each view takes one of them.
        ink: one of :data:`INKS`.
        hold_out: names of the characters kept for validation, or ``("auto",)``, or ``("none",)``.
    """

    characters: Path
    animations: Path
    out: Path
    cameras: int = 8
    every: int = 10
    size: int = 256
    limit: int = 0
    max_per_clip: int = 0
    seed: int = 0
    images: bool = True
    labels: tuple[str, ...] = ("keypoints", "mask", "strokes")
    figures: tuple[int, int] = (1, 1)
    props: bool = False
    camera_jitter: bool = False
    limb_perspective: bool = False
    proportions: bool = False
    pose_noise: float = 0.0
    styles: tuple[str, ...] = ("lineart",)
    ink: str = "plain"
    hold_out: tuple[str, ...] = (AUTO,)

    def __post_init__(self) -> None:
        # Labels in one order: they are a set to whoever names them.
        order = {label: number for number, label in enumerate(LABELS)}
        known = sorted(self.labels, key=lambda label: order.get(label, len(order)))
        object.__setattr__(self, "labels", tuple(known))

    def check(self) -> None:
        """Say what is wrong with the settings or the folders, if anything is.

        Raises:
            UserError: as for :meth:`check_choices`; or a folder is missing or empty, two characters
                have the same name, or a character to hold out is not there.
        """
        self.check_choices()
        names = _different(self.character_files(), "character")
        _different(self.motion_files(), "animation")
        unknown = sorted(set(self.hold_out) - {*names, AUTO, NONE})
        if unknown:
            raise UserError(
                f"No character is called {unknown[0]}; there are {', '.join(sorted(names))}."
            )

    def check_choices(self) -> None:
        """Say what is wrong with the settings themselves; the folders are not looked at.

        Raises:
            UserError: a number is out of its range, a name is not known, or two settings exclude
                each other.
        """
        ranges = {"cameras": (1, 360), "every": (1, 10_000), "size": (32, 1000)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise UserError(f"{name.capitalize()} must lie between {low} and {high}.")
        if self.limit < 0 or self.max_per_clip < 0:
            raise UserError("A limit cannot be negative; 0 means no limit.")
        if self.seed < 0:
            raise UserError("The seed cannot be negative.")
        if not 1 <= self.figures[0] <= self.figures[1] <= 3:
            raise UserError("A picture can show one to three figures, for instance 1-3.")
        if not 0 <= self.pose_noise <= 1:
            raise UserError("Pose noise must lie between 0 and 1.")
        for kind, chosen, known in (
            ("label", self.labels, LABELS),
            ("style", self.styles, STYLES),
            ("ink", (self.ink,), INKS),
        ):
            for name in chosen:
                if name not in known:
                    raise UserError(f"There is no {kind} {name}; there are {', '.join(known)}.")
        if not self.styles:
            raise UserError("Choose at least one style.")
        if not self.images and not self.labels:
            raise UserError("Without pictures and labels there is nothing to write.")
        maps = [label for label in self.labels if label in MAPS]
        drawn = [style for style in self.styles if style in SKELETON_STYLES]
        if maps and drawn:
            raise UserError(
                f"The style {drawn[0]} draws no surface, so it has no label {maps[0]}: "
                "leave one of them out."
            )

    def character_files(self) -> list[Path]:
        """The character files, sorted by name.

        Raises:
            UserError: the folder does not exist or holds none.
        """
        return files_in(self.characters, CHARACTER_SUFFIXES, "character")

    def motion_files(self) -> list[Path]:
        """The animation files, sorted by name.

        Raises:
            UserError: the folder does not exist or holds none.
        """
        return files_in(self.animations, MOTION_SUFFIXES, "animation")

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> DatasetSettings:
        """The way back of :meth:`to_json`."""
        read = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        paths: dict[str, Any] = {name: Path(values[name]) for name in _FOLDERS}
        return cls(**{**read, **paths})


def _different(files: list[Path], kind: str) -> list[str]:
    """The files' names without endings, by which a dataset knows them: no two may be equal."""
    names = [path.stem for path in files]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise UserError(f"Two {kind} files are called {twins[0]}; rename one of them.")
    return names


def safe_name(*parts: str) -> str:
    """A file name for some words, unique even where two differ only in odd characters."""
    # Without dots: Windows takes aux.anything for a device.
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", "--".join(parts))
    digest = hashlib.sha1("\0".join(parts).encode()).hexdigest()[:10]
    return f"{plain[:80]}-{digest}"


def claim(settings: DatasetSettings, blender: str) -> dict[str, Any]:
    """Describe the dataset in its folder, or check that it is described there with these settings.

    Args:
        settings: what to render.
        blender: Blender's version; drawings differ a little between versions.

    Returns:
        What ``dataset.json`` holds.

    Raises:
        UserError: the folder holds a dataset that was made with other settings.
        OSError: the folder cannot be written.
    """
    path = settings.out / "dataset.json"
    ours = {
        "schema": SCHEMA,
        "blender": blender,
        "keypoints": list(skeleton.KEYPOINTS),
        "parts": list(surface.PARTS),
        **json.loads(json.dumps(settings.to_json())),
    }
    del ours["out"]  # a dataset may be moved
    if path.exists():
        theirs = describe(settings.out)
        changed = [n for n in ours if n not in _NOTED_ONLY and theirs.get(n) != ours[n]]
        if changed:
            raise UserError(
                f"{settings.out} holds a dataset made with another {changed[0]}; "
                "choose another folder or the same settings."
            )
        return theirs
    settings.out.mkdir(parents=True, exist_ok=True)
    ours["splits"] = _splits(settings)
    write_whole(path, json.dumps(ours, indent=1).encode())
    return ours


def describe(folder: Path) -> dict[str, Any]:
    """What a dataset's ``dataset.json`` says.

    Raises:
        UserError: the folder holds no dataset, or its description is damaged.
    """
    path = folder / "dataset.json"
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{folder} holds no dataset: there is no dataset.json.") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged; choose another output folder.") from error
    if not isinstance(description, dict):
        raise UserError(f"{path} is damaged; choose another output folder.")
    return description


def split_of(description: dict[str, Any], character: str) -> str:
    """``train`` or ``val``: a character that came after the dataset was begun is trained on."""
    return "val" if character in description["splits"]["val"] else "train"


def _splits(settings: DatasetSettings) -> dict[str, list[str]]:
    """Characters by split. Frames of one character look alike, so whole characters are held out."""
    names = [path.stem for path in settings.character_files()]
    held = set(settings.hold_out) - {AUTO, NONE}
    if AUTO in settings.hold_out and len(names) >= 3:
        count = max(1, round(_HELD_OUT_SHARE * len(names)))
        held |= set(np.random.default_rng(settings.seed).permutation(names)[:count].tolist())
    return {
        "train": [name for name in names if name not in held],
        "val": [name for name in names if name in held],
    }


def poses_done(out: Path, clip: str) -> int:
    """How many poses of a clip are finished; 0 where it is absent.

    A run with a limit may have cut a clip short; a longer run then draws it again.
    """
    try:
        with (out / "clips" / f"{clip}.json").open("rb") as file:
            start = re.match(rb'\{"poses":(\d+),', file.read(32))
    except OSError:
        return 0
    return int(start[1]) if start else 0


def write_clip(out: Path, clip: str, poses: int, views: list[Any]) -> None:
    """Note a clip as finished; call it when all its other files stand.

    Args:
        out: the dataset's folder.
        clip: the clip's name.
        poses: how many of its poses were drawn.
        views: COCO ``[image, [annotation, ...]]`` for each picture, without ids.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    document = json.dumps({"poses": poses, "views": views}, separators=(",", ":"))
    write_whole(out / "clips" / f"{clip}.json", document.encode())


def forget_clip(out: Path, clip: str) -> None:
    """Take back that a clip is finished, before its files change.

    Raises:
        OSError: the folder cannot be written.
    """
    (out / "clips" / f"{clip}.json").unlink(missing_ok=True)


def read_clips(out: Path) -> Iterator[tuple[str, list[Any]]]:
    """Name and views of each finished clip, in the order of their names, one at a time.

    Raises:
        UserError: a clip's file is damaged.
    """
    for path in sorted((out / "clips").glob("*.json")):
        try:
            views = json.loads(path.read_text(encoding="utf-8"))["views"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is damaged; delete it and start again.") from error
        yield path.stem, views


def write_motions(out: Path, file: str, motions: dict[str, int]) -> None:
    """Note an animation file as read; call it when its ``motions/*.npz`` stand.

    Args:
        out: the dataset's folder.
        file: the animation file's name.
        motions: name of each of its motions -> number of its poses.
    """
    document = json.dumps({"file": file, "motions": motions}, indent=1)
    write_whole(out / "motions" / f"{safe_name(file)}.json", document.encode())


def read_motions(out: Path, file: str) -> dict[str, int] | None:
    """Name -> number of poses of the motions of an animation file; None if it was not read yet."""
    try:
        text = (out / "motions" / f"{safe_name(file)}.json").read_text(encoding="utf-8")
    except OSError:
        return None
    motions = json.loads(text)["motions"]
    return motions if all(motion_path(out, name).exists() for name in motions) else None


def motion_path(out: Path, motion: str) -> Path:
    """Where a motion is kept (``retarget.Motion.load`` reads it)."""
    return out / "motions" / f"{safe_name(motion)}.npz"


def motion_index(settings: DatasetSettings) -> dict[str, int]:
    """Name -> number of poses of all motions that were read, in the order of their files."""
    index: dict[str, int] = {}
    for path in settings.motion_files():
        index |= read_motions(settings.out, path.name) or {}
    return index


def gather(out: Path, tick: Callable[[], None] = lambda: None) -> int:
    """Write ``annotations.json`` from the finished clips, and the same by split.

    Args:
        out: the dataset's folder.
        tick: called after each clip, to show that the work goes on.

    Returns:
        The number of drawings.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    description = describe(out)
    splits = [name for name, characters in description["splits"].items() if characters]
    with ExitStack() as stack:

        def writer(name: str) -> coco.Writer:
            return stack.enter_context(coco.Writer(out / name, schema=SCHEMA))

        everything = writer("annotations.json")
        parts = {name: writer(f"annotations_{name}.json") for name in splits}
        for _, views in read_clips(out):
            for image, figures in views:
                everything.add(image, figures)
                parts[image["split"]].add(image, figures)
            tick()
    return everything.images
