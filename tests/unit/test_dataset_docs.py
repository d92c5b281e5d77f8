"""docs/dataset.md: its examples run, and it names every option and label."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from addon.core import dataset, skeleton, styles
from scripts import dataset_stats, redraw_dataset, render_dataset
from tests.unit.dataset_on_disk import make_dataset

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "dataset.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``out/dataset`` is a dataset."""
    path = tmp_path_factory.mktemp("docs")
    make_dataset(path / "out" / "dataset")
    return path


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_run(number: int, place: Path) -> None:
    if "pycocotools" in EXAMPLES[number]:
        pytest.importorskip("pycocotools")
    result = subprocess.run(
        [sys.executable, "-c", EXAMPLES[number]],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_every_option_is_described() -> None:
    for module in (render_dataset, dataset_stats, redraw_dataset):
        for action in module.parser()._actions:
            for option in action.option_strings:
                assert option in ("-h", "--help") or f"`{option}" in PAGE or f" {option} " in PAGE


def test_no_other_options_are_described() -> None:
    known = {
        option
        for module in (render_dataset, dataset_stats, redraw_dataset)
        for action in module.parser()._actions
        for option in action.option_strings
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGE)) - {"--head", "--address"}
    assert named <= known


def test_every_name_is_described() -> None:
    for name in (*dataset.LABELS, *dataset.STYLES, *dataset.INKS, *styles.PRESETS):
        assert f"`{name}`" in PAGE
    for ending in (*dataset.CHARACTER_SUFFIXES, *dataset.MOTION_SUFFIXES):
        assert f"`{ending}`" in PAGE
    assert f"**Schema {dataset.SCHEMA}**" in PAGE
    for name in skeleton.KEYPOINTS:
        assert name.startswith("Right") or name in PAGE
