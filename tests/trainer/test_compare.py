import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from addon.core import skeleton
from addon.core.errors import UserError
from addon.core.image import Box
from trainer import checkpoint, compare, evaluate, models, plots, train
from trainer.__main__ import main
from trainer.losses import MSE_SCALE

TINY = """
network = "hrnet-w16-small"
size = 64
batch = 4
epochs = 0.7
evaluate_every = 0.3
workers = 0
log_seconds = 0
device = "cpu"
"""


@pytest.fixture
def written(pack, annotated, tmp_path):
    """Write a configuration with tiny data into a folder of its own."""
    (tmp_path / "strokes").mkdir()
    pack.save(tmp_path / "strokes" / "clip.npz")
    (tmp_path / "unlabelled").mkdir()
    (tmp_path / "examples").mkdir()
    page = cv2.imread(str(annotated / "images" / "0.png"))
    cv2.imwrite(str(tmp_path / "examples" / "ours.png"), page)
    cv2.imwrite(str(tmp_path / "unlabelled" / "lying.png"), np.rot90(page))

    def write(top: str = "", tables: str = "") -> Path:
        file = tmp_path / "comparison.toml"
        file.write_text(
            f'out = "{tmp_path}/runs"\ndrawings = "{annotated}"\n{top}\n'
            f'[train]\nstrokes = ["{tmp_path}/strokes"]\n{TINY}\n{tables}'
        )
        return file

    return write


def _domain(tmp_path: Path) -> str:
    return (
        f'[domain]\nunlabelled = ["{tmp_path}/unlabelled"]\nunlabelled_weight = 0.0\n'
        'unlabelled_start = 0.0\ndiscriminator = "mlp1"\ngamma = 3e-5\n'
    )


