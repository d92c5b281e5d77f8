"""What becomes of a pose: keyframes, an asset of the Pose Library, a file, and back from a file."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ..blender import pose, pose_files, reference, viewport
from ..blender.extent import why_not_within
from ..blender.keyframes import insert_keyframes
from ..blender.pose_asset import save_pose_asset
from ..core.errors import UserError
from ..preferences import pose_library
from ..translations import say
from .character import ExplainedOperator, chosen_extent, why_not_in_layer, why_not_posable


class _PoseOperator(ExplainedOperator):
    """An operator on the panel's character; what it does is in ``work``."""

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """A character must be chosen that may be read."""
        armature = context.scene.croquis.armature
        if armature is None:
            return "Choose an armature in the Croquis panel first."
        return why_not_in_layer(context, armature)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it, and say what came of it."""
        try:
            with viewport.busy(context):
                message = self.work(context)
        except UserError as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}
        except OSError as error:
            self.report({"ERROR"}, say(f"{error.filename}: {error.strerror}."))
            return {"CANCELLED"}
        self.report({"INFO"}, say(message))
        return {"FINISHED"}


class CROQUIS_OT_insert_keyframes(_PoseOperator, bpy.types.Operator):
    """Keyframe the pose."""

    bl_idname = "croquis.insert_keyframes"
    bl_label = "Insert Keyframes"
    bl_description = (
        "Insert keyframes for the character's trunk and limbs at the current frame, but none on "
        "locked channels"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """As for posing: the armature must be the user's to change."""
        armature = context.scene.croquis.armature
        return why_not_posable(context, armature) or super().why_not(context)

    def work(self, context: bpy.types.Context) -> str:
        """Insert them."""
        count = insert_keyframes(context.scene.croquis.armature)
        return f"Inserted keyframes for {count} bones at frame {context.scene.frame_current}."


class CROQUIS_OT_save_pose_asset(_PoseOperator, bpy.types.Operator):
    """Save the pose as an asset."""

    bl_idname = "croquis.save_pose_asset"
    bl_label = "Save to Pose Library"
    bl_description = (
        "Save the character's pose as an asset with the drawing as its thumbnail, in this file or "
        "in the asset library that is chosen in the preferences of Croquis"
    )
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context) -> str:
        """Save it where the preferences say."""
        library = pose_library(context)
        name, path = save_pose_asset(context, context.scene.croquis.armature, library)
        return f"Saved the pose asset “{name}” {f'as {path}' if path else 'in this file'}."


class _FileOperator(_PoseOperator):
    """An operator on a file as well."""

    @property
    def path(self) -> Path:
        """The chosen file.

        Raises:
            UserError: none is chosen.
        """
        path = Path(bpy.path.abspath(self.filepath))
        if not path.name:
            raise UserError("Choose a file first.")
        return path


class _ExportOperator(_FileOperator, ExportHelper):
    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Suggest a name: that of the drawing, or of the character."""
        if not self.filepath:
            armature = context.scene.croquis.armature
            drawing = pose.remembered(armature)
            stem = Path(drawing.image).stem if drawing else armature.name
            folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path()
            self.filepath = str(folder / bpy.path.clean_name(stem)) + self.filename_ext
        super().invoke(context, event)
        return {"RUNNING_MODAL"}


class CROQUIS_OT_export_json(_ExportOperator, bpy.types.Operator):
    """Write a pose file."""

    bl_idname = "croquis.export_json"
    bl_label = "Export Croquis Pose (.json)"
    bl_description = (
        "Write the keypoints of the drawing, the joints in space, the bones' rotations and the "
        "camera, for other programs and for posing another character"
    )

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """There is a drawing to tell of."""
        reason = super().why_not(context)
        armature = context.scene.croquis.armature
        if not reason and pose.remembered(armature) is None:
            return f"“{armature.name}” has no drawing yet; press Pose from Sketch first."
        return reason

    def work(self, context: bpy.types.Context) -> str:
        """Write it."""
        pose_files.describe(context, context.scene.croquis.armature).save(self.path)
        return f"Wrote {self.path.name}."


class CROQUIS_OT_export_bvh(_ExportOperator, bpy.types.Operator):
    """Write a Biovision hierarchy."""

    bl_idname = "croquis.export_bvh"
    bl_label = "Export Croquis Pose (.bvh)"
    bl_description = "Write the pose of the character's trunk and limbs, or their animation, as BVH"

    filename_ext = ".bvh"
    filter_glob: StringProperty(default="*.bvh", options={"HIDDEN"})
    frames: EnumProperty(
        name="Frames",
        description="What to write",
        items=(
            ("CURRENT", "Current Pose", "The pose as it is now, as a single frame"),
            ("SCENE", "Scene Range", "All frames from the scene's first to its last"),
        ),
    )

    def work(self, context: bpy.types.Context) -> str:
        """Write it."""
        scene = context.scene
        every = range(scene.frame_start, scene.frame_end + 1)
        frames = None if self.frames == "CURRENT" else every
        pose_files.save_bvh(context, scene.croquis.armature, self.path, frames)
        return f"Wrote {self.path.name}."


class CROQUIS_OT_load_pose(_FileOperator, ImportHelper, bpy.types.Operator):
    """Pose the character from a pose file."""

    bl_idname = "croquis.load_pose"
    bl_label = "Load Pose"
    bl_description = "Pose the character as the drawing of a pose file (.json) shows it"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """As for posing; without a character there will be the mannequin."""
        armature = context.scene.croquis.armature
        extent = chosen_extent(context)
        return why_not_posable(context, armature) or why_not_within(armature, extent)

    def work(self, context: bpy.types.Context) -> str:
        """Pose it."""
        scene = context.scene
        assert scene is not None  # Blender's types allow for a context without a file
        settings = scene.croquis
        path = self.path
        settings.armature, held = pose_files.load_pose(
            context,
            path,
            settings.armature,
            keyframe=settings.insert_keyframes,
            extent=chosen_extent(context),
        )
        camera = reference.find_camera(scene)
        if settings.look_through_camera and camera:
            viewport.look_through(context, camera)
        return f"Posed “{settings.armature.name}” as in {path.name}. {held}".strip()
