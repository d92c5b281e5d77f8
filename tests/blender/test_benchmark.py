"""The benchmark runs as a script does, and its report holds what it promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from addon.core.errors import UserError
from addon.core.estimator import SHIPPED
from scripts import benchmark


def test_render_section(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new folder" / "report.json"
    benchmark.main(["--only", "render", "--poses", "1", "--json", str(file)])
    report = json.loads(file.read_text(encoding="utf-8"))
    assert set(report) == {"machine", "render"}
    render = report["render"]
    assert render["views"] == 8
    assert render["ratio"] == pytest.approx(
        render["line_art_views_per_s"] / render["freestyle_views_per_s"]
    )
    assert render["ratio"] > 1
    assert "Freestyle:" not in capfd.readouterr().out  # Blender's own chatter is kept away


@pytest.mark.skipif(not SHIPPED.exists(), reason="this copy has no trained network")
def test_pose_section(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    benchmark.main(["--only", "pose", "--repeats", "1", "--json", str(file)])
    pose = json.loads(file.read_text(encoding="utf-8"))["pose"]
    parts = [pose[part] for part in ("estimate_s", "lift_s", "solve_s", "apply_s")]
    assert min(parts) > 0
    assert pose["click_s"] > 0


@pytest.mark.skipif(not SHIPPED.exists(), reason="this copy has no trained network")
def test_addon_section(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"
    benchmark.main(["--only", "addon", "--json", str(file)])
    figures = json.loads(file.read_text(encoding="utf-8"))["addon"]
    assert set(benchmark.GOALS["addon"]) <= set(figures)
    assert min(value for name, value in figures.items() if name.endswith("_s")) > 0
    assert figures["drag_step_s"] <= figures["slowest_drag_step_s"]
    assert "(goal 0.3)" in capsys.readouterr().out


def test_nonsense_is_refused_before_anything_runs() -> None:
    with pytest.raises(UserError, match="--poses must be at least 1"):
        benchmark.main(["--poses", "0"])
