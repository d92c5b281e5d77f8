"""Call every operator of the add-on in scenes where things go wrong, and see that nothing breaks.

python scripts/fuzz.py [--cases N] [--seed N] [--json FILE]
blender -b -P scripts/fuzz.py -- [--cases N] [--seed N] [--json FILE]

A case opens a scene, twists it (wrong modes, hidden and linked armatures, broken pictures, odd
numbers), and calls an operator with properties at random, as a script does or as a user does who
also confirms dialogs and loses images in the middle. Then it checks:

- no traceback, neither in the answer nor on stderr, and no crash;
- no change of the scene and of the case's folder where the answer was "cannot";
- one plain sentence as the reason;
- no number in a pose that is not a number, where there was none before;
- panels that can still be drawn.

Operators and panels are found by walking the registered classes. Everything about a case follows
from its seed: `--seed N --cases 1` plays it again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts._common import EXIT_OUR_FAULT, addon, run

if TYPE_CHECKING:
    import bpy

    from scripts._fuzz_scenes import Files, World

CHILD = 250
"""Cases that one Blender plays; a crash costs the rest of them no more than a new start."""

_LONGEST = 120  # seconds a case may take
_MOST_EVENTS = 60  # that a modal operator gets before Esc
_SHOWN = 4  # changes named of a scene that should not have changed

Digest = dict[str, str]
"""A scene in words: what -> its value."""


@dataclass
class Case:
    """What was done, and what came of it.

    Attributes:
        seed: from which everything follows.
        scene: what the case began with.
        twists: what was done to the scene.
        operator: its name.
        properties: what it was given.
        manner: as a script or as a user; in what context.
        answer: Blender's word for what came of it, or ``refused`` (by poll or for its properties).
        text: what was reported.
        problems: what should not be.
        seconds: how long the operator took.
    """

    seed: int
    scene: str = ""
    twists: list[str] = field(default_factory=list)
    operator: str = ""
    properties: str = ""
    manner: str = ""
    answer: str = ""
    text: str = ""
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="fuzz.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--cases", type=int, default=300, metavar="N", help="how many (300)")
    add("--seed", type=int, default=0, metavar="N", help="of the first case; they count up (0)")
    add("--operator", metavar="NAME", help="only this one, such as croquis.pose_from_sketch")
    add("--json", type=Path, metavar="FILE", help="figures and problems")
    add("--child", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    return result


def main(arguments: list[str]) -> None:
    """Let children play the cases; report and end with status 1 if there are problems."""
    options = parser().parse_args(arguments)
    if options.child:
        play_in_child(options, options.child)
    if options.cases < 1:
        raise addon("core.errors").UserError("--cases must be at least 1.")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="croquis fuzz ") as folder:
        cases = list(played_by_children(options, Path(folder)))
    report = summary(cases, time.monotonic() - started)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
        addon("core.files").write_whole(options.json, text.encode())
    print_summary(report)
    if report["problems"]:
        sys.exit(EXIT_OUR_FAULT)


# --- Parents and children ------------------------------------------------------------------------


def played_by_children(options: argparse.Namespace, folder: Path) -> Iterator[Case]:
    """Play cases in Blenders of their own; one that ends early is a problem of its last case."""
    seed, end = options.seed, options.seed + options.cases
    while seed < end:
        count = min(CHILD, end - seed)
        journal = folder / "journal"
        journal.write_bytes(b"")
        errors = folder / "errors"
        command = [*_blender(), "--child", str(folder), "--seed", str(seed), "--cases", str(count)]
        if options.operator:
            command += ["--operator", options.operator]
        with errors.open("wb") as sink:
            status = subprocess.run(command, stdout=sink, stderr=sink).returncode
        cases = [Case(**json.loads(line)) for line in journal.read_text("utf-8").splitlines()]
        # Each case stands there twice: as it begins, and as it ends.
        last = {case.seed: case for case in cases}
        if len(cases) < 2 * count:
            said = errors.read_text("utf-8", errors="replace").strip()[-3000:]
            if not cases:
                raise RuntimeError(f"the child ended with {status} before its first case:\n{said}")
            cases[-1].problems.append(f"Blender ended with {status}: {said}")
        yield from last.values()
        seed += len(last)
        print(f"{seed - options.seed} of {options.cases} cases", flush=True)


def _blender() -> list[str]:
    """This script in a Blender like this one."""
    import bpy

    if not bpy.app.binary_path:
        return [sys.executable, __file__]
    startup = [flag for flag in sys.argv if flag == "--factory-startup"]
    return [bpy.app.binary_path, *startup, "-b", "-P", __file__, "--"]


def summary(cases: list[Case], seconds: float) -> dict[str, Any]:
    """Figures and problems, ready for JSON."""
    answers: dict[str, Counter[str]] = {}
    for case in cases:
        answers.setdefault(case.operator, Counter())[case.answer] += 1
    slowest = max(cases, key=lambda case: case.seconds)
    return {
        "cases": len(cases),
        "first_seed": cases[0].seed,
        "seconds": round(seconds, 1),
        "operators": {name: dict(answers[name]) for name in sorted(answers)},
        "slowest": {"seed": slowest.seed, "seconds": round(slowest.seconds, 2)},
        "problems": [asdict(case) for case in cases if case.problems],
    }


def print_summary(report: dict[str, Any]) -> None:
    """The figures as a table, the problems with how to play them again."""
    for problem in report["problems"]:
        print(f"\n--seed {problem['seed']} --cases 1: {problem['operator']}{problem['properties']}")
        print(f"  {problem['scene']}, {', '.join(problem['twists'])}; {problem['manner']}")
        for text in problem["problems"]:
            print(f"  {text}")
    columns = ("FINISHED", "CANCELLED", "refused")
    print(f"\n{'':<32}" + "".join(f"{name:>11}" for name in columns))
    for name, answers in report["operators"].items():
        print(f"{name:<32}" + "".join(f"{answers.get(answer, 0):>11}" for answer in columns))
    slowest = report["slowest"]
    print(
        f"{report['cases']} cases from seed {report['first_seed']} on in {report['seconds']} s, "
        f"{len(report['problems'])} with problems; the slowest took {slowest['seconds']} s "
        f"(seed {slowest['seed']})"
    )


# --- One case ------------------------------------------------------------------------------------


def play_in_child(options: argparse.Namespace, folder: Path) -> NoReturn:
    """Play cases in this Blender and end it at once: what is left in it may keep it from ending."""
    try:
        play_all(options, folder)
        status = 0
    except BaseException:
        traceback.print_exc()
        status = EXIT_OUR_FAULT
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def play_all(options: argparse.Namespace, folder: Path) -> None:
    """Play cases in this Blender, and keep a journal of them for the parent."""
    import faulthandler

    register()  # which finds OpenCV for the scenes, too
    from scripts._fuzz_scenes import Files, make_files

    files = Files(folder) if (folder / "drawings").exists() else make_files(folder)
    with (folder / "journal").open("a", encoding="utf-8") as journal:

        def note(case: Case) -> None:
            print(json.dumps(asdict(case)), file=journal, flush=True)

        for seed in range(options.seed, options.seed + options.cases):
            faulthandler.dump_traceback_later(_LONGEST, exit=True)
            note(play(seed, files, note, options.operator))
            faulthandler.cancel_dump_traceback_later()


def register() -> None:
    """Register the add-on, with preferences, if Blender has not done so."""
    import bpy

    if not hasattr(bpy.types.Scene, "croquis"):
        addon().register()
    name = addon("preferences").CroquisPreferences.bl_idname
    if name not in bpy.context.preferences.addons:
        bpy.context.preferences.addons.new().module = name


def registered(base: type) -> list[Any]:
    """The add-on's registered classes of a kind, such as ``bpy.types.Operator``, by name."""
    package, found, below = addon().__name__, set(), [base]
    while below:
        cls = below.pop()
        below += cls.__subclasses__()
        if cls.__module__.startswith(package) and getattr(cls, "is_registered", False):
            found.add(cls)
    return sorted(found, key=lambda cls: cls.__name__)


