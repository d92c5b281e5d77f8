"""Operators that choose the drawing: from a file, from the scene, from what Blender shows."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, IntProperty, StringProperty

from ..blender import drawings, viewport
from ..core.errors import UserError
from ..translations import say
from .character import POSABLE_MODES, ExplainedOperator


class PicturesOperator(ExplainedOperator):
    """Takes picture files, which the user chooses unless they were dropped."""

    bl_options = {"REGISTER", "UNDO"}

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )
    filter_image: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """Only in some modes can the choice be undone."""
        return _why_not_choosable(context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Take what was dropped, or let the user choose."""
        if self.directory and self.files:
            return self.execute(context)
        assert isinstance(self, bpy.types.Operator)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load all of them, or none."""
        folder = bpy.path.abspath(self.directory)
        paths = [Path(folder, file.name) for file in self.files if file.name]
        if not paths:
            self.report({"ERROR"}, say("Choose a picture."))
            return {"CANCELLED"}
        try:
            with viewport.busy(context):
                images = drawings.load_drawings(paths)
        except UserError as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}
        self.report({"INFO"}, say(self.take(context, images)))
        if context.area:  # after a drop, nothing else would draw the panel anew
            context.area.tag_redraw()
        return {"FINISHED"}

    def take(self, context: bpy.types.Context, images: list[bpy.types.Image]) -> str:
        """Do something with them; a sentence about it."""
        raise NotImplementedError


class CROQUIS_OT_open_drawing(PicturesOperator, bpy.types.Operator):
    """Choose picture files; what is dropped into the viewport comes here, too."""

    bl_idname = "croquis.open_drawing"
    bl_label = "Open Drawing"
    bl_description = (
        "Open a picture or a film as the drawing; several pictures go to the list of several "
        "drawings"
    )

    filter_movie: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def take(self, context: bpy.types.Context, images: list[bpy.types.Image]) -> str:
        """Choose the only one, enlist several."""
        settings = context.scene.croquis
        if len(images) == 1:
            drawings.choose(settings, images[0])
            return f"“{images[0].name}” is the drawing now."
        drawings.enlist(settings.several, images)
        return f"Added {len(images)} drawings to the list of several drawings."


class _SourceOperator(ExplainedOperator):
    """Makes a picture of something that Blender shows, and chooses it as the drawing."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """Only in some modes can the choice be undone."""
        return _why_not_choosable(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it and choose it."""
        try:
            with viewport.busy(context):
                image = self.picture(context)
        except UserError as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}
        drawings.choose(context.scene.croquis, image)
        self.report({"INFO"}, say(f"“{image.name}” is the drawing now."))
        return {"FINISHED"}

    def picture(self, context: bpy.types.Context) -> bpy.types.Image:
        """The new image."""
        raise NotImplementedError


class CROQUIS_OT_drawing_from_grease_pencil(_SourceOperator, bpy.types.Operator):
    """A figure that was drawn in the scene."""

    bl_idname = "croquis.drawing_from_grease_pencil"
    bl_label = "From Grease Pencil"
    bl_description = (
        "Use what a Grease Pencil object shows at this frame as the drawing, seen as in this "
        "viewport. Once a character is posed from it, the picture stands in for the strokes"
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """It must be clear which object is meant."""
        reason = super().why_not(context)
        if not reason and drawings.find_grease_pencil(context) is None:
            return "Show and select the Grease Pencil object that holds the drawing."
        return reason

    def picture(self, context: bpy.types.Context) -> bpy.types.Image:
        """Its strokes on paper."""
        thing = drawings.find_grease_pencil(context)
        assert thing is not None  # or poll would not have let it pass
        return drawings.from_grease_pencil(context, thing)


class CROQUIS_OT_drawing_from_render(_SourceOperator, bpy.types.Operator):
    """The last render."""

    bl_idname = "croquis.drawing_from_render"
    bl_label = "From Render"
    bl_description = "Use the last render as the drawing"

    def picture(self, context: bpy.types.Context) -> bpy.types.Image:
        """A copy of it, as the next render replaces it."""
        return drawings.from_render(context)


class CROQUIS_OT_drawing_from_viewport(_SourceOperator, bpy.types.Operator):
    """What the viewport shows."""

    bl_idname = "croquis.drawing_from_viewport"
    bl_label = "From Viewport"
    bl_description = (
        "Use what this viewport shows as the drawing: on white, without grid, bones and other "
        "helpers"
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """There must be a viewport."""
        reason = super().why_not(context)
        if not reason and context.region_data is None:
            return "This works in a 3D viewport."
        return reason

    def picture(self, context: bpy.types.Context) -> bpy.types.Image:
        """A picture of it."""
        return drawings.from_viewport(context)


class CROQUIS_OT_add_frames(ExplainedOperator, bpy.types.Operator):
    """Add a film's frames to the list of several drawings."""

    bl_idname = "croquis.add_frames"
    bl_label = "Add Frames to List"
    bl_description = (
        "Add the frames of this image sequence or movie to the list of several drawings, each at "
        "the frame where it is seen"
    )
    bl_options = {"REGISTER", "UNDO"}

    step: IntProperty(
        name="Frame Step",
        description="Add only every N-th frame",
        default=1,
        min=1,
        soft_max=100,
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """The drawing must be a film."""
        if not drawings.is_film(context.scene.croquis.drawing):
            return "Choose an image sequence or a movie as the drawing first."
        return _why_not_choosable(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add them."""
        settings = context.scene.croquis
        count = drawings.enlist_film(settings.several, settings.drawing, self.step)
        frames = "1 frame" if count == 1 else f"{count} frames"
        self.report({"INFO"}, say(f"Added {frames} to the list of several drawings."))
        return {"FINISHED"}


def _why_not_choosable(context: bpy.types.Context) -> str:
    return "" if context.mode in POSABLE_MODES else "Go back to Object Mode or Pose Mode first."
