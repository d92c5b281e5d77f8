"""Operators for the character that is posed."""

from __future__ import annotations

import bpy

from ..blender.mannequin import add_mannequin

POSABLE_MODES = {"OBJECT", "POSE"}
"""Modes in which Blender can undo a change of pose and of objects in one step."""


class CROQUIS_OT_add_mannequin(bpy.types.Operator):
    """Add the built-in mannequin."""

    bl_idname = "croquis.add_mannequin"
    bl_label = "Add Mannequin"
    bl_description = "Add a wooden mannequin and choose it as the character to pose"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Objects are added in Object Mode; Pose Mode is left on the way."""
        if context.mode in POSABLE_MODES:
            return True
        cls.poll_message_set("Go back to Object Mode first.")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it."""
        context.scene.croquis.armature = add_mannequin(context)
        return {"FINISHED"}
