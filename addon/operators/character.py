"""Operators for the character that is posed."""

from __future__ import annotations

import bpy

from ..blender.extent import Extent
from ..blender.mannequin import add_mannequin
from ..translations import say

POSABLE_MODES = {"OBJECT", "POSE"}
"""Modes in which Blender can undo a change of pose and of objects in one step."""


class ExplainedOperator:
    """An operator whose button tells why it cannot be pressed."""

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """Why the operator cannot run now, or ""."""
        raise NotImplementedError

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Nothing speaks against it."""
        somewhere = context.scene and context.view_layer  # a script may have taken them away
        reason = cls.why_not(context) if somewhere else "Open a scene with a view layer first."
        if reason:
            cls.poll_message_set(say(reason, "tooltips"))
        return not reason


def why_not_editable(context: bpy.types.Context, armature: bpy.types.Object | None) -> str:
    """Why an armature, if there is one, cannot be changed now, or ""."""
    if context.mode not in POSABLE_MODES:
        return "Go back to Object Mode or Pose Mode first."
    if armature and not armature.is_editable:
        return f"“{armature.name}” is linked from a library; make a library override first."
    return ""


def why_not_in_layer(context: bpy.types.Context, armature: bpy.types.Object) -> str:
    """Why the scene's view does not reach an armature, or ""."""
    if armature.name not in context.view_layer.objects:
        return f"“{armature.name}” is not in this view layer; choose another armature."
    return ""


def why_not_addable(context: bpy.types.Context) -> str:
    """Why no object can be added now, or "". Pose Mode is left on the way, if Blender lets us."""
    active = context.view_layer.objects.active
    stuck = context.mode == "POSE" and active is not None and not active.visible_get()
    if stuck or context.mode not in POSABLE_MODES:
        return "Go back to Object Mode first."
    return ""


def why_not_posable(context: bpy.types.Context, armature: bpy.types.Object | None) -> str:
    """Why an armature, or the mannequin that comes without one, cannot be posed now, or ""."""
    reason = why_not_editable(context, armature)
    if reason or armature is None:
        return reason or why_not_addable(context)
    if armature.type != "ARMATURE":
        return f"“{armature.name}” is not an armature; choose an armature."
    return why_not_in_layer(context, armature)


def chosen_extent(context: bpy.types.Context) -> Extent:
    """How much of a pose the panel's character is to take over."""
    settings = context.scene.croquis
    return Extent(settings.part, settings.influence)


class CROQUIS_OT_add_mannequin(ExplainedOperator, bpy.types.Operator):
    """Add the built-in mannequin."""

    bl_idname = "croquis.add_mannequin"
    bl_label = "Add Mannequin"
    bl_description = "Add a wooden mannequin and choose it as the character to pose"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """Nothing more than what every new object needs."""
        return why_not_addable(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it."""
        context.scene.croquis.armature = add_mannequin(context)
        return {"FINISHED"}
