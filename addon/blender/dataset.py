"""The dataset renderer: characters x animations x cameras -> drawings with known joints.

The protocol is the thesis' (METHODS.md, A): every animation on every character, every N-th frame,
eight cameras in a ring at mid-back height. The work is split into clips (one character with one
motion); a clip's stroke record is written last and under its final name only when its pictures are
whole, so a run that was stopped anywhere goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
from numpy.typing import NDArray

from ..core import coco, retarget, skeleton
from ..core.camera import Camera, look_at, ring
from ..core.errors import UserError
from ..core.files import files_in, write_whole
from ..core.retarget import Motion
from ..core.strokes import StrokePack, View
from .animations import Puppet, load_motions, motion_files
from .characters import SUFFIXES, Character, import_character, remove_objects
from .lineart import LineArt, silhouette_area

SCHEMA = 1
MARGIN = 0.08
"""Free border around a figure, as a share of the picture."""

DISTANCE = 3.0
"""From the ring's centre to its cameras, in heights of the character."""


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
        jitter: move the cameras at random (height, distance, roll, lens) instead of the exact ring.
        images: write PNGs too (stroke records are always written).
        seed: of every random choice, together with the names of clip and frame.
    """

    characters: Path
    animations: Path
    out: Path
    cameras: int = 8
    every: int = 10
    size: int = 256
    limit: int = 0
    max_per_clip: int = 0
    jitter: bool = False
    images: bool = True
    seed: int = 0

    def check(self) -> None:
        """Say what is wrong with the settings, if anything is.

        Raises:
            UserError: a number is out of its range, or a folder is missing or empty.
        """
        ranges = {"cameras": (1, 360), "every": (1, 10_000), "size": (32, 1000)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise UserError(f"{name.capitalize()} must lie between {low} and {high}.")
        if self.limit < 0 or self.max_per_clip < 0:
            raise UserError("A limit cannot be negative; 0 means no limit.")
        motion_files(self.animations)
        character_files(self.characters)


@dataclass(frozen=True)
class Progress:
    """Where a run stands: views done of those known so far, and a line for the user."""

    done: int
    total: int
    message: str


def character_files(folder: Path) -> list[Path]:
    """The character files of a folder, sorted by name.

    Raises:
        UserError: the folder does not exist or holds none.
    """
    return files_in(folder, SUFFIXES, "character")


def render_dataset(settings: DatasetSettings) -> Iterator[Progress]:
    """Render a dataset in the current scene, one progress report after every clip and every pose.

    The scene should be empty: whatever it holds would be drawn too. Files that cannot be used
    (damaged, no armature, other bone names) are skipped with a message. Stop by not asking for
    more; a later call with the same settings goes on with the clips that are missing.

    Args:
        settings: what to render.

    Yields:
        Progress; its last one says what the dataset holds.

    Raises:
        UserError: the settings make no sense, no file could be used, or the dataset in ``out`` was
            made with other settings.
        OSError: the disk is full or ``out`` cannot be written; finished clips stay.
    """
    settings.check()
    folders = {name: settings.out / name for name in ("strokes", "images", "annotations")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    _claim(settings)

    motions: list[Motion] = []
    for path in motion_files(settings.animations):
        try:
            motions += load_motions(path, settings.every)
        except UserError as error:
            yield Progress(0, 0, f"Skipped: {error}")
        else:
            yield Progress(0, 0, f"Read {path.name}")
    if not motions:
        raise UserError(f"No animation in {settings.animations} could be read.")
    if settings.max_per_clip:
        motions = [m.take(retarget.farthest_frames(m, settings.max_per_clip)) for m in motions]

    characters = character_files(settings.characters)
    total = len(characters) * sum(map(len, motions)) * settings.cameras
    total = min(total, settings.limit) if settings.limit else total
    quotas = _quotas(settings, characters, motions)
    done = 0
    line_art = LineArt()
    try:
        for path in characters:
            yield Progress(done, total, f"Loading {path.name}")
            try:
                character = import_character(path)
            except UserError as error:
                yield Progress(done, total, f"Skipped: {error}")
                continue
            try:
                puppet = Puppet.prepare(character.armature)
                for motion, poses in quotas[path.stem]:
                    for views in _render_clip(settings, line_art, character, puppet, motion, poses):
                        done += views
                        yield Progress(done, total, f"{path.stem}: {motion.name}")
            except UserError as error:
                yield Progress(done, total, f"Skipped {path.name}: {error}")
            finally:
                remove_objects([character.armature, *character.meshes])
    finally:
        line_art.remove()
    if not done:
        raise UserError(f"No character in {settings.characters} could be drawn.")
    count = write_annotations(settings)
    yield Progress(done, done, f"{count} drawings in {settings.out}")


def write_annotations(settings: DatasetSettings) -> int:
    """Gather the finished clips' annotations into ``annotations.json``.

    Returns:
        The number of drawings.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """

    def entries() -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        for path in sorted((settings.out / "annotations").glob("*.json")):
            for image, figure in json.loads(path.read_text(encoding="utf-8"))["views"]:
                yield image, [figure]

    return coco.write(settings.out / "annotations.json", entries(), schema=SCHEMA)


def _claim(settings: DatasetSettings) -> None:
    """Note the settings in the dataset's folder, or check that they are those noted there."""
    path = settings.out / "dataset.json"
    ours = {
        "schema": SCHEMA,
        "blender": bpy.app.version_string,
        "keypoints": list(skeleton.KEYPOINTS),
        **{k: v for k, v in asdict(settings).items() if k not in ("out", "limit")},
    }
    ours = {k: str(v) if isinstance(v, Path) else v for k, v in ours.items()}
    if path.exists():
        try:
            theirs = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{path} is damaged; choose another output folder.") from error
        changed = [name for name in ours if theirs.get(name) != ours[name]]
        if changed:
            raise UserError(
                f"{settings.out} holds a dataset made with another {changed[0]}; "
                "choose another folder or the same settings."
            )
        return
    write_whole(path, json.dumps(ours, indent=1).encode())


