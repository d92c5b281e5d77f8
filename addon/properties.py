"""What the panel remembers in the blend file: ``scene.croquis``."""

import bpy
from bpy.props import BoolProperty, IntProperty, PointerProperty, StringProperty


def _is_drawing(_settings: bpy.types.PropertyGroup, image: bpy.types.Image) -> bool:
    return image.source in {"FILE", "GENERATED"}


def _is_armature(_settings: bpy.types.PropertyGroup, thing: bpy.types.Object) -> bool:
    return thing.type == "ARMATURE"


class CroquisDatasetSettings(bpy.types.PropertyGroup):
    """The dataset renderer's arguments; ``scripts/render_dataset.py`` has the same."""

    characters: StringProperty(
        name="Characters",
        description="Folder with the rigged characters to draw (.fbx, .glb, .vrm, .blend)",
        subtype="DIR_PATH",
    )
    animations: StringProperty(
        name="Animations",
        description="Folder with the animations to put on every character (.fbx, .glb, .npz)",
        subtype="DIR_PATH",
    )
    output: StringProperty(
        name="Output",
        description="Folder that receives the dataset; an interrupted one is continued",
        subtype="DIR_PATH",
    )
    cameras: IntProperty(
        name="Cameras",
        description="Number of cameras in a ring around the character at mid-back height",
        default=8,
        min=1,
        max=360,
        soft_max=32,
    )
    every: IntProperty(
        name="Every N-th Frame",
        description="Draw only every N-th frame of an animation, as neighbours look alike",
        default=10,
        min=1,
        max=10_000,
        soft_max=100,
    )
    size: IntProperty(
        name="Size",
        description="Width and height of the drawings",
        subtype="PIXEL",
        default=256,
        min=32,
        max=1000,
    )
    limit: IntProperty(
        name="Limit",
        description="Stop after about this many drawings; 0 renders all of them",
        default=0,
        min=0,
        soft_max=100_000,
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
    insert_keyframes: BoolProperty(
        name="Insert Keyframes",
        description="Insert keyframes for the pose at the current frame",
        default=False,
    )
    look_through_camera: BoolProperty(
        name="Look through Camera",
        description="See the posed character over the drawing, through the drawing's own camera",
        default=True,
    )
    dataset: PointerProperty(type=CroquisDatasetSettings)


_CLASSES = (CroquisDatasetSettings, CroquisSettings)


def register() -> None:
    """Add the settings to every scene."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.croquis = PointerProperty(type=CroquisSettings)


def unregister() -> None:
    """Take the settings away again."""
    del bpy.types.Scene.croquis
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
