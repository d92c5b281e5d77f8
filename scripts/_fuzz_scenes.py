"""Scenes for ``fuzz.py``: files to begin with, and twists that make of them what users make."""

from __future__ import annotations

import contextlib
import json
import math
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np

from scripts import draw_rigs
from scripts._common import ROOT, addon
from scripts.benchmark import write_motion

ODD_NUMBERS = (math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-30, 1e30, 1.0)
ODD_WORDS = ("", " ", "Ж", "поза ✏️ 姿勢", "a" * 900, "\u202e", "{}", "[]", "null", "%s", "../x")
EXAMPLES = sorted((ROOT / "examples").glob("*.png"))
UNWRITABLE = "/sys"  # refuses even the administrator

_EMPTY = "empty"
_RIGIFY = "rigify"  # takes seconds to make, so it is made when a case asks for it


@dataclass(frozen=True)
class Files:
    """The files of a run, made once.

    Attributes:
        folder: where they all are.
    """

    folder: Path

    def of(self, kind: str) -> list[Path]:
        """All files of a kind: ``drawings``, ``poses``, ``networks`` or ``datasets``."""
        return sorted((self.folder / kind).iterdir())

    def scene(self, name: str) -> Path:
        """The blend file of one of :data:`SCENES`, which is made at its first use."""
        path = self.folder / "scenes" / f"{name}.blend"
        if path.exists():
            return path
        path.parent.mkdir(exist_ok=True)
        if name == _RIGIFY:
            return draw_rigs.make_rigify(path, generate=True)
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        SCENES[name](self)
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
        return path


@dataclass
class World:
    """What a case plays with.

    Attributes:
        rng: every choice comes from it.
        files: the files of the run.
        folder: the case's own, for what it writes.
    """

    rng: random.Random
    files: Files
    folder: Path

    @property
    def armature(self) -> bpy.types.Object:
        """The panel's armature, or any.

        Raises:
            RuntimeError: there is none.
        """
        chosen = bpy.context.scene.croquis.armature
        if chosen and chosen.type == "ARMATURE":
            return chosen
        for thing in bpy.data.objects:
            if thing.type == "ARMATURE":
                return thing
        raise RuntimeError("no armature")

    @property
    def bone(self) -> bpy.types.PoseBone:
        """One of the armature's bones."""
        return self.any(self.armature.pose.bones)

    @property
    def image(self) -> bpy.types.Image:
        """One of the images, most often the panel's drawing."""
        drawing = bpy.context.scene.croquis.drawing
        return drawing if drawing and self.rng.random() < 0.7 else self.any(bpy.data.images)

    def any(self, things: Any) -> Any:
        """One of some things.

        Raises:
            RuntimeError: there are none.
        """
        things = list(things)
        if not things:
            raise RuntimeError("nothing to choose from")
        return self.rng.choice(things)

    def path(self, ending: str = "") -> str:
        """A file that may be written or read, or not."""
        if self.rng.random() < 0.3:
            return str(self.files.folder / "poses" / "whole.json")
        places = (
            "",
            str(self.folder),
            str(self.folder / f"out{ending}"),
            str(self.folder / f"поза ✏️{ending}"),
            str(self.folder / "missing" / f"out{ending}"),
            str(self.any(self.files.of("drawings")) / f"below a file{ending}"),
            f"{UNWRITABLE}/croquis{ending}",
            f"//relative{ending}",
            str(self.folder / ("long" * 80 + ending)),
            str(self.any(self.files.of("poses"))),
            str(self.any(self.files.of("drawings"))),
        )
        return self.rng.choice(places)

    def place(self) -> str:
        """A folder that may be used, or not."""
        places = (
            "",
            self.folder,
            self.folder / "missing",
            UNWRITABLE,
            "//",
            *self.files.of("datasets"),
        )
        return str(self.rng.choice(places))

    def value(self, prop: bpy.types.Property) -> Any:
        """A value that a property can be given; None for a property that is left alone."""
        rng = self.rng
        match prop.type:
            case "BOOLEAN":
                return rng.random() < 0.5
            case "INT":
                low, high = prop.hard_min, prop.hard_max
                inside = (low, high, *(prop.default,) * 4, 0, 1, 2, rng.randint(-100, 100))
                return min(max(rng.choice(inside), low), high)
            case "FLOAT":
                numbers = (*ODD_NUMBERS, prop.hard_min, prop.hard_max, rng.uniform(0, 500))
                if rng.random() < 0.5:
                    numbers = (prop.default, rng.uniform(0, 500))
                if prop.array_length:
                    return tuple(rng.choice(numbers) for _ in range(prop.array_length))
                return rng.choice(numbers)
            case "ENUM":
                names = [item.identifier for item in prop.enum_items]
                if prop.is_enum_flag:
                    return set(rng.sample(names, rng.randint(0, len(names))))
                return rng.choice(names) if names else None
            case "STRING":
                return self.text(prop)
            case "COLLECTION" if prop.identifier == "files":
                names = [path.name for path in self.files.of("drawings")]
                good = [path.name for path in EXAMPLES]
                chosen = rng.choices(rng.choice((names, good)), k=rng.randint(0, 3))
                return [{"name": name} for name in chosen]
        return None

    def text(self, prop: bpy.types.Property) -> str:
        """A text that fits what a property is called, or does not."""
        name = prop.identifier
        if self.rng.random() < 0.2:
            return self.rng.choice(ODD_WORDS)
        if name == "directory":
            usable = self.rng.random() < 0.8
            return str(self.files.folder / "drawings") if usable else self.place()
        if prop.subtype == "DIR_PATH":
            return self.place()
        if prop.subtype == "FILE_PATH" or "path" in name:
            return self.path(self.rng.choice((".json", ".bvh", ".png", "")))
        blocks = self.rng.choice((bpy.data.objects, bpy.data.images, bpy.data.armatures))
        if blocks == bpy.data.armatures:
            blocks = [bone for data in blocks for bone in data.bones]
        return self.rng.choice(list(blocks)).name if blocks else ""


