"""Motions of every kind of file, on every kind of character."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import bpy
import numpy as np
import pytest

from addon.blender.characters import import_character, remove_objects
from addon.blender.mannequin import add_mannequin
from addon.blender.motions import load_motions
from addon.blender.puppet import Puppet
from addon.core import retarget, skeleton
from addon.core.errors import UserError
from addon.core.retarget import JOINTS, Motion
from addon.core.rotations import about_axis, from_vector, unit
from addon.core.strokes import NO_BONE
from addon.core.variation import Proportions
from scripts import read_motions

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
ROW = skeleton.INDEX

MANNEQUIN = "mannequin"
CHARACTERS = (
    MANNEQUIN,
    "mixamo/characters/Big Vegas.fbx",
    "mixamo/characters/Michelle.glb",
    "characters/makehuman/toddler.fbx",
    "characters/vrm/CoolCow.vrm",
    "characters/jammo/Jammo_LowPoly.fbx",
    "characters/kaykit/Knight.glb",
    "characters/kenney/characterMedium.fbx",
    "characters/quaternius/Mannequin_F.glb",
)
every_character = pytest.mark.parametrize("character", CHARACTERS)
some_characters = pytest.mark.parametrize("character", (MANNEQUIN, *CHARACTERS[4:7:2]))


def _shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the shared {name} is not here")
    return path


def _puppet(character: str) -> Puppet:
    if character == MANNEQUIN:
        armature = add_mannequin(bpy.context)
        meshes = [child for child in armature.children if child.type == "MESH"]
        return Puppet.prepare(armature, meshes)
    loaded = import_character(_once(_shared(character)))
    return Puppet.prepare(loaded.armature, loaded.meshes)


def _once(path: Path) -> Path:
    """A character as a .blend file, which loads ten times as fast as what it was made from."""
    if path not in _loaded:
        character = import_character(path)
        character.armature.animation_data_clear()
        _loaded[path] = Path(_folder.name, f"{len(_loaded)}.blend")
        objects = {character.armature, *character.meshes}
        bpy.data.libraries.write(str(_loaded[path]), objects)
        remove_objects(character.objects)
    return _loaded[path]


_folder = tempfile.TemporaryDirectory()
_loaded: dict[Path, Path] = {}


LIMBS = {
    **{f"{side}{bone}": np.array([x, 0.0, 0.0]) for side, x in (("Left", 1.0), ("Right", -1.0))
       for bone in ("Arm", "ForeArm")},
    **{f"{side}{bone}": np.array([0.0, 0.0, -1.0]) for side in ("Left", "Right")
       for bone in ("UpLeg", "Leg")},
}  # fmt: skip


def _motion(poses: int = 2, spread: float = 0.4, height: float = 0.0) -> Motion:
    """Random poses against a T-pose."""
    rng = np.random.default_rng(poses)
    rotations = from_vector(rng.normal(0, spread, (poses, len(JOINTS), 3)))
    root = np.tile([0.0, 0.0, height], (poses, 1))
    return Motion("random", np.arange(poses), rotations, root, LIMBS)


def _still() -> Motion:
    """The T-pose."""
    return _motion(1, 0.0)


def _pose(puppet: Puppet, motion: Motion, row: int = 0, **options: object) -> np.ndarray:
    puppet.pose(motion, row, **options)
    bpy.context.view_layer.update()
    return puppet.joints()


def _points(mesh: bpy.types.Object) -> np.ndarray:
    """``[V, 3]`` world space, as Blender has them."""
    evaluated = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
    flat = np.empty(len(evaluated.data.vertices) * 3, np.float32)
    evaluated.data.vertices.foreach_get("co", flat)
    matrix = np.array(evaluated.matrix_world)
    return flat.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def _body(puppet: Puppet) -> np.ndarray:
    return np.concatenate([_points(mesh) for mesh in puppet.meshes])


FEET = ("LeftFoot", "RightFoot", "LeftToeBase", "RightToeBase")


def _part(puppet: Puppet, name: str) -> np.ndarray:
    """``[V, 3]`` the vertices that follow a keypoint's bone, as posed."""
    part = [_points(mesh)[puppet.vertex_bones(mesh) == ROW[name]] for mesh in puppet.meshes]
    return np.concatenate(part)


