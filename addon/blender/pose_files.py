"""An armature's pose as a file, and a file's pose on an armature."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np

from ..core import bvh, pose_file
from ..core.errors import UserError
from ..core.pose_file import BonePose, PoseFile
from ..core.remembered import Remembered
from . import reference
from .armature import pose_bones, posed_matrices, rig_from_armature
from .extent import (
    WHOLE,
    Extent,
    KeptPose,
    apply_within,
    remember_before,
    stance_of,
    why_not_within,
)
from .mannequin import add_mannequin
from .pose import drawing_depth, remember, remembered, solve_again, tell_lengths
from .puppet import PosedKeypoints


def describe(context: bpy.types.Context, armature: bpy.types.Object) -> PoseFile:
    """The drawing that posed an armature, and its pose as it is now, corrections included.

    Raises:
        UserError: the armature was not posed from a drawing, or is no humanoid.
    """
    drawing = remembered(armature)
    if drawing is None:
        raise UserError(f"“{armature.name}” has no drawing yet; press Pose from Sketch first.")
    context.view_layer.update()
    rig = rig_from_armature(armature)
    bones = {}
    for bone in pose_bones(armature, rig):
        place, turn, scale = bone.matrix_basis.decompose()
        rotation = (turn.w, turn.x, turn.y, turn.z)
        location, size = (place.x, place.y, place.z), (scale.x, scale.y, scale.z)
        bones[bone.name] = BonePose(rotation, location, size)
    joints = PosedKeypoints(armature, rig, rig.joints).places()
    camera = solve_again(armature, rig, drawing).camera
    return PoseFile(drawing, joints, armature.name, bones, camera)


def save_bvh(
    context: bpy.types.Context,
    armature: bpy.types.Object,
    path: Path,
    frames: Sequence[int] | None = None,
) -> None:
    """Write the motion of an armature's trunk and limbs; :mod:`addon.core.bvh` says how.

    Args:
        context: whose scene has the frames and their rate.
        armature: the character.
        path: the file.
        frames: which frames of the scene; None for the pose as it is now.

    Raises:
        UserError: the armature is no humanoid.
        OSError: the file cannot be written.
    """
    scene = context.scene
    assert scene is not None  # Blender's types allow for a context without a file
    context.view_layer.update()
    rig = rig_from_armature(armature)
    if frames is None:
        matrices = [posed_matrices(armature, rig)]
    else:
        now = scene.frame_current_final  # between two frames, perhaps
        kept = KeptPose(armature, rig)  # setting a frame takes back what has no keyframes yet
        matrices = []
        for frame in frames:
            scene.frame_set(frame)
            matrices.append(posed_matrices(armature, rig))
        scene.frame_set(math.floor(now), subframe=now % 1)
        kept.restore()
    rate = scene.render.fps / scene.render.fps_base
    bvh.write(path, bvh.from_poses(rig, np.array(matrices), 1 / rate))


def load_pose(
    context: bpy.types.Context,
    path: Path,
    armature: bpy.types.Object | None,
    *,
    keyframe: bool = False,
    extent: Extent = WHOLE,
) -> tuple[bpy.types.Object, str]:
    """Pose a character as a pose file's drawing shows it, without the network.

    The scene's Croquis camera takes the drawing's view. The drawing stands behind the character if
    it is in the blend file or beside the pose file.

    Args:
        context: whose scene receives the camera and the drawing.
        path: what :meth:`PoseFile.save` wrote, for this rig or for another.
        armature: the character; None adds the mannequin.
        keyframe: insert keyframes at the current frame.
        extent: which of the character's bones take over the pose, and how far.

    Returns:
        The posed armature, and what to say of bones that could not follow and of limbs that could
        not take the drawn lengths; "" for nothing.

    Raises:
        UserError: the file is no pose, the armature is not one that can be posed, or none of its
            selected bones is.
        OSError: the file cannot be read.
    """
    scene = context.scene
    assert scene is not None  # Blender's types allow for a context without a file
    if reason := why_not_within(armature, extent):
        raise UserError(reason)
    drawing = pose_file.load(path).drawing
    if armature is None:
        armature = add_mannequin(context)
    rig = rig_from_armature(armature)
    solution = solve_again(armature, rig, drawing)
    before = stance_of(context, armature, rig)
    held = apply_within(armature, rig, solution, before, extent, keyframe=keyframe)
    remember_before(armature, rig, before)
    remember(armature, drawing)
    context.view_layer.update()
    reference.place_camera(scene, solution.camera, drawing.number)
    image = _find_image(drawing, path.parent)
    if image is not None:
        depth = drawing_depth(rig, solution)
        reference.place_drawing(scene, image, solution.camera, depth, drawing.number)
    return armature, tell_lengths(armature, drawing.stretch, held)


def _find_image(drawing: Remembered, folder: Path) -> bpy.types.Image | None:
    image = bpy.data.images.get(drawing.image)
    beside = folder / drawing.image
    if image is None and drawing.image and os.path.isfile(beside):
        image = bpy.data.images.load(str(beside), check_existing=True)
    return image