# --- Files ---------------------------------------------------------------------------------------


def make_files(folder: Path) -> Files:
    """Write what the cases read: drawings, pose files, networks, folders for datasets.

    Args:
        folder: an empty folder that stays until the last case.
    """
    for kind in ("drawings", "poses", "networks", "datasets"):
        (folder / kind).mkdir()
    files = Files(folder)
    _make_drawings(folder / "drawings")
    bpy.ops.wm.open_mainfile(filepath=str(files.scene("posed")))
    _make_poses(folder / "poses")
    _make_networks(folder / "networks")
    _make_datasets(files)
    return files


def _make_drawings(folder: Path) -> None:
    for path in EXAMPLES:
        shutil.copy(path, folder)
    shutil.copy(EXAMPLES[0], folder / "Рисунок ✏️ 人物 (2).png")
    grey = cv2.imread(str(EXAMPLES[0]), cv2.IMREAD_GRAYSCALE)
    shapes = {
        "one pixel": np.zeros((1, 1), np.uint8),
        "one row": np.full((1, 300), 255, np.uint8),
        "empty page": np.full((300, 200), 255, np.uint8),
        "black page": np.zeros((300, 200), np.uint8),
        "noise": np.random.default_rng(0).integers(0, 255, (200, 300), np.uint8),
        "8k": cv2.resize(grey, (8192, 8192), interpolation=cv2.INTER_NEAREST),
        "16 bit": grey.astype(np.uint16) * 257,
        "transparent": np.dstack([np.zeros((*grey.shape, 3), np.uint8), 255 - grey]),
        "two": np.hstack([grey, grey]),
    }
    for name, pixels in shapes.items():
        (folder / f"{name}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    for number, path in enumerate(EXAMPLES[:3], 1):
        shutil.copy(path, folder / f"film {number}.png")
    (folder / "photo.jpg").write_bytes(cv2.imencode(".jpg", grey)[1].tobytes())
    whole = EXAMPLES[0].read_bytes()
    (folder / "cut short.png").write_bytes(whole[: len(whole) // 2])
    (folder / "damaged.png").write_bytes(whole[:99] + bytes(200) + whole[299:])
    (folder / "nothing.png").write_bytes(b"")
    (folder / "text.png").write_text("no picture", encoding="utf-8")
    (folder / "folder.png").mkdir()


def _make_poses(folder: Path) -> None:
    described = addon("blender.pose_files").describe(
        bpy.context, bpy.context.scene.croquis.armature
    )
    described.save(folder / "whole.json")
    text = (folder / "whole.json").read_text(encoding="utf-8")
    document = json.loads(text)
    lost = document | {"keypoints": dict.fromkeys(document["keypoints"], [None, None, 0.0])}
    flat = document | {"keypoints": dict.fromkeys(document["keypoints"], [5.0, 5.0, 0.9])}
    far = document | {"keypoints": dict.fromkeys(document["keypoints"], [1e300, -1e300, 0.9])}
    texts = {
        "lost": json.dumps(lost),
        "flat": json.dumps(flat),
        "far": json.dumps(far),
        "thin": json.dumps(document | {"image": {"name": "", "width": 10**12, "height": 1}}),
        "older": json.dumps(document | {"version": -1}),
        "cut short": text[: len(text) // 2],
        "list": "[]",
        "nothing": "",
    }
    for name, content in texts.items():
        (folder / f"{name}.json").write_text(content, encoding="utf-8")
    (folder / "binary.json").write_bytes(bytes(range(256)))


def _make_networks(folder: Path) -> None:
    shipped = addon("core.estimator").SHIPPED
    shutil.copy(shipped, folder / "without a card.onnx")
    (folder / "text.onnx").write_text("no network", encoding="utf-8")
    (folder / "cut short.onnx").write_bytes(shipped.read_bytes()[:5000])
    (folder / "odd card.onnx").write_bytes(shipped.read_bytes())
    (folder / "odd card.json").write_text("[1]", encoding="utf-8")


def _make_datasets(files: Files) -> None:
    """Folders of characters and of animations, whole and broken, for each of the settings."""
    folder = files.folder / "datasets"
    for name in ("characters", "animations", "broken", "nothing"):
        (folder / name).mkdir()
    shutil.copy(files.scene("mannequin"), folder / "characters" / "mannequin.blend")
    write_motion(folder / "animations" / "swing.npz", 1)
    for name in ("cut.blend", "cut.fbx", "cut.glb", "cut.bvh", "cut.npz"):
        (folder / "broken" / name).write_bytes(b"BLENDER-v404RENDH" + bytes(99))
    (folder / "a file").write_text("no folder", encoding="utf-8")


# --- Scenes to begin with ------------------------------------------------------------------------


def _load(path: Path) -> bpy.types.Image:
    return bpy.data.images.load(str(path), check_existing=True)


def _example(files: Files, number: int = 0) -> bpy.types.Image:
    """One of the drawings that show a figure."""
    return _load(files.folder / "drawings" / EXAMPLES[number].name)


def _mannequin(files: Files) -> None:
    settings = bpy.context.scene.croquis
    settings.armature = addon("blender.mannequin").add_mannequin(bpy.context)
    settings.drawing = _example(files)
    for name in ("characters", "animations"):
        setattr(settings.dataset, name, str(files.folder / "datasets" / name))


def _posed(files: Files) -> None:
    _mannequin(files)
    settings = bpy.context.scene.croquis
    addon("blender.pose").pose_from_sketch(
        bpy.context,
        settings.drawing,
        settings.armature,
        estimator=addon("core.estimator").Estimator(),
        keyframe=True,
    )


def _listed(files: Files) -> list[Any]:
    """Three drawings in the panel's list; the same as the plain functions take them."""
    _mannequin(files)
    several = bpy.context.scene.croquis.several
    drawings = []
    for number in range(3):
        item = several.drawings.add()
        item.image, item.frame = _example(files, number), 1 + 10 * number
        drawings.append(addon("blender.sequence").Drawing(item.image, item.frame))
    return drawings


def _sequence(files: Files) -> None:
    drawings, sequence = _listed(files), addon("blender.sequence")
    sequence.finish(
        sequence.pose_sequence(
            bpy.context,
            drawings,
            bpy.context.scene.croquis.armature,
            estimator=addon("core.estimator").Estimator(),
        )
    )


def _sheet(files: Files) -> None:
    drawings, sequence = _listed(files), addon("blender.sequence")
    bpy.context.scene.croquis.several.kind = "SHEET"
    sequence.finish(
        sequence.pose_from_sheet(
            bpy.context,
            drawings,
            bpy.context.scene.croquis.armature,
            estimator=addon("core.estimator").Estimator(),
        )
    )


@contextlib.contextmanager
def _edited(armature: bpy.types.Object) -> Any:
    """The bones of an armature, to be edited."""
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        yield armature.data.edit_bones
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


def _bones(files: Files, names: list[str]) -> None:
    """An armature with a chain of bones."""
    armature = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(armature)
    with _edited(armature) as bones:
        for row, name in enumerate(names):
            bone = bones.new(name)
            bone.head, bone.tail = (0, 0, row), (0, 0, row + 1)
            bone.parent = bones[row - 1] if row else None
    settings = bpy.context.scene.croquis
    settings.armature, settings.drawing = armature, _example(files)


def _without_arms(files: Files) -> None:
    _mannequin(files)
    with _edited(bpy.context.scene.croquis.armature) as bones:
        for bone in [b for b in bones if "Arm" in b.name or "Shoulder" in b.name]:
            bones.remove(bone)


def _stranger(files: Files) -> None:
    """Bones whose names say nothing."""
    _mannequin(files)
    for number, bone in enumerate(bpy.context.scene.croquis.armature.data.bones):
        bone.name = f"Knochen {number}"


def _twins(files: Files) -> None:
    """Two sets of the same bones in one armature."""
    _mannequin(files)
    with _edited(bpy.context.scene.croquis.armature) as bones:
        for bone in list(bones):
            twin = bones.new(bone.name)
            twin.head, twin.tail, twin.roll = bone.head, bone.tail, bone.roll
            twin.parent = bone.parent


def _linked(files: Files) -> None:
    library = files.scene("posed")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    loading: Any = bpy.data.libraries.load(str(library), link=True)
    with loading as (there, wanted):
        wanted.objects, wanted.images = there.objects, there.images
    for thing in wanted.objects:
        bpy.context.scene.collection.objects.link(thing)
    settings = bpy.context.scene.croquis
    settings.armature = next(thing for thing in wanted.objects if thing.type == "ARMATURE")
    settings.drawing = next(image for image in wanted.images if image.source == "FILE")


def _overridden(files: Files) -> None:
    _linked(files)
    settings = bpy.context.scene.croquis
    settings.armature = settings.armature.override_hierarchy_create(
        bpy.context.scene, bpy.context.view_layer, do_fully_editable=True
    )


SCENES: dict[str, Callable[[Files], object]] = {
    _EMPTY: lambda files: None,
    "mannequin": _mannequin,
    "posed": _posed,
    "sequence": _sequence,
    "sheet": _sheet,
    "no bones": lambda files: _bones(files, []),
    "one bone": lambda files: _bones(files, ["Hips"]),
    "chain": lambda files: _bones(files, [f"Bone {number}" for number in range(40)]),
    "no arms": _without_arms,
    "stranger": _stranger,
    "twins": _twins,
    "linked": _linked,
    "overridden": _overridden,
    _RIGIFY: lambda files: None,
}
"""What a case begins with: name -> how to make it in an empty file."""

_FREQUENT = ("mannequin", "posed", "sequence", "sheet", "overridden")


def open_scene(world: World) -> str:
    """Open one of :data:`SCENES`; its name."""
    names = [name for name in SCENES if name != _RIGIFY] * 2 + list(_FREQUENT) * 4 + [_RIGIFY]
    name = world.rng.choice(names)
    path = world.files.scene(name)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    settings = bpy.context.scene.croquis
    if settings.armature is None and world.rng.random() < 0.9:
        with contextlib.suppress(RuntimeError):
            settings.armature = world.armature
    if world.rng.random() < 0.2:
        settings.dataset.output = str(world.folder)
    return name


# --- Twists --------------------------------------------------------------------------------------
# Each does one thing to the scene. What does not fit the scene is left out: it raises one of the
# errors below.

MISFIT = (RuntimeError, TypeError, AttributeError, ReferenceError, ValueError, LookupError)


def wrong_mode(world: World) -> None:
    """Any mode of any object."""
    thing = world.any(bpy.context.view_layer.objects)
    bpy.context.view_layer.objects.active = thing
    modes = {
        "ARMATURE": ("EDIT", "POSE"),
        "MESH": ("EDIT", "SCULPT", "VERTEX_PAINT", "WEIGHT_PAINT", "TEXTURE_PAINT"),
    }
    bpy.ops.object.mode_set(mode=world.rng.choice(modes[thing.type]))


def pose_mode(world: World) -> None:
    """The animator's usual mode."""
    bpy.context.view_layer.objects.active = world.armature
    bpy.ops.object.mode_set(mode="POSE")


def edit_mode(world: World) -> None:
    """The armature's bones are being edited."""
    bpy.context.view_layer.objects.active = world.armature
    bpy.ops.object.mode_set(mode="EDIT")


def no_active(_world: World) -> None:
    """No active object."""
    bpy.context.view_layer.objects.active = None


def select_any(world: World) -> None:
    """Another selection."""
    for thing in bpy.context.view_layer.objects:
        thing.select_set(world.rng.random() < 0.5)


def no_camera(_world: World) -> None:
    """A scene without a camera."""
    bpy.context.scene.camera = None


def lose_object(world: World) -> None:
    """Any object is deleted."""
    bpy.data.objects.remove(world.any(bpy.data.objects))


def copy_object(world: World) -> None:
    """Any object is duplicated, with its custom properties."""
    bpy.context.scene.collection.objects.link(world.any(bpy.data.objects).copy())


def unlink(world: World) -> None:
    """The armature is in no scene."""
    armature = world.armature
    for collection in list(armature.users_collection):
        collection.objects.unlink(armature)


def hide(world: World) -> None:
    """Hidden or unselectable, in one of Blender's ways."""
    thing = world.rng.choice((world.armature, world.any(bpy.data.objects)))
    match world.rng.randrange(4):
        case 0:
            thing.hide_viewport = True
        case 1:
            thing.hide_set(True)
        case 2:
            thing.hide_select = True
        case 3:
            thing.hide_render = True


def exclude(world: World) -> None:
    """The armature's collection is excluded from the view layer, or hidden."""
    collection = bpy.data.collections.new("Away")
    bpy.context.scene.collection.children.link(collection)
    unlink(world)
    collection.objects.link(world.armature)
    layer = bpy.context.view_layer.layer_collection.children["Away"]
    setattr(layer, world.rng.choice(("exclude", "hide_viewport", "holdout")), True)


def other_scene(world: World) -> None:
    """The window shows another scene, in which the armature may be chosen, too."""
    chosen = bpy.context.scene.croquis
    scene = bpy.data.scenes.new("Other")
    bpy.context.window.scene = scene
    if world.rng.random() < 0.7:
        scene.croquis.armature, scene.croquis.drawing = chosen.armature, chosen.drawing


def scale(world: World) -> None:
    """Non-uniform, negative, flat, tiny, huge or no scale at all."""
    sizes = (-1.0, 0.0, 0.01, 0.5, 2.0, 1e-7, 1e7, math.nan, math.inf)
    if world.rng.random() < 0.4:
        world.armature.scale = [world.rng.choice(sizes)] * 3
    else:
        world.armature.scale = [world.rng.choice((1.0, *sizes)) for _ in range(3)]


def move(world: World) -> None:
    """Somewhere else, turned."""
    rng = world.rng
    world.armature.location = [rng.choice((0, rng.uniform(-9, 9), 1e9, math.nan)) for _ in "xyz"]
    world.armature.rotation_euler = [rng.uniform(-9, 9) for _ in "xyz"]


def parent(world: World) -> None:
    """The armature hangs on something turned and unevenly scaled."""
    rng, holder = world.rng, bpy.data.objects.new("Holder", None)
    bpy.context.scene.collection.objects.link(holder)
    holder.scale = [rng.choice((1.0, 0.01, 3.0, -1.0)) for _ in "xyz"]
    holder.rotation_euler = [rng.uniform(-3, 3) for _ in "xyz"]
    world.armature.parent = holder


def drive(world: World) -> None:
    """A driver, with a sensible or a broken expression."""
    path = world.rng.choice(("rotation_quaternion", "location", "rotation_euler", "scale"))
    curve = world.rng.choice((world.bone, world.armature)).driver_add(path, 1)
    curve.driver.expression = world.rng.choice(("0.5", "frame / 9", "nonsense(", "1 / 0"))


def constrain(world: World) -> None:
    """A constraint on a bone or on the armature, with or without a target."""
    kinds = ("IK", "COPY_ROTATION", "LIMIT_ROTATION", "CHILD_OF", "DAMPED_TRACK", "COPY_TRANSFORMS")
    holder = world.rng.choice((world.bone, world.bone, world.armature))
    constraint = holder.constraints.new(world.rng.choice(kinds[:6]))
    if hasattr(constraint, "target") and world.rng.random() < 0.7:
        constraint.target = world.any(bpy.data.objects)
        if constraint.target.type == "ARMATURE" and hasattr(constraint, "subtarget"):
            constraint.subtarget = world.bone.name


def lock(world: World) -> None:
    """Locked channels."""
    for bone in world.armature.pose.bones:
        if world.rng.random() < 0.3:
            bone.lock_rotation = [world.rng.random() < 0.5 for _ in "xyz"]
            bone.lock_location = [world.rng.random() < 0.5 for _ in "xyz"]


def rotation_modes(world: World) -> None:
    """Bones in all rotation modes."""
    modes = ("QUATERNION", "AXIS_ANGLE", "XYZ", "ZYX", "XZY")
    for bone in world.armature.pose.bones:
        bone.rotation_mode = world.rng.choice(modes)


def inheritance(world: World) -> None:
    """Bones that do not follow their parents in every way."""
    for bone in world.armature.data.bones:
        bone.use_inherit_rotation = world.rng.random() < 0.7
        bone.use_local_location = world.rng.random() < 0.7
        bone.inherit_scale = world.rng.choice(("FULL", "NONE", "ALIGNED", "AVERAGE"))


def break_pose(world: World) -> None:
    """A pose that no hand would make."""
    for bone in world.armature.pose.bones:
        if world.rng.random() < 0.2:
            bone.rotation_quaternion = [world.rng.choice(ODD_NUMBERS) for _ in range(4)]
            bone.location = [world.rng.choice(ODD_NUMBERS) for _ in "xyz"]
            bone.scale = [world.rng.choice((1.0, 0.0, -1.0, 1e9)) for _ in "xyz"]


def rest_position(world: World) -> None:
    """The armature shows its rest pose."""
    world.armature.data.pose_position = "REST"


def edit_bones(world: World) -> None:
    """Bones are removed, renamed, shortened to nearly nothing, and hung elsewhere."""
    rng = world.rng
    with _edited(world.armature) as bones:
        for bone in rng.sample(list(bones), min(len(bones), rng.randint(1, 12))):
            match rng.randrange(5):
                case 0:
                    bones.remove(bone)
                case 1:
                    bone.name = rng.choice(("LeftArm", "Bone", "Ж", "upper_arm.L", "hips"))
                case 2:
                    bone.tail = bone.head + (bone.tail - bone.head) * 1e-4
                case 3:
                    bone.parent = None
                case 4:
                    bone.roll = rng.choice((math.pi, 1.0, math.nan))
                    bone.use_connect = rng.random() < 0.5


def hide_bones(world: World) -> None:
    """Bones are hidden."""
    for bone in world.armature.data.bones:
        bone.hide = world.rng.random() < 0.5


def share_data(world: World) -> None:
    """Two objects share the armature's bones."""
    twin = bpy.data.objects.new("Twin", world.armature.data)
    bpy.context.scene.collection.objects.link(twin)
    bpy.context.view_layer.update()  # which makes its pose


def animate(world: World) -> None:
    """An action, which may be a library's or lie on a muted or locked track."""
    armature = world.armature
    armature.keyframe_insert("location", frame=world.rng.randint(-5, 50))
    animation: Any = armature.animation_data
    if world.rng.random() < 0.4:
        track = animation.nla_tracks.new()
        track.strips.new("Strip", 1, animation.action)
        track.lock = world.rng.random() < 0.5
        animation.action = None
        animation.use_tweak_mode = world.rng.random() < 0.5


def time(world: World) -> None:
    """Another frame, another range, another rate."""
    scene, rng = bpy.context.scene, world.rng
    scene.frame_start, scene.frame_end = rng.choice(((1, 10), (0, 0), (30, 20), (-5, 5)))
    scene.render.fps, scene.render.fps_base = rng.choice(((24, 1.0), (1, 1e-5), (120, 1001.0)))
    scene.frame_set(rng.choice((0, 1, 10, 11, 1_048_574, -9)), subframe=rng.choice((0.0, 0.5)))


def picture_size(world: World) -> None:
    """A frame of any shape, in any unit."""
    render, rng = bpy.context.scene.render, world.rng
    render.resolution_x, render.resolution_y = rng.choice(((4, 65536), (65536, 4), (100, 100)))
    render.pixel_aspect_x = rng.choice((1.0, 200.0))
    bpy.context.scene.unit_settings.scale_length = rng.choice((1.0, 0.01, 1e5))


def camera(world: World) -> None:
    """The drawing's camera is not what it was."""
    cameras = [thing for thing in bpy.data.objects if thing.type == "CAMERA"]
    thing = world.any(cameras)
    match world.rng.randrange(4):
        case 0:
            thing.data = bpy.data.cameras.new("Other")
        case 1:
            thing.data.lens = 1.0
            thing.scale = (0, 0, 0)
        case 2:
            thing["croquis_role"] = world.rng.choice(ODD_WORDS)
        case 3:
            bpy.data.cameras.remove(thing.data)


def choose(world: World) -> None:
    """The panel's armature and drawing are others, or none."""
    settings = bpy.context.scene.croquis
    if world.rng.random() < 0.5:
        settings.armature = world.rng.choice((None, world.any(bpy.data.objects)))
    else:
        settings.drawing = world.rng.choice((None, world.any(bpy.data.images)))


def settings(world: World) -> None:
    """Any of the panel's settings, each in its range."""
    group = bpy.context.scene.croquis
    _shake(world, world.rng.choice((group, group.several, group.dataset)))


def _shake(world: World, group: bpy.types.PropertyGroup) -> None:
    for prop in group.bl_rna.properties:
        if prop.is_readonly or world.rng.random() < 0.6:
            continue
        with contextlib.suppress(*MISFIT):
            chosen = world.value(prop)
            if chosen is not None:
                setattr(group, prop.identifier, chosen)


def dataset(world: World) -> None:
    """Folders for a dataset that may be rendered."""
    chosen, folder = bpy.context.scene.croquis.dataset, world.files.folder / "datasets"
    for name in ("characters", "animations"):
        usable = world.rng.random() < 0.5
        setattr(chosen, name, str(folder / name) if usable else world.place())
    chosen.output = world.rng.choice((str(world.folder), str(world.folder / "new"), world.place()))


def drawings(world: World) -> None:
    """A list of drawings, some of them gone, doubled or at one frame."""
    several, rng = bpy.context.scene.croquis.several, world.rng
    for _ in range(rng.randint(1, 3)):
        item = several.drawings.add()
        item.image = rng.choice((_example(world.files, rng.randrange(4)), world.image, None))
        item.frame = rng.choice((1, 10, 20, 30, 1_048_574))
        item.find_angle = rng.random() < 0.5
        item.angle = rng.choice((0.0, 1.5, math.nan))
        item.correction = rng.choice(("", "", "[]", "[[1,2],3]", "nonsense", f"[{'0,' * 65}0]"))
    several.active = rng.choice((0, 1, 2, -1, 99, len(several.drawings) - 1))
    several.kind = rng.choice(("SEQUENCE", "SHEET"))


def show_drawing(world: World) -> None:
    """The frame of a drawing of the list, made the active one."""
    several = bpy.context.scene.croquis.several
    several.active = world.rng.randrange(max(len(several.drawings), 1))
    bpy.context.scene.frame_set(several.drawings[several.active].frame)


def load_drawing(world: World) -> None:
    """Any picture file becomes the drawing."""
    path = world.any(world.files.of("drawings"))
    bpy.context.scene.croquis.drawing = bpy.data.images.load(str(path))


def huge_drawing(world: World) -> None:
    """A picture of 8192 x 8192 pixels becomes the drawing; seldom, as it is slow."""
    if world.rng.random() < 0.1:
        path = world.files.folder / "drawings" / "8k.png"
        bpy.context.scene.croquis.drawing = bpy.data.images.load(str(path))


def film(world: World) -> None:
    """The drawing is a film: numbered pictures, of which some may be missing."""
    path = world.files.folder / "drawings" / "film 1.png"
    image = bpy.data.images.load(str(path))
    image.source = "SEQUENCE"
    image.filepath = world.rng.choice((str(path), str(path), "film 1.png"))
    bpy.context.scene.croquis.drawing = image


def strokes(world: World) -> None:
    """A Grease Pencil drawing, with strokes or empty, somewhere before the camera or not."""
    rng = world.rng
    kind = rng.choice(("STROKE", "MONKEY", "EMPTY"))
    place = [rng.choice((0.0, rng.uniform(-3, 3))) for _ in "xyz"]
    bpy.ops.object.grease_pencil_add(type=kind, location=place)
    if bpy.context.scene.camera is None:
        bpy.ops.object.camera_add(location=(0, -8, 1), rotation=(1.5, 0, 0))
        bpy.context.scene.camera = bpy.context.object


def made_image(world: World) -> None:
    """The drawing is no file: generated, painted, tiled, a render, a film."""
    rng = world.rng
    match rng.randrange(5):
        case 0:
            width, height = rng.choice(((1, 1), (64, 64), (1, 500)))
            kind = {"alpha": rng.random() < 0.5, "float_buffer": rng.random() < 0.5}
            image = bpy.data.images.new("Made", width, height, **kind)
            image.generated_type = rng.choice(("BLANK", "UV_GRID", "COLOR_GRID"))
        case 1:
            image = bpy.data.images.new("Painted", 64, 64)
            image.pixels.foreach_set([rng.choice((0.0, 1.0, math.nan)) for _ in range(4 * 64**2)])
        case 2:
            image = bpy.data.images.new("Tiled", 64, 64, tiled=True)
        case 3:
            image = bpy.data.images.new("Result", 64, 64)
            image.source = "VIEWER"
        case _:
            image = world.image
            image.source = rng.choice(("MOVIE", "SEQUENCE", "TILED", "GENERATED"))
    bpy.context.scene.croquis.drawing = image


def keep_image(world: World) -> None:
    """The drawing is packed, renamed, painted on, scaled, or points to nothing."""
    rng, image = world.rng, world.image
    match rng.randrange(7):
        case 0:
            image.pack()
        case 1:
            image.name = rng.choice(ODD_WORDS)
        case 2:
            pixels: Any = image.pixels
            pixels[0] = 0.5
        case 3:
            image.scale(1, 1)
        case 4:
            image.filepath = world.path(".png")
        case 5:
            image.colorspace_settings.name = "Non-Color"
        case 6:
            image.filepath_raw = rng.choice(ODD_WORDS)


def lose_image(world: World) -> None:
    """An image is deleted."""
    bpy.data.images.remove(world.image)


def memory(world: World) -> None:
    """What armatures remember is not what Croquis wrote."""
    armature, rng = world.armature, world.rng
    text = str(armature.get("croquis_estimate", ""))
    odd = (*ODD_WORDS, text[: len(text) // 2], text.replace("0", "9"), text.replace("1", "null"))
    if rng.random() < 0.5:
        armature["croquis_estimate"] = rng.choice(odd)
    else:
        bones = json.dumps({"Hips": world.bone.name, "LeftHand": "gone", "Nose": 3})
        armature.croquis_bones = rng.choice((bones, *ODD_WORDS))


def network(world: World) -> None:
    """Another network, or what is none."""
    chosen = (*world.files.of("networks"), world.path(".onnx"))
    preferences().network = str(world.rng.choice(chosen))


def library(world: World) -> None:
    """Poses go to an asset library, which may not be there."""
    name = world.rng.choice(("Fuzz", "Unknown"))
    libraries = bpy.context.preferences.filepaths.asset_libraries
    place = world.rng.choice((str(world.folder), UNWRITABLE, str(world.folder / "missing")))
    libraries.new(name="Fuzz", directory=place)
    preferences().pose_library = name


TWISTS: tuple[Callable[[World], None], ...] = (
    *(wrong_mode, pose_mode, edit_mode, no_active, select_any, no_camera, lose_object, copy_object),
    *(unlink, hide, exclude, other_scene, scale, move, parent, drive, constrain, lock),
    *(rotation_modes, inheritance, break_pose, rest_position, edit_bones, hide_bones, share_data),
    *(animate, time, picture_size, camera, choose, settings, dataset, drawings, show_drawing),
    *(load_drawing, huge_drawing, made_image, keep_image, lose_image, memory, network, library),
    *(film, strokes),
)
"""Everything that can be done to a scene."""

LOSSES = (lose_image, lose_object, edit_mode, other_scene, unlink, drawings, choose, memory)
"""What may happen while a modal operator runs."""


def preferences() -> bpy.types.AddonPreferences:
    """The add-on's, which a scene's file does not hold.

    Raises:
        RuntimeError: the add-on is registered by hand, without preferences.
    """
    entry = bpy.context.preferences.addons.get(addon("preferences").CroquisPreferences.bl_idname)
    if entry is None or entry.preferences is None:
        raise RuntimeError("no preferences")
    return entry.preferences


def reset_preferences() -> None:
    """Take the twists of preferences back."""
    with contextlib.suppress(RuntimeError):
        for prop in preferences().bl_rna.properties:
            if not prop.is_readonly and prop.identifier != "bl_idname":
                preferences().property_unset(prop.identifier)
    libraries = bpy.context.preferences.filepaths.asset_libraries
    for added in [entry for entry in libraries if entry.name.startswith("Fuzz")]:
        libraries.remove(added)
