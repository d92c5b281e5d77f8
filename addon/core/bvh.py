"""Biovision hierarchies (.bvh): the text format in which motion capture is passed around.

A file holds a tree of joints and, frame by frame, their channels: Euler angles in degrees, and for
the root its place. It says nothing about units or axes. What is written here is in metres with Y
up, a character that faces -Y in Blender facing +Z: what Blender's own importer takes for granted.
The rest pose has all angles at zero. Angles are in the order Z, X, Y, so that a rotation is
``Rz @ Rx @ Ry``.

A joint's position channels take the place of its offset, as Blender and motion capture have it; the
root's offset is therefore written as zero, which leaves nothing to interpret.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton
from .errors import UserError
from .files import write_whole
from .solve import Rig

FloatArray = NDArray[np.float64]

_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # Blender's axes -> the file's
_ORDER = "ZXY"
_STAYS = 1e-5  # metres within which a joint keeps its offset, and needs no position channels


@dataclass(frozen=True)
class Bvh:
    """A hierarchy and its motion, in the file's own axes and unit.

    Attributes:
        names: ``[N]`` the joints' names.
        parents: ``[N]`` row of each joint's parent, -1 for roots; parents come first.
        offsets: ``[N, 3]`` each joint from its parent at rest.
        ends: row of a joint without children -> ``[3]`` its end site from there.
        rotations: ``[F, N, 3, 3]`` each joint's own rotation, from its space to its parent's.
        positions: ``[F, N, 3]`` each joint in its parent's space; the offset where it only turns.
        frame_time: seconds from frame to frame.
    """

    names: Sequence[str]
    parents: NDArray[np.int64]
    offsets: FloatArray
    ends: dict[int, FloatArray]
    rotations: FloatArray
    positions: FloatArray
    frame_time: float

    def joints(self) -> FloatArray:
        """``[F, N, 3]`` where the joints are, by forward kinematics."""
        turns, places = np.empty_like(self.rotations), np.empty_like(self.positions)
        for i, parent in enumerate(self.parents):
            if parent < 0:
                turns[:, i], places[:, i] = self.rotations[:, i], self.positions[:, i]
            else:
                turns[:, i] = turns[:, parent] @ self.rotations[:, i]
                moved = turns[:, parent] @ self.positions[:, i, :, None]
                places[:, i] = places[:, parent] + moved[..., 0]
        return places


def from_poses(rig: Rig, matrices: ArrayLike, frame_time: float) -> Bvh:
    """The motion of a rig's limbs and trunk.

    The hips are the root; joints are the bones that carry keypoints and those between them. Other
    bones (controls, fingers, hair) are left out.

    Args:
        rig: the rig.
        matrices: ``[F, N, 4, 4]`` its posed bones in Blender's world space: metres, orthonormal
            axes (see :func:`.solve.pose_matrices`).
        frame_time: seconds from frame to frame.
    """
    rows, parents = _limbs(rig)
    posed = np.asarray(matrices, dtype=np.float64)[:, rows]
    tips = {
        row: rig.rest[bone, :3, 1] * rig.lengths[bone] @ _Y_UP.T
        for row, bone in enumerate(rows)
        if row not in parents
    }

    axes = np.swapaxes(rig.rest[rows, :3, :3], -1, -2)
    turns = _Y_UP @ posed[..., :3, :3] @ axes @ _Y_UP.T
    places = posed[..., :3, 3] @ _Y_UP.T
    offsets = rig.heads[rows] @ _Y_UP.T
    rotations, positions = turns.copy(), places.copy()
    offsets[1:] -= offsets[parents[1:]]
    offsets[0] = 0.0
    back = np.swapaxes(turns[:, parents[1:]], -1, -2)
    rotations[:, 1:] = back @ turns[:, 1:]
    positions[:, 1:] = (back @ (places[:, 1:] - places[:, parents[1:]])[..., None])[..., 0]
    names = [rig.names[bone] for bone in rows]
    return Bvh(names, parents, offsets, tips, rotations, positions, frame_time)


def _limbs(rig: Rig) -> tuple[list[int], NDArray[np.int64]]:
    """The bones with keypoints and those between them; parents first, the hips first of all.

    Returns:
        Their rows in the rig, and for each the row of its parent among them, -1 for the hips.
    """
    hips = rig.mapping["Hips"]
    rows, parents = [hips], [-1]
    for keypoint, bone in rig.mapping.items():
        chain: list[int] = []
        while bone >= 0 and bone not in rows:
            chain.append(bone)
            bone = int(rig.parents[bone])
        if bone < 0:  # it hangs from something else than the hips, as controls may
            chain, bone = chain[:1], _bone_above(rig, keypoint)
        for link in reversed(chain):
            parents.append(rows.index(bone))
            rows.append(link)
            bone = link
    return rows, np.array(parents)


def _bone_above(rig: Rig, keypoint: str) -> int:
    """The bone that carries the keypoint above another one."""
    above = rig.carriers[skeleton.PARENTS[skeleton.INDEX[keypoint]]]
    return rig.mapping[skeleton.KEYPOINTS[above]]


# ---- angles ----------------------------------------------------------------------------------


def to_angles(rotations: ArrayLike) -> FloatArray:
    """Rotations ``[..., 3, 3]`` -> Euler angles ``[..., 3]`` about Z, X and Y, degrees.

    At X = 90 degrees Z and Y turn about the same axis. Reading Y from what is left after Z and X
    are undone (M. Day, Extracting Euler Angles from a Rotation Matrix, 2012) stays exact there.
    """
    m = np.asarray(rotations, dtype=np.float64)
    z = np.arctan2(-m[..., 0, 1], m[..., 1, 1])
    x = np.arctan2(m[..., 2, 1], np.hypot(m[..., 0, 1], m[..., 1, 1]))
    c, s = np.cos(z), np.sin(z)
    y = np.arctan2(c * m[..., 0, 2] + s * m[..., 1, 2], c * m[..., 0, 0] + s * m[..., 1, 0])
    return np.degrees(np.stack([z, x, y], axis=-1))


def from_angles(angles: ArrayLike, order: str = _ORDER) -> FloatArray:
    """Euler angles ``[..., K]`` in degrees, about the axes that ``order`` names -> rotations."""
    angles = np.radians(np.asarray(angles, dtype=np.float64))
    result = np.broadcast_to(np.eye(3), (*angles.shape[:-1], 3, 3))
    for k, axis in enumerate(order):
        i, j = {"X": (1, 2), "Y": (2, 0), "Z": (0, 1)}[axis]
        c, s = np.cos(angles[..., k]), np.sin(angles[..., k])
        turn = np.zeros((*angles.shape[:-1], 3, 3))
        turn[..., 3 - i - j, 3 - i - j] = 1.0
        turn[..., i, i] = turn[..., j, j] = c
        turn[..., i, j], turn[..., j, i] = -s, s
        result = result @ turn
    return result


# ---- writing ---------------------------------------------------------------------------------


def write(path: Path, bvh: Bvh) -> None:
    """Write a hierarchy and its motion in one piece.

    Joints that leave their offsets have position channels, as roots always do. Spaces in names
    become underscores; the format has no other way.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    moving = np.abs(bvh.positions - bvh.offsets).max(axis=(0, 2)) > _STAYS
    moving[bvh.parents < 0] = True
    order = list(_depth_first(bvh.parents))
    lines = ["HIERARCHY"]
    open_joints: list[int] = []

    def close_until(parent: int) -> None:
        while open_joints and open_joints[-1] != parent:
            open_joints.pop()
            lines.append("\t" * len(open_joints) + "}")

    for i, name in zip(order, _unique([bvh.names[i] for i in order]), strict=True):
        close_until(int(bvh.parents[i]))
        indent = "\t" * len(open_joints)
        places = ["Xposition", "Yposition", "Zposition"] if moving[i] else []
        channels = [*places, *(f"{axis}rotation" for axis in _ORDER)]
        lines += [
            f"{indent}{'JOINT' if open_joints else 'ROOT'} {name}",
            f"{indent}{{",
            f"{indent}\tOFFSET {_numbers(bvh.offsets[i])}",
            f"{indent}\tCHANNELS {len(channels)} {' '.join(channels)}",
        ]
        open_joints.append(i)
        if i in bvh.ends:
            indent += "\t"
            end = _numbers(bvh.ends[i])
            lines += [f"{indent}End Site", f"{indent}{{", f"{indent}\tOFFSET {end}", f"{indent}}}"]
    close_until(-1)

    # Whole turns are added where an angle would jump from one side of 180 degrees to the other.
    angles = np.unwrap(to_angles(bvh.rotations), axis=0, period=360)
    columns = [
        np.hstack([bvh.positions[:, i], angles[:, i]]) if moving[i] else angles[:, i] for i in order
    ]
    lines += ["MOTION", f"Frames: {len(angles)}", f"Frame Time: {bvh.frame_time:.8f}"]
    lines += [_numbers(frame) for frame in np.hstack(columns)]
    write_whole(path, "\n".join([*lines, ""]).encode())


