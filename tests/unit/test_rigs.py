from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core import rigs, skeleton
from addon.core.errors import UserError

from .synthetic import T_POSE, places

MIXAMO = list(skeleton.KEYPOINTS)
RIGIFY = [
    *("spine", "spine.001", "spine.002", "spine.003", "spine.004", "spine.005", "spine.006"),
    *(f"{bone}.{side}" for side in "LR" for bone in ("shoulder", "upper_arm", "forearm", "hand")),
    *(f"{bone}.{side}" for side in "LR" for bone in ("thigh", "shin", "foot", "toe", "heel.02")),
    *("pelvis.L", "pelvis.R", "breast.L", "breast.R", "face", "nose"),
]
UNREAL = [
    *("root", "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head"),
    *(f"{b}_{s}" for s in "lr" for b in ("clavicle", "upperarm", "lowerarm", "hand", "thumb_01")),
    *(f"{b}_{s}" for s in "lr" for b in ("thigh", "calf", "foot", "ball", "thigh_twist_01")),
]
VRM = [
    *(f"J_Bip_C_{b}" for b in ("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head")),
    *(f"J_Bip_{s}_{b}" for s in "LR" for b in ("Shoulder", "UpperArm", "LowerArm", "Hand")),
    *(f"J_Bip_{s}_{b}" for s in "LR" for b in ("UpperLeg", "LowerLeg", "Foot", "ToeBase")),
    *("J_Sec_Hair1_01", "J_Adj_L_FaceEye"),
]
DAZ = [
    *("hip", "abdomen", "chest", "neck", "head"),
    *(f"{s}{b}" for s in "lr" for b in ("Collar", "Shldr", "ForeArm", "Hand", "Thumb1")),
    *(f"{s}{b}" for s in "lr" for b in ("Buttock", "Thigh", "Shin", "Foot", "Toe")),
]
AUTO_RIG_CONTROLS = [
    *("c_root_master.x", "c_root.x", "c_spine_01.x", "c_spine_02.x", "c_neck.x", "c_head.x"),
    *(f"c_{b}.{s}" for s in "lr" for b in ("shoulder", "arm_fk", "forearm_fk", "hand_fk")),
    *(f"c_{b}.{s}" for s in "lr" for b in ("thigh_fk", "leg_fk", "foot_fk", "toes_fk")),
    *(f"c_{b}_ik.{s}" for s in "lr" for b in ("hand", "foot")),
]
AUTO_RIG_EXPORT = [
    *("root.x", "spine_01.x", "spine_02.x", "spine_03.x", "neck.x", "head.x"),
    *(f"{b}.{s}" for s in "lr" for b in ("shoulder", "arm_stretch", "forearm_stretch", "hand")),
    *(f"{b}.{s}" for s in "lr" for b in ("thigh_stretch", "leg_stretch", "foot", "toes_01")),
]
MPFB = [
    *("root", "spine05", "spine04", "spine03", "spine02", "spine01", "neck01", "neck02", "head"),
    *(f"{b}.{s}" for s in "LR" for b in ("clavicle", "shoulder01", "upperarm01", "upperarm02")),
    *(f"{b}.{s}" for s in "LR" for b in ("lowerarm01", "lowerarm02", "wrist", "finger1-1")),
    *(f"{b}.{s}" for s in "LR" for b in ("pelvis", "upperleg01", "upperleg02", "lowerleg01")),
    *(f"{b}.{s}" for s in "LR" for b in ("lowerleg02", "foot", "toe1-1", "toe2-1")),
]
GENESIS8 = [
    *("hip", "pelvis", "abdomenLower", "abdomenUpper", "chestLower", "chestUpper"),
    *("neckLower", "neckUpper", "head"),
    *(f"{s}{b}" for s in "lr" for b in ("Collar", "ShldrBend", "ShldrTwist", "ForearmBend")),
    *(f"{s}{b}" for s in "lr" for b in ("ForearmTwist", "Hand", "ThighBend", "ThighTwist")),
    *(f"{s}{b}" for s in "lr" for b in ("Shin", "Foot", "Metatarsals", "Toe")),
]
GENESIS9 = [
    *("hip", "pelvis", "spine1", "spine2", "spine3", "spine4", "neck1", "neck2", "head"),
    *(f"{s}_{b}" for s in "lr" for b in ("shoulder", "upperarm", "forearm", "hand")),
    *(f"{s}_{b}" for s in "lr" for b in ("thigh", "shin", "foot", "toes")),
]
CMU = [
    *("Hips", "LowerBack", "Spine", "Spine1", "Neck", "Neck1", "Head", "LHipJoint", "RHipJoint"),
    *(f"{s}{b}" for s in ("Left", "Right") for b in ("Shoulder", "Arm", "ForeArm", "Hand")),
    *(f"{s}{b}" for s in ("Left", "Right") for b in ("UpLeg", "Leg", "Foot", "ToeBase")),
]
BIPED = [
    *(f"Bip001{b}" for b in ("", " Pelvis", " Spine", " Spine1", " Spine2", " Neck", " Head")),
    *(f"Bip001 {s} {b}" for s in "LR" for b in ("Clavicle", "UpperArm", "Forearm", "Hand")),
    *(f"Bip001 {s} {b}" for s in "LR" for b in ("Thigh", "Calf", "Foot", "Toe0")),
]
UNITY = [
    *("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head"),
    *(f"{s}{b}" for s in ("Left", "Right") for b in ("Shoulder", "UpperArm", "LowerArm", "Hand")),
    *(f"{s}{b}" for s in ("Left", "Right") for b in ("UpperLeg", "LowerLeg", "Foot", "Toes")),
]
SMPL = [
    *("Pelvis", "Spine1", "Spine2", "Spine3", "Neck", "Head"),
    *(f"{s}_{b}" for s in "LR" for b in ("Collar", "Shoulder", "Elbow", "Wrist", "Hand")),
    *(f"{s}_{b}" for s in "LR" for b in ("Hip", "Knee", "Ankle", "Foot")),
]
RIGIFY_EXPORT = [f"DEF-{name}" for name in RIGIFY]
RIGIFY_CONTROLS = [
    *("root", "torso", "hips", "chest", "neck", "head"),
    *("spine_fk", "spine_fk.001", "spine_fk.002", "spine_fk.003"),
    *(f"{b}_fk.{s}" for s in "LR" for b in ("upper_arm", "forearm", "hand")),
    *(f"{b}_fk.{s}" for s in "LR" for b in ("thigh", "shin", "foot", "toe")),
    *(f"{b}_parent.{s}" for s in "LR" for b in ("upper_arm", "thigh")),
    *(f"shoulder.{s}" for s in "LR"),
    *(f"{kind}-{name}" for kind in ("DEF", "ORG") for name in RIGIFY),
]


