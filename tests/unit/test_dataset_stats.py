"""The statistics of a dataset, and what they say about damaged ones."""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from addon.core import coverage, dataset_checks, rle, skeleton
from addon.core.camera import look_at
from addon.core.errors import UserError
from addon.core.folder import Folder
from addon.core.rotations import from_vector
from scripts import dataset_stats
from tests.unit.dataset_on_disk import CLIPS, SIZE, make_dataset
from tests.unit.synthetic import T_POSE, places

SCRIPT = Path(dataset_stats.__file__)
ANNA, BOB = CLIPS
REST = places(T_POSE)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("sets") / "set")


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "set"))


def stats(folder: Path) -> dict[str, Any]:
    """What the script writes as JSON, sane or not."""
    path = folder.parent / "stats.json"
    try:
        dataset_stats.main([str(folder), "--json", str(path)])
    except UserError:
        assert json.loads(path.read_text())["problems"]
    else:
        assert not json.loads(path.read_text())["problems"]
    return json.loads(path.read_text())


def edit(folder: Path, clip: str, change: Any) -> None:
    """Change the first view's image and first annotation."""
    path = folder / "clips" / f"{clip}.json"
    document = json.loads(path.read_text())
    image, figures = document["views"][0]
    change(image, figures[0])
    path.write_text(json.dumps(document))


# --- Counts ---------------------------------------------------------------------------------------


def test_everything_is_counted(folder: Path) -> None:
    report = stats(folder)
    assert (report["clips"], report["views"], report["figures"]) == (2, 16, 24)
    assert report["splits"] == {"train": 8, "val": 8}
    assert report["characters"] == {"Bob": 16, "Anna": 8}
    assert report["animations"] == {"walk": 8, "jump": 8, "wave": 8}
    assert report["figures_a_view"] == {"1": 8, "2": 8}
    assert report["styles"] == {"lineart": 16} and report["inks"] == {"plain": 16}
    assert sum(report["figure_sizes"].values()) == report["posed_figures"] == 24
    assert sum(map(sum, report["view_coverage"]["counts"])) == 24
    assert sum(report["joint_angles"]["knee"].values()) == 48
    assert sum(report["checks"]["keypoints"].values()) == 24 * skeleton.COUNT
    assert report["checks"]["masks"] == 24 and report["checks"]["worst_reprojection_px"] < 0.01


def test_strokes_do_where_there_are_no_3d_joints(folder: Path, tmp_path: Path) -> None:
    other = make_dataset(tmp_path / "strokes", labels=["strokes"])
    with_3d, without = stats(folder), stats(other)
    # The last of the four cameras is orthographic, which stroke records do not say.
    assert with_3d["joint_angles"] == without["joint_angles"]
    assert without["posed_figures"] == 24 and not any(without["camera_elevation"].values())


def test_a_dataset_without_poses_has_counts_all_the_same(tmp_path: Path) -> None:
    report = stats(make_dataset(tmp_path / "set", labels=["mask"], images=False))
    assert report["views"] == 16 and report["posed_figures"] == 0
    assert "not known" in dataset_stats.table(report)


def test_the_table_shows_the_figures_and_is_narrow(folder: Path) -> None:
    text = dataset_stats.table(stats(folder))
    assert "16 drawings of 24 figures in 2 clips" in text and "nothing is wrong" in text
    assert max(map(len, text.splitlines()[1:])) <= 100 and text.isascii()


# --- Poses and views ------------------------------------------------------------------------------


@given(
    azimuth=st.floats(-179, 179),
    elevation=st.floats(-85, 85),
    turn=st.floats(-3, 3),
    roll=st.floats(-3, 3),
    parallel=st.booleans(),
)
def test_views_are_told_from_the_figure(
    azimuth: float, elevation: float, turn: float, roll: float, parallel: bool
) -> None:
    """The figure faces -Y with its left towards +X, then turns; the camera turns with it."""
    a, e = np.radians([azimuth, elevation])
    direction = np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
    spin = from_vector([0, 0, turn])
    middle = (REST[skeleton.INDEX["Hips"]] + REST[skeleton.INDEX["Neck"]]) / 2
    # Its trunk leans a little at rest; the angles are counted from the trunk.
    lean = REST[skeleton.INDEX["Neck"]] - REST[skeleton.INDEX["Hips"]]
    upright = from_vector([np.arctan2(lean[1], lean[2]), 0, 0])
    camera = look_at(
        spin @ (middle + 4 * upright.T @ direction),
        spin @ middle,
        size=(64, 64),
        focal=64,
        roll=roll,
    )
    joints = camera.to_camera(REST @ spin.T)[None]
    found = coverage.view_angles(joints, np.array([parallel]))
    assert found[1][0] == pytest.approx(elevation, abs=1e-4)
    assert (found[0][0] - azimuth + 180) % 360 - 180 == pytest.approx(0, abs=1e-3)