def _depth_first(parents: NDArray[np.int64], parent: int = -1) -> Iterator[int]:
    """The rows of a tree in the order in which the format nests them."""
    for row in np.flatnonzero(parents == parent):
        yield int(row)
        yield from _depth_first(parents, int(row))


def _unique(names: Sequence[str]) -> Iterator[str]:
    """The names in single words, numbered where two would be the same."""
    taken: set[str] = set()
    for name in names:
        word = "_".join(name.split()) or "joint"
        unique = next(w for k in count() if (w := f"{word}.{k:03}" if k else word) not in taken)
        taken.add(unique)
        yield unique


def _numbers(values: FloatArray) -> str:
    return " ".join(f"{value:.6f}" for value in values)


# ---- reading ---------------------------------------------------------------------------------


def read(path: Path) -> Bvh:
    """Read a file of any channels in any order.

    Raises:
        UserError: the file is not a whole hierarchy with its motion.
        OSError: the file cannot be read.
    """
    words = iter(path.read_bytes().decode(errors="replace").split())
    try:
        return _read_words(words)
    except StopIteration:
        fault = "it is cut short"
    except (ValueError, OverflowError) as error:
        fault = str(error)
    raise UserError(f"{path.name} is not a BVH file that Croquis can read: {fault}.")


def _read_words(words: Iterator[str]) -> Bvh:
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[list[str]] = []
    ends: dict[int, FloatArray] = {}
    above = [-1]  # rows of the joints that are open
    _expect(next(words), "HIERARCHY")
    while (word := next(words).upper()) != "MOTION":
        if above == [-1] and word != "ROOT":
            raise ValueError(f"“{word[:40]}” stands outside its joints")
        match word:
            case "ROOT" | "JOINT":
                names.append(" ".join(_until_brace(words)))
                parents.append(above[-1])
                offsets.append([0.0, 0.0, 0.0])
                channels.append([])
                above.append(len(names) - 1)
            case "OFFSET":
                offsets[above[-1]] = _three(words)
            case "CHANNELS":
                channels[above[-1]] = [next(words).capitalize() for _ in range(int(next(words)))]
            case "END":
                _until_brace(words)
                _expect(next(words), "OFFSET")
                ends[above[-1]] = np.array(_three(words))
                _expect(next(words), "}")
            case "}":
                above.pop()
            case _:
                raise ValueError(f"“{word[:40]}” is nothing that a joint has")
    if not names or above != [-1]:
        raise ValueError("a joint is not closed" if names else "it has no joints")
    _expect(next(words), "FRAMES:")
    frames = int(next(words))
    _expect(next(words), "FRAME")
    _expect(next(words), "TIME:")
    frame_time = float(next(words))
    values = np.array([float(word) for word in words])
    width = sum(map(len, channels))
    if frames < 1 or len(values) != frames * width:
        raise ValueError(f"it announces {frames} frames of {width} numbers and holds {len(values)}")
    if not np.isfinite(values).all():
        raise ValueError("its motion holds something that is not a number")
    rotations, positions = _unpack(values.reshape(frames, width), channels, np.array(offsets))
    return Bvh(names, np.array(parents), np.array(offsets), ends, rotations, positions, frame_time)


