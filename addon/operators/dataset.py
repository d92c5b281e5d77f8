"""The dataset renderer as operators: a run beside the user's work, and a look at what it made.

The renderer is loaded when it is first used, so that enabling the add-on does not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import bpy

from ..core.clips import Progress
from ..core.dataset import LABELS, NONE, STYLES, DatasetSettings
from ..core.errors import UserError
from ..core.pace import Pace, duration
from ..translations import say
from .character import ExplainedOperator
from .progress import SteppedOperator

_REDRAW = 0.5  # seconds between two updates of what the user sees
_FOLDERS = ("characters", "animations", "output")


def dataset_settings(context: bpy.types.Context) -> DatasetSettings:
    """What the panel describes, not checked."""
    chosen = context.scene.croquis.dataset
    held_out = tuple(name.strip() for name in chosen.hold_out.split(",") if name.strip())
    characters, animations, out = (_folder(getattr(chosen, name)) for name in _FOLDERS)
    return DatasetSettings(
        characters=characters,
        animations=animations,
        out=out,
        cameras=chosen.cameras,
        every=chosen.every,
        size=chosen.size,
        limit=chosen.limit,
        max_per_clip=chosen.max_per_clip,
        seed=chosen.seed,
        images=chosen.images,
        labels=tuple(label for label in LABELS if label in chosen.labels),
        figures=(chosen.figures_min, chosen.figures_max),
        props=chosen.props,
        camera_jitter=chosen.camera_jitter,
        limb_perspective=chosen.limb_perspective,
        proportions=chosen.proportions,
        pose_noise=chosen.pose_noise,
        styles=tuple(style for style in STYLES if style in chosen.styles),
        ink=chosen.ink,
        hold_out=held_out or (NONE,),
    )


def why_not(context: bpy.types.Context) -> str:
    """Why the dataset that the panel describes cannot be rendered, or "".

    Panels ask at every drawing, so the folders' files are not looked at.
    """
    for name in _FOLDERS:
        if reason := _not_chosen(context, name):
            return reason
    try:
        dataset_settings(context).check_choices()
    except UserError as error:
        return str(error)
    return ""


def _not_chosen(context: bpy.types.Context, name: str) -> str:
    if getattr(context.scene.croquis.dataset, name):
        return ""
    return f"Choose the folder “{name.capitalize()}” first."


def _folder(path: str) -> Path:
    return Path(bpy.path.abspath(path))


class Run:
    """A dataset that is being rendered.

    Attributes:
        out: the dataset's folder.
        progress: where it stands.
    """

    def __init__(self, settings: DatasetSettings, workers: int) -> None:
        from ..blender.workers import render_in_workers

        self.out = settings.out
        self.progress = Progress(0, 0, "Starting")
        self._work: Iterator[Progress] = render_in_workers(settings, workers)
        self._pace = Pace()

    def step(self) -> bool:
        """Take notice of the news; False at the end.

        Raises:
            UserError, OSError, RuntimeError: the run cannot go on.
        """
        progress = next(self._work, None)
        if progress is None:
            return False
        self.progress = progress
        if progress.total:
            self._pace.note(progress.done, time.monotonic())
        return True

    def close(self) -> None:
        """End the workers."""
        self._work.close()

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return self.progress.done / max(self.progress.total, 1)

    def count(self) -> str:
        """How many drawings there are, "" while it is not known how many there will be."""
        done, total = self.progress.done, self.progress.total
        return f"{done:,} of {total:,} drawings" if total else ""

    def pace(self) -> str:
        """Rate and time left, "" while nothing is known of them."""
        left = self._pace.seconds_left(self.progress.total)
        return "" if left is None else f"{self._pace.rate:.1f} per second, {duration(left)} left"

    def failures(self) -> str:
        """How much could not be used, "" for nothing."""
        count = self.progress.failures
        return f"{count} failed, see failed.json" if count else ""

    def finished_clips(self) -> int:
        """Number of clips that stand in the dataset's folder."""
        return sum(1 for _ in (self.out / "clips").glob("*.json"))


