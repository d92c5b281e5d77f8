"""Train and score several models under the same conditions, and show them in one table and plots.

The five models of the thesis (A. Novikova, SPbU, 2022) are a network trained on photos as it is
(Baseline), and networks that start from ImageNet's or COCO's weights and learn from synthetic
sketches, without and with domain-adversarial training. Where a file with those weights is not
given, networks with fresh weights stand in. Further rows are sets of options of ``train``.

A comparison is described by a TOML file; paths are those of the working directory::

    out = "runs/comparison"      # trained networks, table, plots; overlays of the drawings
    publish = "docs/comparison"  # optional: table and plots go there, which show no drawing but
    examples = "examples"        # optional: those of this folder
    drawings = "drawings"        # images/ and keypoints.json
    seeds = [0, 1, 2]            # every model is trained once with each
    thesis = true                # false: only the rows below
    imagenet = "FILE"            # optional: weights to start from
    coco = "FILE"
    decoder = "figure"           # optional: see `python -m trainer evaluate --decoder`
    flip = true                  # optional: average with the mirror image

    [train]                      # options of `python -m trainer train` for every model
    strokes = ["out/dataset"]
    network = "hrnet-w32"
    epochs = 10                  # a "{seed}" in an option stands for the run's seed: with it,
                                 # init can go on from the runs of another comparison

    [domain]                     # those that a "-Domain" model adds
    unlabelled = ["unlabelled"]
    unlabelled_weight = 0        # the adversary alone, no self-training
    discriminator = "mlp1"
    gamma = 3e-5

    [[row]]
    name = "Self-training"
    like = "Scratch-Sketch"      # optional: the model whose options these change ...
    unlabelled = ["unlabelled"]  # ... and with which the table compares it

    [[row]]
    name = "AdaBN"
    like = "Scratch-Sketch"      # its trained networks ...
    batch_norm_of = "unlabelled" # ... with the batch statistics of the drawings in this folder

What is trained already is not trained again; an interrupted comparison goes on when the same
command is given.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from addon.core import image, skeleton
from addon.core.errors import UserError
from addon.core.files import write_arrays, write_whole

from . import adapt, checkpoint, data, evaluate, heatmaps, models, predict, pretrained, train
from .inference import open_estimator
from .losses import MSE_SCALE

if TYPE_CHECKING:
    from . import plots

log = logging.getLogger("croquis.compare")

FloatArray = NDArray[np.floating]

_KEYS = {
    *("out", "publish", "examples", "drawings", "seeds", "thesis", "imagenet", "coco"),
    *("decoder", "flip", "train", "domain", "row"),
}
_EXTREMES = 6  # drawings on each row of a sheet of best and worst answers
_GREEN = (60, 160, 30)  # BGR


@dataclass(frozen=True)
class Model:
    """A row of the table.

    Attributes:
        name: in the table.
        options: of ``train`` by name, as in the TOML file.
        seeds: one run with each.
        against: the model that this one is measured against.
        note: below the table.
        trained: on sketches; False for pretrained weights as they are, and for those of
            ``against`` with other batch statistics.
        batch_norm_of: folder of drawings that these statistics are taken from.
    """

    name: str
    options: Mapping[str, Any]
    seeds: tuple[int, ...]
    against: str | None = None
    note: str = ""
    trained: bool = True
    batch_norm_of: Path | None = None

    @property
    def folder(self) -> str:
        """The name as part of a path."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@dataclass(frozen=True)
class Config:
    """A comparison; the module's docstring says what each entry means."""

    out: Path
    publish: Path
    drawings: Path
    models: tuple[Model, ...]
    examples: Path | None = None
    decoder: str = "figure"
    flip: bool = True

    def run_folder(self, model: Model, seed: int) -> Path:
        """Where a run keeps its files."""
        return self.out / model.folder / f"seed-{seed}"


@dataclass(frozen=True)
class Run:
    """A trained network and its answers.

    Attributes:
        folder: with ``checkpoint.pt`` and ``log.jsonl``.
        views: drawings to an epoch.
        report: scores on the annotated drawings.
        answers: ``[23, 2]`` pixels for each of them.
    """

    folder: Path
    views: int
    report: evaluate.Report
    answers: list[FloatArray]


# ----------------------------------------------------------------------------------- configuration


