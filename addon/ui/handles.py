"""The joints of a drawing as handles in the viewport, and the menu of a handle."""

from __future__ import annotations

from math import cos, pi, sin

import bpy
import numpy as np
from mathutils import Matrix

from ..blender.correct import joint_places
from ..blender.drawing_plane import plane_of
from ..blender.pose import remembered
from ..core import skeleton
from ..core.correct import as_read, corrected_joints
from ..core.errors import UserError
from ..operators.correct import (
    JOINT_MENU,
    JOINT_NAMES,
    CROQUIS_OT_hide_joint,
    CROQUIS_OT_move_joint,
    CROQUIS_OT_reset_joint,
    CROQUIS_OT_reset_joints,
)
from ..operators.figure import CROQUIS_OT_choose_figure
from ..operators.readings import (
    LIMB_NAMES,
    CROQUIS_OT_flip_limb,
    CROQUIS_OT_mirror,
    CROQUIS_OT_next_reading,
)
from ..translations import say
from .panels import CroquisPanel

# Left and right as in the preview, the trunk between them.
_COLOURS = {"Left": (0.05, 0.45, 0.95), "Right": (0.9, 0.1, 0.1), "": (0.2, 0.6, 0.2)}
_GUESSED = 0.3  # score below which a joint is hollow
_RADII = (0.05, 0.11)  # at scores zero and one, in Blender's unit of gizmos
_SIDES = 24  # of a circle
_RIM = 0.65  # inner radius of a hollow handle, as a share of the outer one


def _circle(inner: float) -> list[tuple[float, float]]:
    """Triangles of a disc, or of a ring from an inner radius to one."""
    corners = [(cos(2 * pi * i / _SIDES), sin(2 * pi * i / _SIDES)) for i in range(_SIDES + 1)]
    triangles = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:], strict=False):
        a, b = (ax * inner, ay * inner), (bx * inner, by * inner)
        triangles += [a, (ax, ay), (bx, by), a, (bx, by), b]
    return triangles


class CROQUIS_GT_joint(bpy.types.Gizmo):
    """The handle of a joint: a disc, or a ring where the joint is only guessed."""

    bl_idname = "CROQUIS_GT_joint"

    __slots__ = ("disc", "is_hollow", "ring")

    def setup(self) -> None:
        """Make the shapes."""
        self.disc = self.new_custom_shape("TRIS", _circle(0.0))
        self.ring = self.new_custom_shape("TRIS", _circle(_RIM))
        self.is_hollow = False

    def draw(self, _context: bpy.types.Context) -> None:
        """What is seen."""
        self.draw_custom_shape(self.ring if self.is_hollow else self.disc)

    def draw_select(self, _context: bpy.types.Context, select_id: int) -> None:
        """What can be clicked: the inside of a ring, too."""
        self.draw_custom_shape(self.disc, select_id=select_id)


class CROQUIS_GGT_joints(bpy.types.GizmoGroup):
    """The handles of the character that the panel names."""

    bl_idname = "CROQUIS_GGT_joints"
    bl_label = "Croquis Joints"
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_options = {"3D", "PERSISTENT", "SHOW_MODAL_ALL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a drawing with joints to drag, and it is seen."""
        settings = context.scene.croquis
        if not settings.show_joints or not CROQUIS_OT_move_joint.poll(context):
            return False
        kept = remembered(settings.armature)
        return kept is not None and plane_of(context.scene, kept) is not None

    def setup(self, _context: bpy.types.Context) -> None:
        """One handle for each joint."""
        for joint in skeleton.KEYPOINTS:
            handle = self.gizmos.new(CROQUIS_GT_joint.bl_idname)
            handle.target_set_operator(CROQUIS_OT_move_joint.bl_idname).joint = joint
            side = joint.removesuffix(skeleton.without_side(joint))
            handle.color = _COLOURS[side]
            handle.color_highlight = [(1 + part) / 2 for part in _COLOURS[side]]
            handle.alpha, handle.alpha_highlight = 0.8, 1.0
            handle.use_draw_modal = True

    def draw_prepare(self, context: bpy.types.Context) -> None:
        """Put each handle where its joint is drawn, facing the eye."""
        armature = context.scene.croquis.armature
        kept = remembered(armature)
        plane = plane_of(context.scene, kept) if kept else None
        if kept is None or plane is None:
            return
        _, scores = as_read(kept)
        try:
            places = plane.to_world(joint_places(kept, armature, plane))
        except UserError:  # its bones have changed since; the panel says so
            return
        facing = context.region_data.view_rotation.to_matrix().to_4x4()
        rows = zip(self.gizmos, places.tolist(), np.nan_to_num(scores).tolist(), strict=True)
        for handle, place, score in rows:
            handle.matrix_basis = Matrix.Translation(place) @ facing
            handle.scale_basis = _RADII[0] + (_RADII[1] - _RADII[0]) * score
            handle.is_hollow = score < _GUESSED


class CROQUIS_PT_joints(CroquisPanel, bpy.types.Panel):
    """What was found in the drawing, and how to put it right."""

    bl_label = "Joints"
    bl_parent_id = "CROQUIS_PT_pose"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The character was posed from a drawing."""
        armature = context.scene.croquis.armature
        return armature is not None and remembered(armature) is not None

    def draw_header(self, context: bpy.types.Context) -> None:
        """Whether handles are shown."""
        self.layout.prop(context.scene.croquis, "show_joints", text="")

    def draw(self, _context: bpy.types.Context) -> None:
        """Another figure, and the way back."""
        layout = self.layout.column(align=True)
        layout.operator(CROQUIS_OT_choose_figure.bl_idname, icon="SELECT_SET")
        layout.operator(CROQUIS_OT_reset_joints.bl_idname, icon="LOOP_BACK")


class CROQUIS_MT_joint(bpy.types.Menu):
    """What else can be done with the joint whose handle was clicked."""

    bl_idname = JOINT_MENU
    bl_label = "Joint"

    def draw(self, context: bpy.types.Context) -> None:
        """The joint, its limb, the figure."""
        layout = self.layout
        joint = CROQUIS_OT_move_joint.clicked
        kept = remembered(context.scene.croquis.armature)
        if kept is None or joint not in JOINT_NAMES:
            return
        layout.label(text=say(JOINT_NAMES[joint], "interface"), translate=False)
        layout.separator()
        hidden = as_read(kept)[1][skeleton.INDEX[joint]] == 0
        text = "Show Joint" if hidden else "Hide Joint"
        hide = layout.operator(CROQUIS_OT_hide_joint.bl_idname, text=text)
        hide.joint, hide.hidden = joint, not hidden
        if joint in corrected_joints(kept):
            layout.operator(CROQUIS_OT_reset_joint.bl_idname).joint = joint
        layout.operator(CROQUIS_OT_reset_joints.bl_idname)
        layout.separator()
        limb = limb_of(joint)
        text = say(f"Flip {LIMB_NAMES[limb]}", "interface")
        layout.operator(CROQUIS_OT_flip_limb.bl_idname, text=text, translate=False).limb = limb
        layout.operator(CROQUIS_OT_mirror.bl_idname).limbs = "ALL"
        layout.operator(CROQUIS_OT_next_reading.bl_idname)


def limb_of(joint: str) -> str:
    """The limb, as readings name it, that ends at a joint: an elbow's is the whole arm."""
    bare = skeleton.without_side(joint)
    limbs = {"ForeArm": "Arm", "Hand": "ForeArm", "Leg": "UpLeg", "Foot": "Leg", "ToeBase": "Leg"}
    return joint.removesuffix(bare) + limbs[bare] if bare in limbs else "Trunk"
