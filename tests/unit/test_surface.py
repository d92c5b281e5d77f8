from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core import skeleton
from addon.core.strokes import NO_BONE
from addon.core.surface import CHARTS, PARTS, Surface
from tests.unit.capsule_body import INDEX, RADII, TRUNK_RADIUS, body
from tests.unit.synthetic import A_POSE, T_POSE, places

T, A = places(T_POSE), places(A_POSE)
# DensePose's names say the side last; these are its numbers.
DENSEPOSE_PARTS = {
    "Torso": (1, 2),
    "Right Hand": (3,),
    "Left Hand": (4,),
    "Left Foot": (5,),
    "Right Foot": (6,),
    "Right Upper Leg": (7, 9),
    "Left Upper Leg": (8, 10),
    "Right Lower Leg": (11, 13),
    "Left Lower Leg": (12, 14),
    "Left Upper Arm": (15, 17),
    "Right Upper Arm": (16, 18),
    "Left Lower Arm": (19, 21),
    "Right Lower Arm": (20, 22),
    "Head": (23, 24),
}
FRONT = (2, 9, 10, 13, 14, 15, 16, 19, 20)
BACK = (1, 7, 8, 11, 12, 17, 18, 21, 22)


def dress(joints: np.ndarray, girth: float = 1.0) -> tuple[np.ndarray, Surface]:
    vertices, triangles, bones = body(joints, girth)
    return vertices, Surface.prepare(vertices, triangles, bones, joints)


def test_numbers_are_denseposes() -> None:
    assert tuple(DENSEPOSE_PARTS) == PARTS
    assert list(CHARTS) == list(range(1, 25))
    for part, charts in DENSEPOSE_PARTS.items():
        assert tuple(chart for chart in CHARTS if CHARTS[chart] == part) == charts


@pytest.mark.parametrize("joints", [T, A], ids=["T", "A"])
def test_parts_and_sides(joints: np.ndarray) -> None:
    vertices, surface = dress(joints)
    middle = vertices[surface.triangles].mean(axis=1)
    assert set(surface.parts) == set(range(1, 15))
    assert set(surface.charts) == set(range(1, 25))
    for chart in CHARTS:
        rows = surface.charts == chart
        assert (surface.parts[rows] == PARTS.index(CHARTS[chart]) + 1).all()
        if "Left" in CHARTS[chart] or chart == 24:
            assert (middle[rows, 0] > 0).all()
        if "Right" in CHARTS[chart] or chart == 23:
            assert (middle[rows, 0] < 0).all()
    for part, bones in (
        ("Left Upper Arm", ["LeftArm"]),
        ("Right Foot", ["RightFoot"]),
        ("Head", ["Neck", "Head"]),
        ("Torso", ["Hips", "Spine", "Spine1", "Spine2"]),
    ):
        rows = surface.parts == PARTS.index(part) + 1
        assert set(surface.bones[rows]) == {INDEX[bone] for bone in bones}


@pytest.mark.parametrize("joints", [T, A], ids=["T", "A"])
def test_front_charts_lie_in_front(joints: np.ndarray) -> None:
    vertices, surface = dress(joints)
    middle = vertices[surface.triangles].mean(axis=1)
    for part, charts in DENSEPOSE_PARTS.items():
        if len(charts) == 1 or part == "Head":
            continue
        front, back = (
            middle[np.isin(surface.charts, [c for c in charts if c in half]), 1]
            for half in (FRONT, BACK)
        )
        assert front.mean() < back.mean() - 0.03


def test_u_runs_along_and_v_around() -> None:
    vertices, surface = dress(T)
    place = vertices[surface.triangles]
    arm = surface.parts == PARTS.index("Left Lower Arm") + 1
    u, v = surface.uv[arm, :, 0], surface.uv[arm, :, 1]
    assert np.corrcoef(u.ravel(), place[arm, :, 0].ravel())[0, 1] > 0.999
    # The arm's upper side, outside when it hangs, is 0 and its lower side 1.
    assert np.corrcoef(v.ravel(), place[arm, :, 2].ravel())[0, 1] < -0.95
    torso = surface.parts == 1
    for chart in (1, 2):  # from the figure's right to its left, in front and behind
        rows = surface.charts == chart
        x = place[rows, :, 0].ravel()
        assert np.corrcoef(surface.uv[rows, :, 1].ravel(), x)[0, 1] > 0.95
    assert np.corrcoef(surface.uv[torso, :, 0].ravel(), place[torso, :, 2].ravel())[0, 1] > 0.99
    head = surface.charts == 24  # from the face to the back
    y = place[head, :, 1].ravel()
    assert np.corrcoef(surface.uv[head, :, 1].ravel(), y)[0, 1] > 0.9
    foot = surface.charts == 5  # from the heel to the toes
    assert np.corrcoef(surface.uv[foot, :, 0].ravel(), place[foot, :, 1].ravel())[0, 1] < -0.95