def play(
    seed: int,
    files: Files,
    note: Callable[[Case], None] = lambda case: None,
    only: str | None = None,
) -> Case:
    """Play one case.

    Args:
        seed: everything follows from it.
        files: what :func:`_fuzz_scenes.make_files` made.
        note: told of the case when all is ready for the operator.
        only: play this operator.
    """
    import bpy

    from scripts import _fuzz_scenes as scenes

    case, rng = Case(seed), random.Random(seed)
    classes = registered(bpy.types.Operator)
    cls = rng.choice(classes)
    if only:
        cls = next(found for found in classes if found.bl_idname == only)
    case.operator = cls.bl_idname
    with tempfile.TemporaryDirectory(prefix="case ", dir=files.folder) as name, _inside(name):
        world = scenes.World(rng, files, Path(name))
        scenes.reset_preferences()
        case.scene = scenes.open_scene(world)
        for twist in rng.choices(scenes.TWISTS, k=rng.choice((0, 1, 1, 2, 3, 5))):
            with contextlib.suppress(*scenes.MISFIT):
                twist(world)
                case.twists.append(twist.__name__)
        _bound(world)
        properties = _properties(world, cls)
        case.properties = repr(properties)
        with _said_on_stderr() as said:
            case.manner, overriding = _manner(rng)
            note(case)
            with overriding:
                _call(case, world, cls, properties)
            _draw_panels(case)
        if "Traceback" in said():
            case.problems.append(said())
    return case


