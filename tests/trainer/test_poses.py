"""Invented poses: whole people whose joints bend as people's do."""

import numpy as np

from addon.core import skeleton
from addon.core.bodies import chest_frame
from trainer.poses import random_pose

ROW = skeleton.INDEX


def test_invented_poses_are_whole_people() -> None:
    rng = np.random.default_rng(0)
    parents, children = np.array(skeleton.BONES).T
    first = None
    for _ in range(200):
        joints = random_pose(rng)
        lengths = np.linalg.norm(joints[children] - joints[parents], axis=1)
        first = lengths if first is None else first
        np.testing.assert_allclose(lengths, first, atol=1e-9)


def test_knees_bend_their_own_way() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        joints = random_pose(rng)
        for side in ("Left", "Right"):
            hip, knee, ankle, toe = (
                joints[ROW[side + n]] for n in ("UpLeg", "Leg", "Foot", "ToeBase")
            )
            thigh, shin, foot = knee - hip, ankle - knee, toe - ankle
            ahead = foot - shin * (foot @ shin) / (shin @ shin)
            # Seen from the shin, whose front the toes show, the thigh comes from behind.
            assert thigh @ ahead > -0.1 * np.linalg.norm(thigh) * np.linalg.norm(ahead)


def test_upright_poses_face_the_viewer() -> None:
    rng = np.random.default_rng(2)
    upright = facing = 0
    for _ in range(300):
        left, up, forward = chest_frame(random_pose(rng))
        if up[1] < -0.8:
            upright += 1
            facing += bool(forward[2] < 0 and left[0] > 0)
    assert upright > 100
    assert facing == upright


def test_equal_chance_gives_equal_poses() -> None:
    one, two = (random_pose(np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
