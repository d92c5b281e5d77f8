"""Which bone of a rig stands for which keypoint: the matcher, by names and else by geometry."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rig_geometry, skeleton
from .errors import UserError
from .rig_names import CONTROLS, TABLES, Controls

FloatArray = NDArray[np.float64]

_PARTS: dict[str, tuple[str, ...]] = {
    "hips": ("Hips",),
    "arms": ("LeftArm", "RightArm", "LeftForeArm", "RightForeArm"),
    "legs": ("LeftUpLeg", "RightUpLeg", "LeftLeg", "RightLeg"),
}
"""What a rig must have to be posed, by the word that names it to the user."""

_NEEDED = frozenset(keypoint for part in _PARTS.values() for keypoint in part)

_SHIN = (0.5, 2.0)
"""How long a shin is, in lengths of its thigh: at its end a foot may be that hangs elsewhere."""

_STRAIGHT = 0.8
"""Cosine of the angle of a knee at rest, at least."""

_LOOSE = ("Hand", "Foot")
"""Keypoints whose bones may hang elsewhere: they are placed as well as turned."""

_SIDE = re.compile(
    r"(?P<whole>left|right)|(?:^|[\s._:-])(?P<letter>[lr])(?=$|[\s._-])|^(?P<prefix>[lr])(?=[A-Z])"
)


def _key(name: str) -> str:
    """The part of a bone's name that carries its meaning."""
    bare = re.sub(r"[\s._-]", "", skeleton.bare_bone_name(name)).lower()
    return re.sub(r"^mixamorig\d*", "", bare)


def side_of(name: str) -> str:
    """The side that a bone's name speaks of: Left, Right or "" for none."""
    bare = skeleton.bare_bone_name(name)
    # Case tells "lHand" from "lower_arm", and nothing else: "Hand.L", "hand_l", "LEFT_HAND".
    found = _SIDE.search(bare) or _SIDE.search(bare.lower())
    return "" if found is None else ("Left" if found[0].strip(" ._:-")[0] in "lL" else "Right")


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


def _ancestors(bone: int, parents: Sequence[int]) -> list[int]:
    """From a bone's parent to its root."""
    result: list[int] = []
    while (bone := int(parents[bone])) >= 0:
        result.append(bone)
    return result


def _above(keypoint: str, mapping: Collection[str]) -> str | None:
    """The nearest keypoint above that has a bone; None for the first."""
    up = skeleton.PARENTS[skeleton.INDEX[keypoint]]
    while up >= 0 and skeleton.KEYPOINTS[up] not in mapping:
        up = skeleton.PARENTS[up]
    return skeleton.KEYPOINTS[up] if up >= 0 else None


def _joined_hips(
    found: dict[str, int], parents: Sequence[int], ends: FloatArray | None
) -> dict[str, int]:
    """Take for the hips the bone from which the legs hang, too, if it is near them.

    Some rigs let the legs and the trunk grow from one body bone.
    """
    legs = [found[k] for k in ("LeftUpLeg", "RightUpLeg", "LeftLeg") if k in found]
    if "Hips" not in found or len(legs) < 3 or ends is None:
        return found
    above = [{bone, *_ancestors(bone, parents)} for bone in legs[:2]]
    own = [found["Hips"], *_ancestors(found["Hips"], parents)]
    joint = next((bone for bone in own if all(bone in a for a in above)), None)
    if joint is None:
        return found
    heads = ends[:, 0]
    off = np.linalg.norm(heads[joint] - heads[legs[:2]].mean(axis=0))
    thigh = np.linalg.norm(heads[legs[2]] - heads[legs[0]])
    return {**found, "Hips": joint} if off < thigh else found


