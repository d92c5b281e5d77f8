"""Our hierarchies against Blender's own importer: the same joints at the same frames."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from addon.core import bvh

CMU = Path(__file__).resolve().parents[3] / "shared" / "data" / "poses" / "bvh"
TO_BLENDER = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def imported(path: Path) -> bpy.types.Object:
    before = {*bpy.data.objects}
    bpy.ops.import_anim.bvh(filepath=str(path), frame_start=1)
    (armature,) = {*bpy.data.objects} - before
    return armature


def heads(armature: bpy.types.Object, frame: int, names: list[str]) -> np.ndarray:
    """``[N, 3]`` world positions of the bones of these names."""
    bpy.context.scene.frame_set(frame)
    return np.array([armature.matrix_world @ armature.pose.bones[name].head for name in names])


@pytest.mark.parametrize("name", ["02_03", "07_12", "08_01", "08_08", "08_10", "09_11"])
def test_motion_capture_is_read_as_blender_reads_it(name: str) -> None:
    path = CMU / f"{name}.bvh"
    if not path.exists():
        pytest.skip("the shared motion capture is not here")
    motion = bvh.read(path)
    armature = imported(path)
    ours = motion.joints() @ TO_BLENDER.T
    size = np.ptp(ours[0], axis=0).max()
    for frame in (0, len(ours) // 2, len(ours) - 1):
        theirs = heads(armature, frame + 1, list(motion.names))
        np.testing.assert_allclose(theirs, ours[frame], atol=1e-4 * size)
