"""Other proportions, other poses and the draughtsman's perspective."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core import retarget, skeleton
from addon.core import rotations as rot
from addon.core.retarget import JOINTS, Motion
from addon.core.variation import Proportions, excess, limb_scales, varied

SEEDS = st.integers(0, 2**32 - 1)
SIDES = ("Left", "Right")


def _adult() -> np.ndarray:
    """``[23, 3]`` an adult in the T-pose."""
    return retarget.joint_positions(np.tile(np.eye(3), (len(JOINTS), 1, 1)), {})


LIMBS = retarget.limb_directions(dict(zip(skeleton.KEYPOINTS, _adult(), strict=True)))


def _motion(local: dict[str, np.ndarray], height: float = 0.0) -> Motion:
    """One pose, given by some joints' rotations against their parents."""
    rotations = np.tile(np.eye(3), (len(JOINTS), 1, 1))
    for j, (name, parent) in enumerate(zip(JOINTS, retarget.PARENTS, strict=True)):
        above = rotations[parent] if parent >= 0 else np.eye(3)
        rotations[j] = above @ local.get(name, np.eye(3))
    root = np.array([[0.0, 0.0, height]])
    return Motion("pose", np.array([7]), rotations[None], root, LIMBS)


def _join(*motions: Motion) -> Motion:
    return Motion(
        "clip",
        np.arange(len(motions)),
        np.concatenate([m.rotations for m in motions]),
        np.concatenate([m.root for m in motions]),
        LIMBS,
    )


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.linalg.norm(rot.to_vector(a.T @ b))))


def _closed(motion: Motion, joint: str) -> float:
    """Signed bend of an elbow or a knee in degrees, written out for the T-pose that faces -Y."""
    parent = retarget.PARENTS[JOINTS.index(joint)]
    joints = retarget.joint_positions(motion.rotations[0], motion.limbs)
    end = {"ForeArm": "Hand", "Leg": "Foot"}[joint[4:] if joint[0] == "L" else joint[5:]]
    side = "Left" if joint.startswith("Left") else "Right"
    upper = joints[skeleton.INDEX[joint]] - joints[skeleton.INDEX[JOINTS[parent]]]
    lower = joints[skeleton.INDEX[side + end]] - joints[skeleton.INDEX[joint]]
    upper, lower = rot.unit(upper), rot.unit(lower)
    # Forearms close to the front of the upper arm, calves to the back of the thigh.
    front = motion.rotations[0, parent] @ [0.0, 1.0 if joint.endswith("Leg") else -1.0, 0.0]
    return float(np.degrees(np.arctan2(lower @ front, lower @ upper)))


CROUCH = {
    **{side + "UpLeg": rot.about_axis(0, np.radians(-80)) for side in SIDES},
    **{side + "Leg": rot.about_axis(0, np.radians(110)) for side in SIDES},
    "LeftForeArm": rot.about_axis(2, np.radians(-90)),
    "RightForeArm": rot.about_axis(2, np.radians(60)),
    "LeftArm": rot.about_axis(1, np.radians(50)),
}


def test_the_crouch_of_these_tests_is_bent_as_people_bend() -> None:
    motion = _motion(CROUCH)
    bends = [_closed(motion, j) for j in ("LeftLeg", "RightLeg", "LeftForeArm", "RightForeArm")]
    assert bends == pytest.approx([110, 110, 90, 60], abs=3)


@given(SEEDS, st.floats(0.1, 2.0), st.sampled_from([{}, CROUCH]))
def test_elbows_and_knees_never_bend_backwards(seed: int, strength: float, pose: dict) -> None:
    result = varied(_motion(pose), 0, np.random.default_rng(seed), strength)
    for side in SIDES:
        for joint in ("ForeArm", "Leg"):
            assert -4.1 <= _closed(result, side + joint) <= 150.1


@given(SEEDS, st.floats(0.1, 2.0))
def test_varied_joints_stay_within_their_limits(seed: int, strength: float) -> None:
    result = varied(_motion(CROUCH), 0, np.random.default_rng(seed), strength)
    assert np.linalg.det(result.rotations) == pytest.approx(1.0)
    for j, (name, parent) in enumerate(zip(JOINTS, retarget.PARENTS, strict=True)):
        if parent >= 0:
            local = result.rotations[0, parent].T @ result.rotations[0, j]
            assert excess(name, local, LIMBS) < 1e-6, name


@pytest.mark.parametrize(
    ("joint", "axis", "degrees", "beyond"),
    [
        ("LeftLeg", 0, 90, False),
        ("LeftLeg", 0, -15, True),
        ("LeftLeg", 0, 165, True),
        ("LeftForeArm", 2, -90, False),
        ("LeftForeArm", 2, 15, True),
        ("RightForeArm", 2, 15, False),
        ("RightForeArm", 2, -15, True),
        ("Neck", 0, 30, False),
        ("Neck", 0, 60, True),
        ("Spine", 2, 45, True),
        ("LeftUpLeg", 0, -110, False),
        ("LeftUpLeg", 0, 50, True),
        ("LeftArm", 2, 70, True),
        ("LeftArm", 2, -70, False),
    ],
)
def test_what_a_joint_cannot_do(joint: str, axis: int, degrees: float, beyond: bool) -> None:
    local = rot.about_axis(axis, np.radians(degrees))
    assert (excess(joint, local, LIMBS) > 0) == beyond


