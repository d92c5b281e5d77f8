"""Long work: a step now and then beside the user's own, and how far it is in the status bar."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import bpy

from ..blender import viewport
from ..core.errors import UserError
from ..translations import say
from .character import ExplainedOperator


class SteppedOperator(ExplainedOperator):
    """Works in steps: with a window, one at each tick of a timer, until Esc; for scripts, all."""

    stop = ""
    """What Esc does, as a title."""

    interval = 0.01
    """Seconds between two ticks, in which Blender shows how far it is."""

    _timer: bpy.types.Timer | None = None

    def begin(self, context: bpy.types.Context) -> None:
        """Get ready.

        Raises:
            UserError: the work cannot begin.
        """
        raise NotImplementedError

    def step(self, context: bpy.types.Context) -> set[str] | None:
        """Take one step; says in Blender's words that it was the last, if it was.

        Raises:
            UserError: the work cannot go on.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Leave the work, at its end or before."""
        raise NotImplementedError

    def stopped(self) -> str:
        """What is to be said at Esc."""
        raise NotImplementedError

    def lets_through(self, _event: bpy.types.Event) -> bool:
        """Whether the user may do that meanwhile."""
        return True

    def show(self, context: bpy.types.Context, share: float, text: str, *notes: str) -> None:
        """Show the user, if one is there, how far it is: as :func:`draw_progress`."""
        stop = self.stop

        def draw(header: bpy.types.Header, _context: bpy.types.Context) -> None:
            draw_progress(header, stop, share, text, *notes)

        if self._timer:
            context.workspace.status_text_set(draw)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Take the steps one by one, beside Blender's own events."""
        if (result := self._try(self.begin, context)) is not None:
            return result
        assert isinstance(self, bpy.types.Operator)
        manager = context.window_manager
        self._timer = manager.event_timer_add(self.interval, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """One step at each tick."""
        if self._timer is None:  # Blender calls an operator again whose last step opened a window
            return {"CANCELLED"}
        # Released, it ends nothing: pressed, it has ended something else that the user was at.
        if event.type == "ESC" and event.value == "PRESS":
            self.cancel(context)
            self.report({"WARNING"}, say(self.stopped()))
            return {"CANCELLED"}
        if event.type == "TIMER":
            try:
                result = self._try(self.step, context)
            except Exception:
                self.cancel(context)  # Blender drops an operator that fails, without a word to it
                raise
            if result is not None:
                self.cancel(context)
                return result
        return {"PASS_THROUGH" if self.lets_through(event) else "RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Leave the work, and take the timer and the progress away."""
        self.close()
        if self._timer:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
            context.workspace.status_text_set(None)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take all steps at once."""
        result = self._try(self.begin, context)
        if result is None:
            with closing(self), viewport.busy(context):
                while result is None:
                    result = self._try(self.step, context)
        return result

    def _try(
        self, work: Callable[[bpy.types.Context], set[str] | None], context: bpy.types.Context
    ) -> set[str] | None:
        try:
            return work(context)
        except UserError as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}


def draw_progress(
    header: bpy.types.Header, stop: str, share: float, text: str, *notes: str
) -> None:
    """Draw a bar before what the status bar shows anyway.

    Args:
        header: the status bar.
        stop: what Esc does, as a title.
        share: how much is done, 0 to 1.
        text: what stands on the bar.
        notes: what stands beside it; empty ones are left out.
    """
    row = header.layout
    # The picture of the key is a wide one.
    row.label(text=f" {say(stop, 'interface')}", icon="EVENT_ESC", translate=False)
    bar = row.row()
    bar.ui_units_x = 12
    bar.progress(factor=share, text=say(text, "interface"), translate=False)
    for note in filter(None, notes):
        row.label(text=say(note, "interface"), translate=False)
    row.template_input_status()
