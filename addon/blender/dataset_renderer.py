"""The dataset renderer: characters x motions x cameras -> drawings with everything known of them.

The default protocol is the thesis' (METHODS.md, A): every animation on every character, every N-th
frame, eight cameras in a ring at mid-back height. Everything beyond it (several figures, props,
other bodies, poses, cameras and styles) is an option of the settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core import coco, dataset, retarget, rle, scenery, skeleton, variation
from ..core import rotations as rot
from ..core.camera import Camera, ring, scattered
from ..core.clips import Clip
from ..core.dataset import DatasetSettings
from ..core.errors import UserError
from ..core.files import write_png
from ..core.folder import Joints
from ..core.ink import draw_strokes
from ..core.retarget import Motion
from ..core.scene_view import FigurePose, FigureView, SceneView, view_skeletons, view_surfaces
from ..core.strokes import NOBODY, StrokePack, View
from ..core.variation import Proportions
from .character_cache import CharacterCache, LoadedCharacter
from .freestyle import Freestyle
from .lineart import LineArt
from .motions import load_motions
from .scenery import PropObjects

MARGIN = 0.08
"""Free border around the figures, as a share of the picture."""

DISTANCE = 3.0
"""From the ring's centre to its cameras, in heights of the character."""

_NEIGHBOURS = 4  # characters that stand beside one; more would be loaded over and over
_TALLEST = 3.0  # figure of a picture, against the smallest
_MOTIONS_KEPT = 64


@dataclass(frozen=True)
class _FigurePlan:
    """What one figure of a picture does: an character, one pose of a motion, and a body."""

    character: LoadedCharacter
    motion: Motion
    row: int
    proportions: Proportions | None


@dataclass(frozen=True)
class _Picture:
    """One picture of some figures, and where it comes from."""

    plans: Sequence[_FigurePlan]
    turns: list[NDArray[np.float64]]  # [22, 3, 3] of each plan
    frame: int
    number: int  # of the camera
    camera: Camera
    style: str
    view: SceneView
    page: NDArray[np.uint8] | None  # where the style draws pixels


