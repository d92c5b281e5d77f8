"""Motion apart from any rig: global joint rotations that can be put on other skeletons.

Rigs of the same bone names still differ in bone axes, rest pose and proportions, so local rotations
do not carry over. What does is how far each joint has turned, in world space, from a T-pose facing
Blender's front view: the rotation of a target bone is then ``G[j] @ A[j] @ R_rest[bone]``, where G
is the motion's global rotation and A brings the target's rest limb (an A-pose, say) into the
T-pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rotations as rot
from . import skeleton

FloatArray = NDArray[np.float64]

JOINTS: tuple[str, ...] = tuple(name for name in skeleton.KEYPOINTS if name != "HeadTop_End")
"""The bones that a motion turns; the head's top is a point without a rotation of its own."""

_LIMBS = (("Arm", "ForeArm", "Hand"), ("UpLeg", "Leg", "Foot"))
MINIMAL_BONES: tuple[str, ...] = (
    "Hips",
    *(side + name for side in ("Left", "Right") for limb in _LIMBS for name in limb),
)
"""Without these bones neither a motion nor a character is a humanoid."""


@dataclass(frozen=True)
class Motion:
    """A clip, free of the rig that it came from.

    Attributes:
        name: of the clip.
        frames: ``[F]`` int, frame numbers in the source.
        rotations: ``[F, J, 3, 3]`` global rotation of each joint of :data:`JOINTS` since the rest
            pose; world space, Z up, the character facing -Y at rest.
        root: ``[F, 3]`` how far the hips have moved since rest, in hip heights above the ground.
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


def farthest_frames(motion: Motion, count: int) -> NDArray[np.int64]:
    """Rows of the ``count`` poses that differ most from each other, in order of time.

    Greedy farthest-point choice (Gonzalez 1985) over the joints' rotations, heading taken out, from
    the
    middle of the clip: neighbouring frames are nearly equal and teach little.
    """
    if count >= len(motion):
        return np.arange(len(motion))
    turned = np.swapaxes(motion.rotations[:, :1], -1, -2) @ motion.rotations
    features = turned.reshape(len(motion), -1)
    chosen = [len(motion) // 2]
    distance = np.linalg.norm(features - features[chosen[0]], axis=1)
    while len(chosen) < count:
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(features - features[chosen[-1]], axis=1))
    return np.array(sorted(chosen))


def load_corpus(path: str) -> list[Motion]:
    """Read a pose corpus (.npz): its clips as motions.

    The format is that of the shared pose files: local quaternions of 21 joints in a Y-up T-pose
    that faces +Z, so (x, y, z) becomes (x, -z, y) here.

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
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"{path} is not a pose corpus: {error}") from error

    to_z_up = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    local = rot.from_quaternions(quaternions)
    globals_ = np.empty_like(local)
    rest = np.zeros((len(parents), 3))
    for j, parent in enumerate(parents):
        globals_[:, j] = local[:, j] if parent < 0 else globals_[:, parent] @ local[:, j]
        rest[j] = offsets[j] if parent < 0 else rest[parent] + offsets[j]
    globals_ = to_z_up @ globals_ @ to_z_up.T
    rest = rest @ to_z_up.T
    row = {name: j for j, name in enumerate(names) if name}
    rest_positions = {name: rest[j] for name, j in row.items()}
    hip_height = rest[row["Hips"], 2] - rest[:, 2].min()

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
        root = root_pos[rows] @ to_z_up.T
        root[:, :2] -= root[0, :2]
        root[:, 2] -= floor[c] + hip_height
        motions.append(
            Motion(f"{stem}_{clip_name}", frame[rows], rotations[rows], root / hip_height, limbs)
        )
    return motions


def _half_way(a: FloatArray, b: FloatArray) -> FloatArray:
    """The rotation half way between two, ``[..., 3, 3]``: their mean, made orthogonal again."""
    u, _, vt = np.linalg.svd(a + b)
    return np.asarray(u @ vt, np.float64)
