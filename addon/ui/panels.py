"""The tab "Croquis" reads from top to bottom as the work does."""

from __future__ import annotations

import textwrap
from typing import Literal

import bpy
from bpy.app.translations import pgettext_iface as _

from ..blender.armature import bone_table, rig_kind
from ..blender.pose import readings_of, remembered
from ..core import skeleton
from ..core.readings import PAIRS
from ..core.rigs import label_of
from ..operators.character import CROQUIS_OT_add_mannequin
from ..operators.dataset import (
    CROQUIS_OT_render_dataset,
    CROQUIS_OT_show_contact_sheet,
    Run,
    why_not,
)
from ..operators.export import (
    CROQUIS_OT_export_bvh,
    CROQUIS_OT_export_json,
    CROQUIS_OT_insert_keyframes,
    CROQUIS_OT_load_pose,
    CROQUIS_OT_save_pose_asset,
)
from ..operators.pose import CROQUIS_OT_look, CROQUIS_OT_pose_from_sketch
from ..operators.readings import (
    LIMB_NAMES,
    CROQUIS_OT_first_reading,
    CROQUIS_OT_flip_limb,
    CROQUIS_OT_mirror,
    CROQUIS_OT_next_reading,
    CROQUIS_OT_previous_reading,
)
from ..operators.rig import CROQUIS_OT_choose_bone, CROQUIS_OT_match_bones
from ..translations import say

_LETTER = 6.5
"""Width of an average letter in pixels, at Blender's usual scale."""

_UNSURE = 0.75
"""Certainty of left and right below which the panel asks."""

_INDENT = 10
"""What a panel's borders and an icon take of its width, in letters."""


class CroquisPanel:
    """Where all panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Croquis"


def large_row(layout: bpy.types.UILayout | None) -> bpy.types.UILayout:
    """Where the button goes that does a panel's work."""
    assert layout is not None  # Blender's types allow for a panel that is not drawn
    row = layout.row()
    row.scale_y = 1.6
    return row


class CROQUIS_PT_character(CroquisPanel, bpy.types.Panel):
    """Who is posed."""

    bl_label = "Character"

    def draw(self, context: bpy.types.Context) -> None:
        """The armature and whose bones it has, or a mannequin."""
        layout = self.layout.column()
        armature = context.scene.croquis.armature
        layout.prop(context.scene.croquis, "armature", text="", placeholder="Mannequin")
        if armature is None or armature.type != "ARMATURE":
            layout.operator(CROQUIS_OT_add_mannequin.bl_idname, icon="OUTLINER_OB_ARMATURE")
            return
        bones, sentence = bone_table(armature)
        if sentence:
            _explain(context, layout, sentence, icon="ERROR")
        else:
            kind = rig_kind(armature)
            text = say(f"{kind}, {len(bones)} of {skeleton.COUNT} bones", "interface")
            layout.label(text=text, icon="CHECKMARK", translate=False)
        layout.popover(CROQUIS_PT_bones.__name__, text="Fix Mapping", icon="BONE_DATA")


