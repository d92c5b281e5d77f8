"""The humanoid in a rig of unknown names: found by hierarchy, symmetry and the rest pose.

Two bones of the trunk each carry a pair of limbs that mirror one another: the lower one the legs,
the higher one the arms and, between them, neck and head. Only lengths and angles count, so the rig
may stand anywhere, in any size, in an A-pose or a T-pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .rotations import unit

FloatArray = NDArray[np.float64]

_ARM = ("Shoulder", "Arm", "ForeArm", "Hand")
_LEG = ("UpLeg", "Leg", "Foot", "ToeBase")

_ALIKE = 0.08
"""How much two mirrored chains may differ, as a share of the shorter one."""

_INNER = 0.6
"""How much of two limbs must mirror one another, as a share of the shorter one."""

_BENT = float(np.cos(np.radians(25)))
"""Cosine of the angle by which a foot leaves the line of the leg at least."""

_SHORT = 0.45
"""A collarbone or a pelvis bone is shorter than this share of the limb behind it."""


@dataclass(frozen=True)
class _Chain:
    """The main line of a limb.

    Attributes:
        bones: ``[K]`` rows, from the trunk outwards.
        points: ``[K + 1, 3]`` their heads, and the tail of the last.
    """

    bones: list[int]
    points: FloatArray

    @property
    def steps(self) -> FloatArray:
        """``[K]`` distances between the points."""
        return np.linalg.norm(np.diff(self.points, axis=0), axis=1)

    @property
    def length(self) -> float:
        """Along the chain."""
        return float(self.steps.sum())

    @property
    def reach(self) -> float:
        """From its first point to its last. Controls go to and fro, limbs do not."""
        return self.distance(0, -1)

    def distance(self, a: int, b: int) -> float:
        """Between two of its points."""
        return float(np.linalg.norm(self.points[b] - self.points[a]))


def find(parents: Sequence[int], heads: ArrayLike, tails: ArrayLike) -> dict[str, int]:
    """Find the bones of keypoints without looking at names.

    Args:
        parents: ``[N]`` row of each bone's parent, -1 for roots; in any order.
        heads: ``[N, 3]`` the bones' heads at rest, in any frame and unit.
        tails: ``[N, 3]`` their tails.

    Returns:
        {keypoint name: row}; empty where the rig has no two pairs of limbs on one trunk. The
        character's own left is told from where its toes point, or its knees where it has no feet.
    """
    tree = _Tree(parents, np.asarray(heads, float), np.asarray(tails, float))
    best, most = None, 0.0
    pairs = {bone: pair for bone in range(len(parents)) if (pair := tree.limb_pair(bone))}
    for high, arms in pairs.items():
        for low in tree.ancestors(high):
            if low not in pairs or any(b in tree.ancestors(high) for b in _first(pairs[low])):
                continue
            legs = pairs[low]
            size = min(legs[0].reach, 1.8 * arms[0].reach)
            # Strands of hair are a pair above the arms. No neck and head rise between them, and it
            # is arms that end in fingers.
            size *= 1.0 if tree.rest_of(high, arms) else 0.5
            size *= 0.5 if tree.has_fingers(legs) else 1.0
            if size > most:
                best, most = (low, high), size
    if best is None:
        return {}
    low, high = best
    return _named(tree, low, high, pairs[low], pairs[high])


def _first(pair: tuple[_Chain, _Chain]) -> tuple[int, int]:
    return pair[0].bones[0], pair[1].bones[0]


class _Tree:
    """The bones' hierarchy at rest."""

    def __init__(self, parents: Sequence[int], heads: FloatArray, tails: FloatArray) -> None:
        self.parents = [int(parent) for parent in parents]
        self.heads, self.tails = heads, tails
        self.children: list[list[int]] = [[] for _ in parents]
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                self.children[parent].append(bone)
        self._mains = self._find_mains()

    def _find_mains(self) -> list[_Chain]:
        """The longest line down from every bone; of equals, the first."""
        mains: dict[int, _Chain] = {}
        for bone in sorted(range(len(self.parents)), key=lambda b: -len(self.ancestors(b))):
            lines = [mains[child] for child in self.children[bone]]
            steps = [np.linalg.norm(line.points[0] - self.heads[bone]) for line in lines]
            if lines:
                longest = int(
                    np.argmax([s + line.length for s, line in zip(steps, lines, strict=True)])
                )
                below, points = lines[longest].bones, lines[longest].points
            else:
                below, points = [], self._end(bone)[None]
            mains[bone] = _Chain([bone, *below], np.concatenate([self.heads[bone][None], points]))
        return [mains[bone] for bone in range(len(self.parents))]

    def _end(self, bone: int) -> FloatArray:
        """The tail of a bone without children, no farther off than its parent is.

        Files without tails get them from the importer, which can only guess.
        """
        step = self.tails[bone] - self.heads[bone]
        length, parent = float(np.linalg.norm(step)), self.parents[bone]
        if parent < 0 or length == 0:
            return self.tails[bone]
        most = float(np.linalg.norm(self.heads[bone] - self.heads[parent]))
        return self.heads[bone] + step * min(1.0, most / length)

    def ancestors(self, bone: int) -> list[int]:
        """From the bone's parent to its root."""
        result: list[int] = []
        while (bone := self.parents[bone]) >= 0:
            result.append(bone)
        return result

    def limb_pair(self, bone: int) -> tuple[_Chain, _Chain] | None:
        """The longest two of a bone's branches that mirror one another and have a joint."""
        chains = [self._mains[child] for child in self.children[bone]]
        pairs = [
            (a, b)
            for i, a in enumerate(chains)
            for b in chains[i + 1 :]
            if len(a.bones) >= 2 and _mirrored(a, b)
        ]
        return max(pairs, key=self._limb_size, default=None)

    def _limb_size(self, pair: tuple[_Chain, _Chain]) -> float:
        """How far a pair reaches; hands speak for arms, where there are wings as well."""
        return pair[0].reach * (2.0 if self.has_fingers(pair) else 1.0)

    def rest_of(self, bone: int, pair: tuple[_Chain, _Chain]) -> list[_Chain]:
        """A bone's branches beside a pair of limbs."""
        return [self._mains[c] for c in self.children[bone] if c not in _first(pair)]

    def has_fingers(self, pair: tuple[_Chain, _Chain]) -> bool:
        """Whether a pair of limbs ends in hands."""
        return any(self.fans_out(bone) for bone in pair[0].bones[2:])

    def fans_out(self, bone: int) -> bool:
        """Whether a bone carries fingers."""
        deep = [child for child in self.children[bone] if self.children[child]]
        return len(self.children[bone]) >= 3 or len(deep) >= 2


