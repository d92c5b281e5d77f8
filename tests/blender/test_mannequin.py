"""The built-in character is a complete, well-made rig."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from mathutils.kdtree import KDTree

from addon.blender.armature import rig_from_armature
from addon.blender.mannequin import HEIGHT, add_mannequin
from addon.core import skeleton


@pytest.fixture
def mannequin() -> bpy.types.Object:
    return add_mannequin(bpy.context)


def vertices(mannequin: bpy.types.Object) -> np.ndarray:
    """``[V, 3]`` metres, world space, as posed."""
    bpy.context.view_layer.update()
    (body,) = mannequin.children
    evaluated = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([evaluated.matrix_world @ vertex.co for vertex in evaluated.data.vertices])


def test_every_keypoint_has_its_bone(mannequin: bpy.types.Object) -> None:
    rig = rig_from_armature(mannequin)
    assert set(rig.mapping) == set(skeleton.KEYPOINTS)
    assert all(name.startswith("mixamorig:") for name in rig.names)


def test_it_stands_on_the_ground_and_looks_to_the_front(mannequin: bpy.types.Object) -> None:
    points = vertices(mannequin)
    assert points[:, 2].min() == pytest.approx(0, abs=1e-6)
    assert points[:, 2].max() == pytest.approx(HEIGHT, abs=0.01)
    rig = rig_from_armature(mannequin)
    np.testing.assert_allclose(rig.front, [0, -1, 0], atol=1e-6)
    joints = dict(zip(skeleton.KEYPOINTS, rig.joints, strict=True))
    assert joints["LeftHand"][0] > joints["LeftArm"][0] > 0
    assert joints["LeftToeBase"][1] < joints["LeftFoot"][1]


def test_it_is_symmetric(mannequin: bpy.types.Object) -> None:
    joints = rig_from_armature(mannequin).joints
    np.testing.assert_allclose(joints[list(skeleton.FLIP)] * [-1, 1, 1], joints, atol=1e-6)
    points = vertices(mannequin)
    tree = KDTree(len(points))
    for i, point in enumerate(points):
        tree.insert(point, i)
    tree.balance()
    assert max(tree.find(point)[2] for point in points * [-1, 1, 1]) < 1e-4


def test_every_vertex_follows_one_bone(mannequin: bpy.types.Object) -> None:
    (body,) = mannequin.children
    names = {group.index: group.name for group in body.vertex_groups}
    assert set(names.values()) <= set(mannequin.data.bones.keys())
    for vertex in body.data.vertices:
        (membership,) = vertex.groups
        assert membership.weight == 1


def test_body_is_closed_and_faces_outwards(mannequin: bpy.types.Object) -> None:
    (body,) = mannequin.children
    edges: dict[tuple[int, int], int] = {}
    for polygon in body.data.polygons:
        for edge in zip(
            polygon.vertices, [*polygon.vertices[1:], polygon.vertices[0]], strict=True
        ):
            edges[edge] = edges.get(edge, 0) + 1
    assert set(edges.values()) == {1}
    assert all((b, a) in edges for a, b in edges)
    volume = sum(
        polygon.center.dot(polygon.normal) * polygon.area / 3 for polygon in body.data.polygons
    )
    assert 0.02 < volume < 0.15  # cubic metres; negative if it were inside out


def test_bending_the_elbow_moves_forearm_and_hand_only(mannequin: bpy.types.Object) -> None:
    before = vertices(mannequin)
    elbow = mannequin.pose.bones["mixamorig:LeftForeArm"]
    elbow.rotation_mode = "XYZ"
    elbow.rotation_euler = (0, 0, 1.2)
    after = vertices(mannequin)
    moved = np.linalg.norm(after - before, axis=1) > 1e-4
    (body,) = mannequin.children
    groups = {group.index: group.name for group in body.vertex_groups}
    names = {groups[body.data.vertices[int(i)].groups[0].group] for i in np.flatnonzero(moved)}
    assert names == {"mixamorig:LeftForeArm", "mixamorig:LeftHand"}


def test_it_is_active_in_object_mode_wherever_it_was_called(mannequin: bpy.types.Object) -> None:
    bpy.ops.object.mode_set(mode="POSE")
    other = add_mannequin(bpy.context)
    assert bpy.context.mode == "OBJECT"
    assert bpy.context.view_layer.objects.active == other
    assert bpy.context.selected_objects == [other]


def test_a_hidden_collection_is_no_obstacle() -> None:
    collection = bpy.data.collections.new("Hidden")
    bpy.context.scene.collection.children.link(collection)
    layer = bpy.context.view_layer.layer_collection.children["Hidden"]
    bpy.context.view_layer.active_layer_collection = layer
    layer.exclude = True
    mannequin = add_mannequin(bpy.context)
    assert mannequin.name in bpy.context.view_layer.objects
    assert len(mannequin.data.bones) == skeleton.COUNT
