"""Two processes of torchrun on one CPU, which talk through gloo."""

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from tests.trainer import distributed_run
from trainer import data, photometric

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def strokes(pack, tmp_path_factory) -> Path:
    """Stroke records, and unlabelled drawings beside them."""
    folder = tmp_path_factory.mktemp("strokes")
    pack.save(folder / "clip.npz")
    (folder / "drawings").mkdir()
    for i in range(5):
        page = np.full((90, 70), 255, np.uint8)
        cv2.line(page, (35, 10 + i), (35, 80), 0, 2)
        cv2.imwrite(str(folder / "drawings" / f"{i}.png"), page)
    return folder


def _train(strokes: Path, out: Path, batch: int, mode: str) -> list[dict[str, Any]]:
    """What each of two processes ends with."""
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [distributed_run.__file__, str(strokes), str(out), str(batch), mode]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",  # a machine's own name need not resolve
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(out / f"rank{rank}.pt") for rank in range(2)]


def _assert_same(one: dict, two: dict, rtol: float = 0.0, atol: float = 0.0) -> None:
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=rtol, atol=atol)


def test_two_processes_take_the_step_of_one_with_the_double_batch(strokes, tmp_path, monkeypatch):
    first, second = _train(strokes, tmp_path / "two", 4, "exact")
    monkeypatch.setattr(photometric, "jitter", photometric.jitter)  # put back afterwards
    alone = distributed_run.train(strokes, tmp_path / "one", 8, "exact")
    assert first["count"] == 2 and alone["count"] == 1
    assert first["images"] == second["images"] == alone["images"] == 24
    for part in ("network", "average", "gradients"):
        _assert_same(first[part], second[part])
        _assert_same(first[part], alone[part], rtol=1e-3, atol=1e-5)
    largest = max(float(gradient.abs().max()) for gradient in first["gradients"].values())
    assert largest > 0.01  # far beyond the tolerance


def test_a_run_of_two_processes_stops_together_resumes_and_writes_once(strokes, tmp_path):
    _train(strokes, tmp_path, 2, "stopped")
    state = torch.load(tmp_path / "checkpoint.pt")
    assert state["step"] == distributed_run.STOP and not state["scores"]
    first, second = _train(strokes, tmp_path, 2, "whole")
    for part in ("network", "average", "discriminator"):  # batch statistics, too
        _assert_same(first[part], second[part])
    state = torch.load(tmp_path / "checkpoint.pt")
    assert state["step"] == 6 and state["images"] == first["images"] == 24
    assert "held_oks" in state["scores"]
    _assert_same(state["weights"], second["average"])
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in rows if "held_oks" in row] == [3, 6]


def test_processes_share_out_the_tickets():
    whole = list(islice(data.Tickets(7, seed=3), 28))
    for used in (0, 5, 13):
        shares = [list(islice(data.Tickets(7, 3, used + rank, 3), 5)) for rank in range(3)]
        together = [ticket for row in zip(*shares, strict=True) for ticket in row]
        assert together == whole[used : used + 15]