@contextlib.contextmanager
def _inside(folder: str) -> Iterator[None]:
    """Work in a folder, so that relative paths stay in it."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _bound(world: World) -> None:
    """Keep a dataset that would really be rendered to a few drawings of one process."""
    import bpy

    chosen = bpy.context.scene.croquis.dataset
    chosen.workers, chosen.limit, chosen.cameras, chosen.size = 1, 2, 2, 64


_ASKED_FOR = ("directory", "files", "filepath")
"""Properties that are nearly always given, as the file selector asks for them."""


def _properties(world: World, cls: Any) -> dict[str, Any]:
    """Properties for a call, most of them at their defaults half of the time."""
    result = {}
    for prop in operator_of(cls).get_rna_type().properties:
        left_alone = 0.1 if prop.identifier in _ASKED_FOR else 0.5
        unset = prop.is_readonly and prop.type != "COLLECTION"
        if unset or world.rng.random() < left_alone:
            continue
        value = world.value(prop)
        if value is not None:
            result[prop.identifier] = value
    return result


def operator_of(cls: Any) -> Any:
    """What calls an operator's class."""
    import bpy

    group, name = cls.bl_idname.split(".")
    return getattr(getattr(bpy.ops, group), name)


def _manner(rng: random.Random) -> tuple[str, contextlib.AbstractContextManager[Any]]:
    """In which context the operator is called."""
    import bpy

    areas = [area for area in bpy.context.screen.areas if area.type == "VIEW_3D"]
    who = rng.choice(("script", "user"))
    kinds = ["plain", "plain", *(["viewport"] * 4 if areas else [])]
    kind = rng.choice(kinds + ["no view layer", "no window"] * (who == "script"))
    manner = f"{who}, {kind}"
    if kind == "viewport":
        (region,) = (region for region in areas[0].regions if region.type == "WINDOW")
        return manner, bpy.context.temp_override(area=areas[0], region=region)
    if kind == "no window":
        return manner, bpy.context.temp_override(window=None)
    if kind == "no view layer":
        return manner, bpy.context.temp_override(view_layer=None)
    return manner, contextlib.nullcontext()


