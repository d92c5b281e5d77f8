"""The skeleton: 23 keypoints, their tree, their mirror image, and other people's labellings.

A keypoint is the HEAD of the Mixamo bone of the same name. Left and right are the character's own,
as an actor on a stage would say it. Every array of keypoints in Croquis has its rows in the order
of :data:`KEYPOINTS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

_TRUNK = ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "HeadTop_End")
_ARM = ("Shoulder", "Arm", "ForeArm", "Hand")
_LEG = ("UpLeg", "Leg", "Foot", "ToeBase")

KEYPOINTS: tuple[str, ...] = (
    *_TRUNK,
    *("Left" + name for name in _ARM),
    *("Right" + name for name in _ARM),
    *("Left" + name for name in _LEG),
    *("Right" + name for name in _LEG),
)
"""The 23 names, in the order of every keypoint array: trunk upwards, arms, legs, left before
right."""

COUNT = len(KEYPOINTS)

INDEX: dict[str, int] = {name: i for i, name in enumerate(KEYPOINTS)}
"""Row of each keypoint name."""


def _parent_name(name: str) -> str | None:
    if name in _TRUNK:
        i = _TRUNK.index(name)
        return _TRUNK[i - 1] if i else None
    side = "Left" if name.startswith("Left") else "Right"
    chain, root = (_ARM, "Spine2") if name[len(side) :] in _ARM else (_LEG, "Hips")
    i = chain.index(name[len(side) :])
    return side + chain[i - 1] if i else root


PARENTS: tuple[int, ...] = tuple(
    -1 if (parent := _parent_name(name)) is None else INDEX[parent] for name in KEYPOINTS
)
"""Row of each keypoint's parent; -1 for the hips. Parents come before their children."""

BONES: tuple[tuple[int, int], ...] = tuple(
    (parent, child) for child, parent in enumerate(PARENTS) if parent >= 0
)
"""The 22 segments (parent row, child row), in the order of their children."""


def mirror_name(name: str) -> str:
    """The same place on the other side: ``LeftArm`` <-> ``RightArm``; trunk names stay."""
    if name.startswith("Left"):
        return "Right" + name[4:]
    if name.startswith("Right"):
        return "Left" + name[5:]
    return name


def without_side(name: str) -> str:
    """A name without its side: ``LeftArm`` and ``RightArm`` -> ``Arm``; trunk names stay."""
    return name.removeprefix("Left").removeprefix("Right")


FLIP: tuple[int, ...] = tuple(INDEX[mirror_name(name)] for name in KEYPOINTS)
"""``keypoints[list(FLIP)]`` are the keypoints of the mirrored figure (rows only, not x)."""

COMMON: tuple[str, ...] = tuple(
    side + name
    for name in ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot")
    for side in ("Left", "Right")
)
"""The 12 joints on which estimators are compared: shoulders, elbows, wrists, hips, knees,
ankles."""

COMMON_INDEX: tuple[int, ...] = tuple(INDEX[name] for name in COMMON)

ARMS: tuple[str, ...] = tuple(side + name for side in ("Left", "Right") for name in _ARM[1:])
LEGS: tuple[str, ...] = tuple(side + name for side in ("Left", "Right") for name in _LEG[:3])
"""The comparison joints of the arms and of the legs, whose sides a drawing may leave open."""

SIDED: dict[str, tuple[int, ...]] = {
    limbs: tuple(INDEX[side + name] for side in ("Left", "Right") for name in names)
    for limbs, names in (("Arms", _ARM), ("Legs", _LEG))
}
"""Rows of all keypoints of the arms and of the legs, which exchange their sides together."""


def below(keypoint: str) -> frozenset[str]:
    """A keypoint and all those that it carries: from ``LeftLeg`` the knee, the ankle, the toes."""
    found = {keypoint}
    for name, parent in zip(KEYPOINTS, PARENTS, strict=True):  # parents come first
        if parent >= 0 and KEYPOINTS[parent] in found:
            found.add(name)
    return frozenset(found)


def swap_sides(values: NDArray[np.floating], swapped: Iterable[str]) -> NDArray[np.floating]:
    """Rows ``[23, ...]`` of keypoints with left and right of some of :data:`SIDED` exchanged."""
    order = np.arange(COUNT)
    for limbs in swapped:
        rows = list(SIDED[limbs])
        order[rows] = np.array(FLIP)[rows]
    return values[order]


