"""A picture of what happened: drawing, keypoints, posed rig, posed rig from another side.

The rig is drawn here, by a depth buffer over points of its triangles, because no other way works
everywhere: Blender's viewport renderers need a graphics card even in the background, and Cycles
takes seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import radians

import bpy
import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core import skeleton
from ..core.camera import Camera, look_at
from ..core.estimator import Estimate
from ..core.image import MARGIN
from ..core.rotations import from_vector, unit
from ..core.solve import Solution

FloatArray = NDArray[np.float64]
Picture = NDArray[np.uint8]

_HEIGHT = 560  # of a panel, pixels
_CAPTION = 30  # height of the line below, pixels
_GAP = 8
_OVERSAMPLING = 2
_PAPER = (250, 250, 250)  # colours are BGR, as OpenCV has them
_TEXT = (90, 90, 90)
_OUTLINE = (70, 62, 58)
_SIDES = {"Left": (225, 120, 30), "Right": (50, 50, 220), "": (70, 140, 60)}
_MOST_STEPS = 1500  # points along a triangle's side; bounds the memory for one that fills the panel
_SIDE_VIEW = radians(55)  # between the drawing's view and the last panel's


@dataclass(frozen=True)
class _Triangles:
    """The surface of a posed character.

    Attributes:
        corners: ``[T, 3, 3]`` metres, world space.
        normals: ``[T, 3]`` unit vectors.
        colours: ``[T, 3]`` 0..1, BGR.
    """

    corners: FloatArray
    normals: FloatArray
    colours: FloatArray


def sheet(
    grey: Picture, estimate: Estimate, solution: Solution, armature: bpy.types.Object
) -> Picture:
    """Four panels side by side, with captions.

    Args:
        grey: ``[H, W]`` the drawing.
        estimate: its keypoints: left blue, right red, trunk green, larger where surer.
        solution: the pose; its camera is the drawing's view.
        armature: the character, posed.

    Returns:
        ``[h, w, 3]`` uint8, BGR.
    """
    low, high = _window(estimate, solution)
    scale = _HEIGHT / (high[1] - low[1])
    size = (round((high[0] - low[0]) * scale), _HEIGHT)
    to_panel = np.array([[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale]])
    shift = to_panel.copy()  # warpAffine counts from pixel centres
    shift[:, 2] += 0.5 * scale - 0.5
    paper = float(np.median(grey))
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    drawing = cv2.cvtColor(
        cv2.warpAffine(grey, shift, size, flags=mode, borderValue=paper), cv2.COLOR_GRAY2BGR
    )
    view = replace(
        solution.camera,
        focal=solution.camera.focal * scale,
        centre=(solution.camera.centre - low) * scale,
        size=size,
    )
    surface = _surface(armature)
    panels = {
        "Drawing": drawing,
        "Keypoints": _with_keypoints(drawing, (estimate.keypoints - low) * scale, estimate.scores),
        "Pose, drawing's view": _render(surface, view),
        "Pose, three-quarter view": _render(surface, _side_camera(surface, view, solution.joints)),
    }
    return np.hstack([_captioned(panel, caption) for caption, panel in panels.items()])


def portrait(armature: bpy.types.Object, view: Camera) -> Picture:
    """A character as posed: its meshes, or its deforming bones where it has none.

    Args:
        armature: the character; the view layer must be up to date.
        view: from where it is seen; zoomed so that the character fills the picture.

    Returns:
        ``[h, w, 3]`` uint8, BGR.
    """
    surface = _surface(armature)
    return _render(surface, view.zoomed(surface.corners.reshape(-1, 3), 0.06))


def _window(estimate: Estimate, solution: Solution) -> tuple[FloatArray, FloatArray]:
    """Top-left and bottom-right corner of what the first panels show, pixels of the drawing."""
    box = estimate.box
    centre = np.array(box.centre)
    reach = np.array([max(box.width, 0.6 * box.height), max(box.height, 0.6 * box.width)])
    low, high = centre - reach * MARGIN / 2, centre + reach * MARGIN / 2
    joints = np.asarray(solution.projected, float)
    border = 0.08 * reach
    # A rig of other proportions may reach beyond the figure, one gone astray not fill the sheet.
    limit = 0.5 * reach
    low = np.clip(joints.min(axis=0) - border, low - limit, low)
    high = np.clip(joints.max(axis=0) + border, high, high + limit)
    return low, high


def _with_keypoints(drawing: Picture, points: FloatArray, scores: ArrayLike) -> Picture:
    """The skeleton over a pale copy of the drawing; joints without a score are left out."""
    panel = cv2.addWeighted(drawing, 0.45, np.full_like(drawing, 255), 0.55, 0)

    def spot(row: int) -> tuple[int, int]:
        return tuple(np.round((points[row] - 0.5) * 16).astype(int).tolist())

    known: list[float] = np.where(np.isfinite(points).all(axis=1), scores, 0).tolist()
    for parent, child in skeleton.BONES:
        if known[parent] and known[child]:
            cv2.line(panel, spot(parent), spot(child), _side_colour(child), 2, cv2.LINE_AA, 4)
    for row, score in enumerate(known):
        if not score:
            continue
        radius = 2.5 + 5.0 * score
        cv2.circle(panel, spot(row), round(radius * 16), (255, 255, 255), -1, cv2.LINE_AA, 4)
        cv2.circle(
            panel, spot(row), round((radius - 1) * 16), _side_colour(row), -1, cv2.LINE_AA, 4
        )
    return panel


def _side_colour(row: int) -> tuple[int, int, int]:
    name = skeleton.KEYPOINTS[row]
    return next(colour for side, colour in _SIDES.items() if name.startswith(side))


def _side_camera(surface: _Triangles, view: Camera, joints: FloatArray) -> Camera:
    """The drawing's camera walked around the character, to the side that shows more of its front.

    Args:
        surface: what it must see, filling the panel.
        view: the drawing's camera.
        joints: ``[23, 3]`` metres, world space.
    """
    points = surface.corners.reshape(-1, 3)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = float(np.linalg.norm(points - centre, axis=1).max())
    ahead = view.rotation[2] * (1, 1, 0)
    if np.linalg.norm(ahead) < 0.1:  # seen from above or below: walk around from Blender's front
        ahead = np.array([0.0, 1.0, 0.0])
    left, right, neck, hips = (
        joints[skeleton.INDEX[name]] for name in ("LeftArm", "RightArm", "Neck", "Hips")
    )
    front = np.cross(left - right, neck - hips)
    aheads = [from_vector((0, 0, turn)) @ unit(ahead) for turn in (_SIDE_VIEW, -_SIDE_VIEW)]
    ahead = min(aheads, key=lambda direction: float(direction @ front))
    eye = centre - 6 * radius * ahead + (0, 0, 1.2 * radius)
    camera = look_at(eye, centre, size=(_HEIGHT * 3 // 4, _HEIGHT), focal=_HEIGHT)
    return camera.zoomed(points, 0.08)


def _captioned(panel: Picture, caption: str) -> Picture:
    page = cv2.copyMakeBorder(
        panel, _GAP, _CAPTION, _GAP, _GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    )
    place = (_GAP + 4, page.shape[0] - 10)
    cv2.putText(page, caption, place, cv2.FONT_HERSHEY_SIMPLEX, 0.48, _TEXT, 1, cv2.LINE_AA)
    return page


def _surface(armature: bpy.types.Object) -> _Triangles:
    """The meshes that an armature deforms, as posed; its bones where it has none."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    parts = [
        _mesh_triangles(thing.evaluated_get(depsgraph))
        for thing in bpy.context.scene.objects
        if thing.type == "MESH" and _follows(thing, armature)
    ]
    parts = [part for part in parts if len(part.corners)] or [_bone_triangles(armature)]
    return _Triangles(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in _Triangles.__match_args__)
    )


