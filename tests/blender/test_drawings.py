"""Drawings from everywhere: files, drops, films, Grease Pencil, the render, the viewport."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import pytest
from mathutils import Matrix, Vector

from addon.blender import drawings, reference
from addon.blender.pixels import colour_pixels, grey_pixels
from addon.blender.pose import pose_from_sketch
from addon.core.errors import UserError
from addon.core.estimator import SHIPPED, Estimator
from addon.core.image import find_figures, load_grey
from addon.ui.drawing import CROQUIS_FH_drawing

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RUN = EXAMPLES / "gesture_run.png"

pytestmark = pytest.mark.usefixtures("registered")


def settings() -> Any:
    return bpy.context.scene.croquis


def contents() -> Counter[str]:
    """How much of everything the file holds."""
    kinds = ("objects", "images", "cameras", "scenes", "materials", "meshes")
    return Counter({kind: len(getattr(bpy.data, kind)) for kind in kinds})


def drop(*paths: Path) -> set[str]:
    """Call the operator as a drop of files from one folder calls it."""
    files = [{"name": path.name} for path in paths]
    return bpy.ops.croquis.open_drawing(
        "INVOKE_DEFAULT", directory=str(paths[0].parent), files=files
    )


def refusal(call: Any, **arguments: Any) -> str:
    """What an operator says that cannot."""
    with pytest.raises(RuntimeError) as caught:
        call(**arguments)
    return str(caught.value)


def add_camera(matrix: Matrix, *, scale: float | None = None) -> bpy.types.Object:
    """The scene's camera, with parallel rays if a scale is given."""
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.matrix_world = matrix
    if scale:
        camera.data.type, camera.data.ortho_scale = "ORTHO", scale
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    bpy.context.view_layer.update()
    return camera


def looking_at(eye: tuple[float, float, float], target: tuple[float, float, float]) -> Matrix:
    """Where a Blender camera is that looks at a point, Z upwards."""
    turn = (Vector(eye) - Vector(target)).to_track_quat("Z", "Y")
    return Matrix.LocRotScale(Vector(eye), turn, None)


def add_pencil(name: str = "Pencil") -> tuple[bpy.types.Object, Any]:
    """A Grease Pencil object with black ink, and its first drawing."""
    kinds = "grease_pencils_v3" if hasattr(bpy.data, "grease_pencils_v3") else "grease_pencils"
    data = getattr(bpy.data, kinds).new(name)
    material = bpy.data.materials.new("Ink")
    bpy.data.materials.create_gpencil_data(material)
    data.materials.append(material)
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.update()  # before, nothing new is visible
    return thing, data.layers.new("Lines").frames.new(1).drawing


def add_line(drawing: Any, points: np.ndarray, radius: float = 0.01) -> Any:
    """Add a stroke through points ``[n, 3]`` of its layer's space."""
    drawing.add_strokes([len(points)])
    stroke = drawing.strokes[-1]
    for point, place in zip(stroke.points, points.tolist(), strict=True):
        point.position, point.radius, point.opacity = place, radius, 1.0
    return stroke


def trace(path: Path, metres: float) -> bpy.types.Object:
    """A drawing of ours as areas of Grease Pencil in the XZ plane, its page so many metres high."""
    thing, drawing = add_pencil(path.stem)
    style = thing.data.materials[0].grease_pencil
    style.show_stroke, style.show_fill, style.fill_color = False, True, (0, 0, 0, 1)
    white = bpy.data.materials.new("White")
    bpy.data.materials.create_gpencil_data(white)
    white.grease_pencil.show_stroke, white.grease_pencil.show_fill = False, True
    white.grease_pencil.fill_color = (1, 1, 1, 1)
    thing.data.materials.append(white)
    grey = load_grey(path)
    ink = (grey < 160).astype(np.uint8)
    contours, nesting = cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for contour, (*_, parent) in zip(contours, nesting[0], strict=True):
        if len(contour) < 8:
            continue
        x, y = ((contour[:, 0] + 0.5) * metres / grey.shape[0]).T
        stroke = add_line(drawing, np.stack([x, 0 * x, metres - y], axis=1))
        stroke.cyclic, stroke.material_index = True, int(parent >= 0)
    return thing


