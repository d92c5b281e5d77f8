"""Motion apart from any rig: global joint rotations that can be put on other skeletons.

Rigs of the same bone names still differ in bone axes, rest pose and proportions, so local rotations
do not carry over. What does is how far each joint has turned, in world space, from a T-pose facing
Blender's front view: the rotation of a target bone is then ``G[j] @ A[j] @ R_rest[bone]``, where G
is the motion's global rotation and A brings the target's rest limb (an A-pose, say) into the
T-pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rotations as rot
from . import skeleton
from .files import DAMAGE, write_arrays

FloatArray = NDArray[np.float64]

JOINTS: tuple[str, ...] = tuple(name for name in skeleton.KEYPOINTS if name != "HeadTop_End")
"""The bones that a motion turns; the head's top is a point without a rotation of its own."""

PARENTS: tuple[int, ...] = tuple(
    -1
    if (parent := skeleton.PARENTS[skeleton.INDEX[name]]) < 0
    else JOINTS.index(skeleton.KEYPOINTS[parent])
    for name in JOINTS
)
"""Row in :data:`JOINTS` of each joint's parent; -1 for the hips. Parents come first."""

_LIMBS = (("Arm", "ForeArm", "Hand"), ("UpLeg", "Leg", "Foot"))
_FORMAT = 1
_Y_TO_Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])

# An adult's bones in the T-pose that faces -Y, metres: from the parent keypoint to this one.
_ADULT: dict[str, tuple[float, float, float]] = {
    "Hips": (0.0, 0.0, 0.0),
    "Spine": (0.0, 0.0, 0.10),
    "Spine1": (0.0, 0.0, 0.12),
    "Spine2": (0.0, 0.0, 0.12),
    "Neck": (0.0, 0.0, 0.17),
    "Head": (0.0, 0.0, 0.09),
    "HeadTop_End": (0.0, 0.0, 0.20),
    "LeftShoulder": (0.06, 0.0, 0.13),
    "LeftArm": (0.13, 0.0, 0.0),
    "LeftForeArm": (0.28, 0.0, 0.0),
    "LeftHand": (0.25, 0.0, 0.0),
    "LeftUpLeg": (0.09, 0.0, -0.05),
    "LeftLeg": (0.0, 0.0, -0.43),
    "LeftFoot": (0.0, 0.0, -0.42),
    "LeftToeBase": (0.0, -0.13, -0.06),
}

# An adult's flesh between a joint and what it lies on, in hip heights. Feet: see lowest_part.
_FLESH = {
    **dict.fromkeys(("Hips", "Spine", "Spine1", "Spine2"), 0.11),
    **{"Neck": 0.06, "Head": 0.07, "HeadTop_End": 0.0},
    **{"Shoulder": 0.06, "Arm": 0.06, "ForeArm": 0.04, "Hand": 0.03},
    **{"UpLeg": 0.09, "Leg": 0.06},
}


@dataclass(frozen=True)
class Motion:
    """A clip, free of the rig that it came from.

    Attributes:
        name: of the clip.
        frames: ``[F]`` int, frame numbers in the source.
        rotations: ``[F, J, 3, 3]`` global rotation of each joint of :data:`JOINTS` since the rest
            pose; world space, Z up, the character facing -Y at rest.
        root: ``[F, 3]`` in hip heights above the ground: how far the hips have moved over the
            ground since rest (x, y), and how far above the ground the body's lowest part is (z),
            zero as long as anything stands or lies on it (see :func:`lowest_part`). The hips' own
            height follows from it on every body, whatever its proportions.
        limbs: joint name -> ``[3]`` unit direction of that limb at rest (arms and legs only).
    """

    name: str
    frames: NDArray[np.int64]
    rotations: FloatArray
    root: FloatArray
    limbs: dict[str, FloatArray]

    def __len__(self) -> int:
        return len(self.frames)

    def take(self, rows: ArrayLike) -> Motion:
        """The motion at some of its rows only."""
        rows = np.asarray(rows, dtype=np.int64)
        return Motion(
            self.name, self.frames[rows], self.rotations[rows], self.root[rows], self.limbs
        )

    def save(self, path: Path) -> None:
        """Write the motion in one piece; equal motions are equal files.

        Raises:
            OSError: the folder cannot be written or the disk is full (nothing is left behind).
        """
        limbs = sorted(self.limbs)
        write_arrays(
            path,
            {
                "motion": np.array(_FORMAT),
                "name": np.array(self.name),
                "joints": np.array(JOINTS),
                "frames": np.asarray(self.frames, np.int64),
                "rotations": np.asarray(self.rotations, np.float64),
                "root": np.asarray(self.root, np.float64),
                "limb_names": np.array(limbs, dtype=np.str_),
                "limbs": np.array([self.limbs[n] for n in limbs], np.float64).reshape(-1, 3),
            },
        )

    @classmethod
    def load(cls, path: Path) -> Motion:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: the file is not a whole motion of a format that this version knows.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                if int(data["motion"]) != _FORMAT or tuple(data["joints"].tolist()) != JOINTS:
                    raise ValueError("it was written by another version of Croquis")
                limbs = zip(data["limb_names"].tolist(), data["limbs"], strict=True)
                return cls(
                    str(data["name"]), data["frames"], data["rotations"], data["root"], dict(limbs)
                )
        except DAMAGE as error:
            raise ValueError(f"{path} is not a motion: {error}") from error