def _call(case: Case, world: World, cls: Any, properties: dict[str, Any]) -> None:
    """Call the operator, and judge its answer."""
    before = Watch(world)
    if case.manner.startswith("user") and hasattr(cls, "invoke"):
        driving = driven(cls, world, before)
    else:
        driving = contextlib.nullcontext()
    started = time.perf_counter()
    try:
        with driving:
            (case.answer,) = operator_of(cls)(**properties)
    except RuntimeError as error:
        case.text = str(error).strip()
        case.answer = "refused" if "poll()" in case.text else "CANCELLED"
        case.problems += _faults_of(case.text)
    except (TypeError, ValueError) as error:
        case.answer, case.text = "refused", str(error)
        if "Converting py args" not in case.text:
            case.problems.append(f"{type(error).__name__}: {error}")
    case.seconds = time.perf_counter() - started
    if case.answer == "FINISHED":
        odd = before.new_odd_numbers()
        if odd:
            case.problems.append(f"no numbers any more: {', '.join(odd[:_SHOWN])}")
    else:
        changes = before.changes()
        if changes:
            case.problems.append(f"{case.answer}, but changed {'; '.join(changes[:_SHOWN])}")


def _faults_of(text: str) -> list[str]:
    """What is wrong with how an operator said that it cannot."""
    if "Traceback" in text:
        return [text]
    plain = text.removeprefix("Error: ")
    if "poll()" in plain and "context is incorrect" in plain:
        return ["it does not say why it cannot"]
    if not plain.endswith(".") or len(plain.splitlines()) > 1:
        return [f"no plain sentence: {plain!r}"]
    return []


def _draw_panels(case: Case) -> None:
    """Draw every panel that wants to be drawn onto paper that takes everything."""
    import bpy

    whole = bpy.context
    system = StandIn(whole.preferences.system, ui_scale=1.0)  # without a window it is 0
    preferences = StandIn(whole.preferences, system=system)
    region = SimpleNamespace(width=300, height=900)
    context: Any = StandIn(whole, region=region, preferences=preferences)
    for cls in registered(bpy.types.Panel):
        try:
            if not hasattr(cls, "poll") or cls.poll(context):
                cls.draw(SimpleNamespace(layout=Paper()), context)
        except Exception as error:
            case.problems.append(f"{cls.__name__}: {type(error).__name__}: {error}")


class Paper:
    """A layout that takes everything, as do its rows, buttons and their properties."""

    def __getattr__(self, _name: str) -> Paper:
        return self

    def __call__(self, *_: Any, **__: Any) -> Paper:
        """Whatever is to be drawn: more paper."""
        return self


@contextlib.contextmanager
def _said_on_stderr() -> Iterator[Callable[[], str]]:
    """Catch what Python and Blender print to stderr; afterwards it is known, and printed."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        text = ""
        try:
            yield lambda: text
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            sink.seek(0)
            text = sink.read().decode("utf-8", "replace")
            sys.stderr.write(text)


# --- A user --------------------------------------------------------------------------------------


class StandIn:
    """Something of Blender's with a few members replaced."""

    def __init__(self, whole: Any, **replaced: Any) -> None:
        self._whole = whole
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


@contextlib.contextmanager
def driven(cls: Any, world: World, watch: Watch) -> Iterator[None]:
    """Let calls of an operator be a user's: invoked, confirmed, run through its events.

    Blender without a window does not invoke. So ``execute`` is replaced by a round of ``invoke``
    and ``modal`` with a window manager that keeps no handlers; now and then the scene loses
    something on the way, after which ``watch`` cannot tell whose the changes are.
    """
    from scripts._fuzz_scenes import LOSSES, MISFIT

    execute, own = cls.execute, "execute" in vars(cls)
    modal, rng = hasattr(cls, "modal"), world.rng
    waiting = {"RUNNING_MODAL", "PASS_THROUGH"}
    begun = False

    def drive(self: Any, context: Any) -> set[str]:
        nonlocal begun
        if begun:
            return execute(self, context)
        begun = True
        manager = StandIn(context.window_manager, **dict.fromkeys(_WAITS, lambda *_, **__: waiting))
        context = StandIn(context, window_manager=manager)
        answer = self.invoke(context, _event(rng))
        if answer & waiting and not modal:
            return execute(self, context)
        if cls.bl_idname == _RESUMABLE:
            watch.excuse("file ")
        for _ in range(_MOST_EVENTS):
            if not answer & waiting:
                return answer
            if rng.random() < 0.1:
                with contextlib.suppress(*MISFIT):
                    rng.choice(LOSSES)(world)
                watch.excuse()
            answer = self.modal(context, _event(rng))
        if answer & waiting:
            answer = self.modal(context, _event(rng, "ESC"))
        return {"CANCELLED"} if answer & waiting else answer

    cls.execute = drive
    try:
        yield
    finally:
        if own:
            cls.execute = execute
        else:
            del cls.execute