def read_config(path: Path) -> Config:
    """Read a comparison's TOML file.

    Raises:
        UserError: the file is missing, no TOML, lacks an entry or has one that is not known.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"There is no configuration at {path}.") from error
    except ValueError as error:
        raise UserError(f"{path} is not a TOML file: {error}.") from error
    unknown = sorted(table.keys() - _KEYS)
    if unknown:
        raise UserError(f"{path} has an entry {unknown[0]}; known are {', '.join(sorted(_KEYS))}.")
    missing = sorted({"out", "drawings", "train"} - table.keys())
    if missing:
        raise UserError(f"{path} lacks the entry {missing[0]}.")
    seeds = tuple(table.get("seeds", [0]))
    rows = _thesis_models(table, seeds) if table.get("thesis", True) else []
    for row in table.get("row", []):
        rows.append(_row(dict(row), rows, table["train"], seeds))
    if not rows:
        raise UserError(f"{path} describes no model; add [[row]] entries or thesis = true.")
    folders = [row.folder for row in rows]
    twice = next((row.name for row in rows if folders.count(row.folder) > 1), None)
    if twice is not None:
        raise UserError(f"Two models are called {twice}; give each row a name of its own.")
    decoder = table.get("decoder", "figure")
    if decoder not in heatmaps.DECODERS:
        raise UserError(
            f"No decoder is called {decoder}; there are {', '.join(heatmaps.DECODERS)}."
        )
    out = Path(table["out"])
    return Config(
        out=out,
        publish=Path(table.get("publish", out)),
        drawings=Path(table["drawings"]),
        models=tuple(rows),
        examples=Path(table["examples"]) if "examples" in table else None,
        decoder=decoder,
        flip=bool(table.get("flip", True)),
    )


def _thesis_models(table: Mapping[str, Any], seeds: tuple[int, ...]) -> list[Model]:
    """The thesis' models, with stand-ins for those whose first weights are not there."""
    if "domain" not in table:
        raise UserError("Say in [domain] how the -Domain models adapt, or set thesis = false.")
    plain, domain = table["train"], {**table["train"], **table["domain"]}
    files = {"ImageNet": table.get("imagenet"), "COCO": table.get("coco")}
    missing = [f"{name}-Sketch" for name, file in files.items() if not file]
    result = []
    if files["COCO"]:
        result.append(Model("Baseline", {**plain, "init": files["COCO"]}, (0,), trained=False))
    if missing:
        files = {"Scratch": None, **files}
    instead = " and ".join(missing)
    for start, file in files.items():
        name, note = f"{start}-Sketch", ""
        if name in missing:
            continue
        if not file:
            note = f"no pretrained weights were given; stands in for {instead}"
        init = {"init": file} if file else {}
        result.append(Model(name, {**plain, **init}, seeds, note=note))
        note = note and f"{note} with -Domain"
        result.append(Model(f"{name}-Domain", {**domain, **init}, seeds, name, note))
    return result


def _row(
    row: dict[str, Any], before: Sequence[Model], plain: Mapping[str, Any], seeds: tuple[int, ...]
) -> Model:
    """A ``[[row]]`` of the configuration, given the models before it."""
    name = row.pop("name", None)
    if not isinstance(name, str) or not re.search("[a-z0-9]", name.lower()):
        raise UserError("Every [[row]] needs a name.")
    like = row.pop("like", None)
    known = {model.name: model for model in before if model.trained}
    if like is not None and like not in known:
        raise UserError(
            f"Row {name} is like {like}, which is none of the trained models before it."
        )
    options = plain if like is None else known[like].options
    statistics = row.pop("batch_norm_of", None)
    if statistics is not None:
        if like is None or row:
            raise UserError(
                f"Row {name} takes over trained networks: besides batch_norm_of it needs like, "
                "and can have nothing else."
            )
        folder = Path(statistics)
        return Model(name, {}, known[like].seeds, like, trained=False, batch_norm_of=folder)
    seeds = tuple(row.pop("seeds", seeds))
    return Model(name, {**options, **row}, seeds, like)