def joint_positions(rotations: ArrayLike, limbs: dict[str, FloatArray]) -> FloatArray:
    """Where an adult's keypoints are in poses of a motion: its rotations on one fixed body.

    Args:
        rotations: ``[..., J, 3, 3]`` global, as in :class:`Motion`.
        limbs: the motion's rest directions of arms and legs; a T-pose where they are missing.

    Returns:
        ``[..., 23, 3]`` metres, the hips at the origin; the axes of the rotations.
    """
    rotations = np.asarray(rotations, dtype=np.float64)
    joints = np.zeros((*rotations.shape[:-3], skeleton.COUNT, 3))
    for parent, child in skeleton.BONES:
        parent_name = skeleton.KEYPOINTS[parent]
        offset = _adult_offset(skeleton.KEYPOINTS[child])
        if parent_name in limbs:
            offset = limbs[parent_name] * np.linalg.norm(offset)
        joints[..., child, :] = joints[..., parent, :] + (
            rotations[..., JOINTS.index(parent_name), :, :] @ offset
        )
    return joints


def _adult_offset(name: str) -> FloatArray:
    if name.startswith("Right"):
        x, y, z = _ADULT[skeleton.mirror_name(name)]
        return np.array([-x, y, z])
    return np.array(_ADULT[name])