class TestFiles:
    """Opened in the panel, or dropped into the viewport."""

    def test_one_file_becomes_the_drawing(self) -> None:
        assert drop(RUN) == {"FINISHED"}
        assert settings().drawing.name == RUN.name
        np.testing.assert_array_equal(grey_pixels(settings().drawing), load_grey(RUN))
        assert not settings().several.drawings
        assert drop(RUN) == {"FINISHED"}
        assert len(bpy.data.images) == 1

    def test_several_files_become_the_list(self) -> None:
        names = ["stick_wave.png", "gesture_run.png", "pencil_sit.png"]
        assert drop(*(EXAMPLES / name for name in names)) == {"FINISHED"}
        drop(EXAMPLES / "brush_lunge.png", EXAMPLES / "sausage_kick.png")
        listed = [(item.image.name, item.frame) for item in settings().several.drawings]
        expected = [*sorted(names), "brush_lunge.png", "sausage_kick.png"]
        assert listed == list(zip(expected, range(1, 51, 10), strict=True))
        assert settings().drawing is None

    def test_files_come_in_natural_order(self) -> None:
        names = ["walk10.png", "Walk2.png", "walk1.png", "a.png"]
        ordered = [path.name for path in drawings.natural_order(Path(name) for name in names)]
        assert ordered == ["a.png", "walk1.png", "Walk2.png", "walk10.png"]

    def test_strange_names(self, tmp_path: Path) -> None:
        folder = tmp_path / "Эскизы и 描画 (2)"
        folder.mkdir()
        path = folder / "бег #1 “быстро”.png"
        path.write_bytes(RUN.read_bytes())
        drop(path)
        np.testing.assert_array_equal(grey_pixels(settings().drawing), load_grey(RUN))

    @pytest.mark.parametrize("content", [b"", b"no picture", RUN.read_bytes()[:2000]])
    def test_one_bad_file_loads_none(self, content: bytes, tmp_path: Path) -> None:
        good, bad = tmp_path / "a.png", tmp_path / "b.png"
        good.write_bytes(RUN.read_bytes())
        bad.write_bytes(content)
        before = contents()
        with pytest.raises(RuntimeError, match=r"b\.png"):
            drop(good, bad)
        with pytest.raises(RuntimeError, match="There is no picture"):
            drop(tmp_path / "gone.png")
        assert contents() == before
        assert not settings().several.drawings
        assert settings().drawing is None

    def test_nothing_chosen(self) -> None:
        assert "Choose a picture." in refusal(bpy.ops.croquis.open_drawing, directory="/tmp")

    def test_drops_come_to_the_operator(self) -> None:
        """Blender accepts the handler, and hands over what the operator takes."""
        assert CROQUIS_FH_drawing.is_registered
        assert CROQUIS_FH_drawing.bl_import_operator == "croquis.open_drawing"
        taken = bpy.ops.croquis.open_drawing.get_rna_type().properties
        assert {"directory", "files"} <= set(taken.keys())
        endings = CROQUIS_FH_drawing.bl_file_extensions.split(";")
        assert {".png", ".jpg", ".webp", ".tif"} <= set(endings)

    def test_not_while_editing(self) -> None:
        bpy.ops.mesh.primitive_cube_add()
        bpy.ops.object.mode_set(mode="EDIT")
        said = refusal(bpy.ops.croquis.open_drawing, directory=str(EXAMPLES))
        assert "Go back to Object Mode" in said


