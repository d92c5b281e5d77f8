"""The likely 3D readings of one set of 2D keypoints, ranked.

A parallel projection does not say which end of a bone is nearer to the eye, and a line drawing
often not even which leg is the left one (Lee and Chen, "Determination of 3D human body postures
from a single view", 1985, counted the readings of a stick figure). The lifter takes the likeliest;
the others are the artist's to choose. A reading flips limbs through the picture plane and swaps
the sides of arms or legs; swapped keypoints are lifted anew, since a figure whose left and right
are swapped often faces the other way.

How likely a limb lies behind the picture plane is the share of its von Mises-Fisher distribution
there: on held-out captured poses those shares are right as often as they say. Elbows can close in
any direction, as the shoulder turns; knees cannot, and readings that ask for it lose. How likely
left and right are is told by the estimator, and by how sure the lifter is of the figure: with the
sides swapped it is seldom one that it knows.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, combinations, islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton
from .estimator import Sides
from .lift import AXES, Lifted, concentration, halfspace, lift
from .rotations import between, unit

FloatArray = NDArray[np.float64]

LIMBS: tuple[str, ...] = (
    "Trunk",
    *(side + name for side in ("Left", "Right") for name in ("Arm", "ForeArm")),
    *(side + name for side in ("Left", "Right") for name in ("UpLeg", "Leg")),
)
"""What may lie in front of the picture plane or behind it, named as the bone that carries it."""

PAIRS: tuple[str, ...] = tuple(skeleton.SIDED)
"""Limbs whose left and right may be swapped."""

_BELOW = {
    side + upper: side + lower
    for upper, lower in (("Arm", "ForeArm"), ("UpLeg", "Leg"))
    for side in ("Left", "Right")
}
_ROW = {skeleton.KEYPOINTS[child]: row for row, (_, child) in enumerate(skeleton.BONES)}
_BONE = {  # row of skeleton.BONES
    side + name: _ROW[side + end]
    for side in ("Left", "Right")
    for name, end in (("Arm", "ForeArm"), ("ForeArm", "Hand"), ("UpLeg", "Leg"), ("Leg", "Foot"))
}
_TRUNK = [_ROW[name] for name in ("Spine", "Spine1", "Spine2", "Neck")]
_CHEST = [*_TRUNK, _ROW["LeftShoulder"], _ROW["RightShoulder"]]
_GROUPS = (("Trunk",), *_BELOW.items())
_CHOSEN = 0.95  # certainty, at least, of a direction that was chosen
_SAME = np.radians(20)  # poses none of whose bones differ by more are one
_KNEE_COST = 10.0  # log-probability for the sine of a bend to the wrong side
_FAMILIARITY = 4.0  # log-odds of left and right for a concentration that is e times as large
# Where joints are unsure, a figure looks familiar or odd by their errors: an unseen character's
# sides, as found by the estimator (mean score 0.76), were best told with a quarter of the weight.
_TRUST = 5
_WRONG_WAY = -0.15  # sine of a bend that no knee has
_LISTED = 12
# The estimator is never surer of left and right than this leaves room for: on characters that it
# has not seen, some of its mistakes are sure ones. (More doubt than this lets a sequence of
# rightly read drawings swap its sides to be smoother.)
_DOUBT = 0.05


@dataclass(frozen=True)
class Reading:
    """One way to read a figure in depth, told by how it differs from the lifter's own.

    Attributes:
        flipped: names of :data:`LIMBS` that lie on the other side of the picture plane.
        swapped: names of :data:`PAIRS` whose left and right are not as the estimator says.
    """

    flipped: frozenset[str] = frozenset()
    swapped: frozenset[str] = frozenset()

    @classmethod
    def of(cls, flipped: Iterable[str], swapped: Iterable[str]) -> Reading:
        """A reading from lists of names.

        Raises:
            ValueError: a name is not known.
        """
        reading = cls(frozenset(flipped), frozenset(swapped))
        if not (reading.flipped <= {*LIMBS} and reading.swapped <= {*PAIRS}):
            raise ValueError(f"unknown limbs in {reading}")
        return reading


LIFTED = Reading()
"""The lifter's own reading, with left and right as the estimator has them."""


