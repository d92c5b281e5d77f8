"""The built-in character: a wooden artist's mannequin with Mixamo's bone names, built by code.

Its parts are lathe work: rings of vertices around an axis. Every part belongs to one bone, as in
the wooden original, where only the joints give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

NAME = "Mannequin"
PREFIX = "mixamorig:"
HEIGHT = 1.75
"""Metres, from the soles to the top of the head."""


class _Bone(NamedTuple):
    """Head and tail in metres (the left half of the body), parent, and where the local Z points."""

    parent: str | None
    head: tuple[float, float, float]
    tail: tuple[float, float, float]
    z_axis: tuple[float, float, float]


_FRONT, _UP, _DOWN = (0.0, -1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)

# T-pose, facing -Y; local axes as Mixamo has them, so that rotations can be copied by hand, too.
_CENTRE_AND_LEFT: dict[str, _Bone] = {
    "Hips": _Bone(None, (0, 0, 0.955), (0, 0, 1.05), _FRONT),
    "Spine": _Bone("Hips", (0, 0.005, 1.05), (0, 0.012, 1.16), _FRONT),
    "Spine1": _Bone("Spine", (0, 0.012, 1.16), (0, 0.018, 1.28), _FRONT),
    "Spine2": _Bone("Spine1", (0, 0.018, 1.28), (0, 0.022, 1.465), _FRONT),
    "Neck": _Bone("Spine2", (0, 0.022, 1.465), (0, 0.008, 1.54), _FRONT),
    "Head": _Bone("Neck", (0, 0.008, 1.54), (0, 0.0, HEIGHT), _FRONT),
    "HeadTop_End": _Bone("Head", (0, 0.0, HEIGHT), (0, 0.0, 1.83), _FRONT),
    "LeftShoulder": _Bone("Spine2", (0.05, 0.012, 1.43), (0.185, 0.018, 1.42), _DOWN),
    "LeftArm": _Bone("LeftShoulder", (0.185, 0.018, 1.42), (0.465, 0.024, 1.42), _DOWN),
    "LeftForeArm": _Bone("LeftArm", (0.465, 0.024, 1.42), (0.715, 0.018, 1.42), _DOWN),
    "LeftHand": _Bone("LeftForeArm", (0.715, 0.018, 1.42), (0.885, 0.018, 1.42), _DOWN),
    "LeftUpLeg": _Bone("Hips", (0.095, 0.0, 0.915), (0.095, -0.006, 0.495), _FRONT),
    "LeftLeg": _Bone("LeftUpLeg", (0.095, -0.006, 0.495), (0.095, 0.012, 0.085), _FRONT),
    "LeftFoot": _Bone("LeftLeg", (0.095, 0.012, 0.085), (0.105, -0.125, 0.022), _UP),
    "LeftToeBase": _Bone("LeftFoot", (0.105, -0.125, 0.022), (0.109, -0.205, 0.018), _UP),
}


def _all_bones() -> dict[str, _Bone]:
    """Every bone by its bare name, parents first; the right side mirrors the left."""
    bones: dict[str, _Bone] = dict(_CENTRE_AND_LEFT)
    for name, bone in _CENTRE_AND_LEFT.items():
        if name.startswith("Left"):
            parent = (bone.parent or "").replace("Left", "Right")
            head, tail = ((-x, y, z) for x, y, z in (bone.head, bone.tail))
            bones[name.replace("Left", "Right")] = _Bone(parent, head, tail, bone.z_axis)
    return bones


_WOOD, _JOINT = 0, 1
_MATERIALS = (
    (f"{NAME} Wood", (0.80, 0.56, 0.33, 1.0)),
    (f"{NAME} Joints", (0.40, 0.20, 0.09, 1.0)),
)
_SEGMENTS = 24  # vertices of a ring


@dataclass
class _Body:
    """The mesh while it is being turned: vertices, faces, and what each belongs to."""

    vertices: list[FloatArray] = field(default_factory=list)
    faces: list[tuple[int, ...]] = field(default_factory=list)
    materials: list[int] = field(default_factory=list)
    bones: list[tuple[str, int, int]] = field(default_factory=list)
    """A bone's bare name and its range of vertices, one entry a part."""

    count: int = 0

    def add_rings(self, bone: str, rings: Sequence[FloatArray], material: int) -> None:
        """A closed skin over rings ``[_SEGMENTS, 3]``, metres; the ends are closed by a fan."""
        first, segments, last = self.count, _SEGMENTS, len(rings) - 1
        points = np.concatenate([rings[0].mean(axis=0)[None], *rings, rings[-1].mean(axis=0)[None]])
        end = first + len(points) - 1
        for k in range(segments):
            n = (k + 1) % segments
            self.faces.append((first, first + 1 + n, first + 1 + k))
            for r in range(last):
                low, high = first + 1 + r * segments, first + 1 + (r + 1) * segments
                self.faces.append((low + k, low + n, high + n, high + k))
            high = first + 1 + last * segments
            self.faces.append((end, high + k, high + n))
        self.materials.extend([material] * (segments * (last + 2)))
        self.vertices.append(points)
        self.bones.append((bone, first, end + 1))
        self.count = end + 1

    def lathe(
        self,
        bone: str,
        start: ArrayLike,
        end: ArrayLike,
        profile: ArrayLike,
        *,
        side: ArrayLike = (1.0, 0.0, 0.0),
        material: int = _WOOD,
    ) -> None:
        """Turn a part around an axis.

        Args:
            bone: whom the part follows.
            start, end: ``[3]`` the axis, metres.
            profile: ``[n, 3]`` or ``[n, 4]``: place along the axis (0 = start, 1 = end), half width
                along ``side`` and across it (metres), and a shift across it (metres).
            side: ``[3]`` direction of the first half width.
            material: slot.
        """
        start, end = np.asarray(start, float), np.asarray(end, float)
        axis = end - start
        forward = axis / np.linalg.norm(axis)
        across = np.cross(forward, np.asarray(side, float))
        across /= np.linalg.norm(across)
        sideways = np.cross(across, forward)
        turn = np.linspace(0, 2 * np.pi, _SEGMENTS, endpoint=False)
        rings = []
        for place, wide, deep, *shift in _smooth(np.asarray(profile, float)):
            centre = start + place * axis + (shift[0] if shift else 0.0) * across
            rings.append(
                centre
                + wide * np.cos(turn)[:, None] * sideways
                + deep * np.sin(turn)[:, None] * across
            )
        self.add_rings(bone, rings, material)

    def ball(self, bone: str, centre: ArrayLike, radii: ArrayLike, material: int = _JOINT) -> None:
        """An ellipsoid with half axes ``radii`` (x, y, z), metres."""
        centre, radii = np.asarray(centre, float), np.asarray(radii, float)
        turn = np.linspace(0, 2 * np.pi, _SEGMENTS, endpoint=False)
        rings = []
        for height in np.linspace(-np.pi / 2, np.pi / 2, 13)[1:-1]:
            ring = np.stack(
                [
                    np.cos(turn) * np.cos(height),
                    np.sin(turn) * np.cos(height),
                    np.full_like(turn, np.sin(height)),
                ],
                axis=1,
            )
            rings.append(centre + ring * radii)
        self.add_rings(bone, rings, material)