@given(SEEDS)
def test_without_strength_the_pose_stays(seed: int) -> None:
    motion = _join(_motion(CROUCH), _motion({}))
    result = varied(motion, 0, np.random.default_rng(seed), 0.0)
    assert len(result) == 1
    assert (result.rotations[0] == motion.rotations[0]).all()


def test_noise_grows_with_its_strength_and_repeats_with_its_seed() -> None:
    motion = _motion(CROUCH)

    def change(strength: float) -> float:
        poses = [varied(motion, 0, np.random.default_rng(s), strength) for s in range(30)]
        row = JOINTS.index("LeftArm")
        return float(
            np.mean([_angle(p.rotations[0, row], motion.rotations[0, row]) for p in poses])
        )

    assert 2 < change(0.3) < 12 < change(1.0) < 45
    a, b = (varied(motion, 0, np.random.default_rng(5), 1.0) for _ in range(2))
    assert (a.rotations == b.rotations).all() and (a.frames == [7]).all()


def test_some_poses_are_blends_with_another_of_the_clip() -> None:
    """Nothing else turns a hip by tens of degrees or lifts the body off the ground."""
    raised = {"LeftUpLeg": rot.about_axis(0, np.radians(-120))}
    motion = _join(_motion({}), *[_motion(raised, height=1.0)] * 20)
    results = [varied(motion, 0, np.random.default_rng(seed), 1.0) for seed in range(200)]
    blended = [r for r in results if r.root[0, 2] > 0]
    assert 30 < len(blended) < 90
    row = JOINTS.index("LeftUpLeg")
    for result in blended:
        assert 0.2 <= result.root[0, 2] <= 0.5
        assert 10 < _angle(result.rotations[0, row], np.eye(3)) < 100


@given(SEEDS)
def test_random_proportions_are_symmetric_and_human(seed: int) -> None:
    shape = Proportions.random(np.random.default_rng(seed))
    for factors in (shape.length, shape.girth):
        assert set(factors) == set(JOINTS)
        for joint, factor in factors.items():
            assert factor == factors[skeleton.mirror_name(joint)]
            assert 0.35 < factor < 2.6
    for joint in ("Head", "LeftHand", "LeftFoot"):
        assert shape.length[joint] == shape.girth[joint]


def _head_share(shape: Proportions) -> float:
    """Heads to the height of a body, standing."""
    length = shape.length
    body = 0.42 * length["LeftLeg"] + 0.43 * length["LeftUpLeg"] + 0.1 * length["Hips"]
    trunk = 0.12 * (length["Spine"] + length["Spine1"]) + 0.17 * length["Spine2"]
    head = 0.2 * length["Head"]
    return head / (body + trunk + 0.09 * length["Neck"] + head)


def test_the_kinds_of_bodies_look_different() -> None:
    def share(kind: str) -> float:
        rngs = [np.random.default_rng(seed) for seed in range(50)]
        return float(np.median([_head_share(Proportions.of_kind(kind, rng)) for rng in rngs]))

    assert share("elongated") < 0.9 * share("realistic") < 0.6 * share("chibi")
    shares = [_head_share(Proportions.random(np.random.default_rng(s))) for s in range(300)]
    assert min(shares) < share("elongated") and max(shares) > share("chibi")


def test_a_head_does_not_outgrow_its_body() -> None:
    chibi = Proportions.of_kind("chibi", np.random.default_rng(1))
    adult = _adult()
    assert chibi.suited(adult) is chibi
    all_head = adult.copy()
    all_head[skeleton.INDEX["HeadTop_End"]] += [0, 0, 1.0]
    tamed = chibi.suited(all_head)
    own, before = (shape.length["Head"] for shape in (tamed, chibi))
    assert own < 0.8 * before
    assert tamed.girth["Head"] == pytest.approx(own)
    assert tamed.length["LeftLeg"] == chibi.length["LeftLeg"]


def _before_the_camera(pose: dict[str, np.ndarray]) -> np.ndarray:
    """``[23, 3]`` camera space: an adult four metres before a camera that looks at the face."""
    joints = retarget.joint_positions(_motion(pose).rotations[0], LIMBS)
    return joints @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]).T + [0, 0, 4.0]


@given(SEEDS)
def test_a_fist_thrust_at_us_grows_and_a_leg_behind_shrinks(seed: int) -> None:
    joints = _before_the_camera(
        {
            "LeftArm": rot.about_axis(2, np.radians(-90)),
            "RightUpLeg": rot.about_axis(0, np.radians(60)),
        }
    )
    scales = limb_scales(joints, np.random.default_rng(seed))
    arm = np.cumprod([scales["Left" + name] for name in ("Arm", "ForeArm", "Hand")])
    leg = np.cumprod([scales["Right" + name] for name in ("UpLeg", "Leg", "Foot")])
    assert 1 < arm[0] < arm[1] < arm[2] <= 2 + 1e-9
    assert 1 > leg[0] > leg[1] >= 0.6 - 1e-9
    across = np.cumprod([scales["Right" + name] for name in ("Arm", "ForeArm", "Hand")])
    assert across == pytest.approx(1, abs=1e-6)
    # The same drawing of a giant, twice as far away.
    again = limb_scales(joints * 2, np.random.default_rng(seed))
    assert again == pytest.approx(scales)
