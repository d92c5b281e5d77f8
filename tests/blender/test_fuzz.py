"""Operators in scenes where things go wrong, and a fuzzer that would notice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import bpy
import pytest

from addon.core.estimator import SHIPPED
from addon.operators.character import ExplainedOperator
from scripts import _common, fuzz

SCRIPT = Path(fuzz.__file__)
needs_network = pytest.mark.skipif(not SHIPPED.exists(), reason="no network has been trained yet")


@needs_network
def test_some_hundred_cases(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    program = [sys.executable, SCRIPT]
    if bpy.app.binary_path:
        startup = [flag for flag in sys.argv if flag == "--factory-startup"]
        program = [bpy.app.binary_path, *startup, "-b", "-P", SCRIPT, "--"]
    command = [*program, "--cases", 150, "--seed", 7, "--json", report]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    played = json.loads(report.read_text(encoding="utf-8"))
    assert played["cases"] == 150
    answers = [answer for each in played["operators"].values() for answer in each]
    assert {"FINISHED", "CANCELLED", "refused"} <= set(answers)
    assert len(played["operators"]) > 20


class _Naughty(ExplainedOperator, bpy.types.Operator):
    """Does what no operator should."""

    bl_idname = "croquis.naughty"
    bl_label = "Naughty"

    deed: ClassVar[Callable[[Any], set[str]]]

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return ""

    def execute(self, context: bpy.types.Context) -> Any:
        return type(self).deed(self)


class _Silent(_Naughty):
    """Cannot, and does not say why."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return False


@pytest.fixture
def judge(
    registered: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., fuzz.Case]]:
    """Plays an operator in an empty scene; the case with its problems."""
    from scripts import _fuzz_scenes as scenes

    monkeypatch.setattr(_common, "package", lambda: "addon")
    monkeypatch.setattr(scenes, "TWISTS", (lambda world: None,))
    monkeypatch.setattr(scenes, "open_scene", lambda world: "empty")
    made: list[type] = []

    def play(deed: Callable[[Any], set[str]], base: type = _Naughty) -> fuzz.Case:
        cls = type("CROQUIS_OT_naughty", (base,), {"deed": deed})
        cls.__module__ = f"{_common.addon().__name__}.operators.naughty"
        bpy.utils.register_class(cls)
        made.append(cls)
        return fuzz.play(3, scenes.Files(tmp_path), only="croquis.naughty")

    yield play
    for cls in made:
        bpy.utils.unregister_class(cls)


def test_a_good_operator_passes(judge: Callable[..., fuzz.Case]) -> None:
    def work(_self: Any) -> set[str]:
        bpy.context.scene.frame_set(9)
        return {"FINISHED"}

    case = judge(work)
    assert (case.answer, case.problems) == ("FINISHED", [])


def test_a_plain_report_passes(judge: Callable[..., fuzz.Case]) -> None:
    def refuse(self: Any) -> set[str]:
        self.report({"ERROR"}, "Choose a drawing first.")
        return {"CANCELLED"}

    case = judge(refuse)
    assert (case.answer, case.problems) == ("CANCELLED", [])


def test_a_traceback_is_found(judge: Callable[..., fuzz.Case]) -> None:
    case = judge(lambda _self: 1 // 0)
    assert any("ZeroDivisionError" in problem for problem in case.problems)


def test_a_change_is_found_where_nothing_should_change(judge: Callable[..., fuzz.Case]) -> None:
    def change(self: Any) -> set[str]:
        bpy.context.scene.frame_set(9)
        bpy.data.objects.new("Left over", None)
        self.report({"ERROR"}, "Choose a drawing first.")
        return {"CANCELLED"}

    (problem,) = judge(change).problems
    assert "Left over" in problem


def test_a_file_is_found_where_none_should_be(judge: Callable[..., fuzz.Case]) -> None:
    def write(self: Any) -> set[str]:
        Path("half.part").write_text("half")
        return {"CANCELLED"}

    (problem,) = judge(write).problems
    assert "file half.part from nothing to 4 bytes" in problem


def test_a_report_that_is_no_sentence_is_found(judge: Callable[..., fuzz.Case]) -> None:
    def mumble(self: Any) -> set[str]:
        self.report({"ERROR"}, "KeyError: 'Hips'")
        return {"CANCELLED"}

    (problem,) = judge(mumble).problems
    assert "no plain sentence" in problem


def test_a_refusal_without_a_reason_is_found(judge: Callable[..., fuzz.Case]) -> None:
    assert judge(lambda _self: {"FINISHED"}, _Silent).problems == ["it does not say why it cannot"]


def test_a_pose_without_numbers_is_found(judge: Callable[..., fuzz.Case]) -> None:
    from addon.blender.mannequin import add_mannequin

    armature = add_mannequin(bpy.context)

    def spoil(_self: Any) -> set[str]:
        armature.pose.bones["mixamorig:Hips"].location.x = float("nan")
        return {"FINISHED"}

    (problem,) = judge(spoil).problems
    assert "mixamorig:Hips" in problem


def test_cases_must_be_some() -> None:
    with pytest.raises(Exception, match="--cases must be at least 1"):
        fuzz.main(["--cases", "0"])