def _in_tree(
    found: Mapping[str, int], parents: Sequence[int], ends: FloatArray | None
) -> dict[str, int]:
    """Only those matches whose bone hangs below the bone of the keypoint's nearest ancestor.

    Controls and inverse-kinematics targets often bear the limb's name and hang from the root:
    turning the leg would not carry such a foot along. Only where it stands at the leg's end it may
    be the foot all the same, and must then be placed as well as turned.
    """
    kept: dict[str, int] = {}
    for keypoint, bone in found.items():  # keypoints come parents first
        up = _above(keypoint, kept)
        if up is None or kept[up] in _ancestors(bone, parents):
            kept[keypoint] = bone
        elif skeleton.without_side(keypoint) == "Foot" and ends is not None:
            joints = [keypoint.replace("Foot", joint) for joint in ("UpLeg", "Leg")]
            if all(joint in kept for joint in joints):
                hip, knee = (ends[kept[joint], 0] for joint in joints)
                if _ends_leg(hip, knee, ends[bone, 0]):
                    kept[keypoint] = bone
    return kept


def _ends_leg(hip: FloatArray, knee: FloatArray, ankle: FloatArray) -> bool:
    """Whether a point ``[3]`` is where a leg from hip over knee would end."""
    thigh, shin = knee - hip, ankle - knee
    lengths = np.linalg.norm(thigh), np.linalg.norm(shin)
    along = thigh @ shin > _STRAIGHT * lengths[0] * lengths[1]
    return bool(_SHIN[0] * lengths[0] < lengths[1] < _SHIN[1] * lengths[0] and along)


def match(
    names: Sequence[str], parents: Sequence[int] | None = None, ends: ArrayLike | None = None
) -> dict[str, str]:
    """Find the bone of every keypoint: by its name, or else by the shape of the rest pose.

    Args:
        names: ``[N]`` the bones' names.
        parents: ``[N]`` row of each bone's parent, -1 for roots. With it, a bone that does not hang
            below the bone of its parent keypoint is left out, unless the rig is known to move its
            bones by controls.
        ends: ``[N, 2, 3]`` head and tail of each bone at rest, in any frame and unit. With it and
            ``parents``, rigs of unknown names are found, too.

    Returns:
        {keypoint name: bone name} for the keypoints that were found, parents first. The hips, upper
        and lower arms, upper and lower legs of both sides are always among them.

    Raises:
        UserError: no hips, arms or legs can be found.
    """
    return recognise(names, parents, ends)[1]


def recognise(
    names: Sequence[str], parents: Sequence[int] | None = None, ends: ArrayLike | None = None
) -> tuple[str, dict[str, str]]:
    """What :func:`match` finds, and by which names: a key of ``TABLES``, or "" for none of them.

    Arguments and errors are those of :func:`match`.
    """
    keys: dict[str, int] = {}
    for row, name in enumerate(names):
        keys.setdefault(_key(name), row)
    points = None if ends is None else np.asarray(ends, dtype=np.float64).reshape(-1, 2, 3)

    best: dict[str, int] = {}
    best_kind = ""
    controlled = kind_of(names)
    for kind, table in TABLES.items():
        found = _match_table(table, keys)
        if parents is not None and kind != controlled:
            found = _in_tree(_joined_hips(found, parents, points), parents, points)
        if len(found) > len(best):
            best, best_kind = found, kind

    if not set(best) >= _NEEDED and parents is not None and points is not None:
        found = rig_geometry.find(parents, points[:, 0], points[:, 1])
        if found:
            best, best_kind = {k: found[k] for k in skeleton.KEYPOINTS if k in found}, ""
    require_limbs(best)
    return best_kind, {keypoint: names[row] for keypoint, row in best.items()}


def _missing(mapping: Collection[str]) -> str:
    """The parts that a mapping lacks, joined for a sentence; "" for none."""
    return " and no ".join(p for p, needed in _PARTS.items() if not set(needed) <= set(mapping))


def kind_of(names: Collection[str]) -> str | None:
    """The kind of rig, a key of :data:`CONTROLS`, whose controls for all limbs are there."""
    there = set(names)
    for kind, controls in CONTROLS.items():
        if all(c in there for c, keypoint in controls.turns if keypoint in _NEEDED):
            return kind
    return None