def heading(left: ArrayLike, right: ArrayLike) -> FloatArray:
    """``[3, 3]`` the turn about Z that makes a character face -Y, its left side towards +X.

    Args:
        left, right: ``[3]`` world positions of its left and right hip (or shoulder) at rest.
    """
    across = np.asarray(left, dtype=np.float64) - np.asarray(right, dtype=np.float64)
    angle = -np.arctan2(across[1], across[0])
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def limb_directions(positions: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Unit rest directions of the arms' and legs' bones, for those whose both ends are known.

    Args:
        positions: bone name -> ``[3]`` world position of its head at rest.
    """
    directions = {}
    for side in ("Left", "Right"):
        for limb in _LIMBS:
            for start, end in zip(limb[:-1], limb[1:], strict=True):
                if side + start in positions and side + end in positions:
                    vector = positions[side + end] - positions[side + start]
                    directions[side + start] = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return directions


def alignments(
    target: dict[str, FloatArray], source: dict[str, FloatArray]
) -> dict[str, FloatArray]:
    """The rotations A that bring a target's rest limbs into the source's rest pose.

    Hands follow their forearm; feet are left as they rest, flat on the ground in either pose.

    Args:
        target, source: rest directions from :func:`limb_directions`, both facing -Y.

    Returns:
        joint name -> ``[3, 3]``, for the limbs that both have.
    """
    result = {
        name: rot.between(direction, source[name])
        for name, direction in target.items()
        if name in source
    }
    for side in ("Left", "Right"):
        if side + "ForeArm" in result:
            result[side + "Hand"] = result[side + "ForeArm"]
    return result


def local_rotations(
    parents: NDArray[np.int64],
    rest: FloatArray,
    wanted: dict[int, FloatArray],
) -> FloatArray:
    """Blender's pose-bone rotations that give some bones the wanted global rotations.

    Bones that are not wanted follow their parents as if they were not posed.

    Args:
        parents: ``[N]`` row of each bone's parent, -1 for roots; parents before children.
        rest: ``[N, 3, 3]`` rest rotations in world space.
        wanted: bone row -> ``[3, 3]`` rotation in world space.

    Returns:
        ``[N, 3, 3]``, the rotation part of each pose bone's ``matrix_basis``.
    """
    basis = np.tile(np.eye(3), (len(parents), 1, 1))
    posed = np.empty_like(rest)
    for i, parent in enumerate(parents):
        carried = rest[i] if parent < 0 else posed[parent] @ rest[parent].T @ rest[i]
        if i in wanted:
            basis[i] = carried.T @ wanted[i]
            posed[i] = wanted[i]
        else:
            posed[i] = carried
    return basis


def posed_bones(
    parents: NDArray[np.int64], rest: FloatArray, basis: FloatArray, scales: FloatArray
) -> FloatArray:
    """Where Blender takes bones that are turned and scaled and do not inherit their parent's scale.

    A bone's head moves with its parent's stretched and thickened space; its axes do not.

    Args:
        parents: ``[N]`` row of each bone's parent, -1 for roots; parents before children.
        rest: ``[N, 4, 4]`` rest matrices, orthonormal, in any common frame.
        basis: ``[N, 3, 3]`` each bone's own rotation.
        scales: ``[N, 3]`` along each bone's own axes.

    Returns:
        ``[N, 4, 4]`` matrices with scaled axes, in the frame of ``rest``.
    """
    turns, heads = np.swapaxes(rest[:, :3, :3], 1, 2), rest[:, :3, 3]
    posed = np.tile(np.eye(4), (len(parents), 1, 1))
    rotations = np.empty_like(basis)
    for i, parent in enumerate(parents):
        carried, posed[i, :3, 3] = rest[i, :3, :3], heads[i]
        if parent >= 0:
            carried = rotations[parent] @ (turns[parent] @ carried)
            offset = turns[parent] @ (heads[i] - heads[parent])
            posed[i, :3, 3] = posed[parent, :3, 3] + posed[parent, :3, :3] @ offset
        rotations[i] = carried @ basis[i]
        posed[i, :3, :3] = rotations[i] * scales[i]
    return posed


def lowest_part(heights: FloatArray, rest: FloatArray, names: Sequence[str]) -> FloatArray:
    """How high the lowest part of a body is of which only the joints are known.

    Feet and toes lie as high above their soles as at rest, other joints have some flesh around
    them.

    Args:
        heights: ``[F, K]`` of the joints, hip heights above any level.
        rest: ``[K]`` of the joints above the ground at rest, hip heights.
        names: ``[K]`` the keypoint that each of them is.

    Returns:
        ``[F]`` hip heights above that level.
    """
    bare = [skeleton.without_side(name) for name in names]
    flesh = [_FLESH.get(name, float(height)) for name, height in zip(bare, rest, strict=True)]
    return np.min(heights - np.array(flesh), axis=1)


def above_ground(lowest: FloatArray) -> FloatArray:
    """Heights ``[F]`` of a body's lowest part where the ground's own is unknown.

    A clip's figure stands on the ground some of the time: its tenth percentile is the ground.
    Nothing goes below it: what little of that there is in files is imprecision.
    """
    return (lowest - np.percentile(lowest, 10)).clip(min=0.0)


def farthest_frames(motion: Motion, count: int) -> NDArray[np.int64]:
    """Rows of the ``count`` poses that differ most from each other, in order of time.

    Greedy farthest-point choice (Gonzalez 1985) from the middle of the clip: neighbouring frames
    are nearly equal and teach little. The distance is that between the joints of one adult body,
    hips upon hips, the heading taken out: cameras look from all sides anyway.
    """
    if count >= len(motion):
        return np.arange(len(motion))
    facing = np.swapaxes(_headings(motion.rotations[:, JOINTS.index("Hips")]), -1, -2)
    joints = joint_positions(motion.rotations, motion.limbs)
    features = np.einsum("fij,fkj->fki", facing, joints).reshape(len(motion), -1)
    chosen = [len(motion) // 2]
    distance = np.linalg.norm(features - features[chosen[0]], axis=1)
    while len(chosen) < count:
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(features - features[chosen[-1]], axis=1))
    return np.array(sorted(chosen))


def _headings(rotations: FloatArray) -> FloatArray:
    """The turns about Z that are nearest to rotations, both ``[F, 3, 3]``."""
    sine = rotations[:, 1, 0] - rotations[:, 0, 1]
    cosine = rotations[:, 0, 0] + rotations[:, 1, 1]
    angle = np.arctan2(sine, cosine)
    return rot.from_vector(angle[:, None] * np.array([0.0, 0.0, 1.0]))


def load_corpus(path: str) -> list[Motion]:
    """Read a pose corpus (.npz): its clips as motions.

    The skeleton stands in a Y-up T-pose that faces +Z, so (x, y, z) becomes (x, -z, y) here. The
    arrays, of J joints (parents first), F poses, C clips and E further points, in metres:

    - ``mixamo_names`` [J] (empty for joints without a counterpart), ``parents`` [J] (-1 for the
      root), ``offsets`` [J, 3] from the parent at rest;
    - ``rot`` [F, J, 4] local quaternions w, x, y, z since rest; ``root_pos`` [F, 3];
    - ``frame`` [F]; ``clip`` [F] rows of ``clip_names`` [C]; ``clip_floor`` [C] ground level;
    - ``extra_names`` [E], ``extra_parent`` [E], ``extra_offset`` [E, 3]: rigid points, of which the
      toes (``...Toe``) tell whether a foot stands.

    Args:
        path: the file.

    Raises:
        ValueError: it is not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            names = [skeleton.bare_bone_name(str(name)) for name in data["mixamo_names"]]
            parents, clip, clip_names = data["parents"], data["clip"], data["clip_names"]
            offsets = data["offsets"].astype(np.float64)
            quaternions = data["rot"].astype(np.float64)
            root_pos = data["root_pos"].astype(np.float64)
            floor = data["clip_floor"].astype(np.float64)
            frame = data["frame"].astype(np.int64)
            toes = [str(name).endswith("Toe") for name in data["extra_names"]]
            toe_parents, toe_offsets = data["extra_parent"][toes], data["extra_offset"][toes]
    except DAMAGE as error:
        raise ValueError(f"{path} is not a pose corpus: {error}") from error

    local = rot.from_quaternions(quaternions)
    globals_ = np.empty_like(local)
    places = np.zeros((len(local), len(parents), 3))
    rest = np.zeros((len(parents), 3))
    for j, parent in enumerate(parents):
        globals_[:, j] = local[:, j] if parent < 0 else globals_[:, parent] @ local[:, j]
        rest[j] = offsets[j] if parent < 0 else rest[parent] + offsets[j]
        places[:, j] = (
            root_pos if parent < 0 else places[:, parent] + globals_[:, parent] @ offsets[j]
        )
    # The skeleton ends at the ankles; whether a foot stands is for its toes to say.
    toe_rest = rest[toe_parents] + toe_offsets
    toe_places = places[:, toe_parents] + np.einsum(
        "ftij,tj->fti", globals_[:, toe_parents], toe_offsets
    )
    row = {name: j for j, name in enumerate(names) if name}
    root = root_pos @ _Y_TO_Z_UP.T
    low = np.concatenate([rest[:, 1], toe_rest[:, 1]]).min()
    heights = np.concatenate([places[..., 1], toe_places[..., 1]], axis=1) - floor[clip][:, None]
    rest_heights = np.concatenate([rest[:, 1], toe_rest[:, 1]]) - low
    # Joints without a counterpart (the buttocks) lie where the hips are.
    keypoints = [name or "Hips" for name in names] + ["LeftToeBase"] * len(toe_rest)
    hip_height = rest_heights[row["Hips"]]
    root /= hip_height
    lowest = lowest_part(heights / hip_height, rest_heights / hip_height, keypoints)
    root[:, 2] = lowest.clip(min=0.0)

    globals_ = _Y_TO_Z_UP @ globals_ @ _Y_TO_Z_UP.T
    rest_positions = {name: _Y_TO_Z_UP @ rest[j] for name, j in row.items()}
    rotations = np.tile(np.eye(3), (len(globals_), len(JOINTS), 1, 1))
    for j, name in enumerate(JOINTS):
        # The corpus has one joint for two of Mixamo's: toes follow feet, Spine1 is half way.
        source = {"LeftToeBase": "LeftFoot", "RightToeBase": "RightFoot"}.get(name, name)
        if source in row:
            rotations[:, j] = globals_[:, row[source]]
        elif name == "Spine1":
            rotations[:, j] = _half_way(globals_[:, row["Spine"]], globals_[:, row["Spine2"]])
        else:
            raise ValueError(f"{path} has no joint for {name}")
    limbs = limb_directions(rest_positions)
    stem = path.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".npz")
    motions = []
    for c, clip_name in enumerate(clip_names):
        rows = np.flatnonzero(clip == c)
        if not len(rows):
            continue
        moved = root[rows] - root[rows[0]] * np.array([1.0, 1.0, 0.0])
        motions.append(Motion(f"{stem}/{clip_name}", frame[rows], rotations[rows], moved, limbs))
    return motions


def _half_way(a: FloatArray, b: FloatArray) -> FloatArray:
    """The rotation half way between two, ``[..., 3, 3]``: their mean, made orthogonal again."""
    u, _, vt = np.linalg.svd(a + b)
    return np.asarray(u @ vt, np.float64)