_RESUMABLE = "croquis.render_dataset"
"""Once it is under way, what it has written stays, and it goes on from there the next time."""

_WAITS = (
    *("modal_handler_add", "event_timer_add", "event_timer_remove", "fileselect_add"),
    *("invoke_props_dialog", "invoke_popup", "invoke_confirm", "invoke_search_popup"),
    *("popup_menu", "invoke_props_popup"),
)
"""What a window manager cannot do without a window."""


def _event(rng: random.Random, kind: str = "") -> SimpleNamespace:
    """What a user may do: most often to wait."""
    kinds = ("TIMER",) * 30 + ("MOUSEMOVE",) * 3 + ("LEFTMOUSE", "RET", "A", "ESC")
    kind = kind or rng.choice(kinds)
    x, y = rng.randint(0, 2000), rng.randint(0, 2000)
    return SimpleNamespace(
        type=kind,
        value="PRESS" if kind == "ESC" else rng.choice(("PRESS", "RELEASE")),
        **dict.fromkeys(("mouse_x", "mouse_region_x", "mouse_prev_x"), x),
        **dict.fromkeys(("mouse_y", "mouse_region_y", "mouse_prev_y"), y),
        **dict.fromkeys(("shift", "ctrl", "alt", "oskey"), False),
    )


# --- A scene in words ----------------------------------------------------------------------------


class Watch:
    """A look at the file and at a case's folder, to compare later ones with."""

    def __init__(self, world: World) -> None:
        self._folder, self._excused = world.folder, set[str]()
        self._before = digest() | listing(self._folder)

    def excuse(self, what: str = "") -> None:
        """Take no changes of something for a fault any more: of everything, unless it is said."""
        self._excused.add(what)

    def changes(self) -> list[str]:
        """What is not as it was, but for what is excused."""
        before, now = self._before, digest() | listing(self._folder)
        return [
            f"{what} from {before.get(what, 'nothing')} to {now.get(what, 'nothing')}"
            for what in sorted(before.keys() | now.keys())
            if before.get(what) != now.get(what) and not what.startswith(tuple(self._excused))
        ]

    def new_odd_numbers(self) -> list[str]:
        """Poses that hold a NaN or an infinity and held none."""
        before, now = self._before, digest()
        words = ("nan", "inf")
        return [
            f"{what} {value}"
            for what, value in now.items()
            if ".bone" in what
            and any(word in value for word in words)
            and not any(word in before.get(what, "") for word in words)
        ]