@dataclass(frozen=True)
class Ranked:
    """A reading and how likely it is.

    Attributes:
        reading: the reading.
        probability: 0..1; over all readings of a figure they sum to one.
    """

    reading: Reading
    probability: float


class Readings:
    """All readings of one figure."""

    def __init__(self, keypoints: ArrayLike, scores: ArrayLike, sides: Sides) -> None:
        """Read a figure in depth, each way round.

        Args:
            keypoints: ``[23, 2]`` pixels, y down; missing ones may be NaN.
            scores: ``[23]`` 0..1; 0 or NaN where missing.
            sides: how sure left and right are.
        """
        self.keypoints = np.asarray(keypoints, dtype=np.float64)
        self.scores = np.asarray(scores, dtype=np.float64)
        ways = _subsets(PAIRS)
        swap = skeleton.swap_sides
        self._figures = {
            way: _Figure(lift(swap(self.keypoints, way), swap(self.scores, way))) for way in ways
        }
        trust = float(np.nan_to_num(self.scores).clip(0, 1).mean()) ** _TRUST
        weights = [self._figures[way].familiarity ** trust * _chance_of(way, sides) for way in ways]
        self._chances = dict(zip(ways, np.array(weights) / sum(weights), strict=True))

    def sides(self, reading: Reading) -> Sides:
        """How sure it is, 0..1, that left and right of arms and legs are as a reading has them."""
        return Sides(
            *(
                sum(
                    chance
                    for way, chance in self._chances.items()
                    if (pair in way) == (pair in reading.swapped)
                )
                for pair in PAIRS
            )
        )

    def faces_us(self, reading: Reading) -> bool:
        """Whether the chest is turned to the eye rather than away from it."""
        return self._figures[reading.swapped].faces_us > 0.5

    def facing_certainty(self, reading: Reading) -> float:
        """Probability, 0..1, that the chest faces as a reading has it, left and right left open."""
        towards = sum(
            float(chance) * self._figures[way].faces_us for way, chance in self._chances.items()
        )
        return towards if self.faces_us(reading) else 1 - towards

    def behind(self, reading: Reading, limb: str) -> bool:
        """Whether a limb's end lies farther from the eye than its start."""
        return self._figures[reading.swapped].behind(limb) != (limb in reading.flipped)

    def certainty(self, reading: Reading, limb: str) -> float:
        """Probability, 0..1, that a limb lies on the side on which a reading has it."""
        chance = self._figures[reading.swapped].flipped_chance(limb)
        return chance if limb in reading.flipped else 1 - chance

    def probability(self, reading: Reading) -> float:
        """Probability of a reading among all readings, 0..1."""
        figure = self._figures[reading.swapped]
        chance = float(self._chances[reading.swapped])
        for group in figure.groups:
            chance *= group.get(reading.flipped & group.limbs)
        return chance

    def flip(self, reading: Reading, limb: str) -> Reading:
        """A reading with a limb on the other side of the picture plane, and what hangs from it.

        A leg whose knee would then bend the wrong way is flipped by its thigh alone.

        Args:
            reading: where to start.
            limb: a name of :data:`LIMBS`; with an upper arm or a thigh goes the whole limb.
        """
        figure = self._figures[reading.swapped]
        parts = {limb}
        if limb in _BELOW and not (limb.endswith("UpLeg") and figure.blocked_knee(limb)):
            parts.add(_BELOW[limb])
        return replace(reading, flipped=reading.flipped ^ parts)

    def mirror(self, reading: Reading, pairs: Iterable[str] = PAIRS) -> Reading:
        """The first reading in depth with left and right of the named pairs exchanged."""
        return self._first(reading.swapped ^ {*pairs})

    def is_possible(self, reading: Reading) -> bool:
        """Whether both knees bend the way that knees bend."""
        figure = self._figures[reading.swapped]
        return all(
            figure.knee(upper, reading.flipped) > _WRONG_WAY
            for upper in ("LeftUpLeg", "RightUpLeg")
        )

    def lifted(self, reading: Reading) -> Lifted:
        """The directions of a reading, for the solver; its keypoints are to be swapped as well."""
        return self._figures[reading.swapped].lifted(reading.flipped)

    def ranked(self) -> Iterator[Ranked]:
        """Every reading once, the likeliest first, found one by one.

        The choices within a limb are few and sorted, and limbs are independent: from each reading
        only those follow in which one limb takes its next choice.
        """
        heap: list[tuple[float, int, tuple[int, ...]]] = []
        ways = list(self._figures)

        def push(way: int, choice: tuple[int, ...]) -> None:
            groups = self._figures[ways[way]].groups
            chance = float(self._chances[ways[way]])
            for group, i in zip(groups, choice, strict=True):
                chance *= group.options[i][0]
            heapq.heappush(heap, (-chance, way, choice))

        for way in range(len(ways)):
            push(way, (0,) * len(_GROUPS))
        while heap:
            chance, way, choice = heapq.heappop(heap)
            groups = self._figures[ways[way]].groups
            flipped = [group.options[i][1] for group, i in zip(groups, choice, strict=True)]
            yield Ranked(Reading(frozenset(chain(*flipped)), ways[way]), -chance)
            # Each choice has one predecessor: the one with its last limb a step back.
            last = max((g for g, i in enumerate(choice) if i), default=0)
            for g in range(last, len(choice)):
                if choice[g] + 1 < len(groups[g].options):
                    push(way, (*choice[:g], choice[g] + 1, *choice[g + 1 :]))

    def likeliest(self, count: int) -> list[Ranked]:
        """The first readings whose poses differ, the likeliest first.

        Poses that hardly differ are one, whose probability is theirs together, as far as they are
        met before the list is full.
        """
        found: list[tuple[Ranked, FloatArray]] = []
        for ranked in islice(self.ranked(), 20 * count):
            vectors = self._signature(ranked.reading)
            for i, (known, others) in enumerate(found):
                if ((vectors * others).sum(axis=1) > np.cos(_SAME)).all():
                    total = known.probability + ranked.probability
                    found[i] = Ranked(known.reading, total), others
                    break
            else:
                if len(found) == count:
                    break
                found.append((ranked, vectors))
        return [ranked for ranked, _ in found]

    @cached_property
    def listed(self) -> list[Ranked]:
        """The readings through which the artist leafs."""
        return self.likeliest(_LISTED)

    @cached_property
    def first(self) -> Reading:
        """The likeliest reading."""
        return next(self.ranked()).reading

    def position(self, reading: Reading) -> int:
        """A reading's place on the list, from 1 on; 0 where it is not on it."""
        readings = [ranked.reading for ranked in self.listed]
        return readings.index(reading) + 1 if reading in readings else 0

    def next(self, reading: Reading, step: int) -> Reading:
        """The listed reading that comes after a reading (step 1) or before it (step -1).

        The list is a ring. A reading that is not on it stands before the first less likely one.
        """
        readings = [ranked.reading for ranked in self.listed]
        position = self.position(reading)
        if position:
            return readings[(position - 1 + step) % len(readings)]
        chance = self.probability(reading)
        place = sum(ranked.probability >= chance for ranked in self.listed)
        return readings[(place + min(step, 0)) % len(readings)]

    def _first(self, way: frozenset[str]) -> Reading:
        groups = self._figures[way].groups
        return Reading(frozenset(chain(*(group.options[0][1] for group in groups))), way)

    def _signature(self, reading: Reading) -> FloatArray:
        """What of a pose an artist would see: its bones, and where hips and chest face."""
        lifted = self.lifted(reading)
        return np.concatenate(
            [lifted.directions, lifted.axes[[AXES.index("Hips"), AXES.index("Spine2")]]]
        )


