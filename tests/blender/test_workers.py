"""Runs of the dataset renderer that end in every way: killed, crashed, out of space, shared."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from addon.blender import child, children, workers
from addon.blender.workers import render_in_workers
from addon.core import skeleton
from addon.core.clips import Progress
from addon.core.dataset import DatasetSettings
from addon.core.errors import UserError
from scripts import _common, render_dataset

ROOT = Path(__file__).resolve().parents[2]
MIXAMO = ROOT.parent / "shared" / "data" / "mixamo"
VIEWS = 12

pytestmark = pytest.mark.skipif(not MIXAMO.is_dir(), reason="the shared Mixamo files are not here")
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/cmdline").exists(), reason="processes are listed in /proc"
)

Processes = list["subprocess.Popen[bytes]"]


def settings_in(folder: Path) -> DatasetSettings:
    """One character and two short animations, 12 small views in all."""
    for kind, names in {"characters": ["Big Vegas"], "animations": ["Capoeira", "Waving"]}.items():
        (folder / kind).mkdir()
        for name in names:
            shutil.copy(MIXAMO / kind / f"{name}.fbx", folder / kind)
    return DatasetSettings(
        characters=folder / "characters",
        animations=folder / "animations",
        out=folder / "out",
        cameras=3,
        every=25,
        size=96,
        max_per_clip=2,
    )


@pytest.fixture
def settings(tmp_path: Path) -> DatasetSettings:
    return settings_in(tmp_path)


def contents(out: Path) -> dict[str, bytes]:
    """Every file of a dataset, as if its folder were the same for all."""
    here = str(out.parent).encode()
    return {
        str(path.relative_to(out)): path.read_bytes().replace(here, b"HERE")
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def run(
    settings: DatasetSettings, workers: int = 1, shard: tuple[int, int] = (0, 1)
) -> list[Progress]:
    news = []
    for progress in render_in_workers(settings, workers, shard):
        news.append(progress)
        time.sleep(0.01)
    return news


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run makes."""
    settings = settings_in(tmp_path_factory.mktemp("whole"))
    assert run(settings)[-1].done == VIEWS
    return contents(settings.out)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Processes:
    """The children that are started from now on."""
    found: Processes = []
    original = subprocess.Popen

    def noting(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        found.append(original(*arguments, **options))  # pyright: ignore
        return found[-1]

    monkeypatch.setattr(children.subprocess, "Popen", noting)
    return found


def sabotage(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let each child run some code first, in which ``dataset`` is its renderer's module."""
    places, start, rest = child.start_code().rpartition("import sys")
    module = f"{child.__package__}.dataset_renderer"
    first = f"import os, importlib; dataset = importlib.import_module({module!r})\n"
    monkeypatch.setattr(child, "start_code", lambda: f"{places}\n{first}{code}\n{start}{rest}")


def abort_at(motion: str) -> str:
    """Code that ends Blender in the middle of a motion, the hard way."""
    return (
        "render = dataset.DatasetRenderer.render\n"
        "def broken(self, clip, *rest):\n"
        "    for views in render(self, clip, *rest):\n"
        "        yield views\n"
        f"        if clip.motion == {motion!r}: os.abort()\n"
        "dataset.DatasetRenderer.render = broken"
    )


Script = Callable[..., tuple[object, str, str]]


@pytest.fixture
def script(
    settings: DatasetSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Script:
    """The command line with the test's settings: exit status, standard output and error."""
    monkeypatch.setattr(_common, "package", lambda: "addon")

    def call(*more: object) -> tuple[object, str, str]:
        monkeypatch.setattr(_common, "_arguments", lambda: [*arguments(settings), *map(str, more)])
        with pytest.raises(SystemExit) as stop:
            _common.run(render_dataset.main)
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    return call


def arguments(settings: DatasetSettings) -> list[str]:
    options = {
        "--characters": settings.characters,
        "--animations": settings.animations,
        "--out": settings.out,
        "--cameras": settings.cameras,
        "--every": settings.every,
        "--size": settings.size,
        "--max-per-clip": settings.max_per_clip,
        "--workers": 1,
    }
    return [str(item) for pair in options.items() for item in pair]


def failed(settings: DatasetSettings) -> list[dict[str, object]]:
    return json.loads((settings.out / "failed.json").read_text())


def cut(source: Path, target: Path) -> None:
    """A good file, a third of it."""
    data = source.read_bytes()
    target.write_bytes(data[: len(data) // 3])


# ---- runs that go well -------------------------------------------------------------------------


def test_two_workers_make_what_one_makes_beside_the_users_scene(
    settings: DatasetSettings, whole: dict[str, bytes], started: Processes
) -> None:
    bpy.ops.mesh.primitive_cube_add()
    news = run(settings, workers=2)
    assert len(started) == 2
    assert [obj.name for obj in bpy.data.objects] == ["Cube"]
    assert news[-1] == Progress(VIEWS, VIEWS, f"{VIEWS} drawings in {settings.out}")
    assert [n.done for n in news] == sorted(n.done for n in news)
    assert contents(settings.out) == whole
    assert not (settings.out / "failed.json").exists()


def test_shards_at_the_same_time_make_the_whole(
    settings: DatasetSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One clip of the first shard fails, and so do files of both.
    sabotage(
        monkeypatch,
        "render = dataset.DatasetRenderer.render\n"
        "def picky(self, clip, *rest):\n"
        "    if clip.motion == 'Arms': raise dataset.UserError('It is not to my taste.')\n"
        "    return render(self, clip, *rest)\n"
        "dataset.DatasetRenderer.render = picky",
    )
    shutil.copy(settings.animations / "Waving.fbx", settings.animations / "Arms.fbx")
    shutil.copy(settings.animations / "Waving.fbx", settings.animations / "Body.fbx")
    cut(settings.characters / "Big Vegas.fbx", settings.characters / "Cut.fbx")
    cut(settings.animations / "Waving.fbx", settings.animations / "Cut animation.fbx")
    run(settings)
    expected = contents(settings.out)
    shutil.rmtree(settings.out)
    shards = [render_in_workers(settings, 1, (part, 2)) for part in range(2)]
    last = [Progress(0, 0, "")] * 2
    for steps in itertools.zip_longest(*shards):
        last = [step or before for step, before in zip(steps, last, strict=True)]
        time.sleep(0.01)
    assert [news.done for news in last] == [VIEWS // 2, VIEWS]
    made = contents(settings.out)
    assert {made.pop(f"failed.{part}-2.json") for part in range(2)}
    assert made == expected
    assert [entry.get("file", "clip") for entry in failed(settings)] == [
        "Cut animation.fbx",
        "Cut.fbx",
        "clip",
    ]


def test_figures_of_all_kinds_of_files_together(tmp_path: Path, started: Processes) -> None:
    """Rigs of different makers come and go in each other's company."""
    characters = MIXAMO.parent / "characters"
    animations = ["Capoeira", "Sitting", "Front Flip"]
    files = {
        "characters": [
            characters / "kaykit" / "Knight.glb",
            characters / "vrm" / "Cookieman.vrm",
            MIXAMO / "characters" / "Big Vegas.fbx",
        ],
        "animations": [MIXAMO / "animations" / f"{name}.fbx" for name in animations],
    }
    if not all(path.is_file() for paths in files.values() for path in paths):
        pytest.skip("the shared characters are not here")
    for folder, paths in files.items():
        (tmp_path / folder).mkdir()
        for path in paths:
            shutil.copy(path, tmp_path / folder)
    settings = DatasetSettings(
        characters=tmp_path / "characters",
        animations=tmp_path / "animations",
        out=tmp_path / "out",
        cameras=1,
        every=2,
        size=96,
        max_per_clip=8,
        figures=(1, 3),
        hold_out=("none",),
    )
    last = run(settings)[-1]
    assert (last.done, last.failures) == (3 * 3 * 8, 0)
    assert len(started) == 1  # none was replaced
    assert not (settings.out / "failed.json").exists()
    document = json.loads((settings.out / "annotations.json").read_text())
    assert {figure["character"] for figure in document["annotations"]} == {
        path.stem for path in files["characters"]
    }
    assert len(document["annotations"]) > 1.5 * len(document["images"])


# ---- runs that are killed ----------------------------------------------------------------------


def children_of(out: Path) -> list[int]:
    """The processes that have the dataset's folder on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it may have ended meanwhile
            if str(out).encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@needs_proc
def test_a_killed_run_goes_on_to_the_same_bytes(
    settings: DatasetSettings,
) -> None:
    cut(settings.characters / "Big Vegas.fbx", settings.characters / "Cut.fbx")
    run(settings)
    expected = contents(settings.out)
    shutil.rmtree(settings.out)
    program = [sys.executable, str(ROOT / "scripts" / "render_dataset.py")]
    if bpy.app.binary_path:
        startup = [flag for flag in sys.argv if flag == "--factory-startup"]
        program = [bpy.app.binary_path, *startup, "-b", "-P", program[1], "--"]
    command = [*program, *arguments(settings)]
    for stage in ("images/*/*.png", "clips/*.json"):
        parent = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(lambda stage=stage: list(settings.out.glob(stage)))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        wait_until(lambda: not children_of(settings.out))
        assert not (settings.out / "annotations.json").exists()
    (finished,) = settings.out.glob("clips/*.json")
    written = finished.stat().st_mtime_ns
    news = run(settings)
    assert finished.stat().st_mtime_ns == written
    assert next(n for n in news if n.total).done == VIEWS // 2
    assert contents(settings.out) == expected


def test_a_killed_worker_costs_one_more_try(
    settings: DatasetSettings, whole: dict[str, bytes], started: Processes
) -> None:
    news = render_in_workers(settings)
    for progress in news:
        time.sleep(0.005)
        if progress.done:
            started[0].kill()
            break
    *_, last = news
    assert len(started) == 2
    assert last.done == VIEWS and not last.failures
    assert contents(settings.out) == whole


def test_closing_the_generator_ends_all_children(
    settings: DatasetSettings, started: Processes
) -> None:
    news = render_in_workers(settings, workers=2)
    while not next(news).done:
        time.sleep(0.005)
    news.close()
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)
    assert not (settings.out / "annotations.json").exists()


# ---- clips, characters and files that cannot be used -------------------------------------------


def test_a_clip_that_crashes_blender_is_tried_twice_and_again_by_the_next_run(
    settings: DatasetSettings,
    whole: dict[str, bytes],
    started: Processes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        sabotage(patch, abort_at("Capoeira"))
        assert run(settings)[-1].failures == 1
    assert len(started) == 3  # two for the clip, one for what comes after it
    (entry,) = failed(settings)
    assert str(entry["clip"]).startswith("Big_Vegas--Capoeira") and entry["crashed"] is True
    assert not list(settings.out.glob("images/*Capoeira*"))
    document = json.loads((settings.out / "annotations.json").read_text())
    assert {image["clip"].split("-")[2] for image in document["images"]} == {"Waving"}
    run(settings)
    assert contents(settings.out) == whole


def test_a_character_that_crashes_blender_costs_two_crashes_for_all_its_clips(
    settings: DatasetSettings,
    started: Processes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It would be company for the others, too.
    settings = replace(settings, figures=(2, 2), hold_out=("none",))
    shutil.copy(settings.characters / "Big Vegas.fbx", settings.characters / "Bad.fbx")
    code = (
        "cache = importlib.import_module(dataset.__package__ + '.character_cache')\n"
        "original = cache.import_character\n"
        "def broken(path):\n"
        "    if path.stem == 'Bad': os.abort()\n"
        "    return original(path)\n"
        "cache.import_character = broken"
    )
    sabotage(monkeypatch, code)
    assert run(settings)[-1].done == VIEWS
    assert len(started) == 3
    (entry,) = failed(settings)
    assert entry["file"] == "Bad.fbx" and entry["crashed"] is True
    document = json.loads((settings.out / "annotations.json").read_text())
    assert {figure["character"] for figure in document["annotations"]} == {"Big Vegas"}
    assert len(document["annotations"]) > len(document["images"]) == VIEWS


def test_files_that_cannot_be_used_are_listed_with_a_sentence(
    settings: DatasetSettings, script: Script
) -> None:
    cut(settings.characters / "Big Vegas.fbx", settings.characters / "Cut character.fbx")
    cut(settings.animations / "Waving.fbx", settings.animations / "Cut animation.fbx")
    armature = bpy.data.armatures.new("Snake")
    snake = bpy.data.objects.new("Snake", armature)
    bpy.context.scene.collection.objects.link(snake)
    bpy.context.view_layer.objects.active = snake
    bpy.ops.object.mode_set(mode="EDIT")
    armature.edit_bones.new("Spine").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.wm.save_as_mainfile(filepath=str(settings.characters / "Snake.blend"), copy=True)
    status, text, _ = script()
    assert status == 0
    *_, summary, count = text.splitlines()
    assert summary.startswith(f"{VIEWS} drawings in {settings.out}")
    assert count.startswith("3 clips or files could not be used") and "failed.json" in count
    assert [entry["file"] for entry in failed(settings)] == [
        "Cut animation.fbx",
        "Cut character.fbx",
        "Snake.blend",
    ]
    for entry in failed(settings):
        assert entry["crashed"] is False
        assert str(entry["reason"]).endswith(".") and "\n" not in str(entry["reason"])


def test_without_a_usable_character_the_run_ends_in_one_sentence(
    settings: DatasetSettings,
) -> None:
    path = settings.characters / "Big Vegas.fbx"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match=r"No character .* can be drawn; Big Vegas.fbx fails"):
        run(settings)
    assert [entry["file"] for entry in failed(settings)] == ["Big Vegas.fbx"]


def test_an_animation_of_the_characters_name_may_fail(
    settings: DatasetSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(settings.animations / "Waving.fbx", settings.animations / "Big Vegas.fbx")
    sabotage(
        monkeypatch,
        "read = dataset.DatasetRenderer.read_motion\n"
        "def picky(self, path):\n"
        "    if path.stem == 'Big Vegas': raise dataset.UserError('It is not to my taste.')\n"
        "    yield from read(self, path)\n"
        "dataset.DatasetRenderer.read_motion = picky",
    )
    wholes = []
    original = workers._Run._whole

    def noting(self: workers._Run) -> Iterator[Progress]:
        wholes.append((yield from original(self)))
        return wholes[-1]

    monkeypatch.setattr(workers._Run, "_whole", noting)
    run(settings, shard=(1, 2))
    assert wholes == [False, False]  # the other shard's clip is neither drawn nor failed
    (entry,) = failed(settings)
    assert (entry["file"], entry["kind"]) == ("Big Vegas.fbx", "animation")


def test_animations_that_hold_nothing_end_in_one_sentence(settings: DatasetSettings) -> None:
    for path in settings.animations.iterdir():
        path.unlink()
    names = [*(f"mixamorig:{name}" for name in skeleton.KEYPOINTS if name != "HeadTop_End")]
    count = len(names)
    np.savez(
        settings.animations / "empty.npz",
        mixamo_names=names,
        parents=np.arange(count) - 1,
        offsets=np.ones((count, 3)),
        rot=np.zeros((0, count, 4)),
        root_pos=np.zeros((0, 3)),
        clip=np.zeros(0, int),
        clip_names=np.array([], str),
        clip_floor=np.zeros(0),
        frame=np.zeros(0, int),
        extra_names=["LeftToe"],
        extra_parent=[0],
        extra_offset=np.ones((1, 3)),
    )
    for _ in range(2):  # the second run knows the file already
        with pytest.raises(UserError, match="No animation in .* can be used") as caught:
            run(settings)
        assert str(caught.value).endswith(".")


def test_what_blender_prints_does_not_fill_the_disk(
    settings: DatasetSettings,
    whole: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    sabotage(
        monkeypatch,
        "render = dataset.DatasetRenderer.render\n"
        "def talkative(self, clip, *rest):\n"
        "    for views in render(self, clip, *rest):\n"
        "        for stream in (1, 2): os.write(stream, b'Freestyle: so many edges\\n' * 20_000)\n"
        "        yield views\n"
        "dataset.DatasetRenderer.render = talkative",
    )
    logs = tmp_path / "logs"
    logs.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(logs))
    largest = 0
    for _ in render_in_workers(settings):
        largest = max([largest, *(path.stat().st_size for path in logs.glob("*/*"))])
        time.sleep(0.01)
    assert 0 < largest < 20_000
    assert contents(settings.out) == whole


def test_a_large_folder_is_looked_through_in_steps(
    settings: DatasetSettings, started: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_folder: Path) -> Iterator[None]:
        for _ in range(6):
            time.sleep(0.06)
            yield

    monkeypatch.setattr(workers, "removing_abandoned", slow)
    with contextlib.closing(render_in_workers(settings)) as news:
        messages = {next(news).message for _ in range(6)}
    assert messages == {"Looking for what is done already"} and not started


def test_a_long_gathering_is_not_silent(
    settings: DatasetSettings,
    whole: dict[str, bytes],
    started: Processes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sabotage(
        monkeypatch,
        "import time\n"
        f"child = importlib.import_module({child.__name__!r})\n"
        "gather = child.gather\n"
        "def slow(out, tick):\n"
        "    for _ in range(16): time.sleep(0.5); tick()\n"
        "    return gather(out, tick)\n"
        "child.gather = slow",
    )
    monkeypatch.setattr(children, "SILENCE", 5.0)
    assert run(settings)[-1].failures == 0
    assert len(started) == 1
    assert contents(settings.out) == whole


def test_a_clip_that_says_nothing_for_too_long_is_tried_again(
    settings: DatasetSettings,
    whole: dict[str, bytes],
    started: Processes,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    flag = str(tmp_path / "slept once")
    sabotage(
        monkeypatch,
        "import time\n"
        "render = dataset.DatasetRenderer.render\n"
        "def sleepy(self, clip, *rest):\n"
        f"    if not os.path.exists({flag!r}):\n"
        f"        open({flag!r}, 'w').close(); time.sleep(100)\n"
        "    yield from render(self, clip, *rest)\n"
        "dataset.DatasetRenderer.render = sleepy",
    )
    monkeypatch.setattr(children, "SILENCE", 4.0)
    assert run(settings)[-1].failures == 0
    assert len(started) == 2 and started[0].poll() is not None
    assert contents(settings.out) == whole


def test_a_blender_that_does_not_start_ends_the_run(
    settings: DatasetSettings, started: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch, "print('no library', flush=True); os._exit(3)")
    with pytest.raises(RuntimeError, match="Blender does not start: .*no library"):
        run(settings)
    assert len(started) == 3


def test_a_childs_mistake_is_the_users_sentence(settings: DatasetSettings) -> None:
    run(replace(settings, limit=3))
    with pytest.raises(UserError, match="made with another size"):
        run(replace(settings, size=64))


# ---- a full disk -------------------------------------------------------------------------------


def test_a_full_disk_is_one_sentence_and_a_later_run_finishes(
    settings: DatasetSettings,
    whole: dict[str, bytes],
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("resource", reason="limits the size of files")
    with monkeypatch.context() as patch:
        # The pictures fit under the limit, a clip's stroke record does not.
        sabotage(
            patch,
            "import resource, signal\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"  # as Python does, but not Blender
            "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))",
        )
        status, _, text = script()
    assert status == 2
    assert len(text.strip().splitlines()) == 1 and f"{settings.out}: File too large;" in text
    assert not list(settings.out.rglob("*.part"))
    assert not list(settings.out.glob("clips/*"))
    status, text, _ = script()
    assert status == 0 and text.splitlines()[-1].startswith(f"{VIEWS} drawings in")
    assert contents(settings.out) == whole


# ---- a Ray cluster -----------------------------------------------------------------------------


def below(process: int) -> Iterator[int]:
    """The processes that a process has started, and those that they have started."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    todo = [process]
    while todo:
        found = [one for one, parent in parents.items() if parent == todo[0]]
        todo = [*todo[1:], *found]
        yield from found


needs_wheel = pytest.mark.skipif(
    bool(bpy.app.binary_path), reason="Ray is for Python with the bpy wheel"
)


@needs_wheel
def test_an_actor_that_cannot_begin_is_not_the_jobs_fault(
    settings: DatasetSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    from scripts import _ray

    original = _ray._Actors.__init__

    def misled(self: _ray._Actors, *rest: object) -> None:
        original(self, *rest)  # pyright: ignore
        self._task = "no settings"

    monkeypatch.setattr(_ray._Actors, "__init__", misled)
    with pytest.raises(RuntimeError, match=r"^Blender does not start: json\.decoder.*"):
        for _ in _ray.render_with_ray(settings, workers=1):
            time.sleep(0.01)
    assert not (settings.out / "failed.json").exists()


@needs_proc
@needs_wheel
def test_a_ray_cluster_survives_the_death_of_a_worker(
    settings: DatasetSettings, whole: dict[str, bytes]
) -> None:
    pytest.importorskip("ray")
    from scripts._ray import render_with_ray

    killed: list[int] = []
    last = Progress(0, 0, "")
    for last in render_with_ray(settings, workers=2):
        time.sleep(0.01)
        if last.done and not killed:
            killed = [
                process
                for process in below(os.getpid())
                if b"Renderer.answers" in Path(f"/proc/{process}/cmdline").read_bytes()
            ][:1]
            for process in killed:
                os.kill(process, signal.SIGKILL)
    assert len(killed) == 1
    assert last.done == VIEWS and not last.failures
    assert contents(settings.out) == whole