def _follows(mesh: bpy.types.Object, armature: bpy.types.Object) -> bool:
    """Whether a mesh is skinned to an armature or hangs from one of its bones."""
    skinned = any(m.type == "ARMATURE" and m.object == armature for m in mesh.modifiers)
    return skinned or mesh.parent == armature


def _mesh_triangles(thing: bpy.types.Object) -> _Triangles:
    mesh = thing.to_mesh()
    mesh.calc_loop_triangles()
    triangles, vertices = mesh.loop_triangles, mesh.vertices
    rows = np.empty(len(triangles) * 3, np.int32)
    triangles.foreach_get("vertices", rows)
    materials = np.empty(len(triangles), np.int32)
    triangles.foreach_get("material_index", materials)
    places = np.empty(len(vertices) * 3, np.float32)
    vertices.foreach_get("co", places)
    normals = np.empty(len(vertices) * 3, np.float32)
    vertices.foreach_get("normal", normals)
    palette = np.array([_paint(slot.material) for slot in thing.material_slots] or [_paint(None)])
    thing.to_mesh_clear()
    matrix = np.array(thing.matrix_world)
    world = places.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
    corners = world[rows].reshape(-1, 3, 3)
    # Normals turn with the inverse transpose; the mean of a triangle's corners shades it softly.
    mean = normals.reshape(-1, 3)[rows].reshape(-1, 3, 3).sum(axis=1)
    turned = unit(mean @ np.linalg.inv(matrix[:3, :3]))
    return _Triangles(corners, turned, palette[np.clip(materials, 0, len(palette) - 1)])