def _smooth(profile: FloatArray) -> FloatArray:
    """A profile with three rings more between its rows, on a Catmull-Rom curve."""
    padded = np.concatenate(
        [2 * profile[:1] - profile[1:2], profile, 2 * profile[-1:] - profile[-2:-1]]
    )
    rows = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for t in (0.0, 0.25, 0.5, 0.75):
            rows.append(
                0.5
                * (
                    2 * b
                    + (c - a) * t
                    + (2 * a - 5 * b + 4 * c - d) * t**2
                    + (3 * b - a - 3 * c + d) * t**3
                )
            )
    return np.array([*rows, profile[-1]])


def _turn_body() -> _Body:
    """The whole mannequin in T-pose."""
    body = _Body()
    _turn_trunk(body)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        _turn_arm(body, side, sign)
        _turn_leg(body, side, sign)
    return body


# Profiles: place along the part, half width, half depth, shift in depth; metres (see _Body.lathe).
_PELVIS = (
    (0, 0.03, 0.035),
    (0.12, 0.085, 0.072),
    (0.4, 0.138, 0.1),
    (0.7, 0.142, 0.1),
    (1, 0.1, 0.07),
)
_WAIST = ((0, 0.085, 0.06), (0.25, 0.112, 0.083), (0.7, 0.118, 0.09), (1, 0.09, 0.07))
_CHEST = (
    (0, 0.07, 0.055, 0),
    (0.12, 0.115, 0.088, 0),
    (0.4, 0.143, 0.108, -0.006),
    (0.68, 0.155, 0.108, -0.006),
    (0.88, 0.122, 0.078, 0),
    (1, 0.05, 0.045, 0),
)
_NECK = ((0, 0.055, 0.052), (0.3, 0.044, 0.044), (1, 0.042, 0.044))
_HEAD = (
    (0, 0.018, 0.02, -0.058),
    (0.06, 0.036, 0.042, -0.046),
    (0.25, 0.058, 0.073, -0.02),
    (0.55, 0.075, 0.094, -0.004),
    (0.8, 0.068, 0.085, 0.004),
    (0.94, 0.042, 0.052, 0.008),
    (1, 0.012, 0.014, 0.008),
)
_NOSE = ((0, 0.004, 0.006), (0.6, 0.011, 0.013), (0.9, 0.013, 0.013), (1, 0.006, 0.006))
_COLLAR = ((0, 0.05, 0.045), (0.5, 0.052, 0.048), (1, 0.038, 0.036))
_UPPER_ARM = (
    (0, 0.034, 0.034),
    (0.12, 0.046, 0.046),
    (0.4, 0.048, 0.047),
    (0.85, 0.036, 0.036),
    (1, 0.026, 0.026),
)
_FOREARM = (
    (0, 0.028, 0.028),
    (0.12, 0.038, 0.037),
    (0.35, 0.041, 0.039),
    (0.85, 0.028, 0.026),
    (1, 0.021, 0.02),
)
_MITTEN = (
    (0, 0.02, 0.016),
    (0.15, 0.034, 0.019),
    (0.5, 0.042, 0.019),
    (0.8, 0.036, 0.014),
    (0.95, 0.022, 0.01),
    (1, 0.008, 0.005),
)
_THUMB = ((0, 0.014, 0.014), (0.5, 0.014, 0.013), (0.9, 0.01, 0.009), (1, 0.004, 0.004))
_THIGH = (
    (0, 0.058, 0.065),
    (0.1, 0.077, 0.084),
    (0.3, 0.077, 0.084),
    (0.85, 0.05, 0.053),
    (1, 0.036, 0.038),
)
_SHANK = (
    (0, 0.036, 0.038, 0),
    (0.1, 0.047, 0.05, -0.002),
    (0.3, 0.051, 0.057, -0.01),
    (0.75, 0.034, 0.038, -0.004),
    (0.95, 0.03, 0.032, 0),
    (1, 0.024, 0.024, 0),
)
_FOOT = (
    (0, 0.016, 0.022),
    (0.08, 0.03, 0.04),
    (0.3, 0.036, 0.05),
    (0.6, 0.04, 0.043),
    (0.92, 0.043, 0.03),
    (1, 0.03, 0.018),
)
_TOES = (
    (0, 0.03, 0.018),
    (0.1, 0.041, 0.026),
    (0.5, 0.039, 0.022),
    (0.85, 0.026, 0.016),
    (1, 0.01, 0.007),
)


