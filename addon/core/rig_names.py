"""The bone names of common rigs, as data: a new kind of rig is a new row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# A table maps a keypoint (without its side) to the bone names that stand for it, best first.
# {Side} is Left or Right, {s} is l or r. Names are compared without namespace, "mixamorig", case,
# spaces, dots, dashes and underscores.
TABLES: dict[str, Mapping[str, tuple[str, ...]]] = {
    "Mixamo": {
        "Hips": ("Hips",),
        "Spine": ("Spine",),
        "Spine1": ("Spine1", "Chest"),
        "Spine2": ("Spine2", "UpperChest"),
        "Neck": ("Neck",),
        "Head": ("Head",),
        "HeadTop_End": ("HeadTop_End", "Head_End"),
        "Shoulder": ("{Side}Shoulder",),
        "Arm": ("{Side}Arm",),
        "ForeArm": ("{Side}ForeArm",),
        "Hand": ("{Side}Hand",),
        "UpLeg": ("{Side}UpLeg",),
        "Leg": ("{Side}Leg",),
        "Foot": ("{Side}Foot",),
        "ToeBase": ("{Side}ToeBase", "{Side}Toes"),
    },
    # Bare in the metarig. In a generated rig the limbs' inner bones (ORG-) lie as the limbs do, but
    # in the spine only the deforming ones (DEF-) do; an export has deforming ones alone.
    "Rigify": {
        "Hips": ("spine", "DEF-spine"),
        "Spine": ("spine.001", "DEF-spine.001"),
        "Spine1": ("spine.002", "DEF-spine.002"),
        "Spine2": ("spine.003", "DEF-spine.003"),
        "Neck": ("spine.004", "DEF-spine.004"),
        "Head": ("spine.006", "DEF-spine.006"),
        "Shoulder": ("ORG-shoulder.{s}", "shoulder.{s}", "DEF-shoulder.{s}"),
        "Arm": ("ORG-upper_arm.{s}", "upper_arm.{s}", "DEF-upper_arm.{s}"),
        "ForeArm": ("ORG-forearm.{s}", "forearm.{s}", "DEF-forearm.{s}"),
        "Hand": ("ORG-hand.{s}", "hand.{s}", "DEF-hand.{s}"),
        "UpLeg": ("ORG-thigh.{s}", "thigh.{s}", "DEF-thigh.{s}"),
        "Leg": ("ORG-shin.{s}", "shin.{s}", "DEF-shin.{s}"),
        "Foot": ("ORG-foot.{s}", "foot.{s}", "DEF-foot.{s}"),
        "ToeBase": ("ORG-toe.{s}", "toe.{s}", "DEF-toe.{s}"),
    },
    "Auto-Rig Pro": {  # inner bones, those of an export, controls, reference bones
        "Hips": ("root.x", "c_root.x", "c_root_master.x", "root_ref.x"),
        "Spine": ("spine_01.x", "c_spine_01.x", "spine_01_ref.x"),
        "Spine1": ("spine_02.x", "c_spine_02.x", "spine_02_ref.x"),
        "Spine2": ("spine_03.x", "c_spine_03.x", "spine_03_ref.x"),
        "Neck": ("neck.x", "c_neck.x", "neck_ref.x"),
        "Head": ("head.x", "c_head.x", "head_ref.x"),
        "Shoulder": ("shoulder.{s}", "c_shoulder.{s}", "shoulder_ref.{s}"),
        "Arm": ("arm.{s}", "arm_stretch.{s}", "c_arm_fk.{s}", "arm_ref.{s}"),
        "ForeArm": ("forearm.{s}", "forearm_stretch.{s}", "c_forearm_fk.{s}", "forearm_ref.{s}"),
        "Hand": ("hand.{s}", "c_hand_fk.{s}", "hand_ref.{s}"),
        "UpLeg": ("thigh.{s}", "thigh_stretch.{s}", "c_thigh_fk.{s}", "thigh_ref.{s}"),
        "Leg": ("leg.{s}", "leg_stretch.{s}", "c_leg_fk.{s}", "leg_ref.{s}"),
        "Foot": ("foot.{s}", "c_foot_fk.{s}", "foot_ref.{s}"),
        "ToeBase": ("toes_01.{s}", "toes.{s}", "c_toes_fk.{s}", "toes_ref.{s}"),
    },
    "Unreal": {
        "Hips": ("pelvis",),
        "Spine": ("spine_01",),
        "Spine1": ("spine_02",),
        "Spine2": ("spine_05", "spine_03"),
        "Neck": ("neck_01",),
        "Head": ("head",),
        "Shoulder": ("clavicle_{s}",),
        "Arm": ("upperarm_{s}",),
        "ForeArm": ("lowerarm_{s}",),
        "Hand": ("hand_{s}",),
        "UpLeg": ("thigh_{s}",),
        "Leg": ("calf_{s}",),
        "Foot": ("foot_{s}",),
        "ToeBase": ("ball_{s}",),
    },
    "VRM": {
        "Hips": ("J_Bip_C_Hips",),
        "Spine": ("J_Bip_C_Spine",),
        "Spine1": ("J_Bip_C_Chest",),
        "Spine2": ("J_Bip_C_UpperChest",),
        "Neck": ("J_Bip_C_Neck",),
        "Head": ("J_Bip_C_Head",),
        "Shoulder": ("J_Bip_{s}_Shoulder",),
        "Arm": ("J_Bip_{s}_UpperArm",),
        "ForeArm": ("J_Bip_{s}_LowerArm",),
        "Hand": ("J_Bip_{s}_Hand",),
        "UpLeg": ("J_Bip_{s}_UpperLeg",),
        "Leg": ("J_Bip_{s}_LowerLeg",),
        "Foot": ("J_Bip_{s}_Foot",),
        "ToeBase": ("J_Bip_{s}_ToeBase",),
    },
    "Unity": {  # the names of its humanoid avatar, and of VRM 1.0
        "Hips": ("Hips",),
        "Spine": ("Spine",),
        "Spine1": ("Chest",),
        "Spine2": ("UpperChest",),
        "Neck": ("Neck",),
        "Head": ("Head",),
        "Shoulder": ("{Side}Shoulder", "Shoulder.{s}"),
        "Arm": ("{Side}UpperArm",),
        "ForeArm": ("{Side}LowerArm",),
        "Hand": ("{Side}Hand",),
        "UpLeg": ("{Side}UpperLeg",),
        "Leg": ("{Side}LowerLeg",),
        "Foot": ("{Side}Foot",),
        "ToeBase": ("{Side}Toes", "{Side}Toe"),
    },
    "MakeHuman": {  # the default rig of MakeHuman and MPFB; its spine is numbered downwards
        "Hips": ("root",),
        "Spine": ("spine04",),
        "Spine1": ("spine03",),
        "Spine2": ("spine01",),
        "Neck": ("neck01",),
        "Head": ("head",),
        "Shoulder": ("clavicle.{s}",),
        "Arm": ("upperarm01.{s}",),
        "ForeArm": ("lowerarm01.{s}",),
        "Hand": ("wrist.{s}",),
        "UpLeg": ("upperleg01.{s}",),
        "Leg": ("lowerleg01.{s}",),
        "Foot": ("foot.{s}",),
        "ToeBase": ("toe1-1.{s}",),
    },
    "Daz": {  # Poser's names, those of the third to eighth Genesis, and those of the ninth
        "Hips": ("hip",),
        "Spine": ("abdomen", "abdomenLower", "spine1"),
        "Spine1": ("abdomen2", "abdomenUpper", "spine2"),
        "Spine2": ("chest", "chestLower", "spine4"),
        "Neck": ("neck", "neckLower", "neck1"),
        "Head": ("head",),
        "Shoulder": ("{s}Collar", "{s}_shoulder"),
        "Arm": ("{s}Shldr", "{s}ShldrBend", "{s}_upperarm"),
        "ForeArm": ("{s}ForeArm", "{s}ForearmBend"),
        "Hand": ("{s}Hand",),
        "UpLeg": ("{s}Thigh", "{s}ThighBend"),
        "Leg": ("{s}Shin",),
        "Foot": ("{s}Foot",),
        "ToeBase": ("{s}Toe", "{s}_toes"),
    },
    "CMU": {  # motion capture as converted from ASF/AMC; MakeHuman's rig of that name
        "Hips": ("Hips",),
        "Spine": ("LowerBack",),
        "Spine1": ("Spine",),
        "Spine2": ("Spine1",),
        "Neck": ("Neck",),
        "Head": ("Head",),
        "Shoulder": ("{Side}Shoulder",),
        "Arm": ("{Side}Arm",),
        "ForeArm": ("{Side}ForeArm",),
        "Hand": ("{Side}Hand",),
        "UpLeg": ("{Side}UpLeg",),
        "Leg": ("{Side}Leg",),
        "Foot": ("{Side}Foot",),
        "ToeBase": ("{Side}ToeBase",),
    },
    "3ds Max": {  # Biped, and Character Creator's skeleton of the same build
        "Hips": ("Bip01 Pelvis", "Bip001 Pelvis", "CC_Base_Hip"),
        "Spine": ("Bip01 Spine", "Bip001 Spine", "CC_Base_Waist"),
        "Spine1": ("Bip01 Spine1", "Bip001 Spine1", "CC_Base_Spine01"),
        "Spine2": ("Bip01 Spine2", "Bip001 Spine2", "CC_Base_Spine02"),
        "Neck": ("Bip01 Neck", "Bip001 Neck", "CC_Base_NeckTwist01"),
        "Head": ("Bip01 Head", "Bip001 Head", "CC_Base_Head"),
        "Shoulder": ("Bip01 {s} Clavicle", "Bip001 {s} Clavicle", "CC_Base_{s}_Clavicle"),
        "Arm": ("Bip01 {s} UpperArm", "Bip001 {s} UpperArm", "CC_Base_{s}_Upperarm"),
        "ForeArm": ("Bip01 {s} Forearm", "Bip001 {s} Forearm", "CC_Base_{s}_Forearm"),
        "Hand": ("Bip01 {s} Hand", "Bip001 {s} Hand", "CC_Base_{s}_Hand"),
        "UpLeg": ("Bip01 {s} Thigh", "Bip001 {s} Thigh", "CC_Base_{s}_Thigh"),
        "Leg": ("Bip01 {s} Calf", "Bip001 {s} Calf", "CC_Base_{s}_Calf"),
        "Foot": ("Bip01 {s} Foot", "Bip001 {s} Foot", "CC_Base_{s}_Foot"),
        "ToeBase": ("Bip01 {s} Toe0", "Bip001 {s} Toe0", "CC_Base_{s}_ToeBase"),
    },
    "SMPL": {
        "Hips": ("Pelvis",),
        "Spine": ("Spine1",),
        "Spine1": ("Spine2",),
        "Spine2": ("Spine3",),
        "Neck": ("Neck",),
        "Head": ("Head",),
        "Shoulder": ("{s}_Collar", "{Side}_Collar"),
        "Arm": ("{s}_Shoulder", "{Side}_Shoulder"),
        "ForeArm": ("{s}_Elbow", "{Side}_Elbow"),
        "Hand": ("{s}_Wrist", "{Side}_Wrist"),
        "UpLeg": ("{s}_Hip", "{Side}_Hip"),
        "Leg": ("{s}_Knee", "{Side}_Knee"),
        "Foot": ("{s}_Ankle", "{Side}_Ankle"),
        "ToeBase": ("{s}_Foot", "{Side}_Foot"),
    },
    "Plain": {  # KayKit, Quaternius and many hand-made game rigs
        "Hips": ("hips",),
        "Spine": ("spine", "abdomen"),
        "Spine2": ("chest", "torso"),
        "Neck": ("neck",),
        "Head": ("head",),
        "Shoulder": ("shoulder.{s}",),
        "Arm": ("upperarm.{s}",),
        "ForeArm": ("lowerarm.{s}",),
        "Hand": ("wrist.{s}", "hand.{s}", "palm2.{s}"),
        "UpLeg": ("upperleg.{s}",),
        "Leg": ("lowerleg.{s}",),
        "Foot": ("foot.{s}",),
        "ToeBase": ("toes.{s}",),
    },
}
"""Kind of rig -> {keypoint without its side: names of its bone}."""


@dataclass(frozen=True)
class Controls:
    """A rig whose bones follow controls.

    Attributes:
        turns: (control, keypoint): the control that turns the keypoint's bone, in the order in
            which they are turned. A bone may need several; the first control of all also places
            the hips.
        rest: (control, keypoint): controls that stay at rest, as they would turn the keypoint's
            bone once more.
        switches: (control, custom property, value with which a limb follows ``turns``, keypoint
            with which the limb begins).
        partial: controls that follow those before them only in part, or whose bones do: nobody
            knows how far they have still to turn until the pose is evaluated.
    """

    turns: tuple[tuple[str, str], ...]
    rest: tuple[tuple[str, str], ...]
    switches: tuple[tuple[str, str, float, str], ...]
    partial: frozenset[str]


def _both(pairs: Mapping[str, str], side_names: str) -> tuple[tuple[str, str], ...]:
    """Controls of the limbs, outwards; ``side_names`` are the letters for left and right."""
    return tuple(
        (control.format(s=letter), side + keypoint)
        for control, keypoint in pairs.items()
        for side, letter in zip(("Left", "Right"), side_names, strict=True)
    )


CONTROLS: dict[str, Controls] = {
    "Rigify": Controls(
        turns=(
            ("torso", "Hips"),
            # The spine's controls hang from its middle, so that the lowest one comes last.
            ("spine_fk.001", "Spine"),
            ("spine_fk", "Hips"),
            ("spine_fk.002", "Spine1"),
            ("spine_fk.003", "Spine2"),
            ("neck", "Neck"),
            ("head", "Head"),
            *_both(
                {
                    "shoulder.{s}": "Shoulder",
                    "upper_arm_fk.{s}": "Arm",
                    "forearm_fk.{s}": "ForeArm",
                    "hand_fk.{s}": "Hand",
                    "thigh_fk.{s}": "UpLeg",
                    "shin_fk.{s}": "Leg",
                    "foot_fk.{s}": "Foot",
                    "toe_fk.{s}": "ToeBase",
                },
                "LR",
            ),
        ),
        rest=(("hips", "Hips"), ("chest", "Spine2")),
        switches=tuple(
            (control, "IK_FK", 1.0, keypoint)
            for control, keypoint in _both(
                {"upper_arm_parent.{s}": "Arm", "thigh_parent.{s}": "UpLeg"}, "LR"
            )
        ),
        # The spine twists evenly, and neck and head keep upright.
        partial=frozenset({"spine_fk.002", "neck", "head"}),
    ),
    "Auto-Rig Pro": Controls(
        turns=(
            ("c_root_master.x", "Hips"),
            ("c_spine_01.x", "Spine"),
            ("c_spine_02.x", "Spine1"),
            ("c_spine_03.x", "Spine2"),
            ("c_neck.x", "Neck"),
            ("c_head.x", "Head"),
            *_both(
                {
                    "c_shoulder.{s}": "Shoulder",
                    "c_arm_fk.{s}": "Arm",
                    "c_forearm_fk.{s}": "ForeArm",
                    "c_hand_fk.{s}": "Hand",
                    "c_thigh_fk.{s}": "UpLeg",
                    "c_leg_fk.{s}": "Leg",
                    "c_foot_fk.{s}": "Foot",
                    "c_toes_fk.{s}": "ToeBase",
                },
                "lr",
            ),
        ),
        rest=(("c_root.x", "Hips"),),
        switches=tuple(
            (control, "ik_fk_switch", 1.0, keypoint)
            for control, keypoint in _both({"c_hand_ik.{s}": "Arm", "c_foot_ik.{s}": "UpLeg"}, "lr")
        ),
        partial=frozenset({*(f"c_spine_0{i}.x" for i in (1, 2, 3)), "c_neck.x", "c_head.x"}),
    ),
}
"""Kind of rig, as in :data:`TABLES` -> its controls."""
