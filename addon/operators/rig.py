"""Operators for which bone of a character stands for which joint of a drawing."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, StringProperty

from ..blender.armature import bone_table, choose_bones, matched_bones
from ..core import skeleton
from ..core.errors import UserError
from ..core.rigs import label_of
from ..translations import BODY, say
from .character import ExplainedOperator, why_not_editable

_JOINTS = tuple((name, label_of(name), "") for name in skeleton.KEYPOINTS)


class _BonesOperator(ExplainedOperator):
    """An operator on the table of the panel's character."""

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """A character must be chosen that may be changed."""
        armature = context.scene.croquis.armature
        if armature is None or armature.type != "ARMATURE":
            return "Choose an armature first."
        return why_not_editable(context, armature)


class CROQUIS_OT_choose_bone(_BonesOperator, bpy.types.Operator):
    """Take a correction of the table that the panel shows."""

    bl_idname = "croquis.choose_bone"
    bl_label = "Choose Bone"
    bl_description = "Choose the bone that stands for this part of the body; none leaves it out"
    bl_options = {"REGISTER", "UNDO"}

    joint: EnumProperty(
        name="Part",
        description="Part of the body that the bone stands for",
        items=_JOINTS,
        translation_context=BODY,
    )
    bone: StringProperty(name="Bone", description="Bone of the character, empty for none")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the bone, beginning with the one that stands there."""
        self.bone = bone_table(context.scene.croquis.armature)[0].get(self.joint, "")
        context.window_manager.invoke_props_dialog(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        """A field that searches the character's bones."""
        data = context.scene.croquis.armature.data
        part = say(label_of(self.joint), "interface")
        self.layout.prop_search(self, "bone", data, "bones", text=part, translate=False)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Keep the table with this correction."""
        armature = context.scene.croquis.armature
        bones = bone_table(armature)[0] | {self.joint: self.bone}
        try:
            choose_bones(armature, bones)
        except UserError as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}
        part = label_of(self.joint)
        self.report(
            {"INFO"}, say(f"{part}: bone “{self.bone}”." if self.bone else f"{part}: no bone.")
        )
        return {"FINISHED"}


class CROQUIS_OT_match_bones(_BonesOperator, bpy.types.Operator):
    """Forget corrections."""

    bl_idname = "croquis.match_bones"
    bl_label = "Match Anew"
    bl_description = "Forget the bones chosen by hand, and find them by their names and places"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Match, and say how much was found."""
        armature = context.scene.croquis.armature
        choose_bones(armature, {})
        try:
            count = len(matched_bones(armature))
        except UserError as error:
            self.report({"WARNING"}, say(error))
        else:
            self.report({"INFO"}, say(f"Found {count} of {skeleton.COUNT} bones."))
        return {"FINISHED"}