def _turn_trunk(body: _Body) -> None:
    body.lathe("Hips", (0, 0.008, 0.85), (0, 0.008, 1.045), _PELVIS)
    body.ball("Spine", (0, 0.006, 1.075), (0.102, 0.078, 0.075))
    body.lathe("Spine1", (0, 0.008, 1.105), (0, 0.014, 1.255), _WAIST)
    body.lathe("Spine2", (0, 0.008, 1.185), (0, 0.022, 1.475), _CHEST)
    body.lathe("Neck", (0, 0.022, 1.455), (0, 0.006, 1.56), _NECK, material=_JOINT)
    body.lathe("Head", (0, 0, 1.522), (0, 0, HEIGHT), _HEAD)
    body.lathe("Head", (0, -0.088, 1.662), (0, -0.1, 1.608), _NOSE)


def _turn_arm(body: _Body, side: str, sign: float) -> None:
    mirror = np.array([sign, 1, 1])

    def lathe(bone: str, start: ArrayLike, end: ArrayLike, profile: ArrayLike) -> None:
        body.lathe(side + bone, start * mirror, end * mirror, profile, side=(0, sign, 0))

    z = 1.42
    lathe("Shoulder", (0.07, 0.016, z), (0.165, 0.018, z), _COLLAR)
    body.ball(side + "Arm", (sign * 0.19, 0.018, z), (0.05, 0.052, 0.052))
    lathe("Arm", (0.21, 0.018, z), (0.437, 0.024, z), _UPPER_ARM)
    body.ball(side + "ForeArm", (sign * 0.465, 0.024, z), (0.036, 0.036, 0.036))
    lathe("ForeArm", (0.488, 0.024, z), (0.694, 0.018, z), _FOREARM)
    body.ball(side + "Hand", (sign * 0.715, 0.018, z), (0.025, 0.026, 0.024))
    lathe("Hand", (0.728, 0.018, z), (0.89, 0.018, z), _MITTEN)
    lathe("Hand", (0.748, -0.008, z - 0.004), (0.82, -0.052, z - 0.008), _THUMB)


