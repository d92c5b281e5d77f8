"""How far long work is, in Blender's status bar."""

from __future__ import annotations

import bpy


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
    row.label(text=f" {stop}", icon="EVENT_ESC")  # the picture of the key is a wide one
    bar = row.row()
    bar.ui_units_x = 12
    bar.progress(factor=share, text=text)
    for note in filter(None, notes):
        row.label(text=note)
    row.template_input_status()
