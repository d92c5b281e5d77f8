import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from addon.core import skeleton
from addon.core.errors import UserError
from addon.core.estimator import Estimator
from trainer import checkpoint, export, heatmaps, models, predict
from trainer.__main__ import main
from trainer.inference import CheckpointEstimator, open_decoder, open_estimator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A checkpoint whose batch statistics and weights are not those of a fresh network."""
    torch.manual_seed(3)
    network = models.build("hrnet-w16-small")
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1)
                module.bias.uniform_(-0.3, 0.3)
        network.final_layer.weight.normal_(std=0.5)
    network.train()(torch.rand(8, 1, 128, 128))
    path = tmp_path_factory.mktemp("run") / "checkpoint.pt"
    state = {"network": "hrnet-w16-small", "config": {}, "size": 128, "images": 7}
    checkpoint.save(path, {**state, "weights": network.state_dict()})
    return path


@pytest.fixture(scope="module")
def exported(trained) -> Path:
    path = trained.parent / "net.onnx"
    assert main(["export", str(trained), "--out", str(path)]) == 0
    return path


@pytest.fixture
def drawing(tmp_path) -> Path:
    page = np.full((200, 300), 255, np.uint8)
    cv2.line(page, (150, 30), (150, 120), 0, 3)
    cv2.line(page, (150, 120), (120, 180), 0, 3)
    cv2.line(page, (150, 120), (180, 180), 0, 3)
    path = tmp_path / "figure.png"
    cv2.imwrite(str(path), page)
    return path


def test_opencv_runs_the_exported_network_as_torch_does(trained, exported):
    rng = np.random.default_rng(0)
    ink = rng.random((128, 128)).astype(np.float32)
    onnx, torch_ = Estimator(exported), CheckpointEstimator(trained)
    for flip in (False, True):
        expected = torch_.heatmaps(ink, flip)
        scale = np.abs(expected).max()
        assert scale > 0.5
        # Half-precision weights: a relative error of up to 2^-11 each.
        np.testing.assert_allclose(onnx.heatmaps(ink, flip), expected, atol=0.005 * scale)


def test_batch_norm_is_folded_exactly(trained):
    network = checkpoint.network(checkpoint.load(trained))
    ink = torch.rand(1, 1, 96, 96)
    folded = export.fold_batch_norm(network)
    torch.testing.assert_close(folded(ink), network(ink), rtol=1e-3, atol=1e-4)


def test_export_halves_the_file_and_writes_the_card(exported, tmp_path):
    parameters = sum(p.numel() for p in models.build("hrnet-w16-small").parameters())
    assert exported.stat().st_size < 2.2 * parameters
    card = json.loads(exported.with_suffix(".json").read_text())
    assert card["input_size"] == 128 and card["keypoints"] == list(skeleton.KEYPOINTS)
    assert card["export"]["opencv_against_torch"] < 1e-3
    assert card["sha256"] == hashlib.sha256(exported.read_bytes()).hexdigest()
    assert card["training"]["drawings_seen"] == 7


def test_a_network_on_which_opencv_disagrees_is_not_written(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE", 0.0)
    out = tmp_path / "net.onnx"
    assert main(["export", str(trained), "--out", str(out)]) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_card_takes_up_facts(trained, tmp_path):
    (tmp_path / "facts.json").write_text('{"weaknesses": ["hands"], "licence": "CC0-1.0"}')
    out = tmp_path / "net.onnx"
    arguments = ["export", str(trained), "--out", str(out), "--card", str(tmp_path / "facts.json")]
    assert main(arguments) == 0
    card = json.loads(out.with_suffix(".json").read_text())
    assert card["weaknesses"] == ["hands"] and card["licence"] == "CC0-1.0"


@pytest.mark.parametrize("boxes", ["ink", "file"])
def test_predict_answers_in_pixels_of_the_file(exported, drawing, tmp_path, boxes):
    gt = tmp_path / "gt.json"
    coco = {
        "images": [{"id": 1, "file_name": drawing.name}],
        "annotations": [{"image_id": 1, "bbox": [118, 28, 64, 154]}],
    }
    gt.write_text(json.dumps(coco))
    out, overlays = tmp_path / "results.json", tmp_path / "overlays"
    arguments = ["predict", str(drawing), "--model", str(exported), "--out", str(out)]
    arguments += ["--boxes", "ink" if boxes == "ink" else str(gt), "--overlay", str(overlays)]
    assert main(arguments) == 0
    (result,) = json.loads(out.read_text())
    assert result["file_name"] == "figure.png" and 0 <= result["score"] <= 1
    assert list(result["keypoints"]) == list(skeleton.KEYPOINTS)
    rows = np.array(list(result["keypoints"].values()))
    # The crop reaches MARGIN / 2 of the box's longer side around its middle (150, 105).
    assert (np.abs(rows[:, :2] - (150, 105)) <= 0.625 * 160).all()
    assert ((rows[:, 2] >= 0) & (rows[:, 2] <= 1)).all()
    assert cv2.imread(str(overlays / "figure.png")).shape[2] == 3


@pytest.fixture
def annotated(drawing) -> Path:
    """A folder of one annotated drawing."""
    folder = drawing.parent / "annotated"
    (folder / "images").mkdir(parents=True)
    shutil.copy(drawing, folder / "images")
    rows = np.random.default_rng(0).uniform(20, 180, (skeleton.COUNT, 2))
    keypoints = np.column_stack([rows, np.full(skeleton.COUNT, 2)]).ravel().tolist()
    coco = {
        "images": [{"id": 1, "file_name": drawing.name}],
        "annotations": [{"image_id": 1, "bbox": [118, 28, 64, 154], "keypoints": keypoints}],
        "categories": [{"id": 1, "keypoints": list(skeleton.KEYPOINTS)}],
    }
    (folder / "keypoints.json").write_text(json.dumps(coco))
    return folder


def test_one_command_compares_all_decoders(exported, annotated, tmp_path, capsys):
    file = tmp_path / "decoders.json"
    arguments = ["evaluate", "--model", str(exported), "--drawings", str(annotated)]
    assert main([*arguments, "--decoder", "all", "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    names = [*heatmaps.DECODERS, *(f"{name} + flip" for name in heatmaps.DECODERS)]
    assert [line.split("  ")[0].strip() for line in lines] == names
    table = json.loads(file.read_text())["decoders"]
    for name in heatmaps.DECODERS:  # each alone gives what the table says
        one = tmp_path / "one.json"
        assert (
            main(
                [*arguments, "--decoder", name, "--no-flip", "--resamples", "0", "--json", str(one)]
            )
            == 0
        )
        assert json.loads(one.read_text())["scores"]["all"] == table[name]
    assert table["window"]["mean_oks"] != table["quarter"]["mean_oks"]


def test_decoders_know_the_loss_of_a_network(trained, tmp_path):
    state = checkpoint.load(trained) | {"settings": {"loss": "bce", "sigma": 2.0}}
    checkpoint.save(tmp_path / "bce.pt", state)
    assert main(["export", str(tmp_path / "bce.pt"), "--out", str(tmp_path / "bce.onnx")]) == 0
    logits = 8 * torch.randn(1, 23, 16, 16)
    expected, _ = heatmaps.decode_dark(logits, "bce", 2.0)
    for name in ("bce.pt", "bce.onnx"):
        decode = open_decoder(open_estimator(tmp_path / name), "dark")
        assert torch.equal(decode(logits)[0], expected)
    assert not torch.equal(heatmaps.decode_dark(logits, "softmax", 1.0)[0], expected)


def test_batch_statistics_of_drawings_are_taken_on_alike(trained, exported, drawing, tmp_path):
    out = tmp_path / "adapted.onnx"
    folder = str(drawing.parent)
    assert main(["export", str(trained), "--out", str(out), "--batch-norm-of", folder]) == 0
    ink = np.random.default_rng(0).random((128, 128)).astype(np.float32)
    adapted = open_estimator(trained, batch_norm_of=drawing.parent).heatmaps(ink)
    scale = np.abs(adapted).max()
    np.testing.assert_allclose(Estimator(out).heatmaps(ink), adapted, atol=0.01 * scale)
    assert np.abs(Estimator(exported).heatmaps(ink) - adapted).max() > 0.05 * scale
    with pytest.raises(UserError, match="name a checkpoint"):
        open_estimator(exported, batch_norm_of=drawing.parent)


def test_predict_takes_the_figure_or_the_box_that_it_is_told(exported, tmp_path):
    page = np.full((300, 500), 255, np.uint8)
    for x, height in ((120, 180), (380, 240)):
        cv2.line(page, (x, 20), (x, 20 + height), 0, 4)
        cv2.line(page, (x - 40, 90), (x + 40, 90), 0, 4)
    path = tmp_path / "two.png"
    cv2.imwrite(str(path), page)

    def middle(*options: str) -> float:
        out = tmp_path / "results.json"
        arguments = ["predict", str(path), "--model", str(exported), "--out", str(out), *options]
        assert main(arguments) == 0
        (result,) = json.loads(out.read_text())
        return float(np.mean([row[0] for row in result["keypoints"].values()]))

    # An untrained network's answers lie anywhere in the crop, on an average in its middle.
    assert abs(middle() - 380) < 100 and abs(middle("--figure", "2") - 120) < 100
    assert abs(middle("--box", "80", "20", "80", "180") - 120) < 100


def test_the_overlay_draws_the_characters_left_blue():
    points = np.zeros((skeleton.COUNT, 2))
    points[skeleton.INDEX["LeftForeArm"]], points[skeleton.INDEX["LeftHand"]] = (
        (400, 100),
        (400, 400),
    )
    points[skeleton.INDEX["RightForeArm"]], points[skeleton.INDEX["RightHand"]] = (
        (50, 100),
        (50, 400),
    )
    canvas = predict.overlay(np.full((512, 512), 255, np.uint8), points)
    blue, _, red = canvas[250, 400].astype(int)
    assert blue > red + 50
    blue, _, red = canvas[250, 50].astype(int)
    assert red > blue + 50


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["predict", "none.png", "--out", "r.json"], "no picture at none.png"),
        (["predict", "FIGURE", "--out", "r.json", "--boxes", "none.json"], "no file with boxes"),
        (["predict", "EMPTY", "--out", "r.json"], "Nothing is drawn"),
        (["predict", "FIGURE", "--out", "r.json", "--figure", "2"], "shows only one figure"),
        (["predict", "FIGURE", "--out", "r.json", "--figure", "0"], "shows only one figure"),
        (["predict", "FIGURE", "FIGURE", "--out", "r.json", "--box", *"0099"], "one drawing with"),
        (["export", "none.pt"], "no checkpoint at none.pt"),
        (["evaluate", "--drawings", "."], "no keypoints.json"),
        (["compare", "none.toml"], "no configuration at none.toml"),
        (["train", "none", "--out", "run"], "no stroke packs"),
    ],
)
def test_mistakes_end_in_one_sentence_and_status_2(
    arguments: list[str], sentence, exported, drawing, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("empty.png", np.full((90, 90), 255, np.uint8))
    places = {"FIGURE": str(drawing), "EMPTY": "empty.png"}
    arguments = [places.get(one, one) for one in arguments]
    if arguments[0] == "predict":
        arguments += ["--model", str(exported)]
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence in error and "Traceback" not in error
    assert not Path("r.json").exists()


@pytest.mark.parametrize("command", ["train", "evaluate", "compare", "predict", "export"])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0 and "--" in capsys.readouterr().out