def _length(joints: np.ndarray, name: str) -> float:
    """Of the bone that ends at a keypoint."""
    return float(np.linalg.norm(joints[ROW[name]] - joints[skeleton.PARENTS[ROW[name]]]))


@every_character
def test_the_rest_pose_faces_the_front_view(character: str) -> None:
    puppet = _puppet(character)
    rest = puppet.rest_joints
    assert rest.shape == (23, 3) and np.isfinite(rest).all()
    assert rest[ROW["LeftUpLeg"], 0] > rest[ROW["RightUpLeg"], 0]
    for side in ("Left", "Right"):  # a foot points to where its owner looks
        assert rest[ROW[side + "ToeBase"], 1] < rest[ROW[side + "Foot"], 1]
    assert rest[ROW["HeadTop_End"], 2] - rest[ROW["Head"], 2] > 0.05 * puppet.height
    assert puppet.height == pytest.approx(np.ptp(rest[:, 2]))


@every_character
def test_limbs_point_where_the_motion_says(character: str) -> None:
    puppet, motion = _puppet(character), _motion()
    wanted = retarget.joint_positions(motion.rotations[1], motion.limbs)
    joints = _pose(puppet, motion, 1)
    for side in ("Left", "Right"):
        for start, end in (("Arm", "ForeArm"), ("ForeArm", "Hand"), ("UpLeg", "Leg")):
            rows = ROW[side + end], ROW[side + start]
            got, expected = (unit(p[rows[0]] - p[rows[1]]) for p in (joints, wanted))
            assert np.degrees(np.arccos(np.clip(got @ expected, -1, 1))) < 0.5


@every_character
def test_turns_carry_the_rest_pose_to_the_pose(character: str) -> None:
    puppet = _puppet(character)
    puppet.place((3.0, -1.0), 0.7)
    joints = _pose(puppet, _motion())
    turns = puppet.turns()
    assert np.linalg.det(turns) == pytest.approx(1.0, abs=1e-4)
    for parent, child in skeleton.BONES:
        name = skeleton.KEYPOINTS[parent]
        if name not in puppet.bones or skeleton.KEYPOINTS[child] not in puppet.bones:
            continue
        rest = puppet.rest_joints[child] - puppet.rest_joints[parent]
        carried = turns[JOINTS.index(name)] @ rest
        assert carried == pytest.approx(joints[child] - joints[parent], abs=2e-4)


@every_character
def test_proportions_change_lengths_and_leave_the_pose(character: str) -> None:
    puppet, motion = _puppet(character), _motion()
    before, turns = _pose(puppet, motion), puppet.turns()
    shape = Proportions.of_kind("elongated", np.random.default_rng(3)).suited(puppet.rest_joints)
    puppet.shape(shape)
    after = _pose(puppet, motion)
    assert puppet.turns() == pytest.approx(turns, abs=1e-4)
    for end in ("ForeArm", "Hand", "Leg", "Foot"):
        for side in ("Left", "Right"):
            start = skeleton.KEYPOINTS[skeleton.PARENTS[ROW[side + end]]]
            ratio = _length(after, side + end) / _length(before, side + end)
            # A joint off its bone's axis moves by girth as well.
            assert ratio == pytest.approx(shape.length[start], rel=0.02)
    assert puppet.height > np.ptp(puppet.rest_joints[:, 2])
    puppet.shape(None)
    assert _pose(puppet, motion) == pytest.approx(before, abs=1e-5)


@every_character
@pytest.mark.parametrize("kind", ["chibi", "elongated", None])
def test_everybody_stands_on_the_ground(character: str, kind: str | None) -> None:
    puppet = _puppet(character)
    puppet.place((0.0, 0.0), 2.0)
    if kind:
        puppet.shape(Proportions.of_kind(kind, np.random.default_rng(2)))
    joints = _pose(puppet, _still())
    soles = np.concatenate([_part(puppet, name) for name in FEET])
    assert soles[:, 2].min() == pytest.approx(0, abs=0.01 * puppet.height)
    assert joints[ROW["Hips"], :2] == pytest.approx([0, 0], abs=1e-4)
    hips = joints[ROW["Hips"], 2]
    jumping = _pose(puppet, _motion(1, 0.0, height=0.5))
    assert jumping[ROW["Hips"], 2] == pytest.approx(1.5 * hips, rel=0.01)


