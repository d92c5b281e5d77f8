import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from addon.core import skeleton
from addon.core.errors import UserError
from addon.core.strokes import StrokePack
from trainer import adapt, augment, checkpoint, data, heatmaps
from trainer.train import Settings, Trainer, learning_rate, spare_cores

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def strokes(pack, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("strokes")
    pack.save(folder / "clip.npz")
    return folder


@pytest.fixture
def drawings(tmp_path) -> Path:
    """Three pictures without joints."""
    folder = tmp_path / "drawings"
    folder.mkdir()
    for i in range(3):
        page = np.full((90, 70), 255, np.uint8)
        cv2.line(page, (35, 10 + i), (35, 80), 0, 2)
        cv2.imwrite(str(folder / f"{i}.png"), page)
    return folder


@pytest.fixture
def settings(strokes, tmp_path, monkeypatch):
    """A short run of the smallest network on small pictures."""

    def make(**changes) -> Settings:
        usual = {
            "strokes": (strokes,),
            "out": tmp_path / "run",
            "network": "hrnet-w16-small",
            "size": 64,
            "batch": 4,
            "epochs": 0.5,
            "workers": 0,
            "evaluate_every": 100,
            "log_seconds": 0,
        }
        (tmp_path / "run").mkdir(exist_ok=True)
        return Settings(**{**usual, **changes})

    return make


def _rows(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_network_learns_to_place_the_keypoints(settings, pack, monkeypatch):
    # Without chance in the drawing a short run must come to know the figure by heart.
    def plain(pack, index, rng, size, plain):
        del rng, plain
        view, scale = pack[index], size / pack.size
        grey = np.full((size, size), 255, np.uint8)
        for stroke in view.strokes:
            cv2.polylines(grey, [np.round(stroke * scale).astype(np.int32)], False, 0, 1)
        return augment.Sample(grey, view.keypoints * scale, np.ones(23, dtype=bool))

    monkeypatch.setattr(augment, "sample", plain)
    run = settings(epochs=15, hold_out=("Bert",), validation_views=8, ema=0.9, lr=3e-3)
    trainer = Trainer(run)
    assert trainer.validation is not None
    untrained = trainer.validation(trainer.infer, trainer.device)
    assert untrained["held_pck01"] < 0.2
    assert trainer.run()
    scores = _rows(run.out)[-1]
    assert scores["held_pck01"] > 0.45 and scores["held_oks"] > 0.3
    rows = [row for row in _rows(run.out) if "loss" in row]
    assert rows[-1]["loss"] < rows[0]["loss"] - 2
    assert {"images_per_s", "waiting", "lr"} <= rows[0].keys()


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(strokes, settings, tmp_path):
    interval = 0.05  # seconds between checkpoints
    whole = Trainer(settings(epochs=3, workers=1))
    whole.run()
    expected = [_without_times(row) for row in _rows(tmp_path / "run")]

    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "trainer", "train", str(strokes), "--out", str(folder)]
    command += ["--network", "hrnet-w16-small", "--size", "64", "--batch", "4", "--workers", "1"]
    command += ["--epochs", "3", "--evaluate-every", "100", "--device", "cpu"]
    command += ["--log-seconds", "0", "--checkpoint-minutes", str(interval / 60)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while not (folder / "checkpoint.pt").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        process.kill()  # SIGKILL: it can do nothing about it
        process.wait()
    state, last = checkpoint.load(folder / "checkpoint.pt"), _rows(folder)[-1]
    assert 0 < state["step"] <= last["step"] < whole.progress.step
    assert last["elapsed"] - state["elapsed"] < interval + 2

    again = Trainer(settings(epochs=3, workers=1, out=folder, resume=True))
    again.run()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], value), name
    assert [_without_times(row) for row in _rows(folder)] == expected


def test_mixed_precision_multiplies_in_half_and_keeps_the_weights_whole(settings):
    trainer = Trainer(settings(precision="bfloat16", epochs=0.2))
    seen = []
    trainer.network.final_layer.register_forward_hook(lambda m, i, logits: seen.append(logits))
    trainer.run()
    assert seen[0].dtype == torch.bfloat16 and seen[0].isfinite().all()
    assert trainer.infer(torch.rand(1, 1, 64, 64)).dtype == torch.float32
    assert {p.dtype for p in trainer.network.parameters()} == {torch.float32}
    kernel = dict(trainer.average.network.named_parameters())["conv2.weight"]
    assert kernel.is_contiguous(memory_format=torch.channels_last) and not kernel.is_contiguous()


def _without_times(row: dict) -> dict:
    return {k: v for k, v in row.items() if k not in ("elapsed", "images_per_s", "waiting")}