def _turn_leg(body: _Body, side: str, sign: float) -> None:
    x = sign * 0.095
    body.ball(side + "UpLeg", (x, 0.004, 0.9), (0.07, 0.075, 0.07))
    body.lathe(side + "UpLeg", (x, 0.004, 0.872), (x, -0.004, 0.53), _THIGH)
    body.ball(side + "Leg", (x, -0.006, 0.495), (0.047, 0.05, 0.047))
    body.lathe(side + "Leg", (x, -0.002, 0.462), (x, 0.01, 0.118), _SHANK)
    body.ball(side + "Foot", (x, 0.012, 0.088), (0.034, 0.036, 0.036))
    toes = sign * 0.104
    body.lathe(side + "Foot", (x, 0.068, 0.036), (toes, -0.132, 0.02), _FOOT)
    tip = sign * 0.109
    body.lathe(side + "ToeBase", (toes, -0.118, 0.019), (tip, -0.205, 0.014), _TOES)


def add_mannequin(context: bpy.types.Context) -> bpy.types.Object:
    """Add the mannequin to the scene: at the world's origin, facing -Y, in T-pose.

    Args:
        context: the objects go into its active collection (into the scene's own where that one is
            hidden or linked from a library). Blender is in Object Mode afterwards.

    Returns:
        The armature, active and selected; the body is its child.
    """
    if context.mode != "OBJECT":
        _set_mode(context.view_layer.objects.active, "OBJECT")
    armature = bpy.data.objects.new(NAME, bpy.data.armatures.new(NAME))
    body = _body_object()
    active = context.view_layer.active_layer_collection
    usable = active.is_visible and active.collection.is_editable
    collection = active.collection if usable else context.scene.collection
    for thing in (armature, body):
        collection.objects.link(thing)
    for other in list(context.view_layer.objects.selected):
        other.select_set(False)
    armature.select_set(True)
    context.view_layer.objects.active = armature
    _add_bones(armature)
    armature.data.display_type = "STICK"
    armature.show_in_front = True
    body.parent = armature
    body.modifiers.new("Armature", "ARMATURE").object = armature
    context.view_layer.update()
    return armature


def _add_bones(armature: bpy.types.Object) -> None:
    """Fill the active, empty armature; Blender makes bones in Edit Mode only."""
    _set_mode(armature, "EDIT")
    edit_bones = armature.data.edit_bones
    for name, (parent, head, tail, z_axis) in _all_bones().items():
        bone = edit_bones.new(PREFIX + name)
        bone.head, bone.tail = head, tail
        bone.align_roll(Vector(z_axis))
        if parent:
            bone.parent = edit_bones[PREFIX + parent]
            bone.use_connect = bone.parent.tail == bone.head
    _set_mode(armature, "OBJECT")


def _set_mode(active: bpy.types.Object | None, mode: Literal["EDIT", "OBJECT"]) -> None:
    """Change the active object's mode, also in a timer, where no window says which that is."""
    with bpy.context.temp_override(active_object=active, object=active):
        bpy.ops.object.mode_set(mode=mode)


def _body_object() -> bpy.types.Object:
    """The body with its materials; its vertex groups are named after the bones."""
    body = _turn_body()
    vertices = np.concatenate(body.vertices)
    vertices[:, 2] = np.maximum(vertices[:, 2], 0.0)  # flat soles
    mesh = bpy.data.meshes.new(f"{NAME} Body")
    mesh.from_pydata(vertices.tolist(), [], body.faces)
    for name, colour in _MATERIALS:
        mesh.materials.append(_material(name, colour))
    mesh.polygons.foreach_set("material_index", body.materials)
    mesh.polygons.foreach_set("use_smooth", [True] * len(body.faces))
    mesh.update()
    result = bpy.data.objects.new(f"{NAME} Body", mesh)
    for bone, first, end in body.bones:
        group = result.vertex_groups.get(PREFIX + bone)
        group = group or result.vertex_groups.new(name=PREFIX + bone)
        group.add(range(first, end), 1.0, "REPLACE")
    return result


def _material(name: str, colour: tuple[float, float, float, float]) -> bpy.types.Material:
    """A matt material, the same in the solid view and in a render."""
    material = bpy.data.materials.new(name)
    material.diffuse_color = colour
    material.roughness = 0.6
    if bpy.app.version < (5, 0, 0):  # from then on every material has nodes
        material.use_nodes = True
    # Blender names new nodes in the language of its interface.
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = colour
    shader.inputs["Roughness"].default_value = 0.6
    return material