def test_models_are_trained_scored_and_plotted_once(written, tmp_path, monkeypatch, capsys):
    tables = _domain(tmp_path) + '[[row]]\nname = "Two seeds"\nseeds = [4, 5]\nlr = 0.002\n'
    top = f'publish = "{tmp_path}/shown"\nexamples = "{tmp_path}/examples"'
    arguments = ["compare", str(written(top, tables)), "--device", "cpu"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "| Scratch-Sketch-Domain " in printed and "over Scratch-Sketch " in printed
    assert "stands in for ImageNet-Sketch and COCO-Sketch" in printed
    (row,) = [line for line in printed.splitlines() if line.startswith("| Two seeds")]
    assert " +- " in row and row.split("|")[2].strip() == "2"
    shown = {file.name for file in (tmp_path / "shown").iterdir()}
    assert shown == {
        *("comparison.md", "validation_ap.png", "discriminator_accuracy.png"),
        *("joints.png", "sources.png", "examples.png"),
    }
    assert {file.name for file in (tmp_path / "runs" / "overlays").iterdir()} == {
        *("scratch-sketch.png", "scratch-sketch-domain.png", "two-seeds.png"),
    }
    reports = json.loads((tmp_path / "runs" / "comparison.json").read_text())
    assert list(reports["Two seeds"]) == ["4", "5"]
    state = checkpoint.load(tmp_path / "runs" / "two-seeds" / "seed-5" / "checkpoint.pt")
    assert state["settings"]["seed"] == 5 and state["settings"]["lr"] == 0.002

    def again(*_: object) -> bool:
        raise AssertionError("trained or answered a second time")

    monkeypatch.setattr(train.Trainer, "run", again)
    monkeypatch.setattr(evaluate, "predict_drawings", again)
    assert main(arguments) == 0
    assert capsys.readouterr().out == printed


def test_a_stopped_comparison_goes_on(written, monkeypatch, tmp_path, capsys):
    file = written("thesis = false", '[[row]]\nname = "One"\n')
    run = train.Trainer.run
    monkeypatch.setattr(train.Trainer, "run", lambda self: False)
    assert main(["compare", str(file)]) == 0
    assert "the same command goes on" in capsys.readouterr().out
    monkeypatch.setattr(train.Trainer, "run", run)
    assert main(["compare", str(file)]) == 0
    assert "| One " in capsys.readouterr().out


def test_other_options_do_not_pass_for_what_was_trained(written, tmp_path, monkeypatch):
    monkeypatch.setattr(train.Trainer, "run", lambda self: True)
    config = compare.read_config(written("thesis = false", '[[row]]\nname = "One"\n'))
    assert compare.train_model(config.models[0], 0, config)
    changed = written("thesis = false", '[[row]]\nname = "One"\nlr = 0.1\n')
    config = compare.read_config(changed)
    with pytest.raises(UserError, match="trained with other options"):
        compare.train_model(config.models[0], 0, config)


def test_pretrained_files_decide_which_models_there_are(written, tmp_path):
    def names(top: str) -> list[str]:
        config = compare.read_config(written(top, _domain(tmp_path)))
        return [model.name for model in config.models]

    assert names('coco = "c.pth"\nimagenet = "i.pth"') == [
        "Baseline",
        *("ImageNet-Sketch", "ImageNet-Sketch-Domain", "COCO-Sketch", "COCO-Sketch-Domain"),
    ]
    assert names('coco = "c.pth"') == [
        "Baseline",
        *("Scratch-Sketch", "Scratch-Sketch-Domain", "COCO-Sketch", "COCO-Sketch-Domain"),
    ]
    config = compare.read_config(written('coco = "c.pth"', _domain(tmp_path)))
    by_name = {model.name: model for model in config.models}
    chosen = compare.settings(by_name["COCO-Sketch-Domain"], 7, config)
    assert chosen.init == Path("c.pth") and chosen.discriminator == "mlp1" and chosen.seed == 7
    assert compare.settings(by_name["COCO-Sketch"], 0, config).discriminator is None
    assert by_name["COCO-Sketch-Domain"].against == "COCO-Sketch"
    assert by_name["Scratch-Sketch"].note.endswith("stands in for ImageNet-Sketch")


def test_a_row_may_change_one_option_of_another(written, tmp_path):
    row = '[[row]]\nname = "Strong"\nlike = "Scratch-Sketch-Domain"\ngamma = 1e-3\n'
    config = compare.read_config(written("", _domain(tmp_path) + row))
    strong = compare.settings(config.models[-1], 0, config)
    assert strong.gamma == 1e-3 and strong.discriminator == "mlp1"
    assert config.models[-1].against == "Scratch-Sketch-Domain"


def test_a_row_may_take_over_networks_with_other_batch_statistics(written, tmp_path, capsys):
    rows = f"""
    [[row]]
    name = "One"
    seeds = [3]
    [[row]]
    name = "AdaBN"
    like = "One"
    batch_norm_of = "{tmp_path}/unlabelled"
    """
    assert main(["compare", str(written("thesis = false", rows)), "--device", "cpu"]) == 0
    assert "over One" in capsys.readouterr().out
    first, second = (
        checkpoint.load(tmp_path / "runs" / name / "seed-3" / "checkpoint.pt")
        for name in ("one", "adabn")
    )
    assert second["settings"]["seed"] == 3 and first["weights"].keys() == second["weights"].keys()
    same = {k: torch.equal(v, second["weights"][k]) for k, v in first["weights"].items()}
    assert not any(value for name, value in same.items() if "running_" in name)
    assert all(v for name, v in same.items() if name.endswith((".weight", ".bias")))
    assert not (tmp_path / "runs" / "adabn" / "seed-3" / "log.jsonl").exists()


def test_a_seed_may_be_named_in_an_option(written):
    row = '[[row]]\nname = "On"\ninit = "first/seed-{seed}/checkpoint.pt"\n'
    config = compare.read_config(written("thesis = false", row))
    chosen = compare.settings(config.models[0], 2, config)
    assert chosen.init == Path("first/seed-2/checkpoint.pt")


def test_the_baseline_answers_with_cocos_maps_in_our_rows(tmp_path):
    torch.manual_seed(0)
    published = models.build("hrnet-w16-small", keypoints=17)
    torch.nn.init.normal_(published.final_layer.weight)
    file = tmp_path / "pose.pth"
    torch.save(published.state_dict(), file)
    state = compare.photo_network(file, "hrnet-w16-small", 64)
    ink = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        ours = checkpoint.network(state)(ink)[0]
        theirs = published.eval()(ink)[0]
    wrist = skeleton.COCO17_NAMES.index("left_wrist")
    torch.testing.assert_close(
        ours[skeleton.INDEX["LeftHand"]], MSE_SCALE * theirs[wrist], rtol=1e-4, atol=1e-4
    )
    assert not ours[skeleton.INDEX["Spine"]].any()
    headless = {k: v for k, v in published.state_dict().items() if "final" not in k}
    torch.save(headless, file)
    with pytest.raises(UserError, match="final_layer.bias is missing"):
        compare.photo_network(file, "hrnet-w16-small", 64)


@pytest.mark.parametrize(
    ("top", "tables", "sentence"),
    [
        ("colour = 1", "", "entry colour; known are coco, decoder"),
        ("", "", "how the -Domain models adapt"),
        ("thesis = false", "", "describes no model"),
        ("thesis = false", "[[row]]\nlr = 1", "needs a name"),
        ("thesis = false", '[[row]]\nname = "A"\n[[row]]\nname = "a"', "Two models are called"),
        ("thesis = false", '[[row]]\nname = "A"\nlike = "B"', "none of the trained models"),
        ("thesis = false", '[[row]]\nname = "A"\nlerning_rate = 1', "options of A cannot be used"),
        ("thesis = false", '[[row]]\nname = "A"\nepochs = "x"', "options of A cannot be used"),
        (
            "thesis = false",
            '[[row]]\nname = "A"\n[[row]]\nname = "B"\nlike = "A"\nlr = 1\nbatch_norm_of = "x"',
            "Row B takes over trained networks",
        ),
        ('thesis = false\ndecoder = "x"', '[[row]]\nname = "A"', "No decoder is called x"),
        ("= 3", "", "is not a TOML file"),
    ],
)
def test_mistakes_in_the_configuration_are_one_sentence(written, capsys, top, tables, sentence):
    assert main(["compare", str(written(top, tables))]) == 2
    assert sentence in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_comparison_is_one_process(written, monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["compare", str(written("thesis = false"))]) == 2
    assert "without torchrun" in capsys.readouterr().err


def _report(values: list[float]) -> evaluate.Report:
    """Of a network whose bootstrap drew these AP."""
    scores = evaluate.Scores(9, float(np.mean(values)), 0.5, 0.5, 0.5, 0.5, 0.5)
    samples = {name: np.array(values) for name in ("all", "s", "macro")}
    joints = {"LeftHand": evaluate.JointScores(0.5, 0.5)}
    return evaluate.Report({"all": scores, "s": scores}, scores.ap, samples, joints, np.zeros(9))


def test_the_gain_is_measured_on_the_same_samples_of_drawings(tmp_path):
    plain, better = [0.2, 0.5, 0.8], [0.3, 0.6, 0.9]  # much spread, and always 0.1 between them
    config = compare.Config(
        tmp_path,
        tmp_path,
        tmp_path,
        (compare.Model("Plain", {}, (0,)), compare.Model("Better", {}, (0, 1), "Plain")),
    )

    def run(values: list[float]) -> compare.Run:
        return compare.Run(tmp_path, 1, _report(values), [])

    runs = {"Plain": [run(plain)], "Better": [run(better), run(better)]}
    row = compare.markdown(config, runs).splitlines()[3].split("|")
    assert row[-3].strip() == "+0.100 over Plain" and row[-2].strip() == "0.100 to 0.100"
    assert row[3].strip() == "0.600 +- 0.000"


def test_a_smoothed_curve_has_less_noise_and_does_not_lag():
    assert plots.smooth(np.array([0.3])) == pytest.approx([0.3])
    line = np.linspace(0.1, 0.7, 9)
    assert plots.smooth(line) == pytest.approx(line)
    noise = np.random.default_rng(0).normal(0, 0.05, 200)
    assert plots.smooth(noise).std() < 0.7 * noise.std()
    step = plots.smooth(np.array([0.0] * 10 + [1.0] * 10))
    assert step[9] + step[10] == pytest.approx(1.0)  # half-way where it rises


def test_runs_of_unequal_length_are_averaged_where_all_have_been():
    short = plots.Curve(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    long = plots.Curve(np.array([0.5, 1.5, 4.0]), np.array([1.0, 1.0, 1.0]))
    mean, low, high = plots.mean_curve([short, long])
    assert mean.epochs.tolist() == [1.0, 1.5, 2.0]
    assert mean.values == pytest.approx([0.5, 0.75, 1.0])
    assert low == pytest.approx([0.0, 0.5, 1.0]) and high == pytest.approx([1.0, 1.0, 1.0])


def test_answers_are_kept_for_the_same_question_only(annotated, tmp_path):
    network = models.build("hrnet-w16-small")
    torch.nn.init.normal_(network.final_layer.weight)
    state = {"network": "hrnet-w16-small", "config": {}, "size": 64}
    checkpoint.save(tmp_path / "checkpoint.pt", {**state, "weights": network.state_dict()})
    drawings = evaluate.load_drawings(annotated)
    first, _ = compare.answer(tmp_path, drawings, "cpu")
    (tmp_path / "checkpoint.pt").rename(tmp_path / "away.pt")
    kept, _ = compare.answer(tmp_path, drawings, "cpu")
    assert np.array_equal(first, kept)
    with pytest.raises(UserError, match="no checkpoint"):
        compare.answer(tmp_path, drawings, "cpu", flip=False)
    (tmp_path / "away.pt").rename(tmp_path / "checkpoint.pt")
    other, _ = compare.answer(tmp_path, drawings[:1], "cpu", "quarter")
    assert len(other) == 1 and not np.array_equal(first[0], other[0])


def test_best_and_worst_drawings_are_told_apart(tmp_path):
    page = np.full((60, 60), 255, np.uint8)
    drawings, answers = [], []
    for i in range(4):
        cv2.imwrite(str(tmp_path / f"{i}.png"), page)
        points = np.full((skeleton.COUNT, 2), 30.0)
        seen = np.ones(skeleton.COUNT, dtype=bool)
        path = tmp_path / f"{i}.png"
        drawings.append(evaluate.Drawing(path, "s", Box(0, 0, 60, 60), points, seen))
        answers.append(points + 4 * i)
    report = evaluate.assess(drawings, answers, [np.ones(skeleton.COUNT)] * 4, resamples=2)
    tiles = compare._extremes(compare.Run(tmp_path, 1, report, answers), drawings)
    assert [tile.caption for tile in tiles["best"]] == [f"{v:.2f}" for v in report.oks[:2]]
    assert [tile.caption for tile in tiles["worst"]] == [f"{v:.2f}" for v in report.oks[:1:-1]]