class CROQUIS_OT_render_dataset(SteppedOperator, bpy.types.Operator):
    """Render the dataset that the panel describes, in child Blenders."""

    bl_idname = "croquis.render_dataset"
    bl_label = "Render Dataset"
    bl_description = (
        "Draw every character in every animation from all cameras as sketches with known joints; "
        "Esc stops, and a later run goes on from there"
    )

    running: ClassVar[Run | None] = None
    """The run that is on, for the panel to show; there is at most one in a Blender."""

    stop = "Stop Rendering"
    interval = 0.1  # seconds between two looks at the workers

    _drawn = 0.0  # when the user last saw something new

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """The settings must make sense, and no other run be on."""
        if cls.running:
            return "A dataset is being rendered already; press Esc to stop it."
        return why_not(context)

    def begin(self, context: bpy.types.Context) -> None:
        """Find out whether the folders are usable."""
        self._run = Run(dataset_settings(context), context.scene.croquis.dataset.workers)
        self._look()
        CROQUIS_OT_render_dataset.running = self._run

    def step(self, context: bpy.types.Context) -> set[str] | None:
        """Look at the work, and now and then show how far it is."""
        if not self._look():
            self._finish(context)
            return {"FINISHED"}
        if self._timer is None:
            time.sleep(self.interval)
        elif time.monotonic() - self._drawn > _REDRAW:
            self._drawn = time.monotonic()
            run = self._run
            bar = run.count() or run.progress.message
            message = run.progress.message if run.count() else ""
            self.show(context, run.share, bar, run.pace(), run.failures(), message)
            _redraw_sidebars(context)
        return None

    def close(self) -> None:
        """End the workers."""
        CROQUIS_OT_render_dataset.running = None
        self._run.close()

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender stops it, or the user."""
        super().cancel(context)
        _redraw_sidebars(context)

    def stopped(self) -> str:
        """What there is, and how it goes on."""
        count = self._run.finished_clips()
        clips = "1 finished clip is" if count == 1 else f"{count} finished clips are"
        return f"Stopped; {clips} kept in {self._run.out}, and Render Dataset goes on from there."

    def _look(self) -> bool:
        try:
            return self._run.step()
        except (OSError, RuntimeError) as error:
            raise UserError(str(error)) from error

    def _finish(self, context: bpy.types.Context) -> None:
        """Say what there is, and show it to the user, if there is one."""
        from ..blender.contact_sheet import draw_contact_sheet, show_picture

        run = self._run
        try:
            path = draw_contact_sheet(run.out)
            if not bpy.app.background:
                show_picture(context, path)
        except (UserError, OSError) as error:
            text = f"{run.progress.message}; without a contact sheet: {error}"
            self.report({"WARNING"}, say(text))
            return
        made, failures = run.progress.message, run.failures()
        text = f"{made}; {path.name} shows some."
        if failures:
            text = f"{made}; {failures}; {path.name} shows some."
        self.report({"INFO"}, say(text))


def _redraw_sidebars(context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


class CROQUIS_OT_show_contact_sheet(ExplainedOperator, bpy.types.Operator):
    """Draw the contact sheet of the output folder's dataset, and show it."""

    bl_idname = "croquis.show_contact_sheet"
    bl_label = "Show Contact Sheet"
    bl_description = (
        "Show drawings and labels of the dataset in the output folder, as far as it is finished, "
        "in a new window"
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """The output folder must be chosen."""
        return _not_chosen(context, "output")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Draw it anew, as the dataset may have grown."""
        from ..blender.contact_sheet import draw_contact_sheet, show_picture

        try:
            path = draw_contact_sheet(_folder(context.scene.croquis.dataset.output))
        except (UserError, OSError) as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}
        if not bpy.app.background:
            show_picture(context, path)
        self.report({"INFO"}, say(f"The contact sheet is {path}."))
        return {"FINISHED"}