@dataclass(frozen=True)
class _Group:
    """Limbs whose sides depend on one another.

    Attributes:
        limbs: their names.
        chances: of every set of flipped limbs, 0..1.
        options: the sets worth telling apart with their probabilities, the likeliest first.
    """

    limbs: frozenset[str]
    chances: dict[frozenset[str], float]
    options: list[tuple[float, frozenset[str]]]

    def get(self, flipped: frozenset[str]) -> float:
        return next((chance for chance, option in self.options if option == flipped), 0.0)


class _Figure:
    """One lifted figure, and what its limbs would be on the other side of the picture plane."""

    def __init__(self, lifted: Lifted) -> None:
        self._lifted = lifted
        rows = np.array([_BONE[limb] for limb in LIMBS[1:]])
        vectors = lifted.directions * concentration(lifted.certainty)[:, None]
        vectors = np.concatenate([vectors[_TRUNK].mean(axis=0, keepdims=True), vectors[rows]])
        kappa = np.maximum(np.linalg.norm(vectors, axis=1), 1e-3)
        means = vectors / kappa[:, None]
        # The expected square of a coordinate: a limb whose side is open still leaves the plane.
        # One that is known to point at us or away stays as short in the picture as it is drawn.
        spread = (1 / np.tanh(kappa) - 1 / kappa) / kappa
        squares = spread + (1 - 3 * spread) * means[:, 2] ** 2
        depths = np.sqrt(np.maximum(squares, means[:, 2] ** 2))
        behind = halfspace(kappa, means[:, 2])
        self._means = dict(zip(LIMBS, means, strict=True))
        self._across = {
            limb: _through_plane(mean, min(float(depth), 0.98))
            for limb, mean, depth in zip(LIMBS, means, depths, strict=True)
        }
        self._other_side = dict(zip(LIMBS, np.minimum(behind, 1 - behind), strict=True))
        self.groups = [self._group(limbs) for limbs in _GROUPS]

    @cached_property
    def familiarity(self) -> float:
        """Weight of the figure: the lifter is surer of bodies than of what no body looks like."""
        lengths = np.concatenate([self._lifted.certainty, self._lifted.axes_certainty])
        return float(np.exp(_FAMILIARITY * np.log1p(concentration(lengths)).mean()))

    @cached_property
    def faces_us(self) -> float:
        """Probability, 0..1, that the chest faces the eye."""
        left, row = self._lifted.axes, AXES.index("Spine2")
        up = self._means["Trunk"]
        # The front is left x up; its depth is the left's share along this vector of the picture.
        across = unit(np.array([up[1], -up[0], 0.0]))
        kappa = concentration(self._lifted.axes_certainty[row : row + 1])
        return 1 - float(halfspace(kappa, np.array([left[row] @ across]))[0])

    def behind(self, limb: str) -> bool:
        return bool(self._means[limb][2] > 0)

    def flipped_chance(self, limb: str) -> float:
        group = next(group for group in self.groups if limb in group.limbs)
        return sum(chance for flipped, chance in group.chances.items() if limb in flipped)

    def direction(self, limb: str, flipped: Iterable[str]) -> FloatArray:
        """``[3]`` where a limb points, among the flipped ones or not."""
        return self._across[limb] if limb in flipped else self._means[limb]

    def knee(self, upper: str, flipped: Iterable[str]) -> float:
        """The sine of a knee's bend about the character's left: negative when it bends forwards."""
        thigh, shin = (self.direction(limb, flipped) for limb in (upper, _BELOW[upper]))
        return float(np.cross(thigh, shin) @ self._lifted.axes[AXES.index("Hips")])

    def blocked_knee(self, upper: str) -> bool:
        """Whether any way of flipping thigh and shin bends the knee the wrong way."""
        ways = _subsets((upper, _BELOW[upper]))
        return any(self.knee(upper, way) < _WRONG_WAY for way in ways)

    def lifted(self, flipped: frozenset[str]) -> Lifted:
        directions, certainty = self._lifted.directions.copy(), self._lifted.certainty.copy()
        axes, axes_certainty = self._lifted.axes.copy(), self._lifted.axes_certainty.copy()
        if "Trunk" in flipped:
            turn = between(self._means["Trunk"], self.direction("Trunk", flipped))
            chest = AXES.index("Spine2")
            directions[_CHEST] = directions[_CHEST] @ turn.T
            axes[chest] = turn @ axes[chest]
            certainty[_TRUNK] = np.maximum(certainty[_TRUNK], _CHOSEN)
        for upper, lower in _GROUPS[1:]:
            moved = [limb for limb in (upper, lower) if limb in flipped]
            for limb in moved:
                row = _BONE[limb]
                directions[row] = self.direction(limb, flipped)
                certainty[row] = max(certainty[row], _CHOSEN)
            if moved:
                hinge = AXES.index(lower)
                bones = directions[_BONE[upper]], directions[_BONE[lower]]
                axes[hinge] = _hinge_axis(*bones, axes[hinge])
        return Lifted(directions, certainty, axes, axes_certainty)

    def _group(self, limbs: tuple[str, ...]) -> _Group:
        chances: dict[frozenset[str], float] = {}
        for flipped in _subsets(limbs):
            chance = 1.0
            for limb in limbs:
                other = float(self._other_side[limb])
                chance *= other if limb in flipped else 1 - other
            if limbs[0].endswith("UpLeg"):
                chance *= np.exp(_KNEE_COST * min(self.knee(limbs[0], flipped), 0.0))
            chances[flipped] = chance
        total = sum(chances.values())
        chances = {flipped: chance / total for flipped, chance in chances.items()}
        # A limb that hardly leaves the plane is on both sides at once.
        deep = frozenset(
            limb
            for limb in limbs
            if self.direction(limb, ()) @ self.direction(limb, (limb,)) < np.cos(_SAME)
        )
        options: dict[frozenset[str], float] = {}
        for flipped, chance in chances.items():
            options[flipped & deep] = options.get(flipped & deep, 0.0) + chance
        ordered = sorted(options.items(), key=lambda option: -option[1])
        return _Group(frozenset(limbs), chances, [(chance, way) for way, chance in ordered])


