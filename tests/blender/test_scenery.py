"""Props in Blender: Line Art draws them, they hide what is behind, and nothing of them stays."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np
import pytest

from addon.blender.lineart import LineArt
from addon.blender.scenery import PropObjects
from addon.core.camera import Camera, look_at
from addon.core.scenery import Prop, props_for
from addon.core.solids import Solid

SIZE = 256


@pytest.fixture(autouse=True)
def empty_scene() -> Iterator[None]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    yield
    bpy.ops.wm.read_factory_settings(use_empty=True)


def cube(centre: tuple[float, float, float], half: float) -> Prop:
    solid = Solid()
    solid.box(np.array(centre), np.eye(3), (half, half, half))
    return Prop("box", solid.vertices, solid.faces)


def view() -> Camera:
    return look_at((-3, -5, 3), (0, 0, 0), size=(SIZE, SIZE), focal=400)


def drawn(line_art: LineArt, points: np.ndarray) -> list[np.ndarray]:
    """The strokes' polylines ``[n, 2]``, pixels, whatever else the renderer hands over."""
    drawing = line_art.draw(view(), points)
    return list(getattr(drawing, "strokes", drawing))


def length(lines: list[np.ndarray]) -> float:
    return float(sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines))


def contents() -> dict[str, list[str]]:
    kinds = ("objects", "meshes", "materials", "collections")
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}


def test_line_art_draws_the_nine_edges_of_a_box_that_are_seen() -> None:
    box = cube((0, 0, 0), 0.5)
    line_art, stage = LineArt(), PropObjects([box])
    lines = drawn(line_art, box.vertices)
    pixels = view().project(box.vertices)
    edges = {tuple(sorted(e)) for f in box.faces for e in zip(f, f[1:] + f[:1], strict=True)}
    # The far lower corner's three edges are behind.
    hidden = int(np.argmax(view().to_camera(box.vertices)[:, 2]))
    seen = [edge for edge in edges if hidden not in edge]
    assert len(seen) == 9
    assert length(lines) == pytest.approx(length([pixels[list(edge)] for edge in seen]), rel=0.01)
    stage.remove()
    assert drawn(line_art, box.vertices) == []
    line_art.remove()


def test_a_ball_is_one_round_line() -> None:
    solid = Solid()
    solid.ball(np.zeros(3), 0.5)
    ball = Prop("ball", solid.vertices, solid.faces)
    line_art, stage = LineArt(), PropObjects([ball])
    lines = drawn(line_art, ball.vertices)
    pixels = np.concatenate(lines)
    radius = np.linalg.norm(pixels - view().project(np.zeros(3)), axis=1)
    assert radius.min() > 0.9 * radius.max()
    assert length(lines) == pytest.approx(2 * np.pi * radius.mean(), rel=0.1)
    stage.remove()
    line_art.remove()


def test_a_prop_hides_what_stands_behind_it() -> None:
    box = cube((0, 0, 0), 0.3)
    before = cube((-0.6, -1.0, 0.6), 0.6)  # on the line from the eye, larger
    line_art, stage = LineArt(), PropObjects([box])
    alone = drawn(line_art, box.vertices)
    second = PropObjects([before])
    both = drawn(line_art, np.concatenate([box.vertices, before.vertices]))
    stage.remove()
    only = drawn(line_art, np.concatenate([box.vertices, before.vertices]))
    assert length(alone) > 100
    assert length(both) == pytest.approx(length(only), rel=0.01)
    second.remove()
    line_art.remove()


def test_nothing_of_a_stage_stays_in_the_file() -> None:
    mine = bpy.data.meshes.new("Croquis box")
    keep = bpy.data.objects.new("Croquis box", mine)
    bpy.context.scene.collection.objects.link(keep)
    before = contents()
    joints = np.random.default_rng(0).uniform((-0.5, -0.5, 0.2), (0.5, 0.5, 1.7), (23, 3))
    for seed in range(10):
        props = props_for(joints, 1.7, 0.0, np.random.default_rng(seed))
        stage = PropObjects(props)
        assert len(stage.objects) == len(props)
        for obj, prop in zip(stage.objects, props, strict=True):
            assert obj.name in bpy.context.scene.objects
            flat = np.empty(3 * len(prop.vertices), np.float32)
            obj.data.vertices.foreach_get("co", flat)
            np.testing.assert_allclose(flat.reshape(-1, 3), prop.vertices, atol=1e-6)
            assert not obj.data.validate()  # Blender finds nothing to repair
        stage.remove()
        stage.remove()
        assert contents() == before
