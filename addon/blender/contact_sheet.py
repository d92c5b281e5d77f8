"""A dataset's contact sheet, drawn into its folder and shown in a window of its own."""

from __future__ import annotations

from pathlib import Path

import bpy
import cv2

from ..core import sheet
from ..core.files import write_whole

NAME = "contact_sheet.png"


def draw_contact_sheet(folder: Path) -> Path:
    """Draw the contact sheet of the clips that are finished into the dataset's folder.

    Returns:
        The picture's path.

    Raises:
        UserError: the folder holds no dataset or no finished clip, or a file in it is damaged.
        OSError: the disk is full or the folder cannot be written.
    """
    _, data = cv2.imencode(".png", sheet.contact_sheet(folder))
    write_whole(folder / NAME, data.tobytes())
    return folder / NAME


def show_picture(context: bpy.types.Context, path: Path) -> bpy.types.Image:
    """Show a picture file in a new window, or again in those that show it already.

    The user's own windows and areas stay as they are.
    """
    manager = context.window_manager
    image = bpy.data.images.load(str(path), check_existing=True)
    image.reload()  # its file may be a newer one
    shown = [
        area
        for window in manager.windows
        for area in window.screen.areas
        if area.type == "IMAGE_EDITOR" and area.spaces.active.image == image
    ]
    if shown:
        for area in shown:
            area.tag_redraw()
        return image
    bpy.ops.wm.window_new()
    area = manager.windows[-1].screen.areas[0]
    area.ui_type = "IMAGE_EDITOR"
    area.spaces.active.image = image
    region = next(region for region in area.regions if region.type == "WINDOW")
    with context.temp_override(window=manager.windows[-1], area=area, region=region):
        bpy.ops.image.view_all(fit_view=True)
    return image