def test_the_same_seed_gives_the_same_log(settings, drawings, tmp_path):
    logs = []
    for seed, workers, slower in ((5, 0, False), (5, 2, True), (6, 0, False)):
        out = tmp_path / f"{seed}-{workers}"
        out.mkdir()
        adapted = {"unlabelled": (drawings,), "unlabelled_start": 0.0, "discriminator": "mlp1"}
        run = settings(out=out, seed=seed, workers=workers, hold_out=("Bert",), **adapted)
        Trainer(replace(run, epochs=1, validation_views=4, deterministic=slower)).run()
        logs.append([_without_times(row) for row in _rows(out)])
    assert logs[0] == logs[1] != logs[2]
    assert "held_oks" in logs[0][-1] and "discriminator_accuracy" in logs[0][0]


def test_threads_leave_cores_to_the_workers(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(8)
        with spare_cores(3):
            assert torch.get_num_threads() == 5
        assert torch.get_num_threads() == 8
        with spare_cores(20):
            assert torch.get_num_threads() == 1
        monkeypatch.setenv("OMP_NUM_THREADS", "8")
        with spare_cores(3):
            assert torch.get_num_threads() == 8
    finally:
        torch.set_num_threads(before)


def test_samples_do_not_depend_on_the_number_of_workers(pack):
    tickets = list(range(20, 32))  # across the border of two epochs
    dataset = data.SketchDataset(pack, 64, seed=7)
    alone = list(data.loader(dataset, 4, 0, tickets=tickets))
    together = list(data.loader(dataset, 4, 2, tickets=tickets))
    for one, two in zip(alone, together, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    again = dataset[20 - 20 + 24 * 3]
    assert not torch.equal(again[0], dataset[0][0])  # another epoch draws another picture


def test_tickets_visit_every_sample_once_an_epoch_and_go_on_anywhere():
    whole = iter(data.Tickets(10, seed=1))
    first = [next(whole) for _ in range(30)]
    assert sorted(first[:10]) == list(range(10)) and sorted(first[10:20]) == list(range(10, 20))
    later = iter(data.Tickets(10, seed=1, start=13))
    assert [next(later) for _ in range(17)] == first[13:]


def test_characters_are_held_out_whole(pack):
    training, held = data.hold_out(pack, ["Bert"])
    assert {training.character(i) for i in range(len(training))} == {"Anna"}
    assert {held.character(i) for i in range(len(held))} == {"Bert"}
    with pytest.raises(UserError, match="No character is called Carl; there are Anna, Bert"):
        data.hold_out(pack, ["Carl"])
    with pytest.raises(UserError, match="leave at least one"):
        data.hold_out(pack, ["Anna", "Bert"])


def test_a_drawing_with_a_held_out_companion_is_on_neither_side(pack):
    views = [pack[i] for i in range(4)]
    views[1] = replace(views[1], figure=1, clip=1)
    mixed = StrokePack.from_views(views, pack.size, [("Anna", "sit"), ("Bert", "sit")])
    lone = mixed.subset([3])
    lone.clips = [("Bert", "sit")]
    training, held = data.hold_out(StrokePack.merge([mixed, lone]), ["Bert"])
    assert [training.frame[i] for i in range(len(training))] == [2, 3]
    assert len(held) == 1


def test_a_dataset_is_read_by_its_stroke_records_alone(pack, tmp_path):
    for name in ("strokes", "joints"):
        (tmp_path / name).mkdir()
    pack.save(tmp_path / "strokes" / "clip.npz")
    np.savez(tmp_path / "joints" / "clip.npz", world=np.zeros(3))
    assert len(data.load_strokes([tmp_path])) == len(pack)


def test_a_figure_that_others_hide_is_not_learnt_from(pack, tmp_path):
    hidden = np.ones(skeleton.COUNT, np.uint8)
    views = [pack[0], replace(pack[1], figure=1, visibility=hidden), pack[2]]
    views[2] = replace(views[2], visibility=hidden)  # its own limbs hide each other: that is normal
    StrokePack.from_views(views, pack.size, [("Anna", "sit")]).save(tmp_path / "clip.npz")
    learnt = data.load_strokes([tmp_path])
    assert learnt.frame.tolist() == [0, 2]


def test_self_training_learns_what_the_teacher_is_sure_of(settings, drawings, monkeypatch):
    # A teacher that sees every keypoint in the middle: an untrained one is sure of nothing.
    def teach(teacher, ink, threshold, decoder):
        del decoder
        assert not teacher.training and ink.shape == (1, 1, 64, 64) and threshold == 0.9
        middle = torch.full((len(ink), 23, 2), 32.0)
        return middle, torch.ones(len(ink), 23, dtype=torch.bool)

    monkeypatch.setattr(adapt, "pseudo_labels", teach)
    run = settings(
        epochs=4, unlabelled=(drawings,), unlabelled_start=0.3, unlabelled_threshold=0.9, warmup=0
    )
    trainer = Trainer(run)
    trainer.run()
    rows = [row for row in _rows(run.out) if "loss" in row]
    assert "sure" not in rows[0] and rows[-1]["sure"] > 0.5
    first = next(row["unlabelled_loss"] for row in rows if "sure" in row)
    assert rows[-1]["unlabelled_loss"] < first
    assert trainer.progress.unlabelled == sum("sure" in row for row in rows)


@pytest.mark.parametrize("installed", [True, False])
def test_real_drawings_are_scored_with_and_without_pycocotools(
    settings, annotated, monkeypatch, installed
):
    if not installed:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    trainer = Trainer(settings(drawings=annotated))
    assert trainer.validation is not None
    # A network that knows the answer, to see that it comes back in the drawing's own pixels.
    truth = torch.from_numpy(
        np.stack([drawing.keypoints for drawing in trainer.validation.drawings])
    )
    places = [m.inverse().apply(p) for m, p in zip(trainer.validation.maps, truth, strict=True)]
    along_y, along_x = heatmaps.gaussian_factors(torch.from_numpy(np.stack(places)), 16, 1.0)
    answer = 20 * along_y[..., :, None] * along_x[..., None, :]
    scores = trainer.validation(lambda ink: answer, trainer.device)
    assert scores["drawings_oks"] > 0.9 and scores["drawings_pck01"] == 1
    assert ("drawings_ap" in scores) is ("drawings_macro_ap" in scores) is installed


def test_learning_rate_rises_and_falls_with_the_share(settings):
    run = settings(lr=1.0, warmup=0.1)
    rates = [learning_rate(run, share) for share in np.linspace(0, 1, 101)]
    assert rates[0] < 0.01 and 0.9 < max(rates) <= 1 and rates[-1] == pytest.approx(0, abs=1e-3)
    assert np.argmax(rates) == 10


def test_a_budget_of_minutes_ends_the_run(settings):
    started = time.perf_counter()
    trainer = Trainer(settings(epochs=1e9, minutes=0.02))
    assert trainer.run() and trainer.progress.elapsed >= 1.2
    assert time.perf_counter() - started < 15


def test_ctrl_c_saves_and_ends_cleanly(settings):
    # A shell that starts a job in the background has it ignore Ctrl-C: that is left as it was, too.
    before = signal.getsignal(signal.SIGINT)
    trainer = Trainer(settings(epochs=100))
    step = trainer.step

    def interrupted(*arguments):
        if trainer.progress.step == 1:
            signal.raise_signal(signal.SIGINT)
        return step(*arguments)

    trainer.step = interrupted
    assert not trainer.run()
    assert checkpoint.load(trainer.file)["step"] == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_to_the_whole_group_saves_and_ends_cleanly(strokes, tmp_path):
    run = tmp_path / "run"
    command = [sys.executable, "-m", "trainer", "train", str(strokes), "--out", str(run)]
    command += ["--network", "hrnet-w16-small", "--size", "64", "--batch", "4", "--workers", "1"]
    command += ["--minutes", "5", "--device", "cpu", "--log-seconds", "0"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not (run / "log.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGTERM)  # as a terminal or `timeout` does: the whole group
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
    state = checkpoint.load(run / "checkpoint.pt")
    assert state["step"] > 0 and state["step"] == _rows(run)[-1]["step"]
    assert checkpoint.network(state)(torch.zeros(1, 1, 64, 64)).shape == (1, 23, 16, 16)


def test_slim_pieces_join_to_the_same_network(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "PIECE_BYTES", 400_000)
    slim = tmp_path / "slim" / "w.pt"
    trainer = Trainer(settings(slim=slim))
    trainer.run()
    pieces = sorted(slim.parent.iterdir())
    assert len(pieces) > 3 and max(p.stat().st_size for p in pieces) <= 400_000
    whole = tmp_path / "joined.pt"
    whole.write_bytes(b"".join(p.read_bytes() for p in pieces))
    ink = torch.rand(1, 1, 64, 64)
    expected = trainer.average.network(ink)
    for path in (slim, whole):
        found = checkpoint.network(checkpoint.load(path))(ink)
        torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-3)
    pieces[1].unlink()
    with pytest.raises(UserError, match="a piece of it is missing"):
        checkpoint.load(slim)


def test_starting_from_another_run_takes_what_fits(settings, caplog):
    first = Trainer(settings(epochs=0.2))
    first.run()
    with caplog.at_level("INFO"):
        second = Trainer(settings(init=first.file))
    assert "left out: nothing; freshly made: nothing" in caplog.text
    for name, value in first.average.network.state_dict().items():
        assert torch.equal(second.network.state_dict()[name], value)


def test_what_is_no_checkpoint_is_the_users_mistake(tmp_path):
    with pytest.raises(UserError, match="no checkpoint at"):
        checkpoint.load(tmp_path / "none.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(UserError, match="not a checkpoint"):
        checkpoint.load(tmp_path / "text.pt")
    torch.save({"a": 1}, tmp_path / "other.pt")
    with pytest.raises(UserError, match="not a checkpoint"):
        checkpoint.load(tmp_path / "other.pt")


def test_folders_without_stroke_packs_are_the_users_mistake(tmp_path):
    with pytest.raises(UserError, match="no stroke packs"):
        data.load_strokes([tmp_path])
    (tmp_path / "bad.npz").write_text("hello")
    with pytest.raises(UserError, match="not a stroke pack"):
        data.load_strokes([tmp_path])
