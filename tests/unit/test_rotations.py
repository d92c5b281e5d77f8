from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from addon.core import rotations as rot

vector = st.tuples(*[st.floats(-3, 3)] * 3).map(np.array)
direction = vector.filter(lambda v: np.linalg.norm(v) > 0.1)
turn = vector.filter(lambda v: np.linalg.norm(v) < 3.1).map(rot.from_vector)


def proper(matrix: np.ndarray) -> bool:
    return np.allclose(matrix @ matrix.T, np.eye(3)) and np.linalg.det(matrix) > 0


@given(vector)
def test_from_vector_turns_about_the_axis(v: np.ndarray) -> None:
    matrix = rot.from_vector(v)
    assert proper(matrix)
    np.testing.assert_allclose(matrix @ v, v, atol=1e-9)
    assert np.trace(matrix) == pytest.approx(1 + 2 * np.cos(np.linalg.norm(v)))


def test_from_vector_is_right_handed() -> None:
    quarter = rot.from_vector([0, 0, np.pi / 2])
    np.testing.assert_allclose(quarter @ (1, 0, 0), (0, 1, 0), atol=1e-12)


@given(vector.filter(lambda v: np.linalg.norm(v) < 3.1))
def test_to_vector_is_the_way_back(v: np.ndarray) -> None:
    np.testing.assert_allclose(rot.to_vector(rot.from_vector(v)), v, atol=1e-6)


@given(st.lists(turn, min_size=1, max_size=4).map(np.array))
def test_quaternions_are_a_way_there_and_back(matrices: np.ndarray) -> None:
    quaternions = rot.to_quaternions(matrices)
    assert (quaternions[:, 0] >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=1), 1)
    np.testing.assert_allclose(rot.from_quaternions(quaternions), matrices, atol=1e-9)


@given(direction)
def test_half_a_turn_has_a_quaternion(v: np.ndarray) -> None:
    half = rot.from_vector(np.pi * rot.unit(v))
    np.testing.assert_allclose(rot.from_quaternions(rot.to_quaternions(half)), half, atol=1e-7)


@given(turn, vector.filter(lambda v: np.linalg.norm(v) < 3.1), st.floats(0, 1))
def test_slerp_goes_a_share_of_the_turn(a: np.ndarray, way: np.ndarray, share: float) -> None:
    b = a @ rot.from_vector(way)
    np.testing.assert_allclose(rot.slerp(a, b, share), a @ rot.from_vector(share * way), atol=1e-6)


@given(direction)
def test_half_a_turn_has_a_vector(v: np.ndarray) -> None:
    half = rot.from_vector(np.pi * rot.unit(v))
    np.testing.assert_allclose(rot.from_vector(rot.to_vector(half)), half, atol=1e-5)


@given(direction, direction)
def test_between(a: np.ndarray, b: np.ndarray) -> None:
    matrix = rot.between(a, b)
    assert proper(matrix)
    np.testing.assert_allclose(matrix @ rot.unit(a), rot.unit(b), atol=1e-6)
    # No smaller turn does it.
    cosine = rot.unit(a) @ rot.unit(b)
    assert np.trace(matrix) == pytest.approx(1 + 2 * cosine, abs=1e-6)


@given(direction)
def test_between_opposite_directions(a: np.ndarray) -> None:
    matrix = rot.between(a, -a)
    assert proper(matrix)
    np.testing.assert_allclose(matrix @ a, -a, atol=1e-6)


@given(turn, st.lists(direction, min_size=2, max_size=6))
def test_fit_finds_the_turn(matrix: np.ndarray, directions: list[np.ndarray]) -> None:
    source = rot.unit(np.array(directions))
    assume(np.linalg.svd(source)[1][1] > 0.2)  # not all along one line
    found = rot.fit(source, source @ matrix.T, np.ones(len(source)))
    np.testing.assert_allclose(found, matrix, atol=1e-5)


@given(direction, direction)
def test_fit_of_one_direction_turns_it_there(a: np.ndarray, b: np.ndarray) -> None:
    a, b = rot.unit(a), rot.unit(b)
    assume(a @ b > -0.99)
    matrix = rot.fit([a], [b], [1.0])
    assert proper(matrix)
    np.testing.assert_allclose(matrix @ a, b, atol=1e-5)


def test_fit_of_nothing_is_no_turn() -> None:
    np.testing.assert_allclose(rot.fit(np.zeros((0, 3)), np.zeros((0, 3)), []), np.eye(3))


@given(turn, st.floats(0.1, 10), vector, st.integers(0, 2**32 - 1))
def test_procrustes_takes_out_place_size_and_turn(
    matrix: np.ndarray, scale: float, shift: np.ndarray, seed: int
) -> None:
    points = np.random.default_rng(seed).normal(size=(23, 3))
    assert rot.pa_mpjpe(scale * points @ matrix.T + shift, points) < 1e-8


def test_procrustes_does_not_mirror() -> None:
    points = np.random.default_rng(0).normal(size=(23, 3))
    assert rot.pa_mpjpe(points * (-1, 1, 1), points) > 0.3
    # The distances are the target's: one joint of four moved far away.
    target = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    moved = target + [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0.1]]
    assert 0.0 < rot.pa_mpjpe(moved, target) < 0.1


def test_quaternions_turn_as_their_axes_say():
    half = np.sqrt(0.5)
    quarter_about_z = rot.from_quaternions([[half, 0, 0, half], [2, 0, 0, 2], [1, 0, 0, 0]])
    assert quarter_about_z[0] @ [1, 0, 0] == pytest.approx([0, 1, 0])
    assert quarter_about_z[1] == pytest.approx(quarter_about_z[0])  # the length does not count
    assert quarter_about_z[2] == pytest.approx(np.eye(3))