def _paint(material: bpy.types.Material | None) -> FloatArray:
    """A material's colour as the solid view shows it, ``[3]`` BGR, 0..1, display space."""
    linear = np.array(material.diffuse_color[:3] if material else (0.6, 0.6, 0.6))
    return np.clip(linear[::-1], 0.02, 0.8) ** (1 / 2.2)


def _bone_triangles(armature: bpy.types.Object) -> _Triangles:
    """Each posed bone that deforms as a slender four-sided spindle."""
    ring = np.array([(0.06, 0.15, 0), (0, 0.15, 0.06), (-0.06, 0.15, 0), (0, 0.15, -0.06)])
    corners = []
    for bone in armature.pose.bones:
        if not bone.bone.use_deform:
            continue
        matrix = np.array(armature.matrix_world @ bone.matrix)
        local = np.array([(0, 0, 0), *ring, (0, 1, 0)]) * bone.length
        world = local @ matrix[:3, :3].T + matrix[:3, 3]
        for k in range(4):
            n = k % 4 + 1, (k + 1) % 4 + 1
            corners += [world[[0, *n]], world[[5, *n]]]
    triangles = np.array(corners)
    normals = unit(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]))
    return _Triangles(triangles, normals, np.tile(_paint(None), (len(triangles), 1)))


def _render(surface: _Triangles, view: Camera) -> Picture:
    """A shaded picture of a surface, with outlines where its depth jumps."""
    k = _OVERSAMPLING
    width, height = view.size[0] * k, view.size[1] * k
    big = replace(view, focal=view.focal * k, centre=view.centre * k, size=(width, height))
    in_view = big.to_camera(surface.corners)
    toward = np.array([0.0, 0.0, -1.0]) if view.orthographic else -in_view.mean(axis=1)
    normals = surface.normals @ view.rotation.T
    facing = np.sign((normals * toward).sum(axis=1, keepdims=True))
    light = unit(np.array([-0.45, -0.75, -0.6]))  # over the left shoulder of whoever looks
    shade = 0.62 + 0.38 * (normals * facing) @ light
    colours = surface.colours * shade[:, None] * 255

    spots = np.concatenate([big.project_camera(in_view), in_view[..., 2:]], axis=2)
    triangle, depth = _nearest(spots, big.size)
    page = np.full((height, width, 3), _PAPER, np.float32)
    page *= _ground_shadow(surface.corners, big)[..., None]
    covered = triangle >= 0
    page[covered] = colours[triangle[covered]]

    jump = 0.06 * float(np.ptp(in_view[..., 2]))
    page[depth - cv2.erode(depth, np.ones((3, 3), np.uint8)) > jump] = _OUTLINE
    return cv2.resize(page, view.size, interpolation=cv2.INTER_AREA).clip(0, 255).astype(np.uint8)