@pytest.mark.parametrize(
    "pattern",
    [
        "{}",
        "mixamorig:{}",
        "mixamorig7:{}",
        "vis_char_003:mixamorig:{}",
        "mixamorig_{}",
        "MixamoRig {}",
    ],
)
def test_mixamo_under_any_prefix(pattern: str) -> None:
    names = [pattern.format(name) for name in MIXAMO]
    others = [pattern.format(f"LeftHandThumb{i}") for i in range(1, 4)]
    assert rigs.match([*others, *names]) == dict(zip(MIXAMO, names, strict=True))


@given(st.permutations(MIXAMO))
def test_the_order_of_the_bones_does_not_matter(names: list[str]) -> None:
    assert rigs.match(names) == {name: name for name in MIXAMO}


@pytest.mark.parametrize(
    ("names", "expected", "count"),
    [
        (RIGIFY, {"Hips": "spine", "Head": "spine.006", "LeftForeArm": "forearm.L"}, 22),
        (UNREAL, {"Hips": "pelvis", "RightLeg": "calf_r", "LeftToeBase": "ball_l"}, 22),
        (VRM, {"Spine2": "J_Bip_C_UpperChest", "RightArm": "J_Bip_R_UpperArm"}, 22),
        (DAZ, {"LeftArm": "lShldr", "RightUpLeg": "rThigh", "Spine2": "chest"}, 21),
        (GENESIS8, {"LeftArm": "lShldrBend", "RightForeArm": "rForearmBend"}, 22),
        (GENESIS9, {"LeftArm": "l_upperarm", "Spine2": "spine4", "RightLeg": "r_shin"}, 22),
        (MPFB, {"Hips": "root", "LeftHand": "wrist.L", "RightLeg": "lowerleg01.R"}, 22),
        (CMU, {"Spine": "LowerBack", "Spine2": "Spine1", "LeftUpLeg": "LeftUpLeg"}, 22),
        (BIPED, {"Hips": "Bip001 Pelvis", "LeftArm": "Bip001 L UpperArm"}, 22),
        (UNITY, {"Spine2": "UpperChest", "RightUpLeg": "RightUpperLeg"}, 22),
        (SMPL, {"LeftArm": "L_Shoulder", "LeftHand": "L_Wrist", "RightToeBase": "R_Foot"}, 22),
        (AUTO_RIG_EXPORT, {"Hips": "root.x", "LeftArm": "arm_stretch.l"}, 22),
        (AUTO_RIG_CONTROLS, {"Spine": "c_spine_01.x", "RightLeg": "c_leg_fk.r"}, 21),
        (RIGIFY_EXPORT, {"Hips": "DEF-spine", "RightLeg": "DEF-shin.R"}, 22),
        (RIGIFY_CONTROLS, {"Hips": "DEF-spine", "LeftHand": "ORG-hand.L"}, 22),
    ],
)
def test_other_rigs(names: list[str], expected: dict[str, str], count: int) -> None:
    found = rigs.match(names)
    assert expected.items() <= found.items()
    assert len(found) == count
    assert len(set(found.values())) == count


