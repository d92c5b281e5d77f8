from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core import rigs, skeleton
from addon.core.errors import UserError

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