BODY_PARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "torso": (
        ("Hips", "Spine"),
        ("Spine", "Spine1"),
        ("Spine1", "Spine2"),
        ("Spine2", "Neck"),
        ("Spine2", "LeftShoulder"),
        ("Spine2", "RightShoulder"),
        ("LeftShoulder", "LeftArm"),
        ("RightShoulder", "RightArm"),
        ("Hips", "LeftUpLeg"),
        ("Hips", "RightUpLeg"),
    ),
    "head": (("Neck", "Head"), ("Head", "HeadTop_End")),
    "left_upper_arm": (("LeftArm", "LeftForeArm"),),
    "right_upper_arm": (("RightArm", "RightForeArm"),),
    "left_lower_arm": (("LeftForeArm", "LeftHand"),),
    "right_lower_arm": (("RightForeArm", "RightHand"),),
    "left_upper_leg": (("LeftUpLeg", "LeftLeg"),),
    "right_upper_leg": (("RightUpLeg", "RightLeg"),),
    "left_lower_leg": (("LeftLeg", "LeftFoot"),),
    "right_lower_leg": (("RightLeg", "RightFoot"),),
    "left_foot": (("LeftFoot", "LeftToeBase"),),
    "right_foot": (("RightFoot", "RightToeBase"),),
}
"""Each body part as the segments (parent name, child name) that run through it."""


def _sided(pairs: Mapping[str, str], pattern: str) -> dict[str, str]:
    """``pairs`` once per side: ``pattern`` places the side before the foreign name."""
    return {
        pattern.format(side=side.lower(), Side=side, name=foreign): side + ours
        for foreign, ours in pairs.items()
        for side in ("Left", "Right")
    }


_LIMBS = {
    "shoulder": "Arm",
    "elbow": "ForeArm",
    "wrist": "Hand",
    "hip": "UpLeg",
    "knee": "Leg",
    "ankle": "Foot",
}

LABELLINGS: dict[str, dict[str, str]] = {
    # COCO keypoints; the five points of the face have no counterpart among bone heads.
    "coco17": _sided(_LIMBS, "{side}_{name}"),
    # The 18 points of Novikova's drawings (thesis, 2022). An arm there is Shoulder / Arm / Hand, so
    # its Shoulder is the head of Mixamo's Arm and its Arm is the elbow.
    "thesis18": {
        "Head": "Head",
        "Neck": "Neck",
        "Spine": "Spine",
        "Hips": "Hips",
        **_sided(
            {
                "Shoulder": "Arm",
                "Arm": "ForeArm",
                "Hand": "Hand",
                "UpperLeg": "UpLeg",
                "Leg": "Leg",
                "Foot": "Foot",
                "Toe": "ToeBase",
            },
            "{Side}{name}",
        ),
    },
    # The shared validation drawings. Their "neck" is annotated by eye near the collar.
    "drawings14": {"head_top": "HeadTop_End", "neck": "Neck", **_sided(_LIMBS, "{side}_{name}")},
    "croquis23": {name: name for name in KEYPOINTS},
}
"""Foreign labelling -> {foreign keypoint name: our keypoint name}."""

COCO17_NAMES: tuple[str, ...] = (
    "nose",
    *(f"{side}_{name}" for name in ("eye", "ear") for side in ("left", "right")),
    *(f"{side}_{name}" for name in _LIMBS for side in ("left", "right")),
)
"""COCO's own order of its 17 keypoints."""


def from_labelling(values: ArrayLike, names: Sequence[str], labelling: str) -> NDArray[np.float64]:
    """Bring foreign keypoints into our rows.

    Args:
        values: ``[len(names), C]``, any columns; the last one is visibility or confidence.
        names: the foreign name of each row.
        labelling: a key of :data:`LABELLINGS`.

    Returns:
        ``[23, C]``; rows that the labelling does not have are zero (COCO's "unlabelled", v = 0).

    Raises:
        KeyError: the labelling is not known.
        ValueError: values and names differ in length.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) != len(names):
        raise ValueError(f"{len(array)} keypoints for {len(names)} names")
    table = LABELLINGS[labelling]
    result = np.zeros((COUNT, array.shape[1]))
    for row, name in zip(array, names, strict=True):
        if name in table:
            result[INDEX[table[name]]] = row
    return result


def to_labelling(values: ArrayLike, names: Sequence[str], labelling: str) -> NDArray[np.float64]:
    """The way back of :func:`from_labelling`.

    Args:
        values: ``[23, C]`` in the order of :data:`KEYPOINTS`.
        names: the foreign names wanted, in their order.
        labelling: a key of :data:`LABELLINGS`.

    Returns:
        ``[len(names), C]``; names without a counterpart (COCO's nose, eyes, ears) are zero rows.

    Raises:
        KeyError: the labelling is not known.
        ValueError: ``values`` does not have 23 rows.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) != COUNT:
        raise ValueError(f"{len(array)} keypoints, expected {COUNT}")
    table = LABELLINGS[labelling]
    result = np.zeros((len(names), array.shape[1]))
    for i, name in enumerate(names):
        if name in table:
            result[i] = array[INDEX[table[name]]]
    return result


def bare_bone_name(name: str) -> str:
    """A bone's name without its namespace: ``vis_char_3:mixamorig:LeftArm`` -> ``LeftArm``.

    Mixamo numbers some prefixes (``mixamorig7:``); everything up to the last colon goes.
    """
    return name.rsplit(":", 1)[-1]
