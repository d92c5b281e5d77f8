"""Characters from .fbx, .glb, .gltf, .vrm and .blend files: an armature and the meshes it moves."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy.types import Object
from numpy.typing import NDArray

from ..core.dataset import CHARACTER_SUFFIXES
from ..core.errors import UserError


@dataclass(frozen=True)
class Character:
    """An armature and the meshes that it moves.

    Attributes:
        name: the file's name without its ending.
        armature: the armature object.
        meshes: the mesh objects that it deforms and those that hang from one of its bones (a hat,
            a sword), without hidden ones; helper meshes of the file are not among them.
        objects: everything that came with the file, to be taken away with it.
    """

    name: str
    armature: Object
    meshes: list[Object]
    objects: list[Object]


def import_character(path: str | Path) -> Character:
    """Import a rigged character into the current scene.

    Args:
        path: the file.

    Raises:
        UserError: the file is missing, damaged, of an unknown kind, or holds no armature. Nothing
            of it stays in the scene.
    """
    path = Path(path)
    with _taking_back_on_error():
        added = import_objects(path)
        armature = main_armature(added)
        if armature is None:
            raise UserError(f"{path.name} holds no armature; choose a rigged character.")
        return Character(path.stem, armature, _meshes_of(armature, added), added)


def main_armature(objects: list[Object]) -> Object | None:
    """Of a file's objects, the armature that moves most meshes, then has most bones."""
    return max(
        (obj for obj in objects if obj.type == "ARMATURE"),
        key=lambda obj: (len(_meshes_of(obj, objects)), len(obj.data.bones)),
        default=None,
    )


def import_objects(path: Path) -> list[Object]:
    """Everything that a file brings into the current scene, as a list of its objects.

    Raises:
        UserError: the file is missing, damaged or of an unknown kind.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    known = (*CHARACTER_SUFFIXES, ".bvh")
    if path.suffix.lower() not in known:
        raise UserError(f"{path.name} cannot be imported; use one of {', '.join(known)}.")
    before = set(bpy.data.objects)
    try:
        _import(path)
    except (RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[-1].removeprefix("Error: ").rstrip(".")
        raise UserError(f"{path.name} could not be imported: {reason}.") from error
    # Blender lists objects by name, and the same file's names differ while a copy of it is loaded.
    added = [obj for obj in bpy.data.objects if obj not in before]
    return sorted(added, key=lambda obj: (_COPY_NUMBER.sub("", obj.name), obj.name))


_COPY_NUMBER = re.compile(r"\.\d{3,}$")


def _import(path: Path) -> None:
    """Run the importer for a file's kind; the importers speak of failure by RuntimeError."""
    suffix = path.suffix.lower()
    with _quiet():
        if suffix == ".fbx":
            if "fbx_import" in dir(bpy.ops.wm):  # hasattr says yes to every name
                bpy.ops.wm.fbx_import(filepath=str(path))
            else:  # Blender 4.3 and 4.4 have only the importer written in Python
                bpy.ops.import_scene.fbx(filepath=str(path))
        elif suffix == ".blend":
            # Blender's stubs take this for a call that returns nothing.
            library: Any = bpy.data.libraries.load(str(path), link=False)
            with library as (source, target):
                target.objects = source.objects
            for obj in target.objects:
                if obj is not None:
                    bpy.context.scene.collection.objects.link(obj)
        elif suffix == ".vrm":
            # A VRM file is a glTF binary under another name, and the importer goes by the name.
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder, path.stem + ".glb")
                shutil.copyfile(path, copy)
                bpy.ops.import_scene.gltf(filepath=str(copy))
        elif suffix == ".bvh":
            bpy.ops.import_anim.bvh(filepath=str(path), rotate_mode="QUATERNION")
        else:
            bpy.ops.import_scene.gltf(filepath=str(path))


def remove_objects(objects: list[Object]) -> None:
    """Take objects out of the file, and with them the data that nothing else uses."""
    bpy.data.batch_remove(objects)
    data: Any = bpy.data  # whose stubs know no arguments of this call
    data.orphans_purge(do_local_ids=True, do_linked_ids=True, do_recursive=True)


def _meshes_of(armature: Object, objects: list[Object]) -> list[Object]:
    return [
        obj
        for obj in objects
        if obj.type == "MESH"
        and not (obj.hide_viewport or obj.hide_render)
        and (hangs_from_bone(obj, armature) or any(_deforms(m, armature) for m in obj.modifiers))
    ]


def mesh_points(mesh: Object) -> NDArray[np.float64]:
    """``[V, 3]`` world positions of the evaluated mesh's vertices, metres."""
    evaluated = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
    flat = np.empty(len(evaluated.data.vertices) * 3, np.float32)
    evaluated.data.vertices.foreach_get("co", flat)
    matrix = np.array(evaluated.matrix_world, np.float64)
    return flat.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def hangs_from_bone(obj: Object, armature: Object) -> bool:
    """Whether an object moves stiffly with one bone instead of being deformed."""
    return obj.parent == armature and obj.parent_type == "BONE"


def _deforms(modifier: bpy.types.Modifier, armature: Object) -> bool:
    return modifier.type == "ARMATURE" and modifier.object == armature


_COLLECTIONS = (
    "objects",
    "armatures",
    "meshes",
    "actions",
    "materials",
    "images",
    "cameras",
    "lights",
    "collections",
)


@contextlib.contextmanager
def _taking_back_on_error() -> Iterator[None]:
    """Remove whatever came into the file since, if the block fails."""
    before = {name: set(getattr(bpy.data, name)) for name in _COLLECTIONS}
    try:
        yield
    except BaseException:
        for name in _COLLECTIONS:
            added = [block for block in getattr(bpy.data, name) if block not in before[name]]
            bpy.data.batch_remove(added)
        raise


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the importers: they print texture paths of somebody else's machine by the dozen.

    Blender's C++ code writes to the file descriptors and its Python importers to ``sys.stdout``.
    """
    with (
        tempfile.TemporaryFile() as sink,
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        saved = [os.dup(fd) for fd in (1, 2)]
        try:
            for fd in (1, 2):
                os.dup2(sink.fileno(), fd)
            yield
        finally:
            for fd, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, fd)
                os.close(copy)
