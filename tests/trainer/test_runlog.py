import importlib.util
import json

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainer.runlog import RunLog


def _lines(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def _curve(folder, tag: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(tag)]


def test_steps_that_a_kill_undid_are_written_once(tmp_path):
    killed = RunLog(tmp_path, 0)
    for step in range(1, 6):
        killed.write("train", step, {"loss": 10.0 - step})
    killed.write("validation", 4, {"oks": 0.25})
    killed.close()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 1, "lo')  # the kill came within a line

    resumed = RunLog(tmp_path, 3)  # the checkpoint's step
    for step in range(4, 7):
        resumed.write("train", step, {"loss": 20.0 - step})
    resumed.close()
    expected = [(1, 9.0), (2, 8.0), (3, 7.0), (4, 16.0), (5, 15.0), (6, 14.0)]
    assert [(row["step"], row["loss"]) for row in _lines(tmp_path)] == expected
    assert _curve(tmp_path, "train/loss") == expected


def test_a_new_run_starts_with_an_empty_log(tmp_path):
    for loss in (1.0, 2.0):
        log = RunLog(tmp_path, 0)
        log.write("train", 1, {"loss": loss})
        log.close()
    assert _lines(tmp_path) == [{"step": 1, "loss": 2.0}]


def test_without_tensorboard_the_lines_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    log = RunLog(tmp_path, 0)
    log.write("validation", 7, {"oks": 0.5})
    log.close()
    assert _lines(tmp_path) == [{"step": 7, "oks": 0.5}]
    assert not (tmp_path / "tensorboard").exists()
