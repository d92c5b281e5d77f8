"""What the panel remembers in the blend file: ``scene.croquis``."""

from __future__ import annotations

import os
from math import pi
from pathlib import Path

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .blender import notes
from .blender.extent import WHOLE
from .blender.reference import Look, show
from .core.dataset import AUTO, DatasetSettings

# The identifiers are core.dataset's own names; labels and styles are flags, in its order.
_LABELS = (
    ("keypoints", "Keypoints", "23 joints in pixels, and whether each is seen, hidden or outside"),
    ("mask", "Mask", "Which pixels show the figure, and its exact box and area"),
    ("parts", "Body Parts", "A picture that tells 14 body parts apart"),
    ("uv", "Surface (UV)", "A picture with the place on the body's surface under each pixel"),
    ("depth", "Depth", "A picture with the distance from the camera under each pixel"),
    ("3d", "3D Joints", "Joints in metres, rotations of the bones, and the camera"),
    ("strokes", "Strokes", "Every line as a record that can be redrawn in another style later"),
)
_STYLES = (
    ("lineart", "Line Art", "Outlines and creases of the character, fast"),
    ("freestyle", "Freestyle", "The same lines by Blender's slower renderer, for comparison"),
    ("stick", "Stick Figures", "Lines from joint to joint; the character itself is not drawn"),
    ("mannequin", "Mannequins", "Ellipses and boxes around the bones, as drawing books teach"),
)
_INKS = (
    ("plain", "Plain", "Thin even black lines"),
    ("random", "Any Tool", "Another tool for each drawing"),
    ("pen", "Pen", "A drawing pen or felt pen in a practised hand"),
    ("brush", "Brush", "A loaded brush, thick in the middle of each stroke"),
    ("pencil", "Pencil", "Grey and grainy, with several searching lines"),
    ("naive", "Unpractised Hand", "One thin line of somebody who seldom draws"),
    ("pictogram", "Pictogram", "One fat even line, as on signs"),
    ("ink", "Engraving", "Steel pen and wood engraving of the nineteenth century"),
)


_DEFAULTS = DatasetSettings(Path(), Path(), Path())
_LOOK = Look()


def _is_drawing(_settings: bpy.types.PropertyGroup, image: bpy.types.Image) -> bool:
    return image.source in {"FILE", "GENERATED", "SEQUENCE", "MOVIE"}


def _is_armature(_settings: bpy.types.PropertyGroup, thing: bpy.types.Object) -> bool:
    return thing.type == "ARMATURE"


def _show_reference(self: CroquisReference, _context: bpy.types.Context) -> None:
    scene = self.id_data
    assert isinstance(scene, bpy.types.Scene)
    show(scene)


def _show_drawing(self: CroquisSeveralDrawings, context: bpy.types.Context) -> None:
    """A click on a drawing of a posed sequence shows its frame."""
    if not 0 <= self.active < len(self.drawings):
        return
    item = self.drawings[self.active]
    if self.kind == "SEQUENCE" and item.posed:
        context.scene.frame_set(item.frame)


def _keep_most(self: CroquisDatasetSettings, _context: bpy.types.Context) -> None:
    if self.figures_max < self.figures_min:
        self.figures_max = self.figures_min


def _keep_least(self: CroquisDatasetSettings, _context: bpy.types.Context) -> None:
    if self.figures_min > self.figures_max:
        self.figures_min = self.figures_max