class _Options(argparse.ArgumentParser):
    """The options of ``train``, whose mistakes are those of the configuration."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"The options of {self.prog} cannot be used: {message}.")


def settings(model: Model, seed: int, config: Config) -> train.Settings:
    """The training that a model and a seed stand for.

    Raises:
        UserError: an option that ``train`` does not have, or a value that it does not take.
    """
    words: list[str] = []
    for key, value in model.options.items():
        flag = "--" + key.replace("_", "-")
        if key == "strokes":
            words = [*map(str, value), *words]
        elif isinstance(value, list):
            words += [flag, *map(str, value)]
        elif isinstance(value, bool):
            words += [flag] if value else []
        else:
            words.append(f"{flag}={value}".replace("{seed}", str(seed)))
    parser = _Options(prog=model.name, add_help=False, allow_abbrev=False)
    train.add_arguments(parser)
    folder = config.run_folder(model, seed)
    words += [f"--out={folder}", f"--drawings={config.drawings}", f"--seed={seed}", "--resume"]
    values: dict[str, Any] = vars(parser.parse_args(words))
    values = {key: tuple(one) if isinstance(one, list) else one for key, one in values.items()}
    return train.Settings(**values)


# ------------------------------------------------------------------------------ training, answering


def train_model(model: Model, seed: int, config: Config) -> bool:
    """Train one network to the end, going on where it was stopped.

    Returns:
        False when it was stopped before its end.

    Raises:
        UserError: the run's folder holds a training with other options.
    """
    folder = config.run_folder(model, seed)
    made, finished = folder / "options.json", folder / "finished.json"
    options = dict(model.options)
    if model.batch_norm_of is not None:
        options = {"like": model.against, "batch_norm_of": str(model.batch_norm_of)}
    options = json.dumps(options, indent=2, sort_keys=True) + "\n"
    if made.exists() and made.read_text(encoding="utf-8") != options:
        raise UserError(
            f"{folder} was trained with other options; give the row another name or delete it."
        )
    if finished.exists():
        return True
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(made, options.encode())
    log.info("%s, seed %d", model.name, seed)
    views = 0
    if model.trained:
        trainer = train.Trainer(settings(model, seed, config))
        if not trainer.run():
            return False
        views = len(trainer.sketches)
    elif model.batch_norm_of is not None:
        (source,) = (one for one in config.models if one.name == model.against)
        state = checkpoint.load(config.run_folder(source, seed) / "checkpoint.pt")
        state = {key: state[key] for key in checkpoint.FACTS if key in state} | {
            "weights": adapt.weights_adapted_to(state, model.batch_norm_of)
        }
        checkpoint.save(folder / "checkpoint.pt", state)
    else:
        chosen = settings(model, seed, config)
        assert chosen.init is not None
        state = photo_network(chosen.init, chosen.network, chosen.size)
        checkpoint.save(folder / "checkpoint.pt", state)
    write_whole(finished, json.dumps({"views": views}).encode())
    return True


def photo_network(path: Path, name: str, size: int) -> dict[str, Any]:
    """A published network for COCO's keypoints as a checkpoint with our rows, not trained further.

    Args:
        path: its weights.
        name: of the network of that size.
        size: side of the input, pixels.

    Raises:
        UserError: the file lacks a part of that network.
    """
    network = models.build(name, keypoints=len(skeleton.COCO17_NAMES))
    if fresh := pretrained.initialise(network, path).fresh:
        raise UserError(f"{path} holds no {name} for COCO's keypoints: {fresh[0]} is missing.")
    weights = network.state_dict()
    for part in ("final_layer.weight", "final_layer.bias"):
        theirs = weights[part]
        ours = skeleton.from_labelling(
            theirs.reshape(len(theirs), -1).numpy(), skeleton.COCO17_NAMES, "coco17"
        )
        # It puts out maps of height 1, and our decoders expect logits.
        rows = MSE_SCALE * torch.from_numpy(ours).float()
        weights[part] = rows.reshape(-1, *theirs.shape[1:])
    return {"network": name, "config": {}, "size": size, "weights": weights}


def answer(
    folder: Path,
    drawings: Sequence[evaluate.Drawing],
    device: str,
    decoder: str = "figure",
    flip: bool = True,
) -> tuple[list[FloatArray], list[FloatArray]]:
    """A trained network's keypoints and scores at the true boxes, kept for the next time.

    Args:
        folder: of the run.
        drawings: whose figures are wanted.
        device: for torch.
        decoder, flip: see :func:`evaluate.predict_drawings`.
    """
    file = folder / "answers.npz"
    question = [decoder, str(flip), *(drawing.path.name for drawing in drawings)]
    if file.exists():
        kept = np.load(file)
        if kept["question"].tolist() == question:
            return list(kept["keypoints"]), list(kept["scores"])
    estimator = open_estimator(folder / "checkpoint.pt", device)
    keypoints, scores = evaluate.predict_drawings(estimator, drawings, flip=flip, decoder=decoder)
    columns = {"question": question, "keypoints": keypoints, "scores": scores}
    write_arrays(file, {name: np.array(column) for name, column in columns.items()})
    return keypoints, scores


def score_models(
    config: Config, drawings: Sequence[evaluate.Drawing], device: str
) -> dict[str, list[Run]]:
    """Every run of every model, trained already, with its scores on the drawings."""
    result = {}
    for model in config.models:
        result[model.name] = []
        for seed in model.seeds:
            folder = config.run_folder(model, seed)
            views = json.loads((folder / "finished.json").read_text(encoding="utf-8"))["views"]
            keypoints, scores = answer(folder, drawings, device, config.decoder, config.flip)
            report = evaluate.assess(drawings, keypoints, scores)
            result[model.name].append(Run(folder, views, report, keypoints))
    return result


# --------------------------------------------------------------------------------------- the table


def markdown(config: Config, runs: Mapping[str, Sequence[Run]]) -> str:
    """The comparison in Markdown: mean over the seeds, and +- their standard deviation.

    The interval of AP and of the gain over another model is that of a bootstrap over the drawings,
    of the mean over the seeds; both models of a gain answer the same sample of drawings.
    """
    sources = [name for name in next(iter(runs.values()))[0].report.scores if name != "all"]
    rows = [
        ["model", "seeds", "AP", "95 %", "AP50", "AP75", "OKS", "PCK@0.1", "macro AP"]
        + [f"AP {name}" for name in sources]
        + ["gain", "95 %"]
    ]
    for model in config.models:
        some = [run.report for run in runs[model.name]]
        every = [one.scores["all"] for one in some]
        rows.append([model.name, str(len(some)), _spread([one.ap for one in every])])
        rows[-1].append(_limits(_mean_samples(some)))
        for field in ("ap50", "ap75", "mean_oks", "pck01"):
            rows[-1].append(_spread([getattr(one, field) for one in every]))
        rows[-1].append(_spread([one.macro_ap for one in some]))
        rows[-1] += [_spread([one.scores[source].ap for one in some]) for source in sources]
        rows[-1] += ["", ""]
        if model.against is not None:
            others = [run.report for run in runs[model.against]]
            difference = _mean_samples(some) - _mean_samples(others)
            gain = np.mean([one.ap for one in every])
            gain -= np.mean([one.scores["all"].ap for one in others])
            rows[-1][-2:] = [f"{gain:+.3f} over {model.against}", _limits(difference)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    count = next(iter(runs.values()))[0].report.scores["all"].drawings
    lines += [
        "",
        f"{count} drawings, true boxes, 12 joints, AP over OKS .50:.05:.95, decoder "
        f"{config.decoder}{' with flip test' if config.flip else ''}. Mean over the seeds "
        "and their standard deviation; 95 % intervals are of a bootstrap over the drawings.",
    ]
    lines += [f"{model.name}: {model.note}." for model in config.models if model.note]
    return "\n".join(lines) + "\n"


def _mean_samples(reports: Sequence[evaluate.Report]) -> FloatArray:
    """``[R]`` bootstrapped AP, averaged over the seeds: all answer the same samples of drawings."""
    return np.mean([one.samples["all"] for one in reports], axis=0)


def _limits(samples: FloatArray) -> str:
    limits = evaluate.interval(samples)
    return "" if limits is None else f"{limits[0]:.3f} to {limits[1]:.3f}"


def _spread(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} +- {np.std(values, ddof=1):.3f}"


# --------------------------------------------------------------------------------------- the plots


def draw_plots(
    config: Config,
    runs: Mapping[str, Sequence[Run]],
    drawings: Sequence[evaluate.Drawing],
    device: str,
) -> list[Path]:
    """Write all plots; overlays of the annotated drawings stay in the comparison's own folder."""
    from . import plots  # matplotlib is needed for nothing else

    written: list[Path] = []

    def new(name: str, folder: Path = config.publish) -> Path:
        written.append(folder / name)
        return written[-1]

    for key, file, title, label in (
        ("drawings_ap", "validation_ap.png", "Validation drawings", "AP"),
        (
            *("discriminator_accuracy", "discriminator_accuracy.png"),
            *("The discriminator tells real from synthetic", "accuracy"),
        ),
    ):
        curves = {}
        for model in config.models:
            parts = [curve for run in runs[model.name] if (curve := _curve(run, key))]
            named = "gamma" not in model.options or "gamma" in model.name
            gamma = "" if named else f", gamma {model.options['gamma']:g}"
            if parts:
                curves[model.name + gamma] = parts
        if curves:
            plots.curves(new(file), curves, title, label)
    first = next(iter(runs.values()))[0].report
    joints = {
        model: {
            joint: plots.Bar(float(np.mean([run.report.joints[joint].ap for run in some])))
            for joint in first.joints
        }
        for model, some in runs.items()
    }
    plots.bars(new("joints.png"), joints, "AP of each joint alone", "AP")
    sources = {
        model: {
            f"{source} ({one.drawings})": plots.Bar(
                float(np.mean([run.report.scores[source].ap for run in some])),
                evaluate.interval(np.mean([run.report.samples[source] for run in some], axis=0)),
            )
            for source, one in first.scores.items()
        }
        for model, some in runs.items()
    }
    plots.bars(new("sources.png"), sources, "AP by source of the drawings", "AP")
    for model in config.models:
        run = runs[model.name][0]
        path = new(f"{model.folder}.png", config.out / "overlays")
        plots.sheet(path, _extremes(run, drawings), f"{model.name}: OKS; green: annotated")
    if config.examples is not None:
        rows = {
            model.name: _examples(runs[model.name][0], config.examples, device)
            for model in config.models
        }
        plots.sheet(new("examples.png"), rows, "The same drawings by each model")
    return written


