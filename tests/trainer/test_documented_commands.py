"""The commands in README.md and docs/: each is one that its program takes."""

from __future__ import annotations

import importlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from trainer import __main__ as trainer
from trainer import lifter

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = (
    "sudo apt",  # changes the system
    ".venv/bin/python -m pip",  # needs the network
    ".venv/bin/ray",  # starts a server
    "blender --command extension",  # tests/gui runs it
)
FOLDERS = "--characters characters/ --animations animations/ --out out/dataset"


def commands() -> list[str]:
    """Each command once, on one line, without comments."""
    result = {}
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                line = re.sub(r"(^|\s+)#.*", "", line).strip()
                if line and not line.startswith(ELSEWHERE):
                    result[line] = None
    return list(result)


@pytest.mark.parametrize("command", commands())
def test_a_documented_command_is_understood(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(command.replace(" ... ", f" {FOLDERS} "))
    if words[0] == "make":
        if shutil.which("make") is None:
            pytest.skip("there is no make")
        subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, check=True, capture_output=True)
    elif "trainer" in words:
        understood = []
        for module, _ in trainer.COMMANDS.values():
            monkeypatch.setattr(module, "main", understood.append)
        assert trainer.main(words[words.index("trainer") + 1 :]) == 0
        assert len(understood) == 1
    elif "trainer.lifter" in words:
        lifter.parser().parse_args(words[words.index("trainer.lifter") + 1 :])
    else:
        (script,) = (word for word in words if word.startswith("scripts/"))
        assert words[0] in {".venv/bin/python", "blender"}
        last = "--" if words[0] == "blender" else script
        parser = importlib.import_module(f"scripts.{Path(script).stem}").parser()
        parser.parse_args(words[words.index(last) + 1 :])
