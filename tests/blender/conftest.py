"""What the tests inside Blender share: an empty scene, a registered add-on, known keypoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import pytest

import addon
from addon.blender.characters import import_character, import_objects, main_armature
from addon.blender.mannequin import add_mannequin
from addon.blender.pose import Posed, pose_from_sketch
from addon.core import skeleton
from addon.core.estimator import Estimate, Sides
from addon.core.image import Box, find_figures
from scripts import draw_rigs

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

# A figure seen from the front, left arm up, left knee raised; x and y as shares of its box.
FIGURE = {
    "Hips": (0.45, 0.52),
    "Spine": (0.45, 0.46),
    "Spine1": (0.45, 0.4),
    "Spine2": (0.45, 0.33),
    "Neck": (0.45, 0.24),
    "Head": (0.45, 0.19),
    "HeadTop_End": (0.45, 0.08),
    "LeftShoulder": (0.5, 0.26),
    "LeftArm": (0.6, 0.26),
    "LeftForeArm": (0.78, 0.17),
    "LeftHand": (0.9, 0.04),
    "RightShoulder": (0.4, 0.26),
    "RightArm": (0.3, 0.26),
    "RightForeArm": (0.2, 0.4),
    "RightHand": (0.12, 0.54),
    "LeftUpLeg": (0.52, 0.53),
    "LeftLeg": (0.66, 0.7),
    "LeftFoot": (0.64, 0.88),
    "LeftToeBase": (0.7, 0.93),
    "RightUpLeg": (0.38, 0.53),
    "RightLeg": (0.36, 0.75),
    "RightFoot": (0.35, 0.96),
    "RightToeBase": (0.32, 0.99),
}


class KnownFigure:
    """Stands in for the network: finds the figure as the real one does, and knows its joints."""

    def estimate(self, grey: np.ndarray, box: Box | None = None, figure: int = 0) -> Estimate:
        box = box or find_figures(grey)[figure]
        shares = np.array([FIGURE[name] for name in skeleton.KEYPOINTS])
        points = np.array(box[:2]) + shares * box[2:]
        scores = np.full(skeleton.COUNT, 0.9, np.float32)
        return Estimate(points.astype(np.float32), scores, Box(*box), Sides(1.0, 1.0))


@pytest.fixture
def estimator() -> KnownFigure:
    return KnownFigure()


@pytest.fixture(autouse=True)
def empty_scene() -> Iterator[None]:
    """A file of its own for every test; the preferences stay."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    yield
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


@pytest.fixture
def registered() -> Iterator[None]:
    addon.register()
    yield
    addon.unregister()


@pytest.fixture(scope="session")
def rigify_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rigify's generated human rig; it takes seconds to make."""
    return draw_rigs.make_rigify(tmp_path_factory.mktemp("rigify") / "rig.blend", generate=True)


@pytest.fixture
def rigify(rigify_file: Path) -> bpy.types.Object:
    armature = main_armature(import_objects(rigify_file))
    assert armature is not None
    bpy.context.view_layer.update()
    return armature


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """The figure as a stick figure, on a landscape page."""
    path = tmp_path / "drawing.png"
    path.write_bytes(cv2.imencode(".png", draw_figure(400, 300))[1].tobytes())
    return path


@pytest.fixture
def pose_in_panel(
    registered: None, drawing: Path, estimator: Any
) -> Callable[[bpy.types.Object], Posed]:
    """What chooses a character and the drawing in the panel, and poses it."""

    def pose(armature: bpy.types.Object) -> Posed:
        settings = bpy.context.scene.croquis
        settings.drawing, settings.armature = bpy.data.images.load(str(drawing)), armature
        return pose_from_sketch(bpy.context, settings.drawing, armature, estimator=estimator)

    return pose


@pytest.fixture(params=["mannequin", "mixamo/characters/Michelle.glb"])
def posed(
    request: pytest.FixtureRequest, pose_in_panel: Callable[[bpy.types.Object], Posed]
) -> Posed:
    """A character that was posed from the drawing, by what the module's estimator finds in it."""
    if request.param == "mannequin":
        armature = add_mannequin(bpy.context)
    elif (SHARED / request.param).exists():
        armature = import_character(SHARED / request.param).armature
    else:
        pytest.skip("the shared characters are not here")
    armature.animation_data_clear()
    bpy.context.view_layer.update()
    return pose_in_panel(armature)


def draw_figure(width: int, height: int) -> np.ndarray:
    """``[height, width]`` uint8: the figure in black on white."""
    page = np.full((height, width), 255, np.uint8)
    side = min(width, height) * 0.8
    corner = np.array([(width - 0.7 * side) / 2, height * 0.1])
    spots = {
        name: tuple((corner + np.array(share) * (0.7 * side, side)).astype(int).tolist())
        for name, share in FIGURE.items()
    }
    thickness = max(2, round(side / 80))
    for parent, child in skeleton.BONES:
        names = skeleton.KEYPOINTS[parent], skeleton.KEYPOINTS[child]
        cv2.line(page, spots[names[0]], spots[names[1]], 0, thickness, cv2.LINE_AA)
    cv2.circle(page, spots["Head"], round(side * 0.06), 0, thickness, cv2.LINE_AA)
    return page


@pytest.fixture
def figure_page() -> Any:
    """:func:`draw_figure`, for tests that need other pages."""
    return draw_figure


@pytest.fixture
def render_drawing() -> Any:
    """:func:`shine`, for tests that need a render."""
    return shine


def shine(scene: bpy.types.Scene, path: Path) -> None:
    """Render a plane that shines with a picture file, 96 x 96 pixels."""
    bpy.ops.mesh.primitive_plane_add(size=2)
    material = bpy.data.materials.new("page")
    material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    picture, light = nodes.new("ShaderNodeTexImage"), nodes.new("ShaderNodeEmission")
    picture.image = bpy.data.images.load(str(path))
    output = nodes.new("ShaderNodeOutputMaterial")
    material.node_tree.links.new(picture.outputs["Color"], light.inputs["Color"])
    material.node_tree.links.new(light.outputs[0], output.inputs["Surface"])
    bpy.context.object.data.materials.append(material)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location.z, camera.data.type, camera.data.ortho_scale = 5, "ORTHO", 2
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.cycles.use_denoising = False  # Debian's Blender cannot
    scene.render.resolution_x = scene.render.resolution_y = 96
    scene.view_settings.view_transform = "Standard"
    bpy.ops.render.render()
