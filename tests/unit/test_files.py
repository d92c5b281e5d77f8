"""Files that are whole or absent, whoever writes them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.core import files


def test_two_processes_may_write_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "motion.npz"
    with files.written_whole(path) as ours:
        ours.write_bytes(b"ours")
        with monkeypatch.context() as other:
            other.setattr(os, "getpid", lambda: 1)
            files.write_whole(path, b"theirs")
        assert path.read_bytes() == b"theirs"
    assert path.read_bytes() == b"ours"
    assert list(tmp_path.iterdir()) == [path]


def test_a_mishap_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "clip.json"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), files.written_whole(path) as part:
        part.write_text("ne")
        raise OSError("full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="there the life of a process cannot be told")
def test_only_the_parts_of_killed_writers_go(tmp_path: Path) -> None:
    below = tmp_path / "strokes"
    below.mkdir()
    code = (
        "import os, pathlib, sys\n"
        "from addon.core import files\n"
        "with files.written_whole(pathlib.Path(sys.argv[1])) as part:\n"
        "    part.write_text('half'); os.kill(os.getpid(), 9)\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code, str(below / "a.npz")], cwd=root)
    (abandoned,) = below.iterdir()
    ours, theirs = files.part_path(below / "b.npz"), below / "c.npz.elsewhere+1.part"
    other, whole = below / "d.npz.elsewhere+1.part", below / "e.npz"
    for path in (ours, theirs, other, whole):
        path.write_text("half")
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(other, (two_days_ago, two_days_ago))
    files.remove_abandoned(tmp_path)
    assert not abandoned.exists()
    assert sorted(below.iterdir()) == sorted([ours, theirs, whole])


def test_parts_are_looked_for_one_folder_at_a_time(tmp_path: Path) -> None:
    # The panel looks between two steps, and a dataset has a folder for each clip.
    places = [tmp_path / f"images/clip{number}" for number in range(5)]
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    for place in places:
        place.mkdir(parents=True)
        (place / "a.png.elsewhere+1.part").write_text("half")
        os.utime(place / "a.png.elsewhere+1.part", (two_days_ago, two_days_ago))
    left = [len(list(tmp_path.rglob("*.part"))) for _ in files.removing_abandoned(tmp_path)]
    assert left == [5, 5, 4, 3, 2, 1, 0]


def test_a_png_holds_red_green_blue_and_16_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (5, 7, 3), np.uint8)
    depth = rng.integers(0, 2**16, (5, 7), np.uint16)
    for name, image in (("uv/clip/ä.png", colours), ("depth/clip/ä.png", depth)):
        files.write_png(tmp_path / name, image)
        data = np.frombuffer((tmp_path / name).read_bytes(), np.uint8)
        read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(read[..., ::-1] if read.ndim == 3 else read, image)