class CROQUIS_PT_bones(CroquisPanel, bpy.types.Panel):
    """Which bone stands for which part of the body."""

    bl_label = "Bones"
    bl_parent_id = "CROQUIS_PT_character"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The mannequin needs no corrections."""
        armature = context.scene.croquis.armature
        return armature is not None and armature.type == "ARMATURE"

    def draw(self, context: bpy.types.Context) -> None:
        """The table, each line a button that takes a correction."""
        layout = self.layout.column()
        armature = context.scene.croquis.armature
        bones, sentence = bone_table(armature)
        if sentence:
            _explain(context, layout, sentence)
        column = layout.column(align=True)
        for joint in skeleton.KEYPOINTS:
            row = column.split(factor=0.4, align=True)
            # Blender's own tables take "Head" for the beginning of a bone.
            row.label(text=say(label_of(joint), "interface"), translate=False)
            button = row.operator(
                CROQUIS_OT_choose_bone.bl_idname, text=bones.get(joint, "—"), translate=False
            )
            button.joint = joint
        layout.operator(CROQUIS_OT_match_bones.bl_idname, icon="FILE_REFRESH")


class CROQUIS_PT_pose(CroquisPanel, bpy.types.Panel):
    """The main button and how its result is shown."""

    bl_label = "Pose"

    def draw(self, context: bpy.types.Context) -> None:
        """Button, options, views."""
        layout = self.layout
        settings = context.scene.croquis
        button = large_row(layout)
        button.operator(
            CROQUIS_OT_pose_from_sketch.bl_idname, icon="POSE_HLT"
        ).figure = settings.figure
        options = _fields(self)
        options.prop(settings, "part")
        options.prop(settings, "influence")
        layout.prop(settings, "insert_keyframes")
        layout.prop(settings, "stretch")
        layout.prop(settings, "look_through_camera")
        views = layout.row(align=True)
        for side, label in (("DRAWING", "Drawing's View"), ("SIDE", "Side View")):
            views.operator(CROQUIS_OT_look.bl_idname, text=label).side = side


class CROQUIS_PT_readings(CroquisPanel, bpy.types.Panel):
    """What the drawing leaves open, and the other ways to read it."""

    bl_label = "Readings"
    bl_parent_id = "CROQUIS_PT_pose"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The character was posed from a drawing."""
        armature = context.scene.croquis.armature
        return armature is not None and remembered(armature) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """The list of readings, left and right, and each limb with its button."""
        kept = remembered(context.scene.croquis.armature)
        if kept is None:
            return
        readings, reading = readings_of(kept), kept.reading
        layout = self.layout
        leaf = layout.row(align=True)
        leaf.operator(CROQUIS_OT_previous_reading.bl_idname, text="", icon="TRIA_LEFT")
        position = readings.position(reading) or "–"
        text = say(f"{position} of {len(readings.listed)}", "interface")
        leaf.operator(
            CROQUIS_OT_next_reading.bl_idname, text=text, icon="TRIA_RIGHT", translate=False
        )
        leaf.operator(CROQUIS_OT_first_reading.bl_idname, text="", icon="LOOP_BACK")

        facing = _("Faces us") if readings.faces_us(reading) else _("Turned away")
        mirror = layout.row()
        mirror.label(text=f"{facing} {readings.facing_certainty(reading):.0%}")
        mirror.operator(CROQUIS_OT_mirror.bl_idname, icon="MOD_MIRROR").limbs = "ALL"
        sides = readings.sides(reading)
        if min(sides) < _UNSURE:
            layout.label(text="Left and right unsure", icon="QUESTION")
            swap = layout.row(align=True)
            for pair, sure in zip(PAIRS, sides, strict=True):
                text = f"{_(pair)} {sure:.0%}"
                swap.operator(CROQUIS_OT_mirror.bl_idname, text=text).limbs = pair

        limbs = layout.column(align=True)
        for limb, name in LIMB_NAMES.items():
            row = limbs.split(factor=0.5, align=True)
            row.label(text=name)
            side = _("Behind") if readings.behind(reading, limb) else _("In Front")
            text = f"{side} {readings.certainty(reading, limb):.0%}"
            row.operator(CROQUIS_OT_flip_limb.bl_idname, text=text).limb = limb


class CROQUIS_PT_keep(CroquisPanel, bpy.types.Panel):
    """What becomes of the pose."""

    bl_label = "Keep"

    def draw(self, _context: bpy.types.Context) -> None:
        """In the animation, in the Pose Library, in a file."""
        layout = self.layout
        layout.operator(CROQUIS_OT_insert_keyframes.bl_idname, icon="KEY_HLT")
        layout.operator(CROQUIS_OT_save_pose_asset.bl_idname, icon="ASSET_MANAGER")
        files = layout.column(align=True)
        exports = files.row(align=True)
        exports.operator(CROQUIS_OT_export_json.bl_idname, text="Export JSON", icon="EXPORT")
        exports.operator(CROQUIS_OT_export_bvh.bl_idname, text="Export BVH")
        files.operator(CROQUIS_OT_load_pose.bl_idname, icon="IMPORT")