def test_tables_speak_of_keypoints_only() -> None:
    bare = {name.removeprefix("Left").removeprefix("Right") for name in skeleton.KEYPOINTS}
    for kind, table in rigs.TABLES.items():
        assert set(table) <= bare, kind
        for keypoint, names in table.items():
            sided = keypoint not in skeleton.KEYPOINTS
            for name in names:
                assert ("{s}" in name or "{Side}" in name) == sided, (kind, name)


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        (("Arm",), "no arms"),
        (("LeftForeArm",), "no arms"),
        (("Leg",), "no legs"),
        (("Hips",), "no hips"),
        (("Arm", "Leg"), "no arms and no legs"),
    ],
)
def test_one_sentence_says_what_is_missing(lacking: tuple[str, ...], words: str) -> None:
    names = [name for name in MIXAMO if not name.endswith(lacking)]
    with pytest.raises(UserError, match=words) as caught:
        rigs.match(names)
    text = str(caught.value)
    assert text.endswith(".") and text.count(". ") == 0 and "\n" not in text


def test_no_bones_at_all() -> None:
    with pytest.raises(UserError, match="no hips and no arms and no legs"):
        rigs.match([])


def test_a_foot_that_hangs_from_the_root_is_a_control_and_no_foot() -> None:
    names = ["Root", *MIXAMO]
    parents = [-1, *(p + 1 for p in skeleton.PARENTS)]
    assert len(rigs.match(names, parents)) == 23
    parents[names.index("LeftFoot")] = 0
    found = rigs.match(names, parents)
    # Its toes hang from it and not from the leg: they go, too.
    assert set(MIXAMO) - set(found) == {"LeftFoot", "LeftToeBase"}


def test_bones_between_matched_bones_are_passed_over() -> None:
    names = ["Hips", "HipsTwist", *MIXAMO[1:]]
    parents = [-1, 0, *(p + 1 if p > 0 else 1 for p in skeleton.PARENTS[1:])]
    assert len(rigs.match(names, parents)) == 23


def test_an_arm_that_hangs_from_the_leg_is_missing() -> None:
    parents = list(skeleton.PARENTS)
    parents[skeleton.INDEX["LeftForeArm"]] = skeleton.INDEX["LeftLeg"]
    with pytest.raises(UserError, match="no arms"):
        rigs.match(MIXAMO, parents)


