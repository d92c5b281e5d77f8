"""Croquis' operators: each is a poll, a call and a report."""

import bpy

from ..blender import viewport
from .character import CROQUIS_OT_add_mannequin
from .correct import (
    CROQUIS_OT_hide_joint,
    CROQUIS_OT_move_joint,
    CROQUIS_OT_reset_joint,
    CROQUIS_OT_reset_joints,
)
from .dataset import CROQUIS_OT_render_dataset, CROQUIS_OT_show_contact_sheet
from .drawing import (
    CROQUIS_OT_add_frames,
    CROQUIS_OT_drawing_from_grease_pencil,
    CROQUIS_OT_drawing_from_render,
    CROQUIS_OT_drawing_from_viewport,
    CROQUIS_OT_open_drawing,
)
from .export import (
    CROQUIS_OT_export_bvh,
    CROQUIS_OT_export_json,
    CROQUIS_OT_insert_keyframes,
    CROQUIS_OT_load_pose,
    CROQUIS_OT_save_pose_asset,
)
from .figure import CROQUIS_OT_choose_figure
from .pose import CROQUIS_OT_look, CROQUIS_OT_pose_from_sketch
from .readings import (
    CROQUIS_OT_first_reading,
    CROQUIS_OT_flip_limb,
    CROQUIS_OT_mirror,
    CROQUIS_OT_next_reading,
    CROQUIS_OT_previous_reading,
)
from .rig import CROQUIS_OT_choose_bone, CROQUIS_OT_match_bones
from .sequence import (
    CROQUIS_OT_add_drawings,
    CROQUIS_OT_clear_correction,
    CROQUIS_OT_keep_correction,
    CROQUIS_OT_move_drawing,
    CROQUIS_OT_pose_from_sheet,
    CROQUIS_OT_pose_sequence,
    CROQUIS_OT_remove_drawing,
)

_CLASSES = (
    CROQUIS_OT_open_drawing,
    CROQUIS_OT_drawing_from_grease_pencil,
    CROQUIS_OT_drawing_from_render,
    CROQUIS_OT_drawing_from_viewport,
    CROQUIS_OT_add_frames,
    CROQUIS_OT_add_mannequin,
    CROQUIS_OT_choose_bone,
    CROQUIS_OT_match_bones,
    CROQUIS_OT_pose_from_sketch,
    CROQUIS_OT_look,
    CROQUIS_OT_choose_figure,
    CROQUIS_OT_move_joint,
    CROQUIS_OT_hide_joint,
    CROQUIS_OT_reset_joint,
    CROQUIS_OT_reset_joints,
    CROQUIS_OT_flip_limb,
    CROQUIS_OT_mirror,
    CROQUIS_OT_next_reading,
    CROQUIS_OT_previous_reading,
    CROQUIS_OT_first_reading,
    CROQUIS_OT_insert_keyframes,
    CROQUIS_OT_save_pose_asset,
    CROQUIS_OT_export_json,
    CROQUIS_OT_export_bvh,
    CROQUIS_OT_load_pose,
    CROQUIS_OT_add_drawings,
    CROQUIS_OT_remove_drawing,
    CROQUIS_OT_move_drawing,
    CROQUIS_OT_pose_sequence,
    CROQUIS_OT_pose_from_sheet,
    CROQUIS_OT_keep_correction,
    CROQUIS_OT_clear_correction,
    CROQUIS_OT_render_dataset,
    CROQUIS_OT_show_contact_sheet,
)


def register() -> None:
    """Add the operators to Blender, and what keeps the viewport in step with undo."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.app.handlers.undo_post.append(viewport.leave_lost_camera)


def unregister() -> None:
    """Take the operators away again; those that are at work end as they do at Esc."""
    try:
        _end_running()
    finally:
        bpy.app.handlers.undo_post.remove(viewport.leave_lost_camera)
        for cls in reversed(_CLASSES):
            bpy.utils.unregister_class(cls)


def _end_running() -> None:
    """End the modal operators, in their windows, as Blender does when it opens another file.

    It forgets those of a class that is unregistered, but without a word to them, and leaves their
    file selectors open.
    """
    for window in list(bpy.context.window_manager.windows):
        with bpy.context.temp_override(window=window):
            for operator in window.modal_operators:
                kind = type(operator)  # one that is forgotten already can be asked no more
                if kind in _CLASSES and hasattr(kind, "cancel"):
                    operator.cancel(bpy.context)
            spaces = [area.spaces.active for area in window.screen.areas]
            if any(type(getattr(s, "active_operator", None)) in _CLASSES for s in spaces):
                # A file selector is a window of its own, or fills one as its only area.
                if window.screen.is_temporary:
                    bpy.ops.wm.window_close()
                else:
                    with bpy.context.temp_override(area=window.screen.areas[0]):
                        bpy.ops.screen.back_to_previous()