@given(
    elbow=st.floats(0, 150),
    knee=st.floats(0, 150),
    hip=st.floats(-60, 150),
    shoulder=st.floats(-90, 170),
    spin=st.tuples(*[st.floats(-2, 2)] * 3),
)
def test_joint_angles_are_those_that_were_set(
    elbow: float, knee: float, hip: float, shoulder: float, spin: tuple[float, float, float]
) -> None:
    joints = np.zeros((skeleton.COUNT, 3))
    place = {name: np.array(values) for name, values in T_POSE.items()}
    for name in ("Spine", "Spine1", "Spine2", "Neck", "Hips"):
        joints[skeleton.INDEX[name]] = place[name] * (0, 0, 1)

    def chain(root: str, names: tuple[str, str, str], first: float, second: float) -> None:
        """Limbs that hang down, swung forwards (to -Y) by degrees, then bent further."""
        start = np.array([place[root][0], 0, place[root][2]])
        for side, sign in (("Left", 1), ("Right", -1)):
            spot = start * (sign, 1, 1)
            for name, angle in zip(names, (0.0, first, first + second), strict=True):
                if name != names[0]:
                    a = np.radians(angle)
                    spot = spot + 0.3 * np.array([0, -np.sin(a), -np.cos(a)])
                joints[skeleton.INDEX[side + name]] = spot

    chain("LeftArm", ("Arm", "ForeArm", "Hand"), shoulder, elbow)
    chain("LeftUpLeg", ("UpLeg", "Leg", "Foot"), hip, knee)
    found = coverage.joint_angles((joints @ from_vector(spin).T)[None])
    for name, angle in (("elbow", elbow), ("knee", knee), ("hip", hip), ("shoulder", shoulder)):
        np.testing.assert_allclose(found[name], angle, atol=1e-3)


def test_an_arm_held_sideways_has_no_flexion() -> None:
    angles = coverage.joint_angles(REST[None])
    assert np.isnan(angles["shoulder"]).all()
    assert np.isfinite(angles["hip"]).all()


@given(angle=st.floats(0, 40), axis=st.integers(0, 2), seed=st.integers(0, 99))
def test_near_equal_is_a_matter_of_degrees(angle: float, axis: int, seed: int) -> None:
    assume(abs(angle - coverage.NEAR_DEGREES) > 0.1)
    rng = np.random.default_rng(seed)
    pose = REST @ from_vector(rng.normal(size=3)).T
    arm = [skeleton.INDEX["Left" + name] for name in ("ForeArm", "Hand")]
    shoulder = pose[skeleton.INDEX["LeftArm"]]
    across = np.cross(pose[arm[0]] - shoulder, rng.normal(size=3))
    turn = from_vector(np.radians(angle) * across / np.linalg.norm(across))
    other = pose.copy()
    other[arm] = shoulder + (pose[arm] - shoulder) @ turn.T
    both = coverage.pose_directions(np.array([pose, 3 * other + axis]))
    repeated = coverage.repeats(both).tolist()
    assert repeated == [False, angle < coverage.NEAR_DEGREES]


def test_repeats_are_found_in_large_clips() -> None:
    rng = np.random.default_rng(0)
    poses = np.array([REST @ from_vector(3 * rng.normal(size=3)).T for _ in range(50)])
    directions = coverage.pose_directions(np.tile(poses, (12, 1, 1)))
    repeated = coverage.repeats(directions)
    assert repeated[50:].all() and repeated[:50].sum() < 5