@every_character
def test_no_mesh_is_torn_by_other_proportions(character: str) -> None:
    puppet = _puppet(character)
    _pose(puppet, _still())
    before = _edge_lengths(puppet)
    for kind in ("chibi", "elongated"):
        shape = Proportions.of_kind(kind, np.random.default_rng(4))
        puppet.shape(shape)
        _pose(puppet, _still())
        ratio = _edge_lengths(puppet) / before
        factors = [*shape.length.values(), *shape.girth.values()]
        # Where two bones meet, skin spans the step between their scales.
        assert np.quantile(ratio, 0.002) > 0.4 * min(factors)
        assert np.quantile(ratio, 0.998) < 2.5 * max(factors)


def _edge_lengths(puppet: Puppet) -> np.ndarray:
    """Of all edges as posed that are no specks at rest, metres."""
    lengths, keep = [], []
    for mesh in puppet.meshes:
        edges = np.empty(len(mesh.data.edges) * 2, np.int32)
        mesh.data.edges.foreach_get("vertices", edges)
        a, b = edges.reshape(-1, 2).T
        points, rest = _points(mesh), puppet.rest_vertices(mesh)
        lengths.append(np.linalg.norm(points[a] - points[b], axis=1))
        keep.append(np.linalg.norm(rest[a] - rest[b], axis=1) > 1e-3)
    return np.concatenate(lengths)[np.concatenate(keep)]


@every_character
def test_vertices_know_the_bone_that_moves_them(character: str) -> None:
    puppet = _puppet(character)
    vertices = np.concatenate([puppet.rest_vertices(mesh) for mesh in puppet.meshes])
    bones = np.concatenate([puppet.vertex_bones(mesh) for mesh in puppet.meshes])
    assert (bones == NO_BONE).mean() < 0.001
    assert bones[np.argmax(vertices[:, 2])] == ROW["Head"]
    lowest = skeleton.KEYPOINTS[bones[np.argmin(vertices[:, 2])]]
    assert lowest.endswith(("Foot", "ToeBase"))
    for name in ("LeftHand", "RightLeg", "LeftArm"):
        centre = vertices[bones == ROW[name]].mean(axis=0)
        distances = np.linalg.norm(puppet.rest_joints - centre, axis=1)
        side = name.removesuffix("Hand").removesuffix("Leg").removesuffix("Arm")
        assert skeleton.KEYPOINTS[int(np.argmin(distances))].startswith(side)


@every_character
def test_rest_vertices_are_the_mesh_in_its_rest_pose(character: str) -> None:
    puppet = _puppet(character)
    low = min(puppet.rest_vertices(mesh)[:, 2].min() for mesh in puppet.meshes)
    puppet.armature.data.pose_position = "REST"
    bpy.context.view_layer.update()
    for mesh in puppet.meshes:
        assert _points(mesh) == pytest.approx(puppet.rest_vertices(mesh), abs=1e-4)
    assert abs(low) < 0.1 * puppet.height


@some_characters
def test_a_pose_does_not_depend_on_earlier_ones(character: str) -> None:
    motion = _motion()

    def take(puppet: Puppet) -> tuple[bytes, bytes, bytes]:
        puppet.shape(Proportions.of_kind("stylised", np.random.default_rng(9)))
        puppet.place((0.2, 0.3), 1.0)
        joints = _pose(puppet, motion, 1, limb_scales={"LeftArm": 1.3, "LeftHand": 1.2})
        return joints.tobytes(), puppet.turns().tobytes(), _body(puppet).tobytes()

    alone = take(_puppet(character))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    puppet = _puppet(character)
    puppet.place((5.0, 5.0), -2.0)
    for row in (0, 1):
        puppet.shape(Proportions.of_kind("chibi", np.random.default_rng(row)))
        _pose(puppet, motion, row, limb_scales={"RightUpLeg": 0.8})
    assert take(puppet) == alone


