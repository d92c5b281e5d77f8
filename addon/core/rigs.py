"""Which bone of a rig stands for which keypoint: name tables of common rigs, and the matcher."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from . import skeleton
from .errors import UserError

# A table maps a keypoint (without its side) to the bone names that stand for it, best first.
# {Side} is Left or Right, {s} is l or r. Names are compared by :func:`_key`: without namespace,
# "mixamorig", case, spaces, dots, dashes and underscores.
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
    "Rigify": {
        "Hips": ("spine",),
        "Spine": ("spine.001",),
        "Spine1": ("spine.002",),
        "Spine2": ("spine.003",),
        "Neck": ("spine.004",),
        "Head": ("spine.006",),
        "Shoulder": ("shoulder.{s}",),
        "Arm": ("upper_arm.{s}",),
        "ForeArm": ("forearm.{s}",),
        "Hand": ("hand.{s}",),
        "UpLeg": ("thigh.{s}",),
        "Leg": ("shin.{s}",),
        "Foot": ("foot.{s}",),
        "ToeBase": ("toe.{s}",),
    },
    "Unreal": {
        "Hips": ("pelvis",),
        "Spine": ("spine_01",),
        "Spine1": ("spine_02",),
        "Spine2": ("spine_03",),
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
    "Daz": {
        "Hips": ("hip",),
        "Spine": ("abdomen", "abdomenLower"),
        "Spine1": ("abdomen2", "abdomenUpper"),
        "Spine2": ("chest", "chestLower"),
        "Neck": ("neck", "neckLower"),
        "Head": ("head",),
        "Shoulder": ("{s}Collar",),
        "Arm": ("{s}Shldr", "{s}ShldrBend"),
        "ForeArm": ("{s}ForeArm", "{s}ForearmBend"),
        "Hand": ("{s}Hand",),
        "UpLeg": ("{s}Thigh", "{s}ThighBend"),
        "Leg": ("{s}Shin",),
        "Foot": ("{s}Foot",),
        "ToeBase": ("{s}Toe",),
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
"""Kind of rig -> {keypoint without its side: names of its bone}. A new kind of rig is a new row."""

_PARTS: dict[str, tuple[str, ...]] = {
    "hips": ("Hips",),
    "arms": ("LeftArm", "RightArm", "LeftForeArm", "RightForeArm"),
    "legs": ("LeftUpLeg", "RightUpLeg", "LeftLeg", "RightLeg"),
}
"""What a rig must have to be posed, by the word that names it to the user."""


def _key(name: str) -> str:
    """The part of a bone's name that carries its meaning."""
    bare = re.sub(r"[\s._-]", "", skeleton.bare_bone_name(name)).lower()
    return re.sub(r"^mixamorig\d*", "", bare)


def _candidates(table: Mapping[str, tuple[str, ...]], keypoint: str) -> tuple[str, ...]:
    side = next((side for side in ("Left", "Right") if keypoint.startswith(side)), "")
    patterns = table.get(keypoint[len(side) :], ())
    return tuple(_key(p.format(Side=side, s=side[:1].lower())) for p in patterns)


def _match_table(table: Mapping[str, tuple[str, ...]], keys: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for keypoint in skeleton.KEYPOINTS:
        row = next((keys[c] for c in _candidates(table, keypoint) if c in keys), None)
        if row is not None:
            found[keypoint] = row
    return found


def _is_below(bone: int, ancestor: int, parents: Sequence[int]) -> bool:
    while bone >= 0:
        bone = int(parents[bone])
        if bone == ancestor:
            return True
    return False


def _in_tree(found: Mapping[str, int], parents: Sequence[int]) -> dict[str, int]:
    """Only those matches whose bone hangs below the bone of the keypoint's nearest ancestor.

    Controls and inverse-kinematics targets often bear the limb's name and hang from the root:
    turning the leg would not carry such a foot along.
    """
    kept: dict[str, int] = {}
    for keypoint, bone in found.items():  # keypoints come parents first
        up = skeleton.PARENTS[skeleton.INDEX[keypoint]]
        while up >= 0 and skeleton.KEYPOINTS[up] not in kept:
            up = skeleton.PARENTS[up]
        if up < 0 or _is_below(bone, kept[skeleton.KEYPOINTS[up]], parents):
            kept[keypoint] = bone
    return kept


def match(names: Sequence[str], parents: Sequence[int] | None = None) -> dict[str, str]:
    """Find the bone of every keypoint by its name.

    Args:
        names: the bones' names.
        parents: row of each bone's parent, -1 for roots. With it, a bone that does not hang
            below the bone of its parent keypoint is left out.

    Returns:
        {keypoint name: bone name} for the keypoints that were found, parents first. The hips, upper
        and lower arms, upper and lower legs of both sides are always among them.

    Raises:
        UserError: the rig has no hips, arms or legs under a name that any table knows.
    """
    keys: dict[str, int] = {}
    for row, name in enumerate(names):
        keys.setdefault(_key(name), row)

    best: dict[str, int] = {}
    for table in TABLES.values():
        found = _match_table(table, keys)
        if parents is not None:
            found = _in_tree(found, parents)
        if len(found) > len(best):
            best = found

    missing = [part for part, needed in _PARTS.items() if not set(needed) <= set(best)]
    if missing:
        raise UserError(
            f"The armature has no {' and no '.join(missing)} that Croquis can find by name: choose "
            "a humanoid armature with bone names of Mixamo, Rigify, Unreal, VRM, MakeHuman or Daz."
        )
    return {keypoint: names[row] for keypoint, row in best.items()}