def _quotas(
    settings: DatasetSettings, characters: list[Path], motions: list[Motion]
) -> dict[str, list[tuple[Motion, int]]]:
    """Poses to render of each motion for each character.

    Without a limit that is all of them. With one, clips are taken in a random order (the same for
    the same seed) until it is reached, so that a small dataset still shows many characters and
    motions.
    """
    everything = {path.stem: [(m, len(m)) for m in motions] for path in characters}
    if not settings.limit:
        return everything
    pairs = [(path.stem, motion) for path in characters for motion in motions]
    order = np.random.default_rng(settings.seed).permutation(len(pairs))
    chosen: dict[str, list[tuple[Motion, int]]] = {path.stem: [] for path in characters}
    left = -(-settings.limit // settings.cameras)
    for i in order:
        if left <= 0:
            break
        name, motion = pairs[i]
        poses = min(len(motion), left)
        chosen[name].append((motion, poses))
        left -= poses
    return chosen


def clip_name(character: str, motion: str) -> str:
    """A file name for a clip, unique even where two names differ only in odd characters."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{character}--{motion}")
    digest = hashlib.sha1(f"{character}\0{motion}".encode()).hexdigest()[:6]
    return f"{plain[:80]}-{digest}"


def _render_clip(
    settings: DatasetSettings,
    line_art: LineArt,
    character: Character,
    puppet: Puppet,
    motion: Motion,
    poses: int,
) -> Iterator[int]:
    """Render the first ``poses`` poses of a motion; yields the number of views after each pose."""
    name = clip_name(character.name, motion.name)
    record = settings.out / "strokes" / f"{name}.npz"
    sidecar = settings.out / "annotations" / f"{name}.json"
    # A run with a limit may have cut the clip short; a longer one then draws it again.
    if record.exists() and json.loads(sidecar.read_text(encoding="utf-8"))["poses"] >= poses:
        yield poses * settings.cameras
        return
    views: list[View] = []
    entries: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for row in range(poses):
        frame = int(motion.frames[row])
        puppet.pose(motion, row)
        bpy.context.view_layer.update()
        joints = puppet.joints()
        body = np.concatenate([joints, *map(mesh_points, character.meshes)])
        rng = np.random.default_rng([settings.seed, *name.encode(), frame])
        for number, camera in enumerate(_cameras(settings, puppet, joints, rng)):
            camera = camera.zoomed(body, MARGIN)
            strokes = line_art.draw(camera, body)
            if not strokes:
                continue
            pixels = camera.project(joints)
            inside = ((pixels >= 0) & (pixels < settings.size)).all(axis=1)
            visibility = np.where(inside, 2, 0).astype(np.uint8)
            view = View(
                strokes=strokes,
                keypoints=pixels.astype(np.float32),
                visibility=visibility,
                joints=camera.to_camera(joints).astype(np.float32),
                frame=frame,
                camera=number,
            )
            views.append(view)
            file_name = f"images/{name}_{frame:05d}_{number}.png"
            if settings.images:
                _write_png(settings.out / file_name, draw_plain(strokes, settings.size))
            image = {
                "file_name": file_name,
                "width": settings.size,
                "height": settings.size,
                "character": character.name,
                "animation": motion.name,
                "frame": frame,
                "camera": number,
            }
            points = np.concatenate(strokes).clip(0, settings.size)
            low, high = points.min(axis=0), points.max(axis=0)
            area = silhouette_area(strokes, settings.size)
            entries.append(
                (image, coco.annotation(pixels, visibility, (*low, *(high - low)), area))
            )
        yield settings.cameras
    document = json.dumps({"poses": poses, "views": entries}, separators=(",", ":"))
    write_whole(sidecar, document.encode())
    # The record comes last: where it stands, everything else of the clip does.
    StrokePack.from_views(views, settings.size, [(character.name, motion.name)]).save(record)


def _cameras(
    settings: DatasetSettings,
    puppet: Puppet,
    joints: NDArray[np.float64],
    rng: np.random.Generator,
) -> list[Camera]:
    """The ring around the mid-back, or as many cameras thrown about it at random."""
    centre = joints[skeleton.INDEX["Spine1"]]
    size = (settings.size, settings.size)
    if not settings.jitter:
        return ring(
            centre, DISTANCE * puppet.height, settings.cameras, size=size, focal=settings.size
        )
    cameras = []
    start = rng.uniform(0, 2 * np.pi)
    for number in range(settings.cameras):
        azimuth = start + 2 * np.pi * number / settings.cameras + rng.uniform(-0.4, 0.4)
        elevation = np.radians(rng.triangular(-25, 5, 60))
        # Near cameras foreshorten strongly, far ones look orthographic; both occur in drawings.
        distance = puppet.height * np.exp(rng.uniform(np.log(1.6), np.log(8.0)))
        direction = np.array(
            [
                np.cos(azimuth) * np.cos(elevation),
                np.sin(azimuth) * np.cos(elevation),
                np.sin(elevation),
            ]
        )
        cameras.append(
            look_at(
                centre + distance * direction,
                centre,
                size=size,
                focal=settings.size,
                roll=np.radians(rng.normal(0, 4)),
            )
        )
    return cameras


def mesh_points(mesh: bpy.types.Object) -> NDArray[np.float64]:
    """``[V, 3]`` world positions of a mesh's vertices, as posed."""
    evaluated = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
    flat = np.empty(len(evaluated.data.vertices) * 3, np.float32)
    evaluated.data.vertices.foreach_get("co", flat)
    matrix = np.array(evaluated.matrix_world)
    return flat.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def draw_plain(strokes: list[NDArray[np.float32]], size: int) -> NDArray[np.uint8]:
    """``[size, size]`` uint8: the strokes as thin black lines on white, antialiased."""
    page = np.full((size, size), 255, np.uint8)
    lines = [np.round((stroke - 0.5) * 16).astype(np.int32) for stroke in strokes]
    cv2.polylines(page, lines, False, 0, 1, cv2.LINE_AA, 4)
    return page


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    # cv2.imwrite cannot open every path on Windows and hides the reason of a failure.
    _, data = cv2.imencode(".png", image)
    write_whole(path, data.tobytes())