class CROQUIS_PT_dataset(CroquisPanel, bpy.types.Panel):
    """Rendering sketches of rigged characters, to train an estimator on."""

    bl_label = "Dataset"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The folders; the panels below it are the settings and the button."""
        layout = _fields(self)
        settings = context.scene.croquis.dataset
        for name in ("characters", "animations", "output"):
            layout.prop(settings, name)


class _DatasetPanel(CroquisPanel):
    bl_parent_id = "CROQUIS_PT_dataset"


class CROQUIS_PT_dataset_figures(_DatasetPanel, bpy.types.Panel):
    """Which poses are drawn, and how various the figures are."""

    bl_label = "Poses and Figures"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Poses, then bodies and company."""
        layout = _fields(self)
        settings = context.scene.croquis.dataset
        poses = layout.column(align=True)
        poses.prop(settings, "every")
        poses.prop(settings, "max_per_clip")
        layout.prop(settings, "pose_noise")
        figures = layout.column(align=True)
        figures.prop(settings, "figures_min")
        figures.prop(settings, "figures_max")
        options = layout.column()
        options.prop(settings, "proportions")
        options.prop(settings, "props")


class CROQUIS_PT_dataset_cameras(_DatasetPanel, bpy.types.Panel):
    """From where the poses are drawn."""

    bl_label = "Cameras"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """How many, and how unruly."""
        layout = _fields(self)
        settings = context.scene.croquis.dataset
        for name in ("cameras", "camera_jitter", "limb_perspective"):
            layout.prop(settings, name)


class CROQUIS_PT_dataset_style(_DatasetPanel, bpy.types.Panel):
    """What the drawings look like."""

    bl_label = "Style"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Styles, ink and size."""
        settings = context.scene.croquis.dataset
        _flags(self, settings, "styles")
        layout = _fields(self)
        layout.prop(settings, "ink")
        layout.prop(settings, "size")


class CROQUIS_PT_dataset_labels(_DatasetPanel, bpy.types.Panel):
    """What is written down."""

    bl_label = "Labels"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Labels, pictures and the split."""
        settings = context.scene.croquis.dataset
        _flags(self, settings, "labels")
        layout = _fields(self)
        layout.prop(settings, "images")
        layout.prop(settings, "hold_out")


class CROQUIS_PT_dataset_run(_DatasetPanel, bpy.types.Panel):
    """The button, and what comes of it."""

    bl_label = "Run"

    def draw(self, context: bpy.types.Context) -> None:
        """Extent, button or progress, result."""
        layout = _fields(self)
        settings = context.scene.croquis.dataset
        for name in ("limit", "seed", "workers"):
            layout.prop(settings, name)
        run = CROQUIS_OT_render_dataset.running
        if run:
            _show_run(layout, run)
        else:
            _explain(context, layout, why_not(context))
            button = large_row(layout)
            button.operator(CROQUIS_OT_render_dataset.bl_idname, icon="RENDER_ANIMATION")
        layout.operator(CROQUIS_OT_show_contact_sheet.bl_idname, icon="IMAGE_DATA")


def _fields(panel: bpy.types.Panel) -> bpy.types.UILayout:
    """A column of labels beside fields."""
    column = panel.layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    return column


def _flags(panel: bpy.types.Panel, settings: bpy.types.PropertyGroup, name: str) -> None:
    """Several choices at once, as buttons in two columns."""
    column = panel.layout.column(align=True)
    grid = column.grid_flow(columns=2, even_columns=True, align=True, row_major=True)
    grid.prop(settings, name)
    # A plain click chooses one and drops the others, as everywhere in Blender.
    column.label(text="Shift-click to choose several")


def _show_run(layout: bpy.types.UILayout, run: Run) -> None:
    """A run's progress, in the button's place."""
    bar = large_row(layout)
    text = say(run.count() or run.progress.message, "interface")
    bar.progress(factor=run.share, text=text, translate=False)
    for text in (run.pace(), run.failures(), "Esc stops; finished clips are kept"):
        if text:
            layout.label(text=say(text, "interface"), translate=False)


def _explain(
    context: bpy.types.Context,
    layout: bpy.types.UILayout,
    text: str,
    icon: Literal["INFO", "ERROR"] = "INFO",
) -> None:
    """A sentence in as many lines as the sidebar's width asks for; Blender would cut it off."""
    letters = round(context.region.width / (_LETTER * context.preferences.system.ui_scale))
    lines = layout.column(align=True)
    said = say(text, "interface")
    for number, line in enumerate(textwrap.wrap(said, max(letters - _INDENT, _INDENT))):
        lines.label(text=line, icon="BLANK1" if number else icon, translate=False)