def listing(folder: Path) -> Digest:
    """Files below a folder, and their sizes."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {f"file {path.relative_to(folder)}": f"{path.stat().st_size} bytes" for path in paths}


def digest() -> Digest:
    """Everything in the file that an operator of ours may change, and modes and selection."""
    import bpy

    window = bpy.context.window_manager.windows[0]  # whatever the context pretends
    layer = window.view_layer
    for scene in bpy.data.scenes:
        for one in scene.view_layers:
            one.update()  # what drivers and constraints have still to do is no change
    result = {
        "scene": window.scene.name,
        "active": _name(layer.objects.active),
        "selected": str(sorted(thing.name for thing in layer.objects.selected)),
    }
    for prop in bpy.data.bl_rna.properties:
        if prop.type == "COLLECTION":
            blocks = getattr(bpy.data, prop.identifier)
            result[f"data.{prop.identifier}"] = str([block.name_full for block in blocks])
    for scene in bpy.data.scenes:
        result |= _of_scene(scene)
    for thing in bpy.data.objects:
        result |= _of_object(thing)
    for action in bpy.data.actions:
        keys = [(c.data_path, c.array_index, _keys(c)) for c in _curves(action)]
        result[f"action {action.name_full}"] = f"{sorted(keys)} {action.asset_data is not None}"
    for image in bpy.data.images:
        facts = (image.source, image.filepath, image.is_dirty, image.packed_file is not None)
        result[f"image {image.name_full}"] = str(facts)
    for data in bpy.data.armatures:
        result[f"armature {data.name_full}"] = f"{data.pose_position} {len(data.bones)}"
    for data in bpy.data.cameras:
        facts = (data.type, data.lens, data.ortho_scale, data.shift_x, data.shift_y)
        result[f"camera {data.name_full}"] = str(facts)
    return result


def _name(block: Any) -> str:
    return block.name_full if block else "none"


def _of_scene(scene: bpy.types.Scene) -> Digest:
    where = f"scene {scene.name_full}"
    markers = [(mark.name, mark.frame, _name(mark.camera)) for mark in scene.timeline_markers]
    frames = (scene.frame_current, scene.frame_subframe, scene.frame_start, scene.frame_end)
    return {
        f"{where}.camera": _name(scene.camera),
        f"{where}.frames": str(frames),
        f"{where}.markers": str(markers),
        f"{where}.objects": str([thing.name_full for thing in scene.collection.all_objects]),
        **_of_settings(f"{where}.croquis", scene.croquis),
    }


def _of_settings(where: str, group: Any) -> Digest:
    """A group of properties, and the groups in it."""
    result = {}
    for prop in group.bl_rna.properties:
        if prop.identifier == "rna_type":
            continue
        name, value = f"{where}.{prop.identifier}", getattr(group, prop.identifier)
        if prop.type == "COLLECTION":
            for row, item in enumerate(value):
                result |= _of_settings(f"{name}[{row}]", item)
        elif prop.type != "POINTER":
            result[name] = str(value if not hasattr(value, "__len__") else _plain(value))
        elif hasattr(value, "name_full") or value is None:
            result[name] = _name(value)
        else:
            result |= _of_settings(name, value)
    return result


def _plain(value: Any) -> Any:
    """A text, a sorted set, or the numbers of an array."""
    if isinstance(value, str):
        return value
    return sorted(value) if isinstance(value, set) else list(value)


_CHANNELS = (
    *("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale"),
    *("rotation_mode",),
)


def _of_object(thing: bpy.types.Object) -> Digest:
    where, animation = f"object {thing.name_full}", thing.animation_data
    result = {
        f"{where}.channels": _channels(thing),
        f"{where}.data": _name(thing.data),
        f"{where}.parent": _name(thing.parent),
        f"{where}.mode": thing.mode,
        f"{where}.hidden": str((thing.hide_viewport, thing.hide_select, thing.hide_render)),
        f"{where}.custom": _custom(thing),
        f"{where}.bones chosen": thing.croquis_bones,
        f"{where}.action": _name(animation.action if animation else None),
        f"{where}.constraints": str([constraint.name for constraint in thing.constraints]),
    }
    for bone in thing.pose.bones if thing.pose else ():
        result[f"{where}.bone {bone.name}"] = f"{_channels(bone)} {_custom(bone)}"
    return result


def _channels(thing: Any) -> str:
    return str([_rounded(getattr(thing, name)) for name in _CHANNELS])


def _custom(thing: Any) -> str:
    """Custom properties that are plain values."""
    values = [
        (name, value) for name, value in thing.items() if isinstance(value, str | int | float)
    ]
    return str(sorted(values, key=lambda item: item[0]))


def _rounded(value: Any) -> Any:
    """A number or several without the noise of single precision."""
    if isinstance(value, str):
        return value
    return [round(number, 5) if math.isfinite(number) else number for number in value]


def _keys(curve: Any) -> list[Any]:
    return [_rounded(point.co) for point in curve.keyframe_points]


def _curves(action: bpy.types.Action) -> Iterator[Any]:
    """The animation curves of an action; Blender 5.0 has them by layers only."""
    if hasattr(action, "fcurves"):
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                yield from bag.fcurves


if __name__ == "__main__":
    run(main)
