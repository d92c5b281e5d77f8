"""The add-on's preferences."""

import bpy
from bpy.props import StringProperty


class CroquisPreferences(bpy.types.AddonPreferences):
    """Edit > Preferences > Add-ons > Croquis."""

    bl_idname = __package__ or "croquis"

    network: StringProperty(
        name="Network",
        description="ONNX file to find keypoints with; empty: the network that comes with Croquis",
        subtype="FILE_PATH",
    )

    pose_library: StringProperty(
        name="Pose Library",
        description="Asset library that receives saved poses; empty: the current file",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """The preferences as they stand in Blender's window."""
        self.layout.prop(self, "network")
        paths = context.preferences.filepaths
        self.layout.prop_search(self, "pose_library", paths, "asset_libraries")


def network_path(context: bpy.types.Context) -> str:
    """The user's own network file, or "" for the shipped one."""
    addon = context.preferences.addons.get(CroquisPreferences.bl_idname)
    return bpy.path.abspath(addon.preferences.network) if addon else ""


def pose_library(context: bpy.types.Context) -> str:
    """The asset library for saved poses, or "" for the current file."""
    addon = context.preferences.addons.get(CroquisPreferences.bl_idname)
    return addon.preferences.pose_library if addon else ""


def register() -> None:
    """Make the preferences known."""
    bpy.utils.register_class(CroquisPreferences)


def unregister() -> None:
    """Forget the preferences."""
    bpy.utils.unregister_class(CroquisPreferences)