def _mirrored(a: _Chain, b: _Chain) -> bool:
    """Whether one plane mirrors the inner part of one chain into that of the other.

    What the hands hold may differ, and so may the finger in which the longest line ends.
    """
    for count in range(min(len(a.points), len(b.points)), 2, -1):
        one, other = a.points[:count], b.points[:count]
        inner = min(a.steps[: count - 1].sum(), b.steps[: count - 1].sum())
        if inner < _INNER * min(a.length, b.length):
            return False
        across = one - other
        normal = across.sum(axis=0)
        if np.linalg.norm(normal) < _ALIKE * inner:
            return False
        normal = unit(normal)
        skewed = across - (across @ normal)[:, None] * normal
        offsets = (one + other) / 2 @ normal
        if max(np.abs(skewed).max(), np.ptp(offsets)) < _ALIKE * inner:
            return True
    return False


def _shorter(pair: tuple[_Chain, _Chain]) -> _Chain:
    return min(pair, key=lambda chain: (len(chain.bones), chain.length))


def _across(pair: tuple[_Chain, _Chain]) -> FloatArray:
    """From the second limb of a pair to the first ``[3]``, as a sum over their joints."""
    count = min(len(chain.points) for chain in pair)
    return (pair[0].points[:count] - pair[1].points[:count]).sum(axis=0)


