"""Lay figures: bodies of simple solids over a posed skeleton, as figure-drawing books teach.

Ribcage, pelvis and head are masses, limbs are tapered boxes, ellipsoids or tubes, and lines around
them (cross-contours) say which way they point. Everything is laid out in camera space and put into
the picture around its joint, at that joint's own scale, so near limbs are drawn larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bodies import (
    ARM,
    HEAD,
    HEIGHT,
    HIPS,
    LEG,
    NECK,
    ROW,
    SIDES,
    SPINE,
    SPINE1,
    TOP,
    Body,
    FloatArray,
    frame,
    hull,
    pelvis_frame,
    unit,
)
from .heads import Features, draw_head
from .styles import NO_FILL, Drawing

_T = np.linspace(0, 2 * np.pi, 32, endpoint=False)
_RING = np.stack([np.cos(_T), np.sin(_T)], axis=1)

LIMBS = ("box", "ellipsoid", "tube")
"""What limbs may be made of."""


@dataclass(frozen=True)
class LayFigure:
    """How a lay figure is drawn.

    Attributes:
        limbs: one of :data:`LIMBS`.
        box_trunk: ribcage and pelvis as boxes; else an egg and a basin.
        balls: joints as balls.
        contours: cross-contours on each limb, 0 to 2.
        see_through: parts do not hide each other, and the bones are drawn.
    """

    limbs: str
    box_trunk: bool
    balls: bool
    contours: int
    see_through: bool

    @classmethod
    def random(cls, rng: np.random.Generator) -> LayFigure:
        """One drawn at random."""
        return cls(
            limbs=LIMBS[int(rng.integers(len(LIMBS)))],
            box_trunk=rng.random() < 0.4,
            balls=rng.random() < 0.5,
            contours=int(rng.choice(3, p=[0.4, 0.35, 0.25])),
            see_through=rng.random() < 0.12,
        )


def draw_lay_figure(body: Body, near: FloatArray, look: LayFigure) -> Drawing:
    """A lay figure over a body's joints, nearer parts over farther ones.

    Args:
        body: the joints, their picture and the girth.
        near: ``[23]`` scale of the picture at each joint, as a multiple of the body's.
        look: how to draw it.

    Returns:
        Its drawing, in the body's pixels; each path's tag is the row of the keypoint that its bone
        starts from.
    """
    maker = _Maker(body, near, look)
    q = body.q
    # Limbs lie on the trunk, not in it: between equals the limb is in front.
    slack = 0.035 * HEIGHT
    ribs = body.depth([SPINE1, NECK])
    # A head that tips away from the viewer goes behind the chest, any other one before it.
    head = body.depth([HEAD, TOP]) - slack * (1 if maker.chest[1, 2] < 0.3 else -1)
    parts: list[tuple[float, int, str]] = [
        (ribs + slack, SPINE, "belly"),
        (ribs, SPINE1, "ribs"),
        (body.depth([HIPS]), HIPS, "pelvis"),
        (head, HEAD, "head"),
        (max(ribs, head) + 0.5 * slack, NECK, "neck"),
    ]
    for side in SIDES:
        shoulder, elbow, hand = ARM[side][1:]
        hip, knee, foot, toe = LEG[side]
        wrist = float(q[hand, 2])
        parts += [
            (body.depth([shoulder, elbow]) - slack, shoulder, "limb"),
            (body.depth([elbow, hand]) - 1.2 * slack, elbow, "limb"),
            (wrist + 0.25 * (wrist - float(q[elbow, 2])) - 1.3 * slack, hand, "hand"),
            (body.depth([hip, knee]) - slack, hip, "limb"),
            (body.depth([knee, foot]) - 0.8 * slack, knee, "limb"),
            (body.depth([foot, toe]) - 0.6 * slack, foot, "foot"),
        ]
    for _, row, kind in sorted(parts, key=lambda part: -part[0]):
        maker.drawing.new_layer()
        maker.drawing.tag = row
        getattr(maker, kind)(row)
    if look.see_through:
        maker.bones()
    return maker.drawing


_RADII = {
    "Arm": ("shoulder", "elbow"),
    "ForeArm": ("elbow", "wrist"),
    "UpLeg": ("thigh", "knee"),
    "Leg": ("knee", "ankle"),
}
_NEXT = {
    chain[i]: chain[i + 1] for table in (ARM, LEG) for chain in table.values() for i in range(3)
}
_NAME = {
    ROW[side + name]: name
    for side in SIDES
    for name in ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot")
}


class _Maker:
    """Draws the parts, each by a method that takes the row of its first joint."""

    def __init__(self, body: Body, near: FloatArray, look: LayFigure) -> None:
        self.body, self.near, self.look = body, near, look
        self.q, self.p, self.r = body.q, body.p, body.r
        self.drawing = Drawing()
        self.fill = NO_FILL if look.see_through else 0.0
        arms = self.q[ARM["Left"][1]] - self.q[ARM["Right"][1]]
        self.chest = frame(arms, self.q[NECK] - self.q[SPINE1])
        self.pelvis_axes = pelvis_frame(self.q)

    # ---- primitives

    def at(self, row: int, offsets: FloatArray) -> FloatArray:
        """Offsets ``[..., 3]`` from a joint -> pixels ``[..., 2]``."""
        return self.p[row] + self.near[row] * offsets[..., :2]

    def ellipsoid(self, centre: FloatArray, axes: FloatArray) -> None:
        """The outline of an ellipsoid, ``axes`` ``[3, 3]`` being its half axes in rows."""
        flat = axes[:, :2]
        root = np.linalg.cholesky(flat.T @ flat + 1e-6 * np.eye(2))
        self.drawing.shape(centre + _RING @ root.T, fill=self.fill)

    def prism(self, low: FloatArray, high: FloatArray) -> None:
        """A convex solid between two polygons ``[n, 2]`` of the picture, its edges that are seen.

        In space, the right-handed normal of ``low`` points towards ``high``.
        """
        count = len(low)
        corners = np.concatenate([low, high])
        self.drawing.shape(hull(corners), fill=self.fill)
        faces = [list(range(count)), list(range(2 * count - 1, count - 1, -1))]
        faces += [[(i + 1) % count, i, i + count, (i + 1) % count + count] for i in range(count)]
        # Normals point inwards: z away from the viewer is a face that he sees.
        seen = [face for face in faces if _area(corners[face]) > 0]
        edges = [tuple(sorted(edge)) for f in seen for edge in zip(f, f[1:] + f[:1], strict=True)]
        for a, b in sorted({edge for edge in edges if edges.count(edge) == 2}):
            self.drawing.line(corners[[a, b]], width=0.8)

    def contour(self, row: int, t: float, along: FloatArray, radius: float) -> None:
        """The seen half of a ring around a limb at share ``t`` of its length."""
        end = _NEXT[row]
        u = unit(along)
        e1 = unit(np.cross(u, [0.0, 0.0, 1.0]) + 1e-9)
        e2 = np.cross(u, e1)
        e2 = e2 if e2[2] < 0 else -e2  # towards the viewer: the ring's seen half lies there
        angle = np.linspace(0, np.pi, 11)[:, None]
        ring = np.cos(angle) * e1 + np.sin(angle) * e2
        scale = (1 - t) * self.near[row] + t * self.near[end]
        middle = (1 - t) * self.p[row] + t * self.p[end]
        self.drawing.line(middle + scale * radius * ring[:, :2], width=0.7, ink=0.8)

    # ---- parts

    def limb(self, row: int) -> None:
        """An upper or lower arm or leg."""
        end = _NEXT[row]
        first, last = _RADII[_NAME[row]]
        ra, rb = 1.15 * self.r[first], 1.15 * self.r[last]
        along = self.q[end] - self.q[row]
        length = float(np.linalg.norm(along)) + 1e-9
        kind = self.look.limbs
        if kind == "box":
            u = along / length
            side = unit(np.cross(u, self._bend(row)) + 1e-9)
            axes = np.stack([side, np.cross(u, side)])
            square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) @ axes * 0.85
            inset = 0.02 * along
            self.prism(self.at(row, inset + ra * square), self.at(end, -inset + rb * square))
        elif kind == "ellipsoid":
            middle = (self.p[row] + self.p[end]) / 2
            scale = (self.near[row] + self.near[end]) / 2
            axes = frame(np.array([0.3, 0.2, 1.0]), along)
            wide = 0.62 * (ra + rb)
            self.ellipsoid(middle, scale * axes * np.array([[wide], [0.52 * length], [wide]]))
        else:
            circles = [self.p[row] + ra * self.near[row] * _RING]
            circles.append(self.p[end] + rb * self.near[end] * _RING)
            self.drawing.shape(hull(np.concatenate(circles)), fill=self.fill)
        if kind != "box":
            for t in (0.35, 0.7)[: self.look.contours]:
                round_ = 0.62 * (ra + rb) * np.sqrt(1 - ((t - 0.5) / 0.52) ** 2)
                straight = (1 - t) * ra + t * rb
                self.contour(row, t, along, float(round_ if kind == "ellipsoid" else straight))
        if self.look.balls and kind != "tube":
            self.drawing.new_layer()
            radius = 0.8 * ra * self.near[row]
            self.drawing.shape(self.p[row] + radius * _RING, fill=self.fill, width=0.8)

    def _bend(self, row: int) -> FloatArray:
        """The direction in which a limb's two bones bend; where they do not, the body's front."""
        name = _NAME[row]
        chain = next(
            c for table in (ARM, LEG) for c in table.values() if row in c[:-1] and _NEXT[row] in c
        )
        a, b, c = chain[1:4] if name in ("Arm", "ForeArm") else chain[:3]
        upper, lower = unit(self.q[b] - self.q[a]), unit(self.q[c] - self.q[b])
        bend = lower - upper
        front = self.chest[2] if name in ("Arm", "ForeArm") else self.pelvis_axes[2]
        return unit(bend) if np.linalg.norm(bend) > 0.35 else front

    def hand(self, row: int) -> None:
        """A mitten that continues the forearm."""
        elbow = row - 1
        along = unit(self.q[row] - self.q[elbow])
        length = 0.095 * HEIGHT
        if self.look.limbs == "box":
            side = unit(np.cross(along, self._bend(elbow)) + 1e-9)
            axes = np.stack([side, np.cross(along, side)])
            square = np.array([[-1, -0.6], [1, -0.6], [1, 0.6], [-1, 0.6]]) @ axes
            square = 1.3 * self.r["wrist"] * square
            self.prism(self.at(row, square), self.at(row, length * along + 0.75 * square))
            return
        axes = frame(np.array([0.3, 0.2, 1.0]), along)
        wide = 1.25 * self.r["wrist"]
        axes = axes * np.array([[wide], [0.55 * length], [wide]])
        self.ellipsoid(self.at(row, 0.5 * length * along), self.near[row] * axes)

    def foot(self, row: int) -> None:
        """A wedge from heel to toes, its sole away from the shin."""
        toe, knee = _NEXT[row], row - 1
        ahead = self.q[toe] - self.q[row]
        length = max(float(np.linalg.norm(ahead)), 0.03 * HEIGHT)
        ahead = unit(ahead)
        shin = unit(self.q[knee] - self.q[row])
        left = np.cross(shin, ahead)
        # A pointed foot continues the shin; then the pelvis says where its left is.
        left = unit(left) if np.linalg.norm(left) > 0.2 else self.pelvis_axes[0]
        left = unit(left - (left @ ahead) * ahead)
        instep = np.cross(ahead, left)
        # The line from ankle to toes falls towards the sole, by about 35 degrees.
        level, up = 0.82 * ahead + 0.57 * instep, 0.82 * instep - 0.57 * ahead
        down = 0.57 * length + 0.12 * length
        heel, tip = -0.35 * level, 0.45 * level
        profile = [
            (row, length * heel - down * up),
            (toe, length * tip - 0.12 * length * up),
            (toe, length * tip + 0.1 * length * up),
            (row, 0.25 * length * level + 0.1 * length * up),
            (row, length * 0.7 * heel + 0.1 * length * up),
        ]
        width = np.array([0.2, 0.3, 0.3, 0.2, 0.2]) * length
        sides = [
            np.stack(
                [self.at(j, o + s * w * left) for (j, o), w in zip(profile, width, strict=True)]
            )
            for s in (1, -1)
        ]
        self.prism(*sides)

    def pelvis(self, row: int) -> None:
        """A basin, wide above and narrow below."""
        left, up, front = self.pelvis_axes
        legs = self.q[LEG["Left"][0]] - self.q[LEG["Right"][0]]
        half = 0.5 * float(np.linalg.norm(legs)) + 0.75 * self.r["thigh"]
        tall = min(float(np.linalg.norm(self.q[SPINE1] - self.q[HIPS])) * 0.45, 0.07 * HEIGHT)
        deep = 0.055 * HEIGHT * self.body.girth
        square = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
        top = tall * up + square * (half, deep) @ np.stack([left, front])
        low = -1.1 * tall * up + square * (0.62 * half, 0.8 * deep) @ np.stack([left, front])
        if self.look.box_trunk:
            self.prism(self.at(row, low), self.at(row, top))
        else:
            axes = np.stack([0.95 * half * left, 1.25 * tall * up, 1.1 * deep * front])
            self.ellipsoid(self.at(row, -0.1 * tall * up), self.near[row] * axes)
            self.meridian(row, -0.1 * tall * up, axes)

    def ribs(self, row: int) -> None:
        """The ribcage: an egg or a box from the last ribs to the collarbones."""
        left, up, front = self.chest
        arms = self.q[ARM["Left"][1]] - self.q[ARM["Right"][1]]
        half = max(0.46 * float(np.linalg.norm(arms)), 0.06 * HEIGHT)
        long = float(np.linalg.norm(self.q[NECK] - self.q[SPINE1]))
        deep = 0.065 * HEIGHT * self.body.girth
        if self.look.box_trunk:
            square = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
            low = square * (0.72 * half, deep) @ np.stack([left, front])
            top = 0.9 * long * up + square * (half, 0.8 * deep) @ np.stack([left, front])
            self.prism(self.at(row, low), self.at(row, top))
            centre, axes = 0.45 * long * up, np.stack([half * left, 0.45 * long * up, deep * front])
            face = (
                centre
                + np.array([[-1.0], [1.0]]) * axes[1]
                + (1 if front[2] < 0 else -1) * (axes[2] * 0.9)
            )
            self.drawing.line(self.at(row, face), width=0.7)
            return
        centre, axes = 0.45 * long * up, np.stack([half * left, 0.6 * long * up, deep * front])
        self.ellipsoid(self.at(row, centre), self.near[row] * axes)
        self.meridian(row, centre, axes)
        if front[2] < 0:  # the arch below the breastbone tells the chest from the back
            t = np.linspace(-0.75, 0.75, 9)
            level = -0.75 + 0.5 * np.cos(1.6 * t)
            deep_at = np.sqrt(np.clip(1 - level**2 - t**2, 0.02, 1))
            arch = np.stack([t, level, deep_at], axis=1) @ axes
            self.drawing.line(self.at(row, centre + arch), width=0.7)

    def meridian(self, row: int, centre: FloatArray, axes: FloatArray) -> None:
        """The middle line of a mass, front or back, whichever faces the viewer."""
        angle = np.linspace(-1.3, 1.3, 11)[:, None]
        side = -np.sign(axes[2, 2]) or 1.0
        line = np.sin(angle) * axes[1] + side * np.cos(angle) * axes[2]
        normal = np.sin(angle) * axes[1] / (axes[1] @ axes[1]) + side * np.cos(angle) * axes[2] / (
            axes[2] @ axes[2]
        )
        seen = normal[:, 2] < 0
        if seen.sum() > 2:
            self.drawing.line(self.at(row, centre + line[seen]), width=0.7)

    def belly(self, row: int) -> None:
        """What joins the two masses of the trunk."""
        radius = 0.055 * HEIGHT * (0.5 + 0.5 * self.body.girth)
        ends = [self.p[j] + radius * self.near[j] * _RING for j in (SPINE1, HIPS)]
        self.drawing.shape(hull(np.concatenate(ends)), fill=self.fill)

    def neck(self, row: int) -> None:
        """A cylinder into the head."""
        tip = self.p[HEAD] + 0.2 * (self.p[TOP] - self.p[HEAD])
        ends = [self.p[row] - 0.15 * (self.p[HEAD] - self.p[row]), tip]
        radius = self.r["neck"] * self.near[row]
        self.drawing.shape(hull(np.concatenate([e + radius * _RING for e in ends])), fill=self.fill)

    def head(self, row: int) -> None:
        """An egg with the lines of the face's middle and of the eyes."""
        if self.look.see_through:
            self.drawing.shape(self.body.head_outline(), fill=NO_FILL)
            return
        draw_head(self.drawing, self.body, Features("cross", "none", "none"))

    def bones(self) -> None:
        """The skeleton within: spine, collarbones and limbs."""
        lines = [[HIPS, SPINE, SPINE1, NECK, HEAD]]
        lines += [[NECK, *ARM[side]] for side in SIDES] + [[HIPS, *LEG[side]] for side in SIDES]
        for rows in lines:
            for a, b in zip(rows[:-1], rows[1:], strict=True):
                self.drawing.tag = a
                self.drawing.line(self.p[[a, b]], width=0.6, ink=0.7)


def _area(polygon: FloatArray) -> float:
    """Signed area of a polygon ``[n, 2]``; above zero if it runs clockwise on the page (y down)."""
    x, y = polygon.T
    return 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))