def _through_plane(direction: FloatArray, depth: float) -> FloatArray:
    """A direction ``[3]`` on the other side of the picture plane, the same in the picture."""
    flat = unit(direction[:2]) * np.sqrt(1 - depth**2)
    return unit(np.array([*flat, -np.copysign(depth, direction[2])]))


def _subsets(names: tuple[str, ...]) -> list[frozenset[str]]:
    return [frozenset(c) for n in range(len(names) + 1) for c in combinations(names, n)]


def _chance_of(swapped: frozenset[str], sides: Sides) -> float:
    """Probability of a way to swap sides, by the estimator."""
    chance = 1.0
    for pair, sure in zip(PAIRS, sides, strict=True):
        sure = float(np.clip(np.nan_to_num(sure, nan=0.5), _DOUBT, 1 - _DOUBT))
        chance *= 1 - sure if pair in swapped else sure
    return chance


def _hinge_axis(upper: FloatArray, lower: FloatArray, before: FloatArray) -> FloatArray:
    """The axis ``[3]`` about which a joint closes from one bone to the next.

    The plane of a bent limb tells it; a straight limb keeps what it had, square to the bone.
    """
    across = np.cross(upper, lower)
    axis = unit(across + 0.2 * (before - (before @ upper) * upper))
    return axis if axis.any() else before
