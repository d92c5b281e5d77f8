"""The dataset renderer on real Mixamo files, its labels against Blender's own eyes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from addon.blender.cameras import SENSOR, camera_matrix
from addon.blender.character_cache import CharacterCache, LoadedCharacter
from addon.blender.characters import import_character
from addon.blender.dataset_renderer import DatasetRenderer
from addon.blender.freestyle import Freestyle
from addon.blender.lineart import LineArt
from addon.blender.motions import load_motions
from addon.blender.puppet import Puppet
from addon.core import coco, dataset, rle, skeleton
from addon.core.camera import Camera, ring
from addon.core.clips import Clip
from addon.core.dataset import DatasetSettings
from addon.core.errors import UserError
from addon.core.folder import Joints
from addon.core.ink import draw_plain
from addon.core.scene_view import view_surfaces
from addon.core.strokes import NOBODY, StrokePack

MIXAMO = Path(__file__).resolve().parents[3] / "shared" / "data" / "mixamo"
pytestmark = pytest.mark.skipif(not MIXAMO.is_dir(), reason="the shared Mixamo files are not here")


@pytest.fixture
def settings(tmp_path: Path) -> DatasetSettings:
    for folder, names in {
        "characters": ["characters/Big Vegas.fbx"],
        "animations": ["animations/Capoeira.fbx", "animations/Waving.fbx"],
    }.items():
        (tmp_path / folder).mkdir()
        for name in names:
            shutil.copy(MIXAMO / name, tmp_path / folder)
    return DatasetSettings(
        characters=tmp_path / "characters",
        animations=tmp_path / "animations",
        out=tmp_path / "out",
        cameras=3,
        every=25,
        size=128,
        max_per_clip=2,
    )


def render(settings: DatasetSettings, only: str = "") -> list[Clip]:
    """Render all clips, or those of one motion, in this process."""
    work = DatasetRenderer(settings)
    for path in settings.motion_files():
        list(work.read_motion(path))
    description = dataset.describe(settings.out)
    clips = [
        Clip(
            dataset.safe_name(path.stem, motion),
            path.name,
            motion,
            poses,
            dataset.split_of(description, path.stem),
        )
        for path in settings.character_files()
        for motion, poses in dataset.motion_index(settings).items()
        if only in motion
    ]
    for clip in clips:
        assert sum(work.render(clip)) == clip.poses * settings.cameras
    dataset.gather(settings.out)
    work.close()
    return clips


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def strokes_of(settings: DatasetSettings) -> StrokePack:
    return StrokePack.merge(
        StrokePack.load(path) for path in sorted((settings.out / "strokes").iterdir())
    )


def test_every_view_has_a_picture_a_record_and_labels_on_the_figure(
    settings: DatasetSettings,
) -> None:
    render(settings)
    document = coco.read(settings.out / "annotations.json")
    pack = strokes_of(settings)
    assert len(document["images"]) == len(document["annotations"]) == len(pack) == 12
    for row, (image, figure) in enumerate(
        zip(document["images"], document["annotations"], strict=True)
    ):
        page = cv2.imread(str(settings.out / image["file_name"]), cv2.IMREAD_GRAYSCALE)
        assert page.shape == (128, 128)
        assert 0.01 < (page < 128).mean() < 0.5
        x, y, width, height = figure["bbox"]
        assert max(width, height) > 0.7 * 128
        np.testing.assert_array_equal(pack[row].box, figure["bbox"])
        mask = rle.decode(figure["segmentation"])
        assert mask.sum() == figure["area"]
        ink = page < 128
        assert cv2.dilate(mask.astype(np.uint8), np.ones((3, 3)))[ink].mean() > 0.98
        points = np.array(figure["keypoints"]).reshape(-1, 3)[:, :2]
        inside = (points >= [x - 2, y - 2]) & (points <= [x + width + 2, y + height + 2])
        assert inside.all()
        assert set(pack[row].owners) <= {0, NOBODY}
        assert len(set(pack[row].bones)) > 6


def test_left_is_the_characters_left_in_front_view(settings: DatasetSettings) -> None:
    render(replace(settings, cameras=1), "Waving")
    hips = strokes_of(settings).keypoints[
        :, [skeleton.INDEX["LeftUpLeg"], skeleton.INDEX["RightUpLeg"]], 0
    ]
    # The first camera looks at the face: the character's left hip is on the picture's right side.
    assert (hips[:, 0] > hips[:, 1]).all()


def aim_exactly(camera: Camera) -> bpy.types.Object:
    """A Blender camera with the lens, shift and place of ours."""
    width, height = camera.size
    eye = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
    scene = bpy.context.scene
    scene.collection.objects.link(eye)
    scene.camera = eye
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    eye.matrix_world = camera_matrix(camera)
    eye.data.sensor_fit, eye.data.sensor_width = "HORIZONTAL", SENSOR
    if camera.orthographic:
        eye.data.type, eye.data.ortho_scale = "ORTHO", width / camera.focal
    else:
        eye.data.lens = camera.focal * SENSOR / width
    eye.data.shift_x = 0.5 - camera.centre[0] / width
    eye.data.shift_y = (camera.centre[1] - height / 2) / width
    bpy.context.view_layer.update()
    return eye


@pytest.mark.parametrize("scattered", [False, True])
def test_keypoints_are_where_blender_projects_them(
    settings: DatasetSettings, scattered: bool
) -> None:
    settings = replace(settings, labels=("keypoints", "3d", "strokes"), camera_jitter=scattered)
    (clip,) = render(settings, "Capoeira")
    joints = Joints.load(settings.out / "joints" / f"{clip.name}.npz")
    document = coco.read(settings.out / "annotations.json")
    size = settings.size
    assert len(joints.rows) == 6
    for row, figure in enumerate(document["annotations"]):
        camera = joints.camera(row, (size, size))
        eye = aim_exactly(camera)
        written = np.array(figure["keypoints"]).reshape(-1, 3)
        for (x, y, seen), world in zip(written, joints.world[row], strict=True):
            across, up, _ = world_to_camera_view(bpy.context.scene, eye, Vector(world.tolist()))
            if seen:
                assert [x, y] == pytest.approx([across * size, (1 - up) * size], abs=0.01)
        # And the record's own 3D joints lead to the same pixels.
        pixels = camera.project_camera(joints.camera_space[row])
        np.testing.assert_allclose(pixels, strokes_of(settings).keypoints[row], atol=0.01)


def test_keypoints_are_the_heads_of_blenders_own_pose_bones(posed: LoadedCharacter) -> None:
    world = posed.puppet.armature.matrix_world
    bones = posed.puppet.armature.pose.bones
    for name, joint in zip(skeleton.KEYPOINTS, posed.stand().joints, strict=True):
        head = np.array(world @ bones[f"mixamorig:{name}"].head)
        np.testing.assert_allclose(joint, head, atol=1e-5)


@pytest.fixture
def posed() -> LoadedCharacter:
    """Big Vegas in the middle of a capoeira."""
    character = LoadedCharacter(MIXAMO / "characters" / "Big Vegas.fbx")
    motion = load_motions(MIXAMO / "animations" / "Capoeira.fbx", 40)[0]
    character.puppet.pose(motion, 1)
    character.enter()
    bpy.context.view_layer.update()
    return character


def look(character: LoadedCharacter, number: int, size: int) -> Camera:
    figure = character.stand()
    camera = ring(figure.joints[0], 5, 8, size=(size, size), focal=size)[number]
    return camera.zoomed(figure.vertices, 0.05)


@pytest.mark.parametrize("number", [1, 6])
def test_the_mask_is_the_silhouette_that_cycles_renders(
    posed: LoadedCharacter, number: int, tmp_path: Path
) -> None:
    camera = look(posed, number, 1024)
    (figure,) = view_surfaces(camera, [posed.stand()], [], []).figures
    assert figure is not None
    aim_exactly(camera)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.cycles.pixel_filter_type = "BOX"
    scene.render.film_transparent = True
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.filepath = str(tmp_path / "silhouette.png")
    bpy.ops.render.render(write_still=True)
    rendered = cv2.imread(scene.render.filepath, cv2.IMREAD_UNCHANGED)[..., 3] > 127
    assert figure.area == pytest.approx(rendered.sum(), rel=0.01)
    overlap = (figure.mask & rendered).sum() / (figure.mask | rendered).sum()
    assert overlap > 0.99
    x, y, width, height = cv2.boundingRect(rendered.astype(np.uint8))
    assert figure.box == pytest.approx((x, y, width, height), abs=2)


def test_visibility_agrees_with_rays_cast_in_the_scene(posed: LoadedCharacter) -> None:
    graph = bpy.context.evaluated_depsgraph_get()
    scene = bpy.context.scene
    figure = posed.stand()
    bones = {mesh.name: posed.puppet.vertex_bones(mesh) for mesh in posed.puppet.meshes}
    steps = bone_steps()
    trunk = {skeleton.INDEX[name] for name in ("Hips", "Spine", "Spine1", "Spine2")}
    verdicts: dict[int, list[bool]] = {1: [], 2: []}
    for number in range(8):
        camera = look(posed, number, 512)
        (seen,) = view_surfaces(camera, [figure], [], []).figures
        assert seen is not None
        eye = camera.position
        for row, joint in enumerate(figure.joints):
            ray = joint - eye
            hit, place, _, face, obj, _ = scene.ray_cast(graph, eye.tolist(), ray.tolist())
            before = np.linalg.norm(ray) - np.linalg.norm(np.array(place) - eye) if hit else -1.0
            if before < 0:
                expected = 2
            else:
                polygon = obj.evaluated_get(graph).data.polygons[face]
                skin = bones[obj.name][list(polygon.vertices)]
                away = steps[row, skin]
                # Only the clear cases are judged: another limb, or the joint's own thin flesh.
                if away.min() >= 3 and not set(skin.tolist()) & trunk:
                    expected = 1
                elif set(skin.tolist()) <= {row, skeleton.PARENTS[row]} and before < 0.08:
                    expected = 2
                else:
                    continue
            verdicts[expected].append(seen.visibility[row] == expected)
    assert len(verdicts[1]) > 10 and len(verdicts[2]) > 30
    # A ray goes through the joint itself, the label looks at its pixel's centre: edges may differ.
    assert np.mean(verdicts[1]) > 0.95 and np.mean(verdicts[2]) > 0.95


def bone_steps() -> np.ndarray:
    """``[23, 23]``: over how many bones one has to go from keypoint to keypoint."""
    steps = np.full((skeleton.COUNT, skeleton.COUNT), 99)
    np.fill_diagonal(steps, 0)
    for parent, child in skeleton.BONES:
        steps[parent, child] = steps[child, parent] = 1
    for middle in range(skeleton.COUNT):
        steps = np.minimum(steps, steps[:, middle, None] + steps[None, middle])
    return steps


def test_pycocotools_gives_the_truth_full_marks(settings: DatasetSettings) -> None:
    tools = pytest.importorskip("pycocotools.coco")
    from pycocotools import mask as masks
    from pycocotools.cocoeval import COCOeval

    render(settings)
    truth = tools.COCO(str(settings.out / "annotations.json"))
    results = []
    for figure in truth.loadAnns(truth.getAnnIds()):
        mask = truth.annToMask(figure)
        assert mask.sum() == figure["area"] == masks.area(figure["segmentation"])
        assert masks.toBbox(figure["segmentation"]).tolist() == figure["bbox"]
        results.append(
            {k: figure[k] for k in ("image_id", "category_id", "keypoints", "segmentation")}
            | {"score": 0.5}
        )
    common = list(skeleton.COMMON_INDEX)
    for kind in ("keypoints", "segm"):
        work = COCOeval(truth, truth.loadRes([dict(result) for result in results]), kind)
        if kind == "keypoints":
            work.params.kpt_oks_sigmas = np.full(skeleton.COUNT, 0.05)
        work.evaluate()
        work.accumulate()
        work.summarize()
        assert work.stats[0] == pytest.approx(1.0)
    # The twelve joints alone, as estimators are compared.
    twelve = tools.COCO()
    twelve.dataset = {
        "images": truth.dataset["images"],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            figure
            | {
                "keypoints": np.array(figure["keypoints"]).reshape(-1, 3)[common].ravel().tolist(),
                "num_keypoints": 12,
            }
            for figure in truth.dataset["annotations"]
        ],
    }
    twelve.createIndex()
    guesses = [
        {k: figure[k] for k in ("image_id", "category_id", "keypoints")} | {"score": 0.5}
        for figure in twelve.dataset["annotations"]
    ]
    work = COCOeval(twelve, twelve.loadRes(guesses), "keypoints")
    work.params.kpt_oks_sigmas = np.repeat([0.079, 0.072, 0.062, 0.107, 0.087, 0.089], 2)
    work.evaluate()
    work.accumulate()
    work.summarize()
    assert work.stats[0] == pytest.approx(1.0)


def test_everything_at_once_is_labelled_and_does_not_depend_on_what_came_before(
    settings: DatasetSettings,
) -> None:
    shutil.copy(MIXAMO / "characters" / "Michelle.glb", settings.characters)
    settings = replace(
        settings,
        labels=dataset.LABELS,
        figures=(2, 3),
        props=True,
        camera_jitter=True,
        limb_perspective=True,
        proportions=True,
        pose_noise=0.6,
        ink="random",
        cameras=2,
        hold_out=("none",),
    )
    clips = render(settings)
    document = coco.read(settings.out / "annotations.json")
    assert len(document["annotations"]) > len(document["images"])
    names = {figure["character"] for figure in document["annotations"]}
    assert names == {"Big Vegas", "Michelle"}
    by_image: dict[int, list[dict]] = {}
    for figure in document["annotations"]:
        by_image.setdefault(figure["image_id"], []).append(figure)
    for image in document["images"]:
        files = {
            label: cv2.imread(
                str(settings.out / image["file_name"].replace("images", label, 1)),
                cv2.IMREAD_UNCHANGED,
            )
            for label in dataset.MAPS
        }
        seen = np.zeros((128, 128), bool)
        for figure in by_image[image["id"]]:
            mask = rle.decode(figure["segmentation"])
            assert not (seen & mask).any()
            assert mask.sum() <= figure["area"]
            seen |= mask
        np.testing.assert_array_equal(files["parts"] > 0, seen)
        np.testing.assert_array_equal(files["uv"][..., 2] > 0, seen)
        np.testing.assert_array_equal(files["depth"] > 0, seen)
        assert files["parts"].max() <= 14 and files["uv"][..., 2].max() <= 24
    whole = contents(settings.out)
    last = clips[-1]
    again = replace(settings, out=settings.out.with_name("again"))
    work = DatasetRenderer(again)
    for path in again.motion_files():
        list(work.read_motion(path))
    assert sum(work.render(last)) == last.poses * 2
    work.close()
    repeated = contents(again.out)
    own = [name for name in repeated if last.name in name]
    assert len(own) > 10
    for name in own:
        assert repeated[name] == whole[name], name


def test_figures_drawn_from_the_skeleton_have_its_keypoints(settings: DatasetSettings) -> None:
    settings = replace(settings, styles=("stick", "mannequin"), labels=("keypoints", "mask", "3d"))
    render(settings)
    document = coco.read(settings.out / "annotations.json")
    assert {image["style"] for image in document["images"]} == {"stick", "mannequin"}
    for image, figure in zip(document["images"], document["annotations"], strict=True):
        page = cv2.imread(str(settings.out / image["file_name"]), cv2.IMREAD_GRAYSCALE)
        assert 0.005 < (page < 128).mean() < 0.3
        mask = rle.decode(figure["segmentation"]).astype(np.uint8)
        near = cv2.dilate(mask, np.ones((9, 9)))
        points = np.array(figure["keypoints"]).reshape(-1, 3)
        common = points[list(skeleton.COMMON_INDEX)].astype(int)
        assert near[common[:, 1].clip(0, 127), common[:, 0].clip(0, 127)].mean() > 0.9


def test_freestyle_draws_the_same_views_with_the_same_labels(settings: DatasetSettings) -> None:
    settings = replace(settings, max_per_clip=1, cameras=2)
    render(settings, "Waving")
    other = replace(settings, out=settings.out.with_name("free"), styles=("freestyle",))
    render(other, "Waving")
    ours = coco.read(settings.out / "annotations.json")
    theirs = coco.read(other.out / "annotations.json")
    assert ours["annotations"] == theirs["annotations"]
    for image in ours["images"]:
        lines, reference = (
            cv2.imread(str(folder / image["file_name"]), cv2.IMREAD_GRAYSCALE) < 128
            for folder in (settings.out, other.out)
        )
        assert reference.sum() > 300
        near = cv2.dilate(reference.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert near[lines].mean() > 0.85


def test_a_longer_run_extends_a_clip_without_changing_it(settings: DatasetSettings) -> None:
    (clip,) = render(settings, "Waving")
    before = contents(settings.out / "images")
    work = DatasetRenderer(settings)
    assert sum(work.render(replace(clip, poses=1))) == 3
    assert dataset.poses_done(settings.out, clip.name) == 1
    assert sum(work.render(clip)) == 6
    work.close()
    assert contents(settings.out / "images") == before
    assert not list(settings.out.rglob("*.part"))


def test_other_settings_do_not_mix_into_a_dataset(settings: DatasetSettings) -> None:
    render(settings, "Waving")
    before = contents(settings.out)
    with pytest.raises(UserError, match="made with another every"):
        DatasetRenderer(replace(settings, every=5))
    assert contents(settings.out) == before


def test_a_closed_renderer_leaves_an_empty_file(settings: DatasetSettings) -> None:
    render(replace(settings, styles=("lineart", "freestyle"), props=True), "Waving")
    kinds = ("objects", "meshes", "armatures", "collections", "materials", "cameras", "linestyles")
    assert {kind: len(getattr(bpy.data, kind)) for kind in kinds} == dict.fromkeys(kinds, 0)


def test_freestyle_and_line_art_see_one_character_alike() -> None:
    character = import_character(MIXAMO / "characters" / "Big Vegas.fbx")
    puppet = Puppet.prepare(character.armature, character.meshes)
    joints = puppet.joints()
    camera = ring(joints[0], 5, 8, size=(160, 160), focal=200)[1].zoomed(joints, 0.15)
    lines = LineArt()
    ours = draw_plain(lines.draw(camera, joints).strokes, 160) < 128
    lines.remove()
    reference = Freestyle().draw(camera, joints) < 128
    near = cv2.dilate(reference.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert reference.sum() > 300
    assert near[ours].mean() > 0.9


CHARACTERS = MIXAMO.parent / "characters"


def test_characters_come_and_go_and_leave_nothing() -> None:
    files = [
        CHARACTERS / "kaykit" / "Knight.glb",  # holds weapons and helpers that are not drawn
        CHARACTERS / "vrm" / "CoolCow.vrm",
        MIXAMO / "characters" / "Big Vegas.fbx",
    ]
    cache = CharacterCache(2)
    for round_ in range(3):
        for path in files:
            character = cache.character(path)
            character.enter()
            bpy.context.view_layer.update()
            assert np.isfinite(character.stand().vertices).all(), round_
            character.leave()
            assert not bpy.context.scene.objects
    assert cache.character(files[0], copy=1) is not cache.character(files[0])
    cache.remove()
    for kind in ("objects", "meshes", "armatures", "collections", "materials", "images"):
        assert not len(getattr(bpy.data, kind)), kind


def test_a_crowd_does_not_push_the_lead_out_of_its_own_clip(settings: DatasetSettings) -> None:
    for path in (CHARACTERS / "kaykit").glob("*.glb"):
        shutil.copy(path, settings.characters)
    settings = replace(
        settings, figures=(3, 3), every=5, max_per_clip=8, cameras=1, hold_out=("none",), size=64
    )
    clips = render(settings, "Waving")
    assert len(clips) == 5
    document = coco.read(settings.out / "annotations.json")
    assert len(document["images"]) == 5 * 8


def test_a_character_is_the_same_whatever_was_read_before() -> None:
    path = CHARACTERS / "kaykit" / "Knight.glb"  # carries animations of its own
    first = LoadedCharacter(path).stand().vertices
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    load_motions(MIXAMO / "animations" / "Waving.fbx", 7)
    bpy.context.scene.frame_set(33)
    np.testing.assert_array_equal(LoadedCharacter(path).stand().vertices, first)


def test_the_whole_picture_lies_in_line_arts_frame(settings: DatasetSettings) -> None:
    bpy.ops.mesh.primitive_grid_add(size=60, x_subdivisions=60, y_subdivisions=60)
    grid = bpy.context.object
    grid.rotation_euler.x = np.pi / 2
    lines = LineArt()
    camera = ring((0, 0, 0), 5, 8, size=(128, 128), focal=100)[0]
    far_off = Camera(
        camera.rotation, camera.translation, 100.0, np.array([40.0, 70.0]), camera.size
    )
    bpy.ops.object.modifier_add(type="EDGE_SPLIT")  # every cell has borders of its own
    grid.modifiers[0].split_angle = 0
    drawn = lines.draw(far_off, np.zeros((1, 3)))
    points = np.concatenate(drawn.strokes)
    assert points.min() <= 1 and points.max(axis=0).min() >= 127


def test_a_character_without_a_skin_is_refused_in_a_sentence() -> None:
    with pytest.raises(UserError, match="holds no mesh to draw"):
        LoadedCharacter(MIXAMO / "animations" / "Waving.fbx")
    assert not bpy.data.objects


def test_a_mesh_split_between_all_faces_is_drawn_as_one_skin() -> None:
    path = MIXAMO.parent / "characters" / "quaternius" / "Mannequin_F.glb"
    lines = LineArt()
    character = LoadedCharacter(path)
    character.enter()
    bpy.context.view_layer.update()
    camera = look(character, 0, 200)
    drawn = lines.draw(camera, character.stand().vertices)
    assert 10 < len(drawn.strokes) < 300  # of its faces alone there are thousands of borders


def test_what_a_wide_lens_flings_out_of_the_picture_is_cut_off() -> None:
    bpy.ops.mesh.primitive_plane_add(size=40, location=(0, 10, -1))  # as large as a hall
    lines = LineArt()
    camera = ring((0, 0, 0), 1, 1, size=(1000, 1000), focal=9000)[0]
    drawn = lines.draw(camera, np.array([[0.0, 0.0, 0.0], [3.0, 9.0, -1.0]]))
    assert drawn.strokes
    assert max(np.abs(stroke).max() for stroke in drawn.strokes) < 1021
