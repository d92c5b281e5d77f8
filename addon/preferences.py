"""The add-on's preferences."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import IntProperty, StringProperty

from .core.errors import UserError
from .core.estimator import Estimator


def _check_network(self: CroquisPreferences, _context: bpy.types.Context) -> None:
    """Say at once what is wrong with a chosen file, not only when it is to pose."""
    self.network_problem = why_not_usable(self.network)


def why_not_usable(network: str) -> str:
    """Why a file cannot find keypoints, in one sentence, or "".

    Args:
        network: an ONNX file with its card beside it; "" for the network that comes with Croquis.
    """
    try:
        Estimator(bpy.path.abspath(network) or None)
    except UserError as error:
        return str(error)
    return ""


class CroquisPreferences(bpy.types.AddonPreferences):
    """Edit > Preferences > Add-ons > Croquis."""

    bl_idname = __package__ or "croquis"

    network: StringProperty(
        name="Network",
        description=(
            "ONNX file to find keypoints with, its card (.json) beside it; empty: the network that "
            "comes with Croquis"
        ),
        subtype="FILE_PATH",
        update=_check_network,
    )
    network_problem: StringProperty(
        name="Problem",
        description="Why the chosen network cannot be used",
        options={"HIDDEN", "SKIP_SAVE"},
    )
    threads: IntProperty(
        name="Threads",
        description=(
            "How many threads of the processor look at a drawing; 0 takes all, fewer leave some to "
            "other work"
        ),
        default=0,
        min=0,
        max=256,
        soft_max=16,
    )

    pose_library: StringProperty(
        name="Pose Library",
        description="Asset library that receives saved poses; empty: the current file",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """The preferences as they stand in Blender's window."""
        layout = self.layout
        layout.use_property_split = True
        network = layout.row()
        network.alert = bool(self.network_problem)
        network.prop(self, "network", placeholder="Croquis' Own")
        if self.network_problem:
            layout.label(text=self.network_problem, icon="ERROR")
        layout.prop(self, "threads")
        paths = context.preferences.filepaths
        layout.prop_search(self, "pose_library", paths, "asset_libraries")


def _preferences(context: bpy.types.Context) -> Any:
    """None for scripts that use the add-on's modules without enabling it."""
    addon = context.preferences.addons.get(CroquisPreferences.bl_idname)
    return addon.preferences if addon else None


def make_estimator(context: bpy.types.Context) -> Estimator:
    """The network that the preferences name, on as many threads as they say.

    Raises:
        UserError: it cannot be used.
    """
    chosen = _preferences(context)
    if chosen is None:
        return Estimator()
    return Estimator(bpy.path.abspath(chosen.network) or None, chosen.threads)


def pose_library(context: bpy.types.Context) -> str:
    """The asset library for saved poses, or "" for the current file."""
    chosen = _preferences(context)
    return chosen.pose_library if chosen else ""


def register() -> None:
    """Make the preferences known."""
    bpy.utils.register_class(CroquisPreferences)


def unregister() -> None:
    """Forget the preferences."""
    bpy.utils.unregister_class(CroquisPreferences)