def _nearest(
    corners: FloatArray, size: tuple[int, int]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """What is seen at each pixel.

    Args:
        corners: ``[T, 3, 3]`` x and y in pixels, depth in metres; NaN behind the eye.
        size: width and height, pixels.

    Returns:
        ``[H, W]`` the nearest triangle, -1 where there is none, and its depth; that of the
        background is a metre behind everything.
    """
    width, height = size
    groups = [_samples(rows, corners[rows]) for rows in _by_size(corners[..., :2])]
    points = np.concatenate([np.empty((0, 3), np.float32), *(points for points, _ in groups)])
    triangles = np.concatenate([np.empty(0, np.int32), *(rows for _, rows in groups)])
    inside = ((points[:, :2] >= 0) & (points[:, :2] < size)).all(axis=1)
    points, triangles = points[inside], triangles[inside]
    pixels = points[:, 1].astype(np.intp) * width + points[:, 0].astype(np.intp)
    depths = points[:, 2]
    near, far = depths.min(initial=np.inf), depths.max(initial=-np.inf)
    # As 16-bit integers depths are sorted in linear time; of equal pixels, the last one stays.
    nearness = ((far - depths) / max(far - near, 1e-6) * 65535).astype(np.uint16)
    order = np.argsort(nearness, kind="stable")
    shown = np.full(height * width, -1, np.int32)
    shown[pixels[order]] = order
    covered = np.flatnonzero(shown >= 0)
    triangle = np.full(height * width, -1, np.int32)
    triangle[covered] = triangles[shown[covered]]
    depth = np.full(height * width, max(far, 0) + 1, np.float32)
    depth[covered] = depths[shown[covered]]
    return triangle.reshape(height, width), depth.reshape(height, width)


def _by_size(pixels: FloatArray) -> list[NDArray[np.intp]]:
    """Rows of triangles ``[T, 3, 2]`` that are seen, in groups of like size in the picture."""
    edges = np.linalg.norm(pixels - np.roll(pixels, 1, axis=1), axis=2).max(axis=1)
    seen = np.flatnonzero(np.isfinite(edges))
    size = np.ceil(edges[seen])
    return [seen[size == value] for value in np.unique(size)]


def _samples(
    rows: NDArray[np.intp], corners: FloatArray
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Points spread over triangles of like size, about a pixel apart.

    Args:
        rows: ``[T]`` the triangles' numbers.
        corners: ``[T, 3, 3]`` x and y in pixels, depth in metres.

    Returns:
        The points, ``[P, 3]``, and the triangle of each, ``[P]``.
    """
    edges = np.linalg.norm(corners[..., :2] - np.roll(corners[..., :2], 1, axis=1), axis=2)
    steps = min(int(np.ceil(edges.max() * 1.15)) + 1, _MOST_STEPS)
    u, v = np.meshgrid(np.arange(steps + 1), np.arange(steps + 1))
    grid = np.stack([u, v, steps - u - v], axis=-1)[u + v <= steps] / steps
    # One matrix product: [G, 3] weights times [3, T * 3] coordinates.
    flat = np.swapaxes(corners, 0, 1).reshape(3, -1).astype(np.float32)
    points = grid.astype(np.float32) @ flat
    return points.reshape(-1, 3), np.tile(rows.astype(np.int32), len(grid))


def _ground_shadow(corners: FloatArray, view: Camera) -> NDArray[np.float32]:
    """What the page is multiplied with: a soft shadow on the floor under the lowest point."""
    floor = corners.copy()
    floor[..., 2] = corners[..., 2].min()
    pixels = view.project(floor)
    mask = np.zeros((view.size[1], view.size[0]), np.uint8)
    seen = np.isfinite(pixels).all(axis=(1, 2)) & (np.abs(pixels) < 1e4).all(axis=(1, 2))
    for triangle in np.round(pixels[seen]).astype(np.int32):
        cv2.fillConvexPoly(mask, triangle, 255)
    return 1 - 0.22 * cv2.GaussianBlur(mask, (0, 0), view.size[1] / 60).astype(np.float32) / 255
