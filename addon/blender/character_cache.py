"""The characters of a dataset, loaded once and kept apart from the scene until their turn."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import cast

import bmesh
import bpy
import numpy as np
from bpy.types import Object
from numpy.typing import NDArray

from ..core.errors import UserError
from ..core.scene_view import FigurePose
from ..core.surface import Surface
from .characters import import_character, mesh_points, remove_objects
from .puppet import Puppet

_ONE_PLACE = 1e-5  # of a mesh's size
_SHATTERED = 0.6  # share of edges with a single face


class LoadedCharacter:
    """A character that can be posed, and what is known of its skin.

    Attributes:
        name: the character's.
        puppet: its armature.
        own_height: from its lowest to its highest keypoint as the file has it, metres.
        surface: its skin: all its meshes in one.
    """

    def __init__(self, path: Path) -> None:
        """Load a character; it is not in the scene yet.

        Raises:
            UserError: the file cannot be used.
        """
        bpy.context.scene.frame_set(0)
        before = set(bpy.data.collections)
        imported = import_character(path)
        self._collections = [c for c in bpy.data.collections if c not in before]
        self._objects = imported.objects
        try:
            if not imported.meshes:
                raise UserError(f"{path.name} holds no mesh to draw; choose a file with its skin.")
            for obj in self._objects:
                _stop(obj)
            for mesh in imported.meshes:
                _weld_if_shattered(mesh)
            self.name = imported.name
            self.puppet = Puppet.prepare(imported.armature, imported.meshes)
            self.surface = self._measure()
            self.own_height = float(np.ptp(self.puppet.rest_joints[:, 2]))
            # Whatever else the file holds (helpers, lights, weapons) stays out of the picture.
            shown = [imported.armature, *self.puppet.meshes]
            self._shown = self._collect(shown)
            self._collect([obj for obj in self._objects if obj not in shown])
        except BaseException:
            self.remove()
            raise

    def _collect(self, objects: list[Object]) -> bpy.types.Collection:
        """Move objects from the scene into a collection that keeps them while no scene uses it."""
        collection = bpy.data.collections.new(f"Croquis {self.name}")
        collection.use_fake_user = True
        self._collections.append(collection)
        for obj in objects:
            for other in obj.users_collection:
                other.objects.unlink(obj)
            collection.objects.link(obj)
        return collection

    def _measure(self) -> Surface:
        meshes = self.puppet.meshes
        vertices = [self.puppet.rest_vertices(mesh) for mesh in meshes]
        offsets = np.cumsum([0, *map(len, vertices)])
        triangles = [
            triangle_rows(mesh) + offset for mesh, offset in zip(meshes, offsets[:-1], strict=True)
        ]
        return Surface.prepare(
            np.concatenate(vertices),
            np.concatenate(triangles),
            np.concatenate([self.puppet.vertex_bones(mesh) for mesh in meshes]),
            self.puppet.rest_joints,
        )

    def enter(self) -> None:
        """Go into the scene."""
        bpy.context.scene.collection.children.link(self._shown)

    def leave(self) -> None:
        """Go out of the scene; nothing happens if it is out."""
        children = bpy.context.scene.collection.children
        if self._shown.name in children:
            children.unlink(self._shown)

    def stand(self) -> FigurePose:
        """The figure as it stands now; the view layer must be up to date."""
        return FigurePose(
            joints=self.puppet.joints(),
            vertices=np.concatenate([mesh_points(mesh) for mesh in self.puppet.meshes]),
            surface=self.surface,
            girth=self.puppet.girth,
        )

    def remove(self) -> None:
        """Take the character out of the file."""
        bpy.data.batch_remove(self._collections)
        remove_objects(self._objects)


class CharacterCache:
    """Characters by file; the last used ones are kept, since loading takes as long as ten views."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._loaded: OrderedDict[tuple[Path, int], LoadedCharacter] = OrderedDict()

    def character(self, path: Path, copy: int = 0) -> LoadedCharacter:
        """The character of a file.

        Args:
            path: the character file.
            copy: a number that tells several copies of one character apart.

        Raises:
            UserError: the file cannot be used.
        """
        key = (path, copy)
        if key not in self._loaded:
            while len(self._loaded) >= self._capacity:
                self._loaded.popitem(last=False)[1].remove()
            self._loaded[key] = LoadedCharacter(path)
        self._loaded.move_to_end(key)
        return self._loaded[key]

    def remove(self) -> None:
        """Take all characters out of the file."""
        for character in self._loaded.values():
            character.remove()
        self._loaded.clear()


def _stop(obj: Object) -> None:
    """Take away what would move an object, or change its mesh, as time goes by."""
    obj.animation_data_clear()
    keys = getattr(obj.data, "shape_keys", None)
    for block in (obj.data, keys):
        if block is not None:
            block.animation_data_clear()


def _weld_if_shattered(mesh: Object) -> None:
    """Join vertices that lie in one place, if most edges of a mesh border on a single face.

    glTF splits a mesh along hard edges and seams of its texture, and a line renderer draws these as
    borders. Some are welcome (hems, belts, cuffs), but some files are split between all faces.
    """
    loops = np.empty(len(mesh.data.loops), np.int32)
    mesh.data.loops.foreach_get("edge_index", loops)
    if np.mean(np.bincount(loops, minlength=1) == 1) < _SHATTERED:
        return
    data = cast(bpy.types.Mesh, mesh.data)
    size = float(np.ptp(np.array(mesh.bound_box), axis=0).max())
    work = bmesh.new()
    work.from_mesh(data)
    bmesh.ops.remove_doubles(work, verts=list(work.verts), dist=_ONE_PLACE * size)
    work.to_mesh(data)
    work.free()


def triangle_rows(mesh: Object) -> NDArray[np.int32]:
    """``[T, 3]`` vertex rows of an evaluated mesh's triangles."""
    data = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    data.calc_loop_triangles()
    rows = np.empty(len(data.loop_triangles) * 3, np.int32)
    data.loop_triangles.foreach_get("vertices", rows)
    return rows.reshape(-1, 3)
