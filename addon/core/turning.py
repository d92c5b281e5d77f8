"""Least squares over rotations: wishes about how a few connected bodies are turned.

The solver's wishes are linear in the rotation matrices and its limits are scalar products of turned
vectors, so the Jacobian is exact and cheap. Steps are damped Gauss-Newton (Levenberg 1944,
Marquardt 1963) on the rotation group: each turn becomes ``exp(w) @ turn``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .rotations import from_vector, skew

FloatArray = NDArray[np.float64]
Term = tuple[int, FloatArray]
"""A node and a vector ``[3]`` that turns with it, in the frame of its rest."""

_STEPS = 8
_CLOSE = 1e-4  # radians; a smaller step is the last one
_GAIN = 1e-4  # share of the sum of squares; a step that gains less is the last one


class Wishes:
    """What the turns ``[K, 3, 3]`` of K nodes should be like.

    Wishes are residuals ``weight @ (sum of turn[node] @ vector - target)``; limits are scalar
    products that should not fall below a value.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._vectors: list[FloatArray] = []
        self._weights: list[FloatArray] = []
        self._targets: list[FloatArray] = []
        self._limits: list[tuple[int, FloatArray, int, FloatArray, float, float]] = []

    def add(
        self, terms: Iterable[Term], weight: ArrayLike, target: ArrayLike = (0.0, 0.0, 0.0)
    ) -> None:
        """Wish that a sum of turned vectors equals a target.

        Args:
            terms: the vectors and the nodes that turn them.
            weight: ``[3, 3]``, one row for each component that matters (inverse deviations).
            target: ``[3]``.
        """
        vectors = np.zeros((self._count, 3))
        for node, vector in terms:
            vectors[node] += vector
        weight = np.asarray(weight, dtype=np.float64)
        self._vectors.append(vectors)
        self._weights.append(weight)
        self._targets.append(weight @ np.asarray(target, dtype=np.float64))

    def limit(
        self,
        parent: int,
        fixed: ArrayLike,
        node: int,
        turned: ArrayLike,
        least: float,
        deviation: float,
    ) -> None:
        """Wish that the scalar products of vectors on two nodes add up to a value or more.

        Args:
            parent, node: the two nodes.
            fixed, turned: ``[N, 3]`` or ``[3]`` vectors that turn with ``parent`` and ``node``,
                N up to 3.
            least: the least sum of ``(turn[parent] @ fixed) . (turn[node] @ turned)``.
            deviation: how far below it weighs as much as a wish that is missed by one.
        """
        self._limits.append(
            (parent, _three_rows(fixed), node, _three_rows(turned), least, deviation)
        )

    def settle(self, turns: FloatArray) -> FloatArray:
        """The turns ``[K, 3, 3]`` that meet the wishes best, near those given."""
        vectors, weights = np.array(self._vectors), np.array(self._weights)
        targets = np.array(self._targets)
        limits = _Limits(self._limits)

        def residuals(turns: FloatArray) -> FloatArray:
            total = np.tensordot(vectors, turns, axes=([1, 2], [0, 2]))
            plain = np.einsum("tij,tj->ti", weights, total) - targets
            return np.concatenate([plain.ravel(), limits.residuals(turns)])

        def jacobian(turns: FloatArray) -> FloatArray:
            moved = np.einsum("kij,tkj->tki", turns, vectors)
            # d(exp(w) v) = w x v, seen by a row r of the weight: r . (w x v) = w . (v x r).
            slopes = np.einsum("tkij,trj->trki", skew(moved), weights)
            return np.concatenate(
                [slopes.reshape(-1, 3 * self._count), limits.jacobian(turns, self._count)]
            )

        damping, current = 1e-2, residuals(turns)
        for _ in range(_STEPS):
            slope = jacobian(turns)
            normal, gradient = slope.T @ slope, slope.T @ current
            # One damping for the three axes of a node: the steps then turn with the drawing.
            scale = np.repeat(np.diag(normal).reshape(-1, 3).mean(axis=1) + 1e-6, 3)
            step = np.linalg.solve(normal + damping * np.diag(scale), -gradient)
            trial = from_vector(step.reshape(-1, 3)) @ turns
            value = residuals(trial)
            gain = current @ current - value @ value
            if gain > 0:
                small = np.abs(step).max() < _CLOSE or gain < _GAIN * (value @ value)
                turns, current, damping = trial, value, damping * 0.2
                if small:
                    break
            else:
                damping *= 8
        return turns


class _Limits:
    """Limits as arrays."""

    def __init__(self, limits: list[tuple[int, FloatArray, int, FloatArray, float, float]]) -> None:
        self._parents = np.array([limit[0] for limit in limits], dtype=np.int64)
        self._fixed = np.array([limit[1] for limit in limits]).reshape(-1, 3, 3)
        self._nodes = np.array([limit[2] for limit in limits], dtype=np.int64)
        self._turned = np.array([limit[3] for limit in limits]).reshape(-1, 3, 3)
        self._least = np.array([limit[4] for limit in limits])
        self._deviation = np.array([limit[5] for limit in limits])

    def _pairs(self, turns: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The turned vectors of both sides, ``[L, 3 vectors, 3]`` each."""
        fixed = np.einsum("lij,lvj->lvi", turns[self._parents], self._fixed)
        return fixed, np.einsum("lij,lvj->lvi", turns[self._nodes], self._turned)

    def _excess(self, fixed: FloatArray, turned: FloatArray) -> FloatArray:
        return ((fixed * turned).sum(axis=(1, 2)) - self._least) / self._deviation

    def residuals(self, turns: FloatArray) -> FloatArray:
        """``[L]``, zero where the limit holds."""
        return np.minimum(self._excess(*self._pairs(turns)), 0.0)

    def jacobian(self, turns: FloatArray, count: int) -> FloatArray:
        """``[L, 3 count]``."""
        fixed, turned = self._pairs(turns)
        broken = self._excess(fixed, turned) < 0
        slope = np.cross(turned, fixed).sum(axis=1) / self._deviation[:, None]
        slope *= broken[:, None]
        result = np.zeros((len(slope), count, 3))
        every = np.arange(len(slope))
        result[every, self._nodes] += slope
        result[every, self._parents] -= slope
        return result.reshape(len(slope), 3 * count)


def _three_rows(vectors: ArrayLike) -> FloatArray:
    rows = np.atleast_2d(np.asarray(vectors, dtype=np.float64))
    return np.concatenate([rows, np.zeros((3 - len(rows), 3))])