@pytest.mark.parametrize("other", [dress(T, 1.6), dress(A), dress(A * 1.3, 0.7)])
def test_same_place_on_other_bodies(other: tuple[np.ndarray, Surface]) -> None:
    # All these bodies have their triangles in the same order.
    _, surface = dress(T)
    same = surface.charts == other[1].charts
    # Half a spoke of the tubes may lie on the other side of a seam.
    assert same.mean() > 0.9
    difference = np.abs(surface.uv - other[1].uv)[same].max(axis=(1, 2))
    assert np.percentile(difference, 90) < 0.08


def test_mirrored_bodies_have_mirrored_charts() -> None:
    vertices, triangles, bones = body(A)
    surface = Surface.prepare(vertices, triangles, bones, A)
    flip = np.array(skeleton.FLIP)
    mirror = np.array([-1, 1, 1])
    mirrored = Surface.prepare(vertices * mirror, triangles, flip[bones], A[flip] * mirror)
    swap = np.arange(25)
    for part, charts in DENSEPOSE_PARTS.items():
        other = {"Left": "Right", "Right": "Left"}.get(part.split()[0], "")
        if other:
            swap[list(charts)] = DENSEPOSE_PARTS[f"{other} {part.split(' ', 1)[1]}"]
    swap[[23, 24]] = 24, 23
    same = swap[surface.charts] == mirrored.charts
    assert same.mean() > 0.97
    limbs = same & (surface.parts != 1)
    np.testing.assert_allclose(surface.uv[limbs], mirrored.uv[limbs], atol=1e-3)
    torso = same & (surface.parts == 1)  # there v goes from right to left and not outwards
    np.testing.assert_allclose(surface.uv[torso, :, 1], 1 - mirrored.uv[torso, :, 1], atol=1e-3)


@given(
    st.floats(0.2, 5),
    st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3)),
    st.floats(0.5, 2),
)
def test_size_and_place_do_not_count(
    scale: float, offset: tuple[float, float, float], girth: float
) -> None:
    vertices, triangles, bones = body(A, girth)
    surface = Surface.prepare(vertices, triangles, bones, A)
    moved = Surface.prepare(vertices * scale + offset, triangles, bones, A * scale + offset)
    same = surface.charts == moved.charts
    assert same.mean() > 0.97  # a middle exactly on a seam may go either way
    np.testing.assert_allclose(surface.uv[same], moved.uv[same], atol=1e-3)
    np.testing.assert_allclose(moved.flesh, surface.flesh * scale, rtol=1e-6)
    assert surface.uv.min() >= 0
    assert surface.uv.max() <= 1


def test_no_triangle_spans_half_a_chart() -> None:
    _, surface = dress(A)
    assert np.ptp(surface.uv, axis=1).max() < 0.3


def test_flesh_is_the_tubes_radius() -> None:
    _, surface = dress(T, 1.5)
    for name, radius in RADII.items():
        for side in ("",) if name == "Head" else ("Left", "Right"):
            assert surface.flesh[INDEX[side + name]] == pytest.approx(1.5 * radius, rel=0.05)
    assert surface.flesh[INDEX["Spine1"]] == pytest.approx(1.5 * TRUNK_RADIUS, rel=0.1)
    assert surface.flesh[INDEX["HeadTop_End"]] == pytest.approx(1.5 * RADII["Head"], rel=0.05)


def test_skin_without_a_bone_goes_with_the_hips() -> None:
    vertices, triangles, bones = body(T)
    bones[bones == INDEX["Head"]] = NO_BONE
    surface = Surface.prepare(vertices, triangles, bones, T)
    loose = (bones == NO_BONE)[triangles].all(axis=1)
    assert (surface.bones[loose] == INDEX["Hips"]).all()
    assert (surface.parts[loose] == 1).all()
    assert np.isfinite(surface.flesh).all()
