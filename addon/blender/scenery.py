"""Props as mesh objects of the current scene, for as long as they are needed."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..core.scenery import Prop


class PropObjects:
    """Mesh objects of props, linked into the scene's own collection.

    They stand where their vertices say; no material, no animation. Call :meth:`remove` when the
    views are drawn.
    """

    def __init__(self, props: Sequence[Prop]) -> None:
        """Put props (:func:`core.scenery.props_for`) into the current scene."""
        collection = bpy.context.scene.collection
        self._meshes: list[bpy.types.Mesh] = []
        self.objects: list[bpy.types.Object] = []
        """One object for each prop, in their order."""
        for prop in props:
            name = f"Croquis {prop.name}"
            mesh = bpy.data.meshes.new(name)
            mesh.from_pydata(prop.vertices.tolist(), [], prop.faces)
            self._meshes.append(mesh)
            obj = bpy.data.objects.new(name, mesh)
            self.objects.append(obj)
            collection.objects.link(obj)

    def remove(self) -> None:
        """Take the objects and their meshes out of the file; a second call does nothing."""
        bpy.data.batch_remove([*self.objects, *self._meshes])
        self.objects, self._meshes = [], []
