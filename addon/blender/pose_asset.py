"""Poses for Blender's Pose Library: an action asset with the drawing as its thumbnail."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
from numpy.typing import NDArray

from ..core.catalogs import croquis_catalog
from ..core.errors import UserError
from ..core.files import written_whole
from ..core.image import Box
from .keyframes import Channel, pose_channels
from .pixels import colour_pixels
from .pose import remembered

THUMBNAIL = 256
"""Side of a thumbnail, pixels."""

_MARGIN = 0.08  # of the figure's box, around it in the thumbnail
_TAG = "Croquis"
_FOLDER = "Croquis"  # within a library


def save_pose_asset(
    context: bpy.types.Context, armature: bpy.types.Object, library: str = ""
) -> tuple[str, Path | None]:
    """Save an armature's pose as an asset, named after the drawing that it comes from.

    The asset holds the bones that a drawing poses, as they are now, corrections by hand included.

    Args:
        context: whose preferences know the asset libraries.
        armature: the posed character.
        library: name of an asset library, which receives a file of its own for the pose; "" for the
            current file.

    Returns:
        The asset's name, and the file that was written to the library.

    Raises:
        UserError: the armature is no humanoid, or there is no such library.
        OSError: the library's folder cannot be written.
    """
    folder = _library_folder(context, library) if library else None
    channels = pose_channels(armature)
    drawing = remembered(armature)
    name = Path(drawing.image).stem if drawing else f"{armature.name} Pose"
    action = _new_action(name, armature, channels)
    try:
        action.asset_mark()
        about = action.asset_data
        about.description = f"Pose of “{armature.name}”"
        if drawing:
            about.description += f" from the drawing “{drawing.image}”"
            image = bpy.data.images.get(drawing.image)
            if image:
                with suppress(UserError):  # its file is gone, and the pose is not
                    picture = colour_pixels(image, context.scene.frame_current)
                    _set_thumbnail(action, thumbnail(picture, drawing.box))
        about.tags.new(_TAG, skip_if_exists=True)
        about.catalog_id = croquis_catalog(folder or _folder_of_file(context))
        if folder is None:
            return action.name, None
        path = _write(action, folder, name)
    except BaseException:
        bpy.data.actions.remove(action)
        raise
    bpy.data.actions.remove(action)
    return name, path


def thumbnail(picture: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """A square picture ``[S, S, 3]`` of a figure, white where it reaches beyond the drawing.

    Args:
        picture: ``[H, W, 3]`` the drawing.
        box: the figure, pixels.
    """
    side = max(box.width, box.height) * (1 + 2 * _MARGIN)
    scale = min(1.0, THUMBNAIL / side)
    size = max(1, round(side * scale))
    middle = np.array([box.x + box.width / 2, box.y + box.height / 2])
    # cv2 counts pixel centres as whole numbers.
    shift = size / 2 - middle * scale + (scale - 1) / 2
    affine = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    if scale < 1:  # warping alone would skip thin lines
        picture = cv2.blur(picture, (max(1, round(1 / scale)),) * 2)
    return cv2.warpAffine(picture, affine, (size, size), borderValue=(255, 255, 255))


def _set_thumbnail(action: bpy.types.Action, picture: NDArray[np.uint8]) -> None:
    preview = action.preview_ensure()
    height, width = picture.shape[:2]
    preview.image_size = (width, height)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = picture[::-1] / 255  # Blender's rows go upwards
    preview.image_pixels_float.foreach_set(pixels.ravel())


def _new_action(
    name: str, armature: bpy.types.Object, channels: Iterable[Channel]
) -> bpy.types.Action:
    """An action of one frame, which nothing uses yet."""
    action = bpy.data.actions.new(name)
    bag = _channel_bag(action, armature)
    for channel in channels:
        curve = bag.fcurves.new(channel.data_path, index=max(channel.index, 0))
        curve.group = bag.groups.get(channel.bone.name) or bag.groups.new(channel.bone.name)
        curve.keyframe_points.insert(1, channel.value)
        curve.update()
    return action


def _channel_bag(action: bpy.types.Action, armature: bpy.types.Object) -> Any:
    """Where the curves of an object are in an action: what has ``fcurves`` and ``groups``."""
    if not hasattr(action, "slots"):  # before Blender 4.4
        action.id_root = "OBJECT"
        return action
    slot = action.slots.new("OBJECT", armature.name)
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


def _library_folder(context: bpy.types.Context, library: str) -> Path:
    found = context.preferences.filepaths.asset_libraries.get(library)
    if found is None:
        raise UserError(
            f"There is no asset library “{library}”; choose another in the preferences of Croquis."
        )
    folder = Path(bpy.path.abspath(found.path))
    if not folder.is_dir():
        raise UserError(f"The folder {folder} of the asset library “{library}” does not exist.")
    return folder


def _folder_of_file(context: bpy.types.Context) -> Path | None:
    """Where the catalogs of the current file are: the asset library that it lies in, or beside it.

    None for a file that has not been saved yet.
    """
    if not bpy.data.filepath:
        return None
    path = Path(bpy.data.filepath)
    libraries = [
        Path(lib.path) for lib in context.preferences.filepaths.asset_libraries if lib.path
    ]
    return next((folder for folder in libraries if path.is_relative_to(folder)), path.parent)


def _write(action: bpy.types.Action, folder: Path, name: str) -> Path:
    """Write an action into a file of its own."""
    folder = folder / _FOLDER
    folder.mkdir(exist_ok=True)
    stem = bpy.path.clean_name(name)
    names = (f"{stem}_{k}.blend" if k else f"{stem}.blend" for k in count())
    path = next(path for name in names if not (path := folder / name).exists())
    with written_whole(path) as temporary:
        bpy.data.libraries.write(str(temporary), {action}, fake_user=True, compress=True)
    return path