def _named(
    tree: _Tree, low: int, high: int, legs: tuple[_Chain, _Chain], arms: tuple[_Chain, _Chain]
) -> dict[str, int]:
    """Keypoints of the parts; sides from where the character faces."""
    trunk = [high, *tree.ancestors(high)]
    trunk = trunk[: trunk.index(low) + 1][::-1]
    result: dict[str, int] = dict(zip(("Hips", "Spine"), trunk[:-1], strict=False))
    if len(trunk) > 1:
        result["Spine2"] = high
    if len(trunk) > 3:
        between = trunk[2:-1]
        result["Spine1"] = between[(len(between) - 1) // 2]

    up = _middle(arms, 0) - _middle(legs, 0)
    if head := _head_chain(tree.rest_of(high, arms), arms, up):
        result |= _name_head(tree, head)

    # One limb tells for both; the shorter one holds nothing.
    leg_joints, arm_joints = _leg_joints(_shorter(legs)), _arm_joints(tree, arms)
    left = np.cross(up, _front(legs, leg_joints, up))
    for pair, places, names in ((legs, leg_joints, _LEG), (arms, arm_joints, _ARM)):
        sides = ("Left", "Right") if _across(pair) @ left >= 0 else ("Right", "Left")
        for side, chain in zip(sides, pair, strict=True):
            for name, place in zip(names, places, strict=True):
                if place is not None:
                    result[side + name] = chain.bones[place]
    return result


def _middle(pair: tuple[_Chain, _Chain], place: int) -> FloatArray:
    return (pair[0].points[place] + pair[1].points[place]) / 2


def _front(
    legs: tuple[_Chain, _Chain], joints: tuple[int | None, ...], up: FloatArray
) -> FloatArray:
    """Where toes point ``[3]``, across the legs; without feet, where knees do."""
    front = np.zeros(3)
    hip, knee, ankle, _ = joints
    assert hip is not None and knee is not None
    for chain in legs:
        if ankle is None:
            middle = (chain.points[hip] + chain.points[-1]) / 2
            front += chain.points[knee] - middle
        else:
            front += chain.points[ankle + 1] - chain.points[ankle]
    return front - (front @ up) / (up @ up) * up


def _leg_joints(chain: _Chain) -> tuple[int | None, ...]:
    """Places of hip, knee, ankle and toes in a leg's chain; the last two may be missing.

    The ankle is the first joint of the leg's lower part that bends, the knee half way to it.
    """
    count = len(chain.bones)
    directions = unit(np.diff(chain.points, axis=0))
    along = np.concatenate([[0.0], np.cumsum(chain.steps)]) / chain.length
    ankle = next(
        (
            place
            for place in range(2, count)
            if along[place] > 0.45 and directions[place] @ directions[place - 1] < _BENT
        ),
        None,
    )
    end = count if ankle is None else ankle
    hip = 0
    if end >= 3:  # a bone of the pelvis comes first and points another way
        first, limb = chain.points[1] - chain.points[0], chain.points[end] - chain.points[1]
        length = np.linalg.norm(first)
        apart = first @ limb < 0.7 * length * np.linalg.norm(limb)
        hip = int(length < _SHORT * np.linalg.norm(limb) and apart)
    toes = None if ankle is None or ankle + 1 >= count else ankle + 1
    return hip, _half_way(chain, hip, end), ankle, toes


def _arm_joints(tree: _Tree, arms: tuple[_Chain, _Chain]) -> tuple[int | None, ...]:
    """Places of collarbone, shoulder, elbow and wrist in the arms' chains.

    Collarbone and wrist may be missing.
    """
    chain = _shorter(arms)
    wrist = _wrist(tree, chain)
    shoulder = 0
    if wrist >= 3:
        width = [float(np.linalg.norm(arms[0].points[p] - arms[1].points[p])) for p in (0, 1)]
        share = chain.distance(0, 1) / max(chain.distance(1, wrist), 1e-9)
        shoulder = int(share < 0.2 or (share < _SHORT and width[0] < 0.75 * width[1]))
    return (
        0 if shoulder else None,
        shoulder,
        _half_way(chain, shoulder, wrist),
        wrist if wrist < len(chain.bones) else None,
    )


def _wrist(tree: _Tree, chain: _Chain) -> int:
    """The place of an arm's wrist; one beyond the bones where that is the last one's tail.

    Upper arm and forearm are about equally long and most of the arm, and fingers begin there.
    """
    count = len(chain.bones)
    best, least = count, np.inf
    for start in (0, 1):
        for elbow in range(start + 1, count):
            for wrist in range(elbow + 1, count + 1):
                upper, lower = chain.distance(start, elbow), chain.distance(elbow, wrist)
                if min(upper, lower) <= 0:
                    continue
                cost = abs(np.log(upper / lower)) + 1 - (upper + lower) / chain.length
                cost += max(0.0, float(chain.steps[wrist:].sum()) / lower - 1)
                if wrist == count:  # even a short last bone is rather a hand than no bone
                    cost += 0.3
                elif tree.fans_out(chain.bones[wrist]):
                    cost -= 1.5
                if cost < least:
                    best, least = wrist, cost
    return best


def _half_way(chain: _Chain, start: int, end: int) -> int:
    """Place of the joint nearest to the middle between two others."""
    along = np.concatenate([[0.0], np.cumsum(chain.steps)])
    middle = (along[start] + along[end]) / 2
    return min(range(start + 1, end), key=lambda p: abs(along[p] - middle), default=start)


def _head_chain(
    branches: list[_Chain], arms: tuple[_Chain, _Chain], up: FloatArray
) -> _Chain | None:
    """Of the branches between the arms, the one in their middle that rises highest."""
    across, middle = _across(arms), _middle(arms, 0)
    reach = max(arms[0].reach, arms[1].reach)
    best, highest = None, 0.0
    for chain in branches:
        off = float(np.abs((chain.points[:2] - middle) @ unit(across)).max())
        rise = float(((chain.points - middle) @ unit(up)).max())
        if off < 0.2 * reach and rise > highest:
            best, highest = chain, rise
    return best


def _name_head(tree: _Tree, chain: _Chain) -> dict[str, int]:
    """Neck, head and top of the head in the chain that rises from the chest."""
    bones = chain.bones
    if len(bones) == 1:
        return {"Head": bones[0]}
    parted = next((p for p in range(1, len(bones)) if len(tree.children[bones[p]]) >= 2), None)
    # The head is the longest bone above the neck, and its end is guessed to be as long at most.
    longest = 1 + int(np.argmax(chain.steps[1:] > 0.99 * chain.steps[1:].max()))
    head = longest if parted is None else parted
    result = {"Neck": bones[0], "Head": bones[head]}
    if head + 2 == len(bones) and len(tree.children[bones[head]]) == 1:
        result["HeadTop_End"] = bones[head + 1]
    return result