class TestFilms:
    """Image sequences and movies: the frame of the scene, and all of them as a sequence."""

    @pytest.fixture
    def film(self, tmp_path: Path) -> bpy.types.Image:
        for number, name in ((7, "gesture_run"), (8, "brush_lunge"), (9, "crayon_cheer")):
            path = tmp_path / f"shot_{number:04}.png"
            path.write_bytes((EXAMPLES / f"{name}.png").read_bytes())
        image = bpy.data.images.load(str(tmp_path / "shot_0007.png"))
        image.source = "SEQUENCE"
        return image

    def test_pose_follows_the_scenes_frame(self, film: bpy.types.Image, estimator: Any) -> None:
        scene = bpy.context.scene
        sizes = []
        for frame in (1, 2, 3):
            scene.frame_set(frame)
            result = pose_from_sketch(bpy.context, film, None, estimator=estimator)
            sizes.append(result.solution.camera.size)
        names = ("gesture_run", "brush_lunge", "crayon_cheer")
        expected = [load_grey(EXAMPLES / f"{name}.png").shape[::-1] for name in names]
        assert sizes == expected
        shown = reference.find_drawing(scene).image_user
        assert (shown.frame_start, shown.frame_duration, shown.frame_offset) == (1, 3, 6)
        assert shown.use_auto_refresh

    def test_all_frames_become_the_list(self, film: bpy.types.Image) -> None:
        settings().drawing = film
        assert bpy.ops.croquis.add_frames(step=2) == {"FINISHED"}
        listed = [(item.image, item.frame) for item in settings().several.drawings]
        assert listed == [(film, 1), (film, 3)]
        bpy.ops.croquis.add_frames()  # those that are there already stay as they are
        assert sorted(item.frame for item in settings().several.drawings) == [1, 2, 3]

    def test_a_film_becomes_keyframes(
        self, film: bpy.types.Image, estimator: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("addon.operators.sequence.make_estimator", lambda _: estimator)
        settings().drawing = film
        bpy.ops.croquis.add_frames()
        assert bpy.ops.croquis.pose_sequence() == {"FINISHED"}
        scene = bpy.context.scene
        references = [reference.find_drawing(scene, number) for number in (1, 2, 3)]
        for frame in (3, 1, 2):
            scene.frame_set(frame)
            assert [not one.hide_viewport for one in references] == [
                number == frame for number in (1, 2, 3)
            ]
        # Each stands at its own page's proportions, and shows that page when it is seen.
        widths = [reference.find_camera(scene, number).data.ortho_scale for number in (1, 2, 3)]
        assert len(set(widths)) == 3
        assert {one.data for one in references} == {film}

    def test_a_still_has_no_frames(self) -> None:
        drop(RUN)
        assert "image sequence or a movie" in refusal(bpy.ops.croquis.add_frames)


class TestGreasePencil:
    """A figure that was drawn in the scene."""

    @pytest.mark.parametrize("name", ["stick_wave", "brush_lunge"])
    @pytest.mark.parametrize("orthographic", [True, False])
    def test_a_traced_drawing_comes_out_as_it_was(self, name: str, orthographic: bool) -> None:
        path = EXAMPLES / f"{name}.png"
        thing = trace(path, metres=3.0)
        # Wherever the object is: the camera looks squarely at it.
        place = Matrix.Translation((4, -2, 1)) @ Matrix.Rotation(0.7, 4, "Z") @ Matrix.Scale(0.5, 4)
        thing.matrix_world = place
        front = Matrix.Translation((0.5, -6, 0.5)) @ Matrix.Rotation(np.pi / 2, 4, "X")
        add_camera(place @ front, scale=2.0 if orthographic else None)
        assert bpy.ops.croquis.drawing_from_grease_pencil() == {"FINISHED"}
        image = settings().drawing
        assert (image.source, image.packed_file is not None) == ("FILE", True)
        assert max(image.size) == 1024
        traced = grey_pixels(image)
        original = load_grey(path)
        parts = []
        for page in (original, traced):
            rows, columns = np.nonzero(page < 160)
            box = page[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            parts.append(cv2.resize(box, (200, 200), interpolation=cv2.INTER_AREA).astype(float))
        assert np.corrcoef(parts[0].ravel(), parts[1].ravel())[0, 1] > 0.9

    @pytest.mark.skipif(not SHIPPED.exists(), reason="this copy has no trained network")
    def test_the_network_reads_it_like_the_drawing(self) -> None:
        path = EXAMPLES / "brush_lunge.png"
        trace(path, metres=2.0)
        add_camera(looking_at((0.5, -8, 1), (0.5, 0, 1)))
        bpy.ops.croquis.drawing_from_grease_pencil()
        shares = []
        for grey in (load_grey(path), grey_pixels(settings().drawing)):
            found = Estimator().estimate(grey, find_figures(grey)[0])
            box = np.array(found.box)
            shares.append((found.keypoints - box[:2]) / box[2:].max())
        assert np.median(np.linalg.norm(shares[0] - shares[1], axis=1)) < 0.02
        assert bpy.ops.croquis.pose_from_sketch() == {"FINISHED"}
        assert reference.find_drawing(bpy.context.scene).data == settings().drawing

    def test_layers_materials_and_modifiers(self) -> None:
        thing, drawing = add_pencil()
        add_line(drawing, np.array([(0.0, 0, 0), (1, 0, 1)]))
        data = thing.data
        hidden, moved = data.layers.new("Hidden"), data.layers.new("Moved")
        add_line(hidden.frames.new(1).drawing, np.array([(0.0, 0, 0), (-9, 0, 9)]))
        hidden.hide = True
        red = bpy.data.materials.new("Red")
        bpy.data.materials.create_gpencil_data(red)
        red.grease_pencil.color = (1, 0, 0, 1)
        data.materials.append(red)
        stroke = add_line(moved.frames.new(1).drawing, np.array([(0.0, 0, 0), (1, 0, 0)]))
        stroke.material_index = 1
        moved.translation = (0, 0, 2)
        add_camera(looking_at((0.5, -5, 1), (0.5, 0, 1)), scale=4)
        picture = colour_pixels(drawings.from_grease_pencil(bpy.context, thing)).astype(int)
        # 1 x 2 metres: what is hidden would make the page square.
        height, width = picture.shape[:2]
        assert (width - 0.16 * 1024 / 1.16) / (height - 0.16 * 1024 / 1.16) == pytest.approx(
            0.5, abs=0.02
        )
        is_red = (picture[..., 0] > 200) & (picture[..., 1:].max(axis=2) < 50)
        rows = np.flatnonzero(is_red.any(axis=1))
        assert len(rows) and rows.max() < 0.1 * height
        mirror = thing.modifiers.new("Mirror", "GREASE_PENCIL_MIRROR")
        mirror.use_axis_x = True
        width = drawings.from_grease_pencil(bpy.context, thing).size[0]
        assert width == 1024

    def test_what_is_transparent_is_not_drawn(self) -> None:
        thing, drawing = add_pencil()
        add_line(drawing, np.array([(0.0, 0, 0), (1, 0, 0)]))
        faint = thing.data.layers.new("Faint")
        add_line(faint.frames.new(1).drawing, np.array([(0.0, 0, 0), (0, 0, 9)]))
        faint.opacity = 0
        add_camera(looking_at((0.5, -5, 0.5), (0.5, 0, 0.5)))
        width, height = drawings.from_grease_pencil(bpy.context, thing).size
        assert width > 5 * height
        thing.data.layers[0].hide = True
        with pytest.raises(UserError, match="Nothing is drawn"):
            drawings.from_grease_pencil(bpy.context, thing)

    def test_each_frame_is_a_drawing_of_its_own(self) -> None:
        thing, drawing = add_pencil()
        add_line(drawing, np.array([(0.0, 0, 0), (1, 0, 0)]))
        later = thing.data.layers[0].frames.new(10).drawing
        add_line(later, np.array([(0.0, 0, 0), (0, 0, 1)]))
        add_camera(looking_at((0.5, -5, 0.5), (0.5, 0, 0.5)))
        sizes = []
        for frame in (5, 15):
            bpy.context.scene.frame_set(frame)
            sizes.append(tuple(drawings.from_grease_pencil(bpy.context, thing).size))
        assert sizes[0] == sizes[1][::-1]
        assert sizes[0][0] == 1024

    def test_the_one_that_is_meant(self) -> None:
        call = bpy.ops.croquis.drawing_from_grease_pencil
        assert "select the Grease Pencil object" in refusal(call)
        first, drawing = add_pencil("First")
        assert drawings.find_grease_pencil(bpy.context) == first
        second, _ = add_pencil("Second")
        assert drawings.find_grease_pencil(bpy.context) is None
        bpy.context.view_layer.objects.active = second
        assert drawings.find_grease_pencil(bpy.context) == second
        second.hide_set(True)
        bpy.context.view_layer.objects.active = None
        assert drawings.find_grease_pencil(bpy.context) == first
        add_line(drawing, np.array([(0.0, 0, 0), (1, 0, 0)]))
        assert "add one that looks at the drawing" in refusal(call)
        add_camera(looking_at((0, 5, 0), (0, 9, 0)))
        assert "Nothing is drawn in this view" in refusal(call)

    def test_the_picture_stands_in_for_the_strokes(self, estimator: Any) -> None:
        thing = trace(EXAMPLES / "stick_wave.png", metres=2.0)
        add_camera(looking_at((0.5, -8, 1), (0.5, 0, 1)))
        image = drawings.from_grease_pencil(bpy.context, thing)
        assert thing.visible_get()
        pose_from_sketch(bpy.context, image, None, estimator=estimator)
        assert not thing.visible_get()
        thing.hide_set(False)  # the user wants to see them nevertheless
        pose_from_sketch(bpy.context, image, None, estimator=estimator)
        assert thing.visible_get()
        bpy.data.objects.remove(thing)
        assert reference.find_drawing(bpy.context.scene).data == image

    def test_pictures_do_not_heap_up(self) -> None:
        thing, drawing = add_pencil()
        add_line(drawing, np.array([(0.0, 0, 0), (1, 0, 0)]))
        add_camera(looking_at((0.5, -5, 0.5), (0.5, 0, 0.5)))
        before = contents()
        for _ in range(3):
            bpy.ops.croquis.drawing_from_grease_pencil()
        assert contents() - before == Counter(images=1)
        kept = settings().drawing
        drawings.enlist(settings().several, [kept])
        bpy.ops.croquis.drawing_from_grease_pencil()
        assert kept in bpy.data.images.values()
        assert settings().drawing != kept


class TestRender:
    """The last render, as it stood in the render window."""

    def test_render_becomes_the_drawing(self, render_drawing: Any) -> None:
        scene = bpy.context.scene
        render_drawing(scene, RUN)
        output = scene.render.image_settings
        output.file_format, output.color_mode = "JPEG", "BW"
        assert bpy.ops.croquis.drawing_from_render() == {"FINISHED"}
        assert (output.file_format, output.color_mode) == ("JPEG", "BW")
        grey = grey_pixels(settings().drawing)
        expected = cv2.resize(load_grey(RUN), (96, 96), interpolation=cv2.INTER_AREA)
        assert np.corrcoef(grey.ravel(), expected.ravel())[0, 1] > 0.9
        assert settings().drawing.packed_file

    def test_without_a_render(self) -> None:
        before = contents()
        assert "There is no render yet" in refusal(bpy.ops.croquis.drawing_from_render)
        assert contents() == before


class TestViewport:
    """Needs a window: here only what it says without one; tests/gui presses the button."""

    def test_without_a_window(self) -> None:
        assert "works in a 3D viewport" in refusal(bpy.ops.croquis.drawing_from_viewport)
        with pytest.raises(UserError, match="needs a 3D viewport"):
            drawings.from_viewport(bpy.context)


class TestReference:
    """How the drawing stands in the scene."""

    def pose(self, estimator: Any, number: int = 1) -> None:
        image = bpy.data.images.load(str(RUN), check_existing=True)
        pose_from_sketch(
            bpy.context, image, settings().armature, estimator=estimator, number=number
        )

    def test_in_the_camera_instead_of_the_scene(self, estimator: Any) -> None:
        self.pose(estimator)
        scene = bpy.context.scene
        empty, camera = reference.find_drawing(scene), reference.find_camera(scene)
        assert empty.show_empty_image_orthographic and empty.show_empty_image_perspective
        assert not camera.data.show_background_images
        look = settings().reference
        look.kind, look.depth, look.opacity = "BACKGROUND", "FRONT", 0.25
        assert not (empty.show_empty_image_orthographic or empty.show_empty_image_perspective)
        assert camera.data.show_background_images
        (background,) = camera.data.background_images
        assert (background.image, background.display_depth) == (empty.data, "FRONT")
        assert background.alpha == pytest.approx(0.25)
        # Posed again, and with another drawing beside it, it stays so.
        self.pose(estimator)
        self.pose(estimator, number=2)
        assert len(camera.data.background_images) == 1
        second = reference.find_camera(scene, 2).data
        assert second.show_background_images
        assert second.background_images[0].display_depth == "FRONT"
        look.kind = "EMPTY"
        assert empty.show_empty_image_orthographic
        assert empty.empty_image_depth == "FRONT"
        assert empty.color[3] == pytest.approx(0.25)

    def test_posing_twice_doubles_nothing(self, estimator: Any) -> None:
        self.pose(estimator)
        settings().armature = next(o for o in bpy.data.objects if o.type == "ARMATURE")
        before = contents()
        self.pose(estimator)
        assert contents() == before

    @pytest.mark.parametrize("source", ["open", "grease_pencil", "look"])
    def test_one_undo_takes_it_back(self, source: str, estimator: Any) -> None:
        thing, drawing = add_pencil()
        add_line(drawing, np.array([(0.0, 0, 0), (1, 0, 0)]))
        add_camera(looking_at((0.5, -5, 0.5), (0.5, 0, 0.5)))
        bpy.ops.ed.undo_push(message="Before")
        before = contents()
        if source == "open":
            drop(RUN)
        elif source == "grease_pencil":
            bpy.ops.croquis.drawing_from_grease_pencil()
        else:
            settings().reference.opacity = 0.9
        bpy.ops.ed.undo_push(message="After")
        bpy.ops.ed.undo()
        assert contents() == before
        assert settings().drawing is None
        assert settings().reference.opacity == pytest.approx(0.5)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (64, 64)])
def test_an_empty_page_ends_in_one_sentence(size: tuple[int, int]) -> None:
    image = bpy.data.images.new("empty", *size)
    image.pixels.foreach_set(np.ones(size[0] * size[1] * 4, np.float32))
    settings().drawing = image
    before = contents()
    said = refusal(bpy.ops.croquis.pose_from_sketch)
    assert said.strip().count("\n") == 0
    assert "Nothing is drawn" in said
    assert contents() == before