def _curve(run: Run, key: str) -> plots.Curve | None:
    """A quantity of the run's log over its epochs; None where there is none."""
    from . import plots

    file = run.folder / "log.jsonl"
    if not file.exists():  # Baseline has no training
        return None
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    points = np.array([(row["images"] / run.views, row[key]) for row in rows if key in row])
    return plots.Curve(points[:, 0], points[:, 1]) if len(points) else None


def _extremes(run: Run, drawings: Sequence[evaluate.Drawing]) -> dict[str, list[plots.Tile]]:
    """The drawings that a network answers best and worst, with its answers over them."""
    from . import plots

    order = np.argsort(-run.report.oks, kind="stable")
    count = min(_EXTREMES, (len(order) + 1) // 2)

    def tile(row: int) -> plots.Tile:
        picture = _overlay(drawings[row], run.answers[row])
        return plots.Tile(picture, f"{run.report.oks[row]:.2f}")

    return {
        "best": [tile(row) for row in order[:count]],
        "worst": [tile(row) for row in order[::-1][:count]],
    }


def _overlay(drawing: evaluate.Drawing, answer: FloatArray) -> NDArray[np.uint8]:
    """The answer's skeleton over the drawing, and a dot at each annotated joint."""
    grey = image.load_grey(drawing.path)
    canvas = predict.overlay(grey, answer)
    zoom = canvas.shape[0] / grey.shape[0]
    for joint in skeleton.COMMON_INDEX:
        if drawing.labelled[joint]:
            x, y = (int(round(v * zoom)) for v in drawing.keypoints[joint])
            cv2.circle(canvas, (x, y), max(3, canvas.shape[0] // 90), _GREEN, -1, cv2.LINE_AA)
    return canvas


def _examples(run: Run, folder: Path, device: str) -> list[plots.Tile]:
    """A network's answers on drawings without annotations, their figures found in the ink."""
    from . import plots

    estimator = open_estimator(run.folder / "checkpoint.pt", device)
    tiles = []
    for path in sorted(file for file in folder.iterdir() if file.suffix.lower() in data.PICTURES):
        grey = image.load_grey(path)
        answer = estimator.estimate(grey).keypoints
        tiles.append(plots.Tile(predict.overlay(grey, answer), path.stem))
    if not tiles:
        raise UserError(f"There are no pictures in {folder}.")
    return tiles


# ------------------------------------------------------------------------------------- the command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m trainer compare``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("config", type=Path, metavar="CONFIG", help="TOML file")
    parser.add_argument(
        "--device",
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="that answers: cpu, cuda (default: %(default)s)",
    )


def main(arguments: argparse.Namespace) -> None:
    """Train what is not trained yet, then print the table and write it with the plots."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError("A comparison runs as one process; start it without torchrun.")
    config = read_config(arguments.config)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    drawings = evaluate.load_drawings(config.drawings)
    for model in config.models:  # a mistake in the last row shall not come out after days
        if model.batch_norm_of is None:
            settings(model, model.seeds[0], config)
    for model in config.models:
        for seed in model.seeds:
            if not train_model(model, seed, config):
                print("Stopped; the same command goes on.")
                return
    runs = score_models(config, drawings, arguments.device)
    text = markdown(config, runs)
    print(text)
    config.publish.mkdir(parents=True, exist_ok=True)
    write_whole(config.publish / "comparison.md", text.encode())
    reports = {
        model.name: {
            seed: evaluate.as_json(run.report, drawings)
            for seed, run in zip(model.seeds, runs[model.name], strict=True)
        }
        for model in config.models
    }
    write_whole(config.out / "comparison.json", (json.dumps(reports, indent=1) + "\n").encode())
    for path in draw_plots(config, runs, drawings, arguments.device):
        print(path)