@every_character
def test_limb_scales_compound_along_the_limb(character: str) -> None:
    puppet, motion = _puppet(character), _motion()
    before = _pose(puppet, motion)
    after = _pose(puppet, motion, limb_scales={"LeftArm": 1.25, "LeftForeArm": 1.2})
    assert _length(after, "LeftForeArm") / _length(before, "LeftForeArm") == pytest.approx(
        1.25, 1e-3
    )
    assert _length(after, "LeftHand") / _length(before, "LeftHand") == pytest.approx(1.5, 1e-3)
    assert _length(after, "RightHand") == pytest.approx(_length(before, "RightHand"), 1e-3)
    # The hand, which has no factor of its own, is as much larger as the arm that bears it.
    sizes = []
    for scales in ({}, {"LeftArm": 1.25, "LeftForeArm": 1.2}):
        _pose(puppet, motion, limb_scales=scales)
        points = _part(puppet, "LeftHand")
        sizes.append(np.linalg.norm(points - points.mean(axis=0), axis=1).mean())
    assert sizes[1] / sizes[0] == pytest.approx(1.5, rel=0.1)


@some_characters
def test_placing_moves_the_figure_stiffly(character: str) -> None:
    puppet, motion = _puppet(character), _motion(1)
    before, body = _pose(puppet, motion), _body(puppet)
    puppet.place((1.0, -2.0), 0.5)
    bpy.context.view_layer.update()
    turn = about_axis(2, 0.5)
    assert puppet.joints() == pytest.approx(before @ turn.T + [1, -2, 0], abs=1e-4)
    assert _body(puppet) == pytest.approx(body @ turn.T + [1, -2, 0], abs=1e-4)


def test_without_meshes_the_lowest_keypoint_stands() -> None:
    puppet = Puppet.prepare(add_mannequin(bpy.context))
    assert _pose(puppet, _still())[:, 2].min() == pytest.approx(0, abs=1e-4)


def test_a_game_figure_lays_its_weapons_down_and_keeps_its_helmet() -> None:
    puppet = _puppet("characters/kaykit/Knight.glb")
    names = {mesh.name for mesh in puppet.meshes}
    assert "Knight_Helmet" in names and "Knight_Cape" in names
    assert bpy.data.objects["1H_Sword"].hide_viewport and "1H_Sword" not in names
    helmet = bpy.data.objects["Knight_Helmet"]
    assert (puppet.vertex_bones(helmet) == ROW["Head"]).all()
    # The helmet goes where the head goes.
    _pose(puppet, _motion())
    head = puppet.turns()[JOINTS.index("Head")]
    offset = _points(helmet) - puppet.joints()[ROW["Head"]]
    rest = puppet.rest_vertices(helmet) - puppet.rest_joints[ROW["Head"]]
    assert offset == pytest.approx(rest @ head.T, abs=1e-3)


def test_a_file_with_several_animations_gives_a_motion_each() -> None:
    motions = {m.name: m for m in load_motions(_shared("characters/kaykit/Knight.glb"), 5)}
    assert len(motions) == 76
    assert motions["Knight/Walking_A"].root[:, 2].max() < 0.1
    jump = motions["Knight/Jump_Full_Long"].root[:, 2]
    assert jump.max() > 0.3 and jump[0] < 0.05
    up = motions["Knight/Death_A"].rotations[-1, JOINTS.index("Spine2")] @ [0, 0, 1]
    assert abs(up[2]) < 0.5
    assert not bpy.data.objects and not bpy.data.actions and not bpy.data.armatures


def test_the_right_one_of_an_fbx_files_takes_is_read() -> None:
    names = [m.name for m in load_motions(_shared("characters/kenney/run.fbx"), 4)]
    running = [m for m in load_motions(_shared("characters/kenney/run.fbx"), 4) if len(m) > 1]
    assert len(names) == 2 and len(running) == 1
    legs = [running[0].rotations[:, JOINTS.index(s + "UpLeg")] for s in ("Left", "Right")]
    assert np.ptp(legs[0], axis=0).max() > 0.5 and np.ptp(legs[1], axis=0).max() > 0.5


