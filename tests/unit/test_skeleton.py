from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core import skeleton as sk

# Golden values, written by hand: the skeleton is the contract between every dataset and network.
TREE = {
    "Hips": None,
    "Spine": "Hips",
    "Spine1": "Spine",
    "Spine2": "Spine1",
    "Neck": "Spine2",
    "Head": "Neck",
    "HeadTop_End": "Head",
    "LeftShoulder": "Spine2",
    "LeftArm": "LeftShoulder",
    "LeftForeArm": "LeftArm",
    "LeftHand": "LeftForeArm",
    "RightShoulder": "Spine2",
    "RightArm": "RightShoulder",
    "RightForeArm": "RightArm",
    "RightHand": "RightForeArm",
    "LeftUpLeg": "Hips",
    "LeftLeg": "LeftUpLeg",
    "LeftFoot": "LeftLeg",
    "LeftToeBase": "LeftFoot",
    "RightUpLeg": "Hips",
    "RightLeg": "RightUpLeg",
    "RightFoot": "RightLeg",
    "RightToeBase": "RightFoot",
}


def test_keypoints_and_their_tree() -> None:
    parents = {
        name: sk.KEYPOINTS[p] if p >= 0 else None
        for name, p in zip(sk.KEYPOINTS, sk.PARENTS, strict=True)
    }
    assert parents == TREE
    assert list(sk.KEYPOINTS) == list(TREE)
    assert all(parent < child for child, parent in enumerate(sk.PARENTS))


def test_flip_is_an_involution_that_mirrors_names() -> None:
    flip = np.array(sk.FLIP)
    assert (flip[flip] == np.arange(sk.COUNT)).all()
    for i, name in enumerate(sk.KEYPOINTS):
        expected = name.replace("Left", "?").replace("Right", "Left")
        assert sk.KEYPOINTS[flip[i]] == expected.replace("?", "Right")


def test_flip_maps_bones_onto_bones() -> None:
    mirrored = {(sk.FLIP[parent], sk.FLIP[child]) for parent, child in sk.BONES}
    assert mirrored == set(sk.BONES)


def test_common_joints_are_the_twelve_of_arms_and_legs() -> None:
    assert len(sk.COMMON) == len(set(sk.COMMON)) == 12
    assert set(sk.COMMON) == {*sk.ARMS, *sk.LEGS}
    assert [sk.KEYPOINTS[i] for i in sk.COMMON_INDEX] == list(sk.COMMON)


def test_body_parts_are_bones_of_the_skeleton_and_cover_them_all() -> None:
    segments = [s for part in sk.BODY_PARTS.values() for s in part]
    bones = {(sk.KEYPOINTS[a], sk.KEYPOINTS[b]) for a, b in sk.BONES}
    assert len(segments) == len(set(segments))
    assert set(segments) == bones


@pytest.mark.parametrize(
    ("labelling", "foreign", "ours"),
    [
        # An arm of the thesis is Shoulder / Arm / Hand: its Arm is the elbow.
        ("thesis18", "LeftShoulder", "LeftArm"),
        ("thesis18", "LeftArm", "LeftForeArm"),
        ("thesis18", "RightArm", "RightForeArm"),
        ("thesis18", "RightHand", "RightHand"),
        ("thesis18", "LeftUpperLeg", "LeftUpLeg"),
        ("thesis18", "LeftLeg", "LeftLeg"),
        ("thesis18", "RightToe", "RightToeBase"),
        ("coco17", "left_shoulder", "LeftArm"),
        ("coco17", "right_elbow", "RightForeArm"),
        ("coco17", "left_hip", "LeftUpLeg"),
        ("coco17", "right_ankle", "RightFoot"),
        ("drawings14", "head_top", "HeadTop_End"),
        ("drawings14", "neck", "Neck"),
        ("drawings14", "left_knee", "LeftLeg"),
    ],
)
def test_foreign_labels(labelling: str, foreign: str, ours: str) -> None:
    assert sk.LABELLINGS[labelling][foreign] == ours


def test_labellings_have_their_published_sizes() -> None:
    assert len(sk.LABELLINGS["thesis18"]) == 18
    assert len(sk.LABELLINGS["drawings14"]) == 14
    assert len(sk.COCO17_NAMES) == 17
    assert sk.COCO17_NAMES[:3] == ("nose", "left_eye", "right_eye")
    assert sk.COCO17_NAMES[5] == "left_shoulder"
    assert set(sk.LABELLINGS["coco17"]) < set(sk.COCO17_NAMES)


@pytest.mark.parametrize("labelling", list(sk.LABELLINGS))
@given(data=st.data())
def test_labelling_round_trip_in_any_order(labelling: str, data: st.DataObject) -> None:
    names = data.draw(st.permutations(list(sk.LABELLINGS[labelling])))
    values = np.arange(1.0, 1 + 3 * len(names)).reshape(-1, 3)
    ours = sk.from_labelling(values, names, labelling)
    assert ours.shape == (23, 3)
    assert (ours.any(axis=1).sum()) == len(names)
    np.testing.assert_array_equal(sk.to_labelling(ours, names, labelling), values)


def test_keypoints_that_a_labelling_lacks_are_unlabelled() -> None:
    names = list(sk.COCO17_NAMES)
    ours = sk.from_labelling(np.full((17, 3), 2.0), names, "coco17")
    assert not ours[sk.INDEX["Spine1"]].any()
    back = sk.to_labelling(np.ones((23, 3)), names, "coco17")
    assert not back[names.index("nose")].any()


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="2 keypoints for 1 names"):
        sk.from_labelling(np.zeros((2, 3)), ["Neck"], "thesis18")
    with pytest.raises(ValueError, match="expected 23"):
        sk.to_labelling(np.zeros((17, 3)), ["Neck"], "thesis18")


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("mixamorig:Hips", "Hips"),
        ("mixamorig7:LeftArm", "LeftArm"),
        ("vis_char_003:mixamorig:Head", "Head"),
        ("Spine1", "Spine1"),
    ],
)
def test_bare_bone_name(name: str, bare: str) -> None:
    assert sk.bare_bone_name(name) == bare