class TestControls:
    def test_a_generated_rig_is_posed_by_its_controls(self) -> None:
        controls = rigs.controls_of(RIGIFY_CONTROLS)
        assert controls is not None
        turned = dict(controls.turns)
        assert turned["upper_arm_fk.L"] == "LeftArm"
        assert turned["shin_fk.R"] == "RightLeg"
        assert controls.turns[0] == ("torso", "Hips")
        assert {switch[:2] for switch in controls.switches} == {
            (f"{limb}_parent.{side}", "IK_FK") for limb in ("upper_arm", "thigh") for side in "LR"
        }

    def test_what_a_rig_lacks_is_left_out(self) -> None:
        names = [n for n in RIGIFY_CONTROLS if n not in ("neck", "toe_fk.L", "thigh_parent.R")]
        controls = rigs.controls_of(names)
        assert controls is not None
        there = {control for control, _ in controls.turns} | {s[0] for s in controls.switches}
        assert there <= set(names)

    @pytest.mark.parametrize("names", [MIXAMO, RIGIFY, UNREAL, VRM, DAZ, AUTO_RIG_EXPORT])
    def test_other_rigs_have_none(self, names: list[str]) -> None:
        assert rigs.controls_of(names) is None

    def test_of_every_kind_bones_are_known_too(self) -> None:
        assert set(rigs.CONTROLS) <= set(rigs.TABLES)
        for controls in rigs.CONTROLS.values():
            assert {keypoint for _, keypoint in controls.turns} <= set(skeleton.KEYPOINTS)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("mixamorig:LeftArm", "Left"),
        ("hand.R", "Right"),
        ("upperarm_l", "Left"),
        ("lHand", "Left"),
        ("rThigh", "Right"),
        ("J_Bip_R_Foot", "Right"),
        ("Bip01 L Thigh", "Left"),
        ("LEFT_HAND", "Left"),
        ("hand.L.001", "Left"),
        ("l_upperarm", "Left"),
        ("lower_arm", ""),
        ("root", ""),
        ("Spine1", ""),
        ("rear", ""),
    ],
)
def test_the_side_that_a_name_speaks_of(name: str, side: str) -> None:
    assert rigs.side_of(name) == side


class TestBodies:
    """Rigs whose legs hang elsewhere than from the hips."""

    names = ("Body", "Hips", *MIXAMO[1:])

    def ends(self) -> np.ndarray:
        heads = places(T_POSE)
        heads = np.concatenate([heads[:1], heads])
        return np.stack([heads, heads + (0, 0, 0.1)], axis=1)

    def parents(self) -> list[int]:
        parents = [-1, 0, *(p + 1 for p in skeleton.PARENTS[1:])]
        for side in ("Left", "Right"):
            parents[self.names.index(side + "UpLeg")] = 0
        return parents

    def test_the_body_stands_for_the_hips(self) -> None:
        found = rigs.match(self.names, self.parents(), self.ends())
        assert found["Hips"] == "Body"
        assert len(found) == 23

    @pytest.mark.parametrize(("off", "taken"), [(0.0, True), (0.05, True), (1.5, False)])
    def test_a_loose_foot_at_the_end_of_its_leg(self, off: float, taken: bool) -> None:
        parents, ends = self.parents(), self.ends()
        foot = self.names.index("LeftFoot")
        parents[foot] = 0
        ends[[foot, foot + 1]] -= (0, off, 0)
        found = rigs.match(self.names, parents, ends)
        assert ("LeftFoot" in found) == taken
        mapping = {keypoint: self.names.index(bone) for keypoint, bone in found.items()}
        carried = rigs.carried_by(mapping, parents)
        assert (carried[foot] == self.names.index("LeftLeg")) == taken


class TestCorrections:
    parents = list(skeleton.PARENTS)
    found = {name: name for name in MIXAMO}

    def test_what_is_found_passes(self) -> None:
        assert rigs.check(self.found, MIXAMO, self.parents) == self.found

    def test_nothing_for_a_joint_leaves_it_out(self) -> None:
        assert "Neck" not in rigs.check({**self.found, "Neck": ""}, MIXAMO, self.parents)

    @pytest.mark.parametrize(
        ("joint", "bone", "words"),
        [
            ("LeftArm", "Elbow", "no bone “Elbow”; choose another for Left Upper Arm"),
            ("LeftArm", "RightArm", "“RightArm” is a bone of the right side"),
            ("Spine", "Spine1", "chosen for Spine and for Spine 2"),
            ("LeftForeArm", "LeftLeg", "does not hang from “LeftArm”"),
            ("Neck", "LeftToeBase", "left side"),
        ],
    )
    def test_a_mistake_is_one_sentence(self, joint: str, bone: str, words: str) -> None:
        with pytest.raises(UserError, match=words) as caught:
            rigs.check({**self.found, joint: bone}, MIXAMO, self.parents)
        text = str(caught.value)
        assert text.endswith(".") and text.count(". ") == 0

    def test_a_missing_part_is_named_when_it_is_needed(self) -> None:
        bones = rigs.check({"Hips": "Hips"}, MIXAMO, self.parents)
        with pytest.raises(UserError, match="no arms and no legs"):
            rigs.require_limbs(bones)


def test_every_joint_has_a_name_of_its_own_for_animators() -> None:
    labels = [rigs.label_of(name) for name in skeleton.KEYPOINTS]
    assert len(set(labels)) == skeleton.COUNT
    assert rigs.label_of("RightUpLeg") == "Right Thigh"