@pytest.mark.parametrize("sample", [4096, 100])
def test_equal_figures_of_other_clips_are_estimated(
    sample: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 400 clips, half show one pose: each such figure has 199 twins, the others have none."""
    monkeypatch.setattr(coverage, "SAMPLE", sample)
    figures = coverage.Coverage()
    rng = np.random.default_rng(0)
    for number in range(400):
        pose = REST if number % 2 else rng.normal(size=REST.shape)
        figures.add(pose[None], np.array([False]), ["Anna" if number % 4 == 1 else "Bob"])
    found = figures.duplicates()
    slack = 1e-6 if sample > 400 else 25
    assert found["near_equal_elsewhere"] == pytest.approx(200 * 199 / 400, abs=slack)
    same = 2 * 100 * 99 / 400
    assert found["near_equal_elsewhere_same_character"] == pytest.approx(same, abs=slack)
    assert found["near_equal_in_clip"] == 0


# --- Pictures and labels --------------------------------------------------------------------------


def test_equal_pictures_are_counted(folder: Path) -> None:
    assert stats(folder)["duplicates"]["pictures"]["count"] == 0
    first, second, *_ = sorted((folder / "images" / ANNA).iterdir())
    other = sorted((folder / "images" / BOB).iterdir())[0]
    for path in (second, other):
        shutil.copy(first, path)
    found = stats(folder)["duplicates"]["pictures"]
    assert found == {"count": 2, "clips": [[ANNA, ANNA], [ANNA, BOB]]}


def test_seen_keypoints_outside_the_mask_are_found(folder: Path) -> None:
    def lose_the_mask(_: dict, figure: dict) -> None:
        mask = rle.decode(figure["segmentation"])
        mask[: SIZE // 2] = False
        figure["segmentation"] = rle.encode(mask)

    assert stats(folder)["checks"]["seen_outside_mask"] == 0
    edit(folder, ANNA, lose_the_mask)
    checks = stats(folder)["checks"]
    assert checks["seen_outside_mask"] >= 8
    assert "HeadTop_End" in checks["seen_outside_mask_by_keypoint"]


def test_hidden_and_outside_keypoints_may_lie_anywhere(folder: Path) -> None:
    def hide(_: dict, figure: dict) -> None:
        figure["segmentation"] = rle.encode(np.zeros((SIZE, SIZE), bool))
        figure["keypoints"][2::3] = [1] * skeleton.COUNT

    edit(folder, ANNA, hide)
    assert stats(folder)["checks"]["seen_outside_mask"] == 0


def damaged(name: str, folder: Path) -> None:
    """Do something to a dataset that a label check has to find."""
    picture = sorted((folder / "images" / ANNA).iterdir())[0]
    changes = {
        "empty box": lambda _, f: f.update(bbox=[5, 5, 0, 9]),
        "mask too large": lambda _, f: f.update(area=f["area"] / 2),
        "mask out of its box": lambda _, f: f["bbox"].__setitem__(0, f["bbox"][0] + 9),
        "mask not decodable": lambda _, f: f["segmentation"].update(counts="0123"),
        "mask of another size": lambda _, f: f["segmentation"].update(size=[64, 64]),
        "no mask": lambda _, f: f.pop("segmentation"),
        "no keypoints": lambda _, f: f.pop("keypoints"),
        "keypoint outside": lambda _, f: f["keypoints"].__setitem__(0, SIZE + 9),
        "odd visibility": lambda _, f: f["keypoints"].__setitem__(2, 7),
        "wrong count": lambda _, f: f.update(num_keypoints=5),
        "moved keypoint": lambda _, f: f["keypoints"].__setitem__(0, f["keypoints"][0] + 2),
        "picture size": lambda i, _: i.update(width=SIZE + 1),
        "another figure": lambda _, f: f.update(figure=2),
        "no camera": lambda i, _: i.pop("camera"),
        "path out of the folder": lambda i, _: i.update(file_name="images/../../x.png"),
        "two splits": lambda i, _: i.update(split="val"),
    }
    if name in changes:
        edit(folder, ANNA, changes[name])
    elif name == "missing picture":
        picture.unlink()
    elif name == "cut picture":
        picture.write_bytes(picture.read_bytes()[:-20])
    elif name == "missing depth":
        (folder / "depth" / ANNA / picture.name).unlink()
    elif name == "missing strokes":
        (folder / "strokes" / f"{ANNA}.npz").unlink()
    elif name == "cut joints":
        path = folder / "joints" / f"{ANNA}.npz"
        path.write_bytes(path.read_bytes()[:500])
    elif name == "cut clip":
        path = folder / "clips" / f"{ANNA}.json"
        path.write_bytes(path.read_bytes()[:500])
    elif name == "cut list of failures":
        (folder / "failed.json").write_text("[{")
    elif name == "not gathered":
        (folder / "annotations.json").unlink()


SENTENCES = {
    "empty box": "empty box",
    "mask too large": "larger than its figure's silhouette",
    "mask out of its box": "reaches out of its box",
    "mask not decodable": "does not decode",
    "mask of another size": "another size than its picture",
    "no mask": "has no mask",
    "no keypoints": "has no keypoints",
    "keypoint outside": "not marked so",
    "odd visibility": "none of 0, 1, 2",
    "wrong count": "num_keypoints",
    "moved keypoint": "do not re-project",
    "picture size": "than its entry says",
    "another figure": "does not hold the figures",
    "no camera": "camera is missing",
    "path out of the folder": "file_name is",
    "two splits": "two splits",
    "missing picture": "picture is missing",
    "cut picture": "no whole PNG",
    "missing depth": "depth/",
    "missing strokes": "strokes/",
    "cut joints": "not a file of 3D joints",
    "cut clip": "is damaged",
    "cut list of failures": "failed.json is damaged",
    "not gathered": "not gathered",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_wrong_labels_are_told_in_a_sentence(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged(name, folder)
    with pytest.raises(UserError) as caught:
        dataset_stats.main([str(folder)])
    assert SENTENCES[name] in str(caught.value)
    assert all(line.endswith(".") for line in str(caught.value).splitlines())
    # What can be read is counted all the same.
    assert "problem" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("seed", range(40))
def test_bad_data_is_never_our_fault(seed: int, folder: Path) -> None:
    """Random bytes of random files are changed, or files are cut short."""
    rng = np.random.default_rng(seed)
    files = sorted(path for path in folder.rglob("*.*") if path.is_file())
    for index in rng.choice(len(files), 8, replace=False):
        data = bytearray(files[index].read_bytes())
        for place in rng.integers(0, len(data), int(rng.integers(1, 20))):
            data[place] = int(rng.integers(0, 256))
        files[index].write_bytes(data[: int(rng.integers(0, len(data)))] if seed % 2 else data)
    try:
        dataset_stats.main([str(folder), "--sheet", str(folder.parent / "sheet.png")])
    except UserError as error:
        assert str(error).endswith(".")


def test_exit_status_and_sheet(folder: Path, tmp_path: Path) -> None:
    def script(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(SCRIPT), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    sane = script(folder, "--sheet", tmp_path / "sheet.png")
    assert sane.returncode == 0 and not sane.stderr
    assert dataset_checks.png_size((tmp_path / "sheet.png").read_bytes())
    nowhere = script(tmp_path / "nowhere")
    assert nowhere.returncode == 2 and "dataset" in nowhere.stderr
    assert "Traceback" not in nowhere.stderr


def test_failures_of_the_run_are_listed(folder: Path) -> None:
    failed = [
        {"file": "x.fbx", "kind": "character", "reason": "It has no armature.", "crashed": False}
    ]
    (folder / "failed.json").write_text(json.dumps(failed))
    report = stats(folder)
    assert report["failed"] == failed
    assert "not rendered: 1" in dataset_stats.table(report)


def test_memory_does_not_grow_with_the_clips(folder: Path) -> None:
    numbers = dataset_checks.Stats(Folder(folder))

    def read(times: int) -> int:
        for _ in range(times):
            numbers.add(BOB)
        gc.collect()  # NumPy's open archives are cycles
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        read(5)
        few, many = read(5), read(40)
    finally:
        tracemalloc.stop()
    assert numbers.views == 400
    # 320 more drawings: 8 bytes each, and two lists' entries for each clip.
    assert many - few < 40 * 400