class DatasetRenderer:
    """Renders clips in the current scene, which it empties; one a process.

    Everything random comes from the seed and the names of clip and frame, so a clip is the same
    wherever and whenever it is rendered.

    Attributes:
        settings: what to render.
    """

    def __init__(self, settings: DatasetSettings) -> None:
        """Prepare the scene and claim the output folder.

        Raises:
            UserError: the output folder holds a dataset made with other settings.
            OSError: the output folder cannot be written.
        """
        self.settings = settings
        self._description = dataset.claim(settings, bpy.app.version_string)
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        self._files = {path.name: path for path in settings.character_files()}
        # The main character, and each neighbour once for every place beside it.
        self._cache = CharacterCache(1 + _NEIGHBOURS * (settings.figures[1] - 1))
        self._motions: dict[str, Motion] = {}
        self._index: list[str] = []
        self._line_art = LineArt()
        self._freestyle = Freestyle() if "freestyle" in settings.styles else None

    def close(self) -> None:
        """Empty the scene."""
        self._cache.remove()
        self._line_art.remove()
        if self._freestyle:
            self._freestyle.remove()

    # --- Motions ----------------------------------------------------------------------------------

    def read_motion(self, path: Path) -> Iterator[str]:
        """Read an animation file into the dataset's ``motions``.

        Yields:
            The name of each motion when it is written.

        Raises:
            UserError: the file cannot be used.
            OSError: the disk is full or the folder cannot be written.
        """
        out, most = self.settings.out, self.settings.max_per_clip
        (out / "motions").mkdir(parents=True, exist_ok=True)
        counts = {}
        for motion in load_motions(path, self.settings.every):
            if most:
                motion = motion.take(retarget.farthest_frames(motion, most))
            motion.save(dataset.motion_path(out, motion.name))
            counts[motion.name] = len(motion)
            yield motion.name
        dataset.write_motions(out, path.name, counts)

    def _motion(self, name: str) -> Motion:
        if name not in self._motions:
            if len(self._motions) >= _MOTIONS_KEPT:
                self._motions.clear()
            path = dataset.motion_path(self.settings.out, name)
            try:
                self._motions[name] = Motion.load(path)
            except ValueError as error:
                raise UserError(f"{path} is damaged; delete it and start again.") from error
        return self._motions[name]

    # --- Clips ------------------------------------------------------------------------------------

    def load(self, character: str) -> None:
        """Load a character, to see whether it can be used.

        Raises:
            UserError: it cannot.
        """
        self._cache.character(self._files[character])

    def render(self, clip: Clip, without: Collection[str] = ()) -> Iterator[int]:
        """Render a clip; ``clips/NAME.json`` is written last.

        Args:
            clip: which.
            without: characters (file names) that cannot stand beside it.

        Yields:
            The number of views drawn since the last time.

        Raises:
            UserError: the character or the motion cannot be used; the clip has to be skipped.
            OSError: the disk is full or the folder cannot be written.
        """
        record = _Record(self.settings, clip, self._description)
        motion = self._motion(clip.motion)
        for row in range(clip.poses):
            character = self._cache.character(self._files[clip.character])
            body = self._body(clip, character, 0)
            # A pose's chance comes from its frame, not its row: a longer run may take more of them.
            frame = int(motion.frames[row])
            rng = np.random.default_rng([self.settings.seed, *clip.name.encode(), frame])
            plans = [
                _FigurePlan(character, motion, row, body),
                *self._companions(clip, character, rng, without),
            ]
            for picture in self._pictures(plans, frame, rng):
                record.add(picture, rng)
                yield 1
        record.finish()

    def _body(self, clip: Clip, character: LoadedCharacter, number: int) -> Proportions | None:
        """A body for the whole clip."""
        if not self.settings.proportions:
            return None
        seed = [self.settings.seed, *clip.name.encode(), *character.name.encode(), number]
        return Proportions.random(np.random.default_rng(seed))

    def _companions(
        self, clip: Clip, main: LoadedCharacter, rng: np.random.Generator, without: Collection[str]
    ) -> list[_FigurePlan]:
        """The other figures of a picture: characters of the same split, in any motion."""
        low, high = self.settings.figures
        count = int(rng.integers(low, high + 1)) - 1
        if not count:
            return []
        names = sorted(
            name
            for name in self._files
            if dataset.split_of(self._description, Path(name).stem) == clip.split
        )
        # Each character has neighbours of its own, for the sake of what is kept loaded.
        seed = [self.settings.seed, *clip.character.encode()]
        neighbours = np.random.default_rng(seed).permutation(names)[:_NEIGHBOURS]
        if not self._index:
            self._index = sorted(dataset.motion_index(self.settings))
        plans = []
        for number in range(1, count + 1):
            name = str(rng.choice(neighbours))
            if name in without:
                continue
            try:
                character = self._cache.character(self._files[name], number)
            except UserError:
                continue  # its own clips report it
            # Some files are made in other units: beside a giant, nobody can be seen.
            if not 1 / _TALLEST < character.own_height / main.own_height < _TALLEST:
                continue
            motion = self._motion(str(rng.choice(self._index)))
            row = int(rng.integers(len(motion)))
            plans.append(_FigurePlan(character, motion, row, self._body(clip, character, number)))
        return plans

    def _pictures(
        self, plans: Sequence[_FigurePlan], frame: int, rng: np.random.Generator
    ) -> Iterator[_Picture]:
        """All cameras' pictures of one pose."""
        settings = self.settings
        if settings.pose_noise:
            plans = [
                replace(
                    plan,
                    motion=variation.varied(plan.motion, plan.row, rng, settings.pose_noise),
                    row=0,
                )
                for plan in plans
            ]
        characters = [plan.character for plan in plans]
        for plan in plans:
            plan.character.puppet.shape(plan.proportions)
            plan.character.puppet.place()
            plan.character.puppet.pose(plan.motion, plan.row)
        objects = None
        try:
            for character in characters:
                character.enter()
            bpy.context.view_layer.update()
            if len(plans) > 1:
                self._arrange(characters, rng)
            figures = [character.stand() for character in characters]
            joints = [figure.joints for figure in figures]
            turns = [character.puppet.turns() for character in characters]
            props: list[scenery.Prop] = []
            lines: list[NDArray[np.float64]] = []
            ground = min(float(figure.vertices[:, 2].min()) for figure in figures)
            if settings.props:
                height = characters[0].puppet.height
                props = scenery.props_for(joints[0], height, ground, rng, joints[1:])
                lines = scenery.ground_lines(joints[0], ground, rng)
            objects = PropObjects(props)
            obstacles = [(prop.vertices, scenery.triangles(prop)) for prop in props]
            for number, camera in enumerate(self._cameras(characters[0], figures, rng)):
                style = settings.styles[int(rng.integers(len(settings.styles)))]
                if settings.limb_perspective:
                    figures = self._exaggerated(plans, joints, camera, rng)
                body = np.concatenate([np.concatenate([f.joints, f.vertices]) for f in figures])
                camera = camera.zoomed(body, MARGIN)
                page = None
                if style in dataset.SKELETON_STYLES:
                    view = view_skeletons(camera, [f.joints for f in figures], style, rng)
                else:
                    drawn = self._line_art.draw(camera, body)
                    view = view_surfaces(
                        camera,
                        figures,
                        drawn.strokes,
                        drawn.probes,
                        obstacles=obstacles,
                        # Seen from below, the ground would cross the figure.
                        ground=lines if camera.position[2] > ground else (),
                        maps=[label for label in settings.labels if label in dataset.MAPS],
                    )
                    if style == "freestyle" and self._freestyle and settings.images:
                        page = self._freestyle.draw(camera, body)
                yield _Picture(plans, turns, frame, number, camera, style, view, page)
        finally:
            if objects:
                objects.remove()
            for character in characters:
                character.leave()

    def _arrange(self, characters: Sequence[LoadedCharacter], rng: np.random.Generator) -> None:
        """Put several figures beside one another."""
        heights = [character.puppet.height for character in characters]
        joints = [character.puppet.joints() for character in characters]
        for character, place in zip(characters, scenery.arrange(heights, rng, joints), strict=True):
            character.puppet.place(*place)
        bpy.context.view_layer.update()

    def _exaggerated(
        self,
        plans: Sequence[_FigurePlan],
        joints: Sequence[NDArray[np.float64]],
        camera: Camera,
        rng: np.random.Generator,
    ) -> list[FigurePose]:
        """The figures with each limb as large as an artist at this camera would draw it."""
        for plan, places in zip(plans, joints, strict=True):
            scales = variation.limb_scales(camera.to_camera(places), rng)
            plan.character.puppet.pose(plan.motion, plan.row, scales)
        bpy.context.view_layer.update()
        return [plan.character.stand() for plan in plans]

    def _cameras(
        self, character: LoadedCharacter, figures: Sequence[FigurePose], rng: np.random.Generator
    ) -> list[Camera]:
        """The ring around the figures' mid-back, or as many cameras thrown about it."""
        count, size = self.settings.cameras, (self.settings.size, self.settings.size)
        backs = [figure.joints[skeleton.INDEX["Spine1"]] for figure in figures]
        centre = np.mean(backs, axis=0)
        spread = max(float(np.linalg.norm(back - centre)) for back in backs)
        height = character.puppet.height + spread
        if self.settings.camera_jitter:
            return scattered(centre, height, count, size=size, rng=rng)
        return ring(centre, DISTANCE * height, count, size=size, focal=size[0])