@pytest.mark.parametrize("name", ["02_03", "07_12", "09_11"])
def test_a_bvh_file_and_the_corpus_made_from_it_agree(name: str) -> None:
    """The corpus was computed by other people's code from the same captures."""
    read = load_motions(_shared(f"poses/bvh/{name}.bvh"))[0]
    corpus = {m.name: m for m in retarget.load_corpus(str(_shared("poses/cmu_poses.npz")))}
    known = next(m for n, m in corpus.items() if n.endswith(name))
    rows = [read.frames.tolist().index(f + 1) for f in known.frames]
    for joint in JOINTS:
        if joint != "Spine1":  # the file has none: there either reading is a guess
            j = JOINTS.index(joint)
            assert read.rotations[rows, j] == pytest.approx(known.rotations[:, j], abs=2e-3)
    assert read.name == name
    assert read.root[rows, 2] == pytest.approx(known.root[:, 2], abs=0.06)


def test_a_character_that_faces_away_takes_the_same_pose() -> None:
    """VRM files of the first version do; here the same figure stands both ways round."""
    poses = []
    for angle in (0.0, np.pi):
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        armature = add_mannequin(bpy.context)
        armature.rotation_mode = "XYZ"
        armature.rotation_euler[2] = angle
        armature.location = (4.0, 2.0, 7.0 * angle)
        bpy.context.view_layer.update()
        poses.append(_pose(Puppet.prepare(armature), _motion()))
    assert poses[0] == pytest.approx(poses[1], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("characters/vrm/CoolCow.vrm", "holds no animation"),
        ("poses/cc0_poses.npz", ""),
    ],
)
def test_a_file_without_a_humans_motion_is_one_sentence(
    name: str, sentence: str, tmp_path: Path
) -> None:
    path = shutil.copy(_shared(name), tmp_path)
    if not sentence:
        Path(path).write_bytes(b"PK\x03\x04 nothing")
        sentence = "is not a pose corpus"
    with pytest.raises(UserError, match=sentence) as caught:
        load_motions(Path(path))
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert not bpy.data.objects and not bpy.data.actions


def test_the_motion_of_no_human_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "snake.bvh"
    joint = "OFFSET 0 10 0\nCHANNELS 3 Zrotation Xrotation Yrotation"
    path.write_text(
        f"HIERARCHY\nROOT Tail\n{{\n{joint}\nJOINT Neck\n{{\n{joint}\n"
        "End Site\n{\nOFFSET 0 10 0\n}\n}\n}\n"
        "MOTION\nFrames: 2\nFrame Time: 0.04\n0 0 0 0 0 0\n10 0 0 20 0 0\n"
    )
    with pytest.raises(UserError, match="no hips and no arms and no legs") as caught:
        load_motions(path)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert not bpy.data.objects and not bpy.data.actions


@pytest.mark.parametrize("text", ["", "HIERARCHY\nROOT Hips\n{\n OFFSET 0 0", "no motion\n"])
def test_a_damaged_bvh_is_one_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.bvh"
    path.write_text(text)
    with pytest.raises(UserError, match="cut.bvh") as caught:
        load_motions(path)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert not bpy.data.objects and not bpy.data.armatures


def test_a_character_that_cannot_be_posed_stays_as_it_was() -> None:
    bpy.ops.object.armature_add()
    armature = bpy.context.object
    armature.animation_data_create()
    with pytest.raises(UserError, match="no hips and no arms and no legs"):
        Puppet.prepare(armature)
    assert armature.animation_data is not None
    assert armature.data.bones[0].inherit_scale == "FULL"


def test_motions_are_read_for_the_lifters_training(tmp_path: Path) -> None:
    """Every animation becomes a file; what cannot be read is named, and the others are kept."""
    animations = tmp_path / "animations"
    animations.mkdir()
    shutil.copy(_shared("poses/bvh/07_12.bvh"), animations)
    (animations / "cut.bvh").write_text("HIERARCHY")
    with pytest.raises(UserError, match="cut.bvh"):
        read_motions.main([str(animations), str(tmp_path / "out"), "--every", "20", "--most", "5"])
    (file,) = (tmp_path / "out").iterdir()
    motion = Motion.load(file)
    assert len(motion) == 5 and (np.diff(motion.frames) > 0).all()
    whole = load_motions(animations / "07_12.bvh", 20)[0]
    rows = np.searchsorted(whole.frames, motion.frames)
    np.testing.assert_allclose(motion.rotations, whole.rotations[rows], atol=1e-6)
