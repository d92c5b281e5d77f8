"""``scripts/render_dataset.py``: its options and its progress bar."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from addon.core.clips import Progress
from addon.core.dataset import DatasetSettings
from scripts import _common, render_dataset

FOLDERS = ["--characters", "c", "--animations", "a", "--out", "o"]


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[DatasetSettings, Any]]:
    """What the script would render, and its other options."""
    calls: list[tuple[DatasetSettings, Any]] = []

    def render(settings: DatasetSettings, options: Any) -> Iterator[Progress]:
        calls.append((settings, options))
        yield Progress(0, 0, "Nothing")

    monkeypatch.setattr(render_dataset, "_render", render)
    return calls


def defaults() -> DatasetSettings:
    return DatasetSettings(Path("c").resolve(), Path("a").resolve(), Path("o").resolve())


def test_without_options_the_settings_are_their_defaults(rendered: list[Any]) -> None:
    render_dataset.main(FOLDERS)
    settings, options = rendered[0]
    assert settings == defaults()
    assert (options.ray, options.shard, options.workers) == (None, (0, 1), None)


def test_every_setting_has_an_option(rendered: list[Any]) -> None:
    render_dataset.main(
        [
            *FOLDERS,
            *("--labels", "keypoints,parts, 3d", "--figures", "1-3", "--props"),
            *("--camera-jitter", "--limb-perspective", "--proportions", "--pose-noise", "0.4"),
            *("--style", "stick,mannequin", "--ink", "brush", "--hold-out", "Y Bot,Jammo"),
            *("--max-per-clip", "5", "--cameras", "3", "--every", "7", "--size", "100"),
            *("--limit", "9", "--seed", "4", "--no-images", "--shard", "1/3", "--workers", "2"),
            "--ray",
        ]
    )
    settings, options = rendered[0]
    assert settings.labels == ("keypoints", "parts", "3d")
    assert settings.figures == (1, 3)
    assert settings.styles == ("stick", "mannequin")
    assert settings.hold_out == ("Y Bot", "Jammo")
    assert (options.ray, options.shard, options.workers) == ("local", (1, 3), 2)
    usual = defaults()
    same = [f.name for f in fields(settings) if getattr(settings, f.name) == getattr(usual, f.name)]
    assert same == ["characters", "animations", "out"]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--shard", "2/2"],
        ["--shard", "1"],
        ["--figures", "many"],
        ["--workers", "0"],
        ["--pose-noise", "much"],
    ],
)
def test_wrong_options_end_with_status_2(
    rendered: list[Any], wrong: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_common, "_arguments", lambda: [*FOLDERS, *wrong])
    with pytest.raises(SystemExit) as stop:
        _common.run(render_dataset.main)
    assert stop.value.code == 2
    assert not rendered


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds, as the test sets them."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def shown(file: io.StringIO) -> list[str]:
    return [line.strip() for line in file.getvalue().replace("\r", "\n").splitlines() if line]


def test_the_bar_tells_the_rate_of_this_run_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    file, clock = Terminal(), Clock()
    display = render_dataset.Display(file, clock)
    display.show(Progress(0, 0, "Reading walk.fbx"))
    clock.now += 5
    display.show(Progress(1000, 5000, "Loading Ann.fbx"))  # by an earlier run
    clock.now += 10
    display.show(Progress(1200, 5000, "Ann: walk", 2))
    assert file.getvalue().count("\r") == 3 and "\n" not in file.getvalue()
    bar = "[#####...............] 1200/5000 views  20.0/s  0:03:10 left  2 failed  Ann: walk"
    assert shown(file)[-1] == bar
    display.end()
    assert file.getvalue().endswith("\n")


def test_elsewhere_there_is_a_line_now_and_then_and_one_for_each_failure() -> None:
    file, clock = io.StringIO(), Clock()
    display = render_dataset.Display(file, clock)
    for done in range(100):
        clock.now += 0.25
        display.show(Progress(done, 100, "Ann: walk", failures=int(done >= 30)))
    lines = shown(file)
    assert "\r" not in file.getvalue() and len(lines) == 3
    assert "30/100 views" in lines[1] and "1 failed" in lines[1]


def test_the_summary_counts_what_failed() -> None:
    file, clock = io.StringIO(), Clock()
    display = render_dataset.Display(file, clock)
    display.show(Progress(0, 50, "Ann: walk"))
    clock.now += 3725
    display.show(Progress(50, 50, "50 drawings in out", failures=2))
    display.summary(Path("out/failed.json"))
    assert shown(file)[-2:] == [
        "50 drawings in out, 0.0 views/s, 1:02:05",
        "2 clips or files could not be used: see out/failed.json. The next run tries them again.",
    ]