class _Record:
    """The files of a clip: pictures as they come, the rest at the end."""

    def __init__(self, settings: DatasetSettings, clip: Clip, description: dict[str, Any]) -> None:
        self._settings, self._clip = settings, clip
        self._split = dataset.split_of(description, Path(clip.character).stem)
        self._clips: dict[tuple[str, str], int] = {(Path(clip.character).stem, clip.motion): 0}
        self._views: list[View] = []
        self._entries: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
        self._joints: list[dict[str, Any]] = []

    def add(self, picture: _Picture, rng: np.random.Generator) -> None:
        """Note a picture; one in which nobody can be seen is left out."""
        settings, view = self._settings, picture.view
        numbers = [number for number, figure in enumerate(view.figures) if figure]
        if not numbers or not view.strokes:
            return
        name = f"{self._clip.name}/{picture.frame:05d}_{picture.number}.png"
        image: dict[str, Any] = {
            "file_name": f"images/{name}",
            "width": settings.size,
            "height": settings.size,
            "clip": self._clip.name,
            "frame": picture.frame,
            "camera": picture.number,
            "split": self._split,
            "style": picture.style,
        }
        if settings.images:
            page, image["ink"] = _picture(picture, settings, rng)
            write_png(settings.out / image["file_name"], page)
        for label, pixels in view.maps.items():
            write_png(settings.out / label / name, pixels)
        if "depth" in view.maps:
            image["depth"] = view.depth_range
        # Figures of whom nothing is seen are not labelled; the others are counted anew.
        recount = np.full(256, NOBODY, np.uint8)
        recount[numbers] = np.arange(len(numbers))
        annotations = []
        for figure, number in enumerate(numbers):
            seen, plan = view.figures[number], picture.plans[number]
            if seen is None:
                continue
            if "strokes" in settings.labels:
                self._add_view(picture, figure, seen, plan, recount[view.owners])
            if "3d" in settings.labels:
                self._add_joints(picture, figure, seen, picture.turns[number])
            annotations.append(self._annotation(figure, seen, plan))
        self._entries.append((image, annotations))

    def _add_view(
        self,
        picture: _Picture,
        figure: int,
        seen: FigureView,
        plan: _FigurePlan,
        owners: NDArray[np.uint8],
    ) -> None:
        clip = (plan.character.name, plan.motion.name)
        self._views.append(
            View(
                strokes=picture.view.strokes,
                keypoints=seen.pixels.astype(np.float32),
                visibility=seen.visibility,
                joints=seen.joints.astype(np.float32),
                frame=picture.frame,
                camera=picture.number,
                figure=figure,
                clip=self._clips.setdefault(clip, len(self._clips)),
                box=np.array(seen.box, np.float32),
                owners=owners,
                bones=picture.view.bones,
            )
        )

    def _add_joints(
        self, picture: _Picture, figure: int, seen: FigureView, turns: NDArray[np.float64]
    ) -> None:
        camera = picture.camera
        self._joints.append(
            {
                "rows": (picture.frame, picture.number, figure),
                "world": camera.to_world(seen.joints),
                "camera_space": seen.joints,
                "rotations": rot.to_quaternions(turns),
                "intrinsics": camera.intrinsics,
                "extrinsics": np.column_stack([camera.rotation, camera.translation]),
                "orthographic": camera.orthographic,
            }
        )

    def _annotation(self, figure: int, seen: FigureView, plan: _FigurePlan) -> dict[str, Any]:
        labels = self._settings.labels
        extra: dict[str, Any] = {
            "figure": figure,
            "character": plan.character.name,
            "animation": plan.motion.name,
        }
        if "mask" in labels:
            extra["segmentation"] = rle.encode(seen.mask)
        if "keypoints" not in labels:
            return coco.annotation(seen.box, seen.area, **extra)
        return coco.annotation(seen.box, seen.area, seen.pixels, seen.visibility, **extra)

    def finish(self) -> None:
        """Write what is left; the note that the clip is finished comes last."""
        out, name, size = self._settings.out, self._clip.name, self._settings.size
        # A shorter version of the clip ends here: its note must not vouch for longer records.
        dataset.forget_clip(out, name)
        if "strokes" in self._settings.labels:
            pack = StrokePack.from_views(self._views, size, list(self._clips))
            pack.save(_in_folder(out / "strokes" / f"{name}.npz"))
        if "3d" in self._settings.labels:
            Joints.of(self._joints).save(_in_folder(out / "joints" / f"{name}.npz"))
        _in_folder(out / "clips" / name)
        dataset.write_clip(out, name, self._clip.poses, self._entries)


def _picture(
    picture: _Picture, settings: DatasetSettings, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """A picture, and the record of the ink that it is drawn in."""
    if picture.page is not None:
        return picture.page, {"preset": "freestyle"}
    return draw_strokes(picture.view.strokes, settings.ink, settings.size, rng)


def _in_folder(path: Path) -> Path:
    """The path, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
