"""The dataset renderer as an operator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import bpy

from ..blender.child import render_in_child
from ..blender.dataset import DatasetSettings, Progress
from ..core.errors import UserError

_INTERVAL = 0.1  # seconds between two looks at the child


class CROQUIS_OT_render_dataset(bpy.types.Operator):
    """Render the dataset that the panel describes, in a child Blender."""

    bl_idname = "croquis.render_dataset"
    bl_label = "Render Dataset"
    bl_description = (
        "Draw every character in every animation from all cameras as sketches with known joints; "
        "Esc stops, and a later run goes on from there"
    )

    _running = False
    _work: Iterator[Progress]
    _timer: bpy.types.Timer
    _last = Progress(0, 0, "")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The three folders are chosen and no other run is on."""
        settings = context.scene.croquis.dataset
        if cls._running:
            cls.poll_message_set("A dataset is being rendered already; press Esc to stop it.")
            return False
        for name in ("characters", "animations", "output"):
            if not getattr(settings, name):
                cls.poll_message_set(f"Choose the folder “{name.capitalize()}” first.")
                return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Render; with a window, in small steps beside the user's work."""
        chosen = context.scene.croquis.dataset
        settings = DatasetSettings(
            characters=Path(bpy.path.abspath(chosen.characters)),
            animations=Path(bpy.path.abspath(chosen.animations)),
            out=Path(bpy.path.abspath(chosen.output)),
            cameras=chosen.cameras,
            every=chosen.every,
            size=chosen.size,
            limit=chosen.limit,
        )
        self._work = render_in_child(settings)
        if bpy.app.background:
            while (result := self._step()) == {"RUNNING_MODAL"}:
                time.sleep(_INTERVAL)
            return result
        # The first step finds out whether the folders are usable, before anything is set up.
        if (result := self._step()) != {"RUNNING_MODAL"}:
            return result
        manager = context.window_manager
        type(self)._running = True
        self._timer = manager.event_timer_add(_INTERVAL, window=context.window)
        manager.progress_begin(0, 100)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Look at the work now and then; leave every other event to Blender."""
        if event.type == "ESC":
            self._finish(context)
            self.report({"WARNING"}, f"Stopped after {self._last.done} drawings; they are kept.")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        result = self._step()
        if result != {"RUNNING_MODAL"}:
            self._finish(context)
            return result
        done, total = self._last.done, self._last.total
        context.window_manager.progress_update(100 * done // max(total, 1))
        count = f"{done} / {total}   " if total else ""
        context.workspace.status_text_set(f"{count}{self._last.message}   (Esc: stop)")
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender closes, or loads another file."""
        self._finish(context)

    def _step(self) -> set[str]:
        """One step of the work; says in Blender's words whether it goes on, is done or failed."""
        try:
            self._last = next(self._work)
        except StopIteration:
            self.report({"INFO"}, self._last.message)
            return {"FINISHED"}
        except (UserError, OSError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"RUNNING_MODAL"}

    def _finish(self, context: bpy.types.Context) -> None:
        """Stop the work and clear the status bar."""
        self._work.close()
        type(self)._running = False
        context.window_manager.event_timer_remove(self._timer)
        context.window_manager.progress_end()
        context.workspace.status_text_set(None)
