import json

import pytest

from scripts import benchmark


def test_train_section(pack, tmp_path, capsys):
    pack.save(tmp_path / "clip.npz")
    arguments = ["--only", "train", "--strokes", str(tmp_path / "clip.npz"), "--batches", "2"]
    arguments += ["--networks", "hrnet-w16-small", "--train", "--size 64 --batch 4 --workers 1"]
    benchmark.main([*arguments, "--json", str(tmp_path / "report.json")])
    train = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["train"]
    rates = {
        name.removeprefix("hrnet-w16-small_"): value
        for name, value in train.items()
        if name.startswith("hrnet-w16-small_")
    }
    assert rates["step_to_plain"] == pytest.approx(rates["step_s"] / rates["plain_step_s"])
    assert 0 <= rates["waiting"] < 1
    assert rates["images_per_s"] > 0
    ratio = train["data_images_per_s"] / rates["images_per_s"]
    assert rates["data_to_training"] == pytest.approx(ratio)
    assert "data_images_per_s" in capsys.readouterr().out  # beside the training's rate


def test_an_unknown_training_option_is_refused(pack, tmp_path):
    pack.save(tmp_path / "clip.npz")
    with pytest.raises(SystemExit) as end:
        benchmark.main(["--only", "train", "--strokes", str(tmp_path), "--train", "--sise 64"])
    assert end.value.code == 2