class CroquisDatasetSettings(bpy.types.PropertyGroup):
    """What dataset to render; ``scripts/render_dataset.py`` takes the same as options."""

    characters: StringProperty(
        name="Characters",
        description="Folder with the rigged characters to draw (.fbx, .glb, .vrm, .blend)",
        subtype="DIR_PATH",
    )
    animations: StringProperty(
        name="Animations",
        description="Folder with the animations to put on every character (.fbx, .glb, .bvh, .npz)",
        subtype="DIR_PATH",
    )
    output: StringProperty(
        name="Output",
        description="Folder that receives the dataset; an interrupted one is continued",
        subtype="DIR_PATH",
    )

    every: IntProperty(
        name="Frame Step",
        description="Draw only every N-th frame of an animation, as neighbours look alike",
        default=_DEFAULTS.every,
        min=1,
        max=10_000,
        soft_max=100,
    )
    max_per_clip: IntProperty(
        name="Poses per Clip",
        description=(
            "Of the frames of each animation, draw only so many: those that differ most from one "
            "another. 0 draws all of them"
        ),
        default=_DEFAULTS.max_per_clip,
        min=0,
        soft_max=100,
    )
    pose_noise: FloatProperty(
        name="Pose Noise",
        description=(
            "Turn joints at random and blend poses, so that there are more poses than the "
            "animations have; elbows and knees keep bending the right way"
        ),
        subtype="FACTOR",
        default=_DEFAULTS.pose_noise,
        min=0.0,
        max=1.0,
    )
    figures_min: IntProperty(
        name="Figures Min",
        description="Fewest figures in a drawing",
        default=_DEFAULTS.figures[0],
        min=1,
        max=3,
        update=_keep_most,
    )
    figures_max: IntProperty(
        name="Max",
        description="Most figures in a drawing; they may stand before one another",
        default=_DEFAULTS.figures[1],
        min=1,
        max=3,
        update=_keep_least,
    )
    proportions: BoolProperty(
        name="Vary Proportions",
        description=(
            "Give the characters other heads, trunks and limbs from clip to clip, from lifelike "
            "to chibi and elongated"
        ),
        default=_DEFAULTS.proportions,
    )
    props: BoolProperty(
        name="Props and Ground",
        description=(
            "Draw chairs, boxes, sticks and ground lines too; they cross the figures and have no "
            "labels, so that a network learns to look past them"
        ),
        default=_DEFAULTS.props,
    )

    cameras: IntProperty(
        name="Cameras",
        description="Views of each pose, from a ring around the character at mid-back height",
        default=_DEFAULTS.cameras,
        min=1,
        max=360,
        soft_max=32,
    )
    camera_jitter: BoolProperty(
        name="Random Cameras",
        description=(
            "Leave the ring: look from above and below, tilted, near through a wide lens or far "
            "away without perspective"
        ),
        default=_DEFAULTS.camera_jitter,
    )
    limb_perspective: BoolProperty(
        name="Exaggerate Limbs",
        description=(
            "Draw a fist that is thrust at us larger and a leg that is far away smaller than a "
            "camera would, as artists do"
        ),
        default=_DEFAULTS.limb_perspective,
    )

    styles: EnumProperty(
        name="Styles",
        description="Ways of drawing; with several, each drawing takes one of them",
        items=_STYLES,
        options={"ENUM_FLAG"},
        default=set(_DEFAULTS.styles),
    )
    ink: EnumProperty(
        name="Ink",
        description="What the lines are drawn with; Freestyle draws its own",
        items=_INKS,
        default=_DEFAULTS.ink,
    )
    size: IntProperty(
        name="Size",
        description="Width and height of the drawings",
        subtype="PIXEL",
        default=_DEFAULTS.size,
        min=32,
        max=1000,
    )
    images: BoolProperty(
        name="Write Pictures",
        description="Write every drawing as a PNG file; records of strokes can do without",
        default=_DEFAULTS.images,
    )
    labels: EnumProperty(
        name="Labels",
        description="What to write down about each figure",
        items=_LABELS,
        options={"ENUM_FLAG"},
        default=set(_DEFAULTS.labels),
    )
    hold_out: StringProperty(
        name="Hold Out",
        description=(
            "Characters that are kept for validation: their file names without ending, with "
            "commas between them; “auto” chooses one in ten, “none” trains on all"
        ),
        default=AUTO,
    )

    limit: IntProperty(
        name="Limit",
        description="Stop after about this many drawings, of all characters; 0 draws everything",
        default=_DEFAULTS.limit,
        min=0,
        soft_max=100_000,
    )
    seed: IntProperty(
        name="Seed",
        description="Every random choice follows from it: the same seed gives the same dataset",
        default=_DEFAULTS.seed,
        min=0,
    )
    workers: IntProperty(
        name="Workers",
        description=(
            "Blenders that draw side by side without a window; one for each processor core is "
            "fastest, fewer leave you some of the machine. The dataset is the same"
        ),
        default=max(1, (os.cpu_count() or 1) // 2),
        min=1,
        max=256,
        soft_max=os.cpu_count() or 1,
    )


class CroquisDrawing(bpy.types.PropertyGroup):
    """One of several drawings."""

    image: PointerProperty(
        name="Drawing", description="The picture", type=bpy.types.Image, poll=_is_drawing
    )
    frame: IntProperty(name="Frame", description="When the pose of this drawing is keyed")
    find_angle: BoolProperty(
        name="Find Angle",
        description="Find out from which side this drawing is seen",
        default=True,
    )
    angle: FloatProperty(
        name="Angle",
        description=(
            "From which side this drawing is seen: 0 from the front, 90 from the character's left, "
            "180 from behind, -90 from its right"
        ),
        subtype="ANGLE",
        min=-pi,
        max=pi,
    )
    correction: StringProperty(
        description="The bones' directions where you have corrected the pose", options={"HIDDEN"}
    )
    suggested: BoolProperty(
        description="Whether correcting this drawing helps most", options={"HIDDEN"}
    )
    posed: BoolProperty(description="Whether its frame has a pose", options={"HIDDEN"})


class CroquisSeveralDrawings(bpy.types.PropertyGroup):
    """A sequence of drawings, or a model sheet."""

    drawings: CollectionProperty(name="Drawings", description="The list", type=CroquisDrawing)
    active: IntProperty(
        name="Drawing", description="Row of the chosen drawing", update=_show_drawing
    )
    kind: EnumProperty(
        name="Kind",
        description="Whether the drawings show many poses or one",
        items=(
            ("SEQUENCE", "Sequence", "Storyboard panels or keys of an animation: many poses"),
            ("SHEET", "Model Sheet", "One pose, drawn from several sides"),
        ),
    )
    smoothness: FloatProperty(
        name="Smoothness",
        description=(
            "How calm the motion is between the drawings: limbs whose depth is not sure follow "
            "their neighbours. 0 poses every drawing by itself"
        ),
        default=1.0,
        min=0.0,
        soft_max=5.0,
    )


class CroquisReference(bpy.types.PropertyGroup):
    """How the drawing stands in the scene."""

    kind: EnumProperty(
        name="Kind",
        description="Where the drawing is to be seen",
        items=(
            ("EMPTY", "In the Scene", "As a reference image behind the character, from all sides"),
            ("BACKGROUND", "In the Camera", "As a background of the drawing's camera only"),
        ),
        default=_LOOK.kind,
        update=_show_reference,
    )
    depth: EnumProperty(
        name="Depth",
        description="Whether the drawing lies behind the character or before it",
        items=(
            ("BACK", "Behind", "The character covers the drawing"),
            ("FRONT", "In Front", "The drawing covers the character"),
        ),
        default=_LOOK.depth,
        update=_show_reference,
    )
    opacity: FloatProperty(
        name="Opacity",
        description="How much of the drawing shows",
        subtype="FACTOR",
        default=_LOOK.opacity,
        min=0.0,
        max=1.0,
        update=_show_reference,
    )


class CroquisSettings(bpy.types.PropertyGroup):
    """The drawing, the character and how to pose it."""

    drawing: PointerProperty(
        name="Drawing",
        description="Picture of the figure whose pose is wanted",
        type=bpy.types.Image,
        poll=_is_drawing,
    )
    armature: PointerProperty(
        name="Armature",
        description="Character to pose; without one, Croquis adds its mannequin",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    figure: IntProperty(
        name="Figure",
        description="Which figure of the drawing is posed: 1 is the largest",
        default=1,
        min=1,
        soft_max=10,
    )
    insert_keyframes: BoolProperty(
        name="Insert Keyframes",
        description="Insert keyframes for the pose at the current frame",
        default=False,
    )
    part: EnumProperty(
        name="Apply To",
        description="Which bones take over the pose; the others stay as they are",
        items=(
            ("ALL", "Whole Rig", "All bones of the trunk and the limbs"),
            ("SELECTED", "Selected Bones Only", "Those of them that are selected in Pose Mode"),
            ("UPPER", "Upper Body", "The spine, the head and the arms"),
            ("LOWER", "Lower Body", "The hips, with the place of the character, and the legs"),
        ),
        default=WHOLE.part,
    )
    influence: FloatProperty(
        name="Influence",
        description=(
            "How far the bones go from the pose that they had before the drawing: at 1 they are "
            "posed as drawn, at 0.5 they stop half way"
        ),
        subtype="FACTOR",
        default=WHOLE.influence,
        min=0.0,
        max=1.0,
    )
    stretch: BoolProperty(
        name="Stretch Limbs",
        description=(
            "Make arms and legs as long as they are drawn; otherwise all bones keep their lengths"
        ),
        default=False,
    )
    look_through_camera: BoolProperty(
        name="Look through Camera",
        description="See the posed character over the drawing, through the drawing's own camera",
        default=True,
    )
    show_joints: BoolProperty(
        name="Joints",
        description=(
            "Show the joints that were found over the drawing: drag one and the character follows, "
            "click one for more. Blue is left, red is right; a ring was only guessed"
        ),
        default=True,
    )
    reference: PointerProperty(
        description="How the drawing stands in the scene", type=CroquisReference
    )
    several: PointerProperty(type=CroquisSeveralDrawings)
    dataset: PointerProperty(type=CroquisDatasetSettings)


_CLASSES = (
    CroquisDatasetSettings,
    CroquisDrawing,
    CroquisReference,
    CroquisSeveralDrawings,
    CroquisSettings,
)


_NOTES = {
    notes.BONES: "Which bone stands for which part of the body, as chosen by hand",
    notes.ESTIMATE: "The joints that were found in the last drawing, and what was made of them",
    notes.BEFORE: "The pose that the last drawing has replaced",
}


def register() -> None:
    """Add the settings to every scene."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.croquis = PointerProperty(type=CroquisSettings)
    # Of an override, a file keeps nothing but what is declared to be overridable.
    for name, description in _NOTES.items():
        note = StringProperty(
            description=description, options={"HIDDEN"}, override={"LIBRARY_OVERRIDABLE"}
        )
        setattr(bpy.types.Object, name, note)


def unregister() -> None:
    """Take the settings away again."""
    for name in _NOTES:
        delattr(bpy.types.Object, name)
    del bpy.types.Scene.croquis
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