def controls_of(names: Collection[str]) -> Controls | None:
    """The controls by which a rig is posed, as far as they are there; None where bones are."""
    kind, there = kind_of(names), set(names)
    if kind is None:
        return None
    every = CONTROLS[kind]
    return Controls(
        turns=tuple(turn for turn in every.turns if turn[0] in there),
        rest=tuple(rest for rest in every.rest if rest[0] in there),
        switches=tuple(switch for switch in every.switches if switch[0] in there),
        partial=every.partial & there,
    )


def carried_by(mapping: Mapping[str, int], parents: Sequence[int]) -> NDArray[np.int64]:
    """The bones' parents ``[N]``, but matched bones hang from one another as keypoints do.

    Args:
        mapping: keypoint name -> row.
        parents: ``[N]`` row of each bone's parent, -1 for roots.
    """
    result = np.array(parents, dtype=np.int64)
    for keypoint, bone in mapping.items():
        up = _above(keypoint, mapping)
        if up is not None and mapping[up] not in _ancestors(bone, parents):
            result[bone] = mapping[up]
    return result


def check(
    mapping: Mapping[str, str], names: Sequence[str], parents: Sequence[int]
) -> dict[str, str]:
    """A mapping that a user has corrected, if a rig can be posed with it.

    Args:
        mapping: keypoint name -> bone name; "" for none.
        names: ``[N]`` the bones' names.
        parents: ``[N]`` row of each bone's parent, -1 for roots.

    Returns:
        The mapping without empty entries, parents first. Parts may still be missing: bones are
        chosen one by one.

    Raises:
        UserError: a bone is not there, stands for two keypoints, is on the other side or hangs in
            the wrong place.
    """
    rows = {name: row for row, name in enumerate(names)}
    result = {k: mapping[k] for k in skeleton.KEYPOINTS if mapping.get(k)}
    used: dict[str, str] = {}
    for keypoint, bone in result.items():
        label = label_of(keypoint)
        if bone not in rows:
            raise UserError(f"The armature has no bone “{bone}”; choose another for {label}.")
        if bone in used:
            raise UserError(
                f"“{bone}” is chosen for {used[bone]} and for {label}; choose another for one."
            )
        used[bone] = label
        side = side_of(bone)
        if side and side != side_of(keypoint):
            raise UserError(
                f"“{bone}” is a bone of the {side.lower()} side; choose another for {label}."
            )
        up = _above(keypoint, result)
        if up is None or skeleton.without_side(keypoint) in _LOOSE or kind_of(names):
            continue
        if rows[result[up]] not in _ancestors(rows[bone], parents):
            raise UserError(
                f"“{bone}” does not hang from “{result[up]}”; choose a bone below it for {label}."
            )
    return result


def require_limbs(mapping: Collection[str]) -> None:
    """Speak up about a mapping of too few keypoints.

    Raises:
        UserError: hips, arms or legs are missing.
    """
    if missing := _missing(mapping):
        raise UserError(
            f"Croquis finds no {missing} in the armature: choose a humanoid armature, or choose "
            "its bones by hand under Character > Bones."
        )


def label_of(keypoint: str) -> str:
    """What an animator calls the bone of a keypoint: ``LeftUpLeg`` -> ``Left Thigh``."""
    bare = skeleton.without_side(keypoint)
    return " ".join(filter(None, [keypoint[: len(keypoint) - len(bare)], _LABELS.get(bare, bare)]))


_LABELS = {
    "Spine1": "Spine 2",
    "Spine2": "Chest",
    "HeadTop_End": "Top of Head",
    "Shoulder": "Collarbone",
    "Arm": "Upper Arm",
    "ForeArm": "Forearm",
    "UpLeg": "Thigh",
    "Leg": "Shin",
    "ToeBase": "Toes",
}
