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

    def draw(self, _context: bpy.types.Context) -> None:
        """The preferences as they stand in Blender's window."""
        self.layout.prop(self, "network")


def network_path(context: bpy.types.Context) -> str:
    """The user's own network file, or "" for the shipped one."""
    addon = context.preferences.addons.get(CroquisPreferences.bl_idname)
    return bpy.path.abspath(addon.preferences.network) if addon else ""


def register() -> None:
    """Make the preferences known."""
    bpy.utils.register_class(CroquisPreferences)


def unregister() -> None:
    """Forget the preferences."""
    bpy.utils.unregister_class(CroquisPreferences)