def _unpack(
    values: FloatArray, channels: Sequence[Sequence[str]], offsets: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The frames ``[F, C]`` as rotations ``[F, N, 3, 3]`` and positions ``[F, N, 3]``."""
    rotations = np.empty((len(values), len(channels), 3, 3))
    positions = np.tile(offsets, (len(values), 1, 1))
    column = 0
    for i, kinds in enumerate(channels):
        own = values[:, column : column + len(kinds)]
        column += len(kinds)
        turning = [k for k, kind in enumerate(kinds) if kind[1:] == "rotation"]
        moving = [k for k, kind in enumerate(kinds) if kind[1:] == "position"]
        axes = "".join(kind[0] for kind in kinds)
        if len(turning) + len(moving) < len(kinds) or set(axes) - set("XYZ"):
            raise ValueError(f"the channels {' '.join(kinds)} are not all places and rotations")
        rotations[:, i] = from_angles(own[:, turning], "".join(axes[k] for k in turning))
        positions[:, i, ["XYZ".index(axes[k]) for k in moving]] = own[:, moving]
    return rotations, positions


def _until_brace(words: Iterator[str]) -> list[str]:
    found = []
    while (word := next(words)) != "{":
        found.append(word)
    return found


def _three(words: Iterator[str]) -> list[float]:
    return [float(next(words)) for _ in range(3)]


def _expect(word: str, expected: str) -> None:
    if word.upper() != expected:
        raise ValueError(f"“{word[:40]}” stands where {expected} should")
