"""Props, ground and company: closed meshes that touch the ground or a hand and cut nobody."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import scenery, skeleton
from addon.core.camera import look_at
from addon.core.furniture import HELD, SEATS, STANDING, Setting, bone_points
from addon.core.rotations import about_axis
from addon.core.scenery import Prop, props_for, triangles
from addon.core.solids import Solid

from .synthetic import T_POSE

ROW = skeleton.INDEX
HEIGHT = 1.7
seeds = st.integers(0, 10**6)


def posed(**moved: tuple[float, float, float]) -> np.ndarray:
    """``[23, 3]`` the T-pose with some points of the left side, or of the middle, elsewhere."""
    places = {**T_POSE, **moved}
    joints = np.zeros((skeleton.COUNT, 3))
    for name, place in places.items():
        joints[ROW[name]] = place
        if name.startswith("Left"):
            joints[ROW[skeleton.mirror_name(name)]] = np.array(place) * (-1, 1, 1)
    return joints


STANDING_POSE = posed(LeftForeArm=(0.26, -0.02, 1.1), LeftHand=(0.3, -0.2, 0.92))
SITTING = posed(
    LeftLeg=(0.1, -0.42, 0.86),
    LeftFoot=(0.1, -0.42, 0.44),
    LeftToeBase=(0.11, -0.55, 0.37),
    LeftForeArm=(0.25, -0.02, 1.1),
    LeftHand=(0.2, -0.25, 1.0),
) - (0, 0, 0.33)
LIFTING = posed(LeftForeArm=(0.3, -0.25, 1.4), LeftHand=(0.28, -0.45, 1.5))
LYING = STANDING_POSE @ about_axis(0, np.pi / 2) - (0, 0.9, -0.5)
POSES = {"standing": STANDING_POSE, "sitting": SITTING, "lifting": LIFTING, "lying": LYING}
any_pose = st.sampled_from(sorted(POSES))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def props_of(pose: str, seed: int) -> list[Prop]:
    return props_for(POSES[pose], HEIGHT, 0.0, rng(seed))


def winding(prop: Prop, points: np.ndarray) -> np.ndarray:
    """How often a mesh encloses points, by solid angles (Van Oosterom and Strackee 1983)."""
    a, b, c = (prop.vertices[triangles(prop)[:, k]][None] - points[:, None] for k in range(3))
    la, lb, lc = (np.linalg.norm(v, axis=2) for v in (a, b, c))
    volume = np.einsum("ijk,ijk->ij", a, np.cross(b, c))
    cosine = la * lb * lc + sum(
        np.einsum("ijk,ijk->ij", u, v) * w for u, v, w in ((a, b, lc), (b, c, la), (c, a, lb))
    )
    return np.arctan2(volume, cosine).sum(axis=1) / (2 * np.pi)


def assert_closed(prop: Prop) -> None:
    """Every edge is run once each way, so the faces agree; the volume says that they face out."""
    edges = Counter(e for f in prop.faces for e in zip(f, f[1:] + f[:1], strict=True))
    assert set(edges.values()) == {1}
    assert all((b, a) in edges for a, b in edges)
    corners = prop.vertices[triangles(prop)]
    assert np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() > 0


def test_a_box_a_rod_and_a_ball_have_their_volumes() -> None:
    def volume(solid: Solid) -> float:
        corners = solid.vertices[triangles(Prop("", solid.vertices, solid.faces))]
        return np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6

    box, rod, cone, ball = Solid(), Solid(), Solid(), Solid()
    start, end = np.array([1.0, 2.0, 3.0]), np.array([1.5, 1.0, 3.2])
    length = np.linalg.norm(end - start)
    box.beam(start, end, 0.2, np.array([0.0, 0.0, 1.0]))
    rod.rod(start, end, 0.1)
    cone.rod(start, end, 0.1, 0.0)
    ball.ball(start, 0.3)
    assert volume(box) == pytest.approx(0.04 * length)
    assert volume(rod) == pytest.approx(np.pi * 0.01 * length, rel=0.05)
    assert volume(cone) == pytest.approx(np.pi * 0.01 * length / 3, rel=0.05)
    assert volume(ball) == pytest.approx(4 / 3 * np.pi * 0.027, rel=0.06)


def test_round_solids_have_no_creases_for_line_art() -> None:
    solid = Solid()
    solid.ball(np.zeros(3), 1.0)
    corners = solid.vertices
    normals = {}
    for face in solid.faces:
        a, b, c = corners[list(face[:3])]
        normal = np.cross(b - a, c - a) / np.linalg.norm(np.cross(b - a, c - a))
        for edge in zip(face, face[1:] + face[:1], strict=True):
            normals[edge] = normal
    cosines = [normal @ normals[b, a] for (a, b), normal in normals.items()]
    assert np.degrees(np.arccos(min(cosines))) < 40  # Line Art's threshold


@settings(max_examples=120, deadline=None)
@given(any_pose, seeds)
def test_props_are_closed_and_stand_on_the_ground_or_in_a_hand(pose: str, seed: int) -> None:
    joints = POSES[pose]
    for prop in props_of(pose, seed):
        assert_closed(prop)
        assert prop.vertices[:, 2].min() > -1e-6
        hands = joints[[ROW["LeftHand"], ROW["RightHand"]]]
        held = np.linalg.norm(prop.vertices[:, None] - hands, axis=2).min() < 0.35 * HEIGHT
        on_ground = prop.vertices[:, 2].min() < 0.02
        assert on_ground or (prop.name in HELD and held)
        # Nothing stands far off, where a near camera would look through it.
        reach = np.linalg.norm((prop.vertices - joints[ROW["Hips"]])[:, :2], axis=1)
        assert reach.min() < 0.95 * HEIGHT and reach.max() < 1.3 * HEIGHT


@settings(max_examples=60, deadline=None)
@given(any_pose, seeds)
def test_no_prop_cuts_a_body(pose: str, seed: int) -> None:
    other = STANDING_POSE + (0.3, -0.65, 0)
    props = props_for(POSES[pose], HEIGHT, 0.0, rng(seed), [other])
    arms = {ROW[side + "Hand"] for side in ("Left", "Right")}
    body = bone_points(POSES[pose], [bone for bone in skeleton.BONES if bone[1] not in arms], 9)
    for prop in props:
        np.testing.assert_allclose(winding(prop, body), 0, atol=1e-6)
        if prop.name not in SEATS:
            np.testing.assert_allclose(winding(prop, bone_points(other)), 0, atol=1e-6)


def test_the_same_seed_gives_the_same_props() -> None:
    for pose in POSES:
        for first, second in zip(props_of(pose, 5), props_of(pose, 5), strict=True):
            assert first.name == second.name and first.faces == second.faces
            np.testing.assert_array_equal(first.vertices, second.vertices)


def test_every_kind_of_prop_occurs_and_some_scenes_are_empty() -> None:
    scenes = [props_of(pose, seed) for pose in POSES for seed in range(120)]
    assert {prop.name for scene in scenes for prop in scene} == {*SEATS, *HELD, *STANDING}
    assert any(not scene for scene in scenes) and max(map(len, scenes)) <= 5


def test_who_sits_gets_a_seat_right_under_the_hips() -> None:
    assert [Setting(POSES[p], HEIGHT, 0.0, []).sits() for p in POSES] == [False, True, False, False]
    hips = SITTING[ROW["Hips"]]
    # Straight down from the hips there is wood, within a hand's breadth or so.
    drop = hips - np.linspace(0.0, 0.25, 101)[:, None] * (0, 0, 1)
    for name, (maker, _) in SEATS.items():
        for seed in range(20):
            solid = maker(Setting(SITTING, HEIGHT, 0.0, []), rng(seed))
            assert solid is not None
            inside = np.abs(winding(Prop(name, solid.vertices, solid.faces), drop)) > 0.5
            assert inside.any() and 0.05 < hips[2] - drop[inside][0, 2] < 0.18
    names = [scene[0].name for seed in range(40) if (scene := props_of("sitting", seed))]
    assert sum(name in SEATS for name in names) > 30


def test_who_lies_on_the_back_above_the_ground_gets_a_bench() -> None:
    assert Setting(LYING, HEIGHT, 0.0, []).lies()
    prone = LYING @ about_axis(1, np.pi).T + (0, 0, 1)
    assert not Setting(prone, HEIGHT, 0.0, []).lies()
    names = [scene[0].name for seed in range(20) if (scene := props_of("lying", seed))]
    assert names.count("bench") > 12


def test_a_barbell_runs_through_both_fists() -> None:
    setting = Setting(LIFTING, HEIGHT, 0.0, [])
    solid = HELD["barbell"][0](setting, rng())
    assert solid is not None
    middle = solid.vertices.mean(axis=0)
    axis = np.linalg.svd(solid.vertices - middle)[2][0]
    for side in ("Left", "Right"):
        grip = setting.grip(side) - middle
        assert np.linalg.norm(grip - (grip @ axis) * axis) < 0.01
        assert np.linalg.norm(setting.grip(side) - LIFTING[ROW[side + "Hand"]]) < 0.1


def test_no_barbell_through_the_chest() -> None:
    setting = Setting(posed(), HEIGHT, 0.0, [])  # a T-pose: the bar would run through the shoulders
    assert all(HELD["barbell"][0](setting, rng(seed)) is None for seed in range(20))


@settings(max_examples=60, deadline=None)
@given(any_pose, seeds, st.floats(-2, 2))
def test_ground_lines_lie_on_the_ground_around_the_figure(
    pose: str, seed: int, ground: float
) -> None:
    joints = POSES[pose] + (3.0, -1.0, ground)
    for line in scenery.ground_lines(joints, ground, rng(seed)):
        np.testing.assert_allclose(line[:, 2], ground, atol=1e-9)
        assert np.linalg.norm((line - joints[ROW["Hips"]])[:, :2], axis=1).min() < 2.5
        assert np.linalg.norm(np.diff(line, axis=0), axis=1).max() < 0.1


def test_lines_are_hidden_by_what_stands_before_them() -> None:
    camera = look_at((0, -4, 1), (0, 0, 1), size=(200, 200), focal=200)
    line = np.linspace((-1.0, 0, 1), (1.0, 0, 1), 101)  # pixels 50 to 150, 4 m away
    depth = np.full((200, 200), np.inf)
    depth[:, 80:120] = 3.0
    depth[:, 130:] = 5.0  # behind the line
    left, right = scenery.seen_lines([line], camera, depth)
    np.testing.assert_allclose(left[[0, -1], 0], (50, 79), atol=1)
    np.testing.assert_allclose(right[[0, -1], 0], (121, 150), atol=1)
    np.testing.assert_allclose(np.concatenate([left, right])[:, 1], 100, atol=1e-4)


def test_lines_behind_the_eye_or_outside_the_picture_are_not_seen() -> None:
    camera = look_at((0, -4, 1), (0, 0, 1), size=(200, 200), focal=200)
    behind = np.linspace((-1.0, -9, 1), (1.0, -9, 1), 20)
    beside = np.linspace((5.0, 0, 1), (9.0, 0, 1), 20)
    assert scenery.seen_lines([behind, beside], camera, np.full((200, 200), np.inf)) == []


@settings(max_examples=60, deadline=None)
@given(seeds, st.lists(any_pose, min_size=1, max_size=3))
def test_figures_in_company_are_near_but_not_through_each_other(
    seed: int, names: list[str]
) -> None:
    poses = [POSES[name] + rng(seed + i).uniform(-3, 3, 3) for i, name in enumerate(names)]
    places = scenery.arrange([HEIGHT] * len(poses), rng(seed), poses)
    assert places[0][1] == 0 and (places[0][0] == 0).all()
    moved = [
        bone_points(pose @ about_axis(2, turn).T + np.append(offset, 0), count=9)
        for pose, (offset, turn) in zip(poses, places, strict=True)
    ]
    for i, figure in enumerate(moved):
        for other in moved[:i]:
            gaps = np.linalg.norm(figure[:, None] - other[None], axis=2)
            assert gaps.min() > 0.1 * HEIGHT
        # A group: hips of all within a few steps of the first one's.
        assert np.linalg.norm((figure[0] - moved[0][0])[:2]) < 2.2 * HEIGHT


@given(seeds)
def test_people_who_stand_need_no_poses_to_keep_apart(seed: int) -> None:
    places = scenery.arrange([1.7, 1.2, 1.9], rng(seed))
    offsets = np.stack([offset for offset, _ in places])
    gaps = [np.linalg.norm(offsets[i] - offsets[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert min(gaps) > 0.35 * 1.7 and max(gaps) < 4
