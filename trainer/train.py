"""The training loop.

One network learns from drawings that are made up afresh by worker processes; an exponential moving
average of its weights is validated, exported and used as the teacher on unlabelled drawings. The
position in the training is a share from 0 to 1, of a number of epochs or of a budget of minutes;
learning rate and ramps follow it. A run can be stopped at any moment and goes on with ``--resume``.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import dataclasses
import importlib.util
import logging
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from tqdm import tqdm

from addon.core import files, image, skeleton
from addon.core.errors import UserError

from . import (
    adapt,
    adversarial,
    checkpoint,
    data,
    evaluate,
    heatmaps,
    losses,
    models,
    photometric,
    pretrained,
)
from .distributed import Processes
from .runlog import RunLog

log = logging.getLogger("croquis.train")

_FEWEST_JOINTS = 6  # of the 12 common ones, in a view of a held-out character


@dataclass(frozen=True)
class Settings:
    """Everything that decides how a run goes; ``add_arguments`` says what each means."""

    strokes: tuple[Path, ...]
    out: Path
    network: str = "unet"
    size: int = 256
    loss: str = "softmax"
    mining: str = "balanced"
    sigma: float = 1.0
    plain: bool = False
    hold_out: tuple[str, ...] = ()
    drawings: Path | None = None
    epochs: float = 10.0
    minutes: float | None = None
    batch: int = 32
    lr: float = 1e-3
    warmup: float = 0.02
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.999
    seed: int = 0
    workers: int = 2
    device: str = "cpu"
    precision: str = "auto"
    compile: bool = False
    deterministic: bool = False
    init: Path | None = None
    resume: bool = False
    slim: Path | None = None
    checkpoint_minutes: float = 5.0
    evaluate_every: float = 1.0
    log_seconds: float = 20.0
    validation_views: int = 512
    unlabelled: tuple[Path, ...] = ()
    unlabelled_weight: float = 0.5
    unlabelled_start: float = 0.3
    unlabelled_threshold: float = 0.6
    unlabelled_decoder: str = "window"
    discriminator: str | None = None
    gamma: float = 0.1
    adversary: str = "reversal"

    def recorded(self) -> dict[str, Any]:
        """As plain JSON values, without the places on this machine."""
        plain = {}
        for key, value in dataclasses.asdict(self).items():
            many = isinstance(value, tuple)
            names = [v.name if isinstance(v, Path) else v for v in (value if many else (value,))]
            plain[key] = names if many else names[0]
        return plain


def learning_rate(settings: Settings, share: float) -> float:
    """Linear warm-up, then half a cosine to 0 (Loshchilov and Hutter, 2017)."""
    warm = min(1.0, share / settings.warmup) if settings.warmup else 1.0
    return settings.lr * max(warm, 1e-3) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


class Average:
    """The exponential moving average of a network, its batch statistics too.

    Attributes:
        network: the average, in evaluation mode; use it, do not train it.
    """

    def __init__(self, network: models.Network, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        # Looked up once: walking the modules takes milliseconds of every step.
        theirs = network.state_dict()
        pairs = [(ours, theirs[name]) for name, ours in self.network.state_dict().items()]
        pairs = [pair for pair in pairs if pair[0].is_floating_point()]
        self._ours, self._theirs = [ours for ours, _ in pairs], [theirs for _, theirs in pairs]

    def update(self, step: int) -> None:
        """Move towards the trained network; quickly in the first steps, while it moves far."""
        decay = min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            get_ema_multi_avg_fn(decay)(self._ours, self._theirs, step)


@dataclass
class Progress:
    """Where a run is; stored in its checkpoints."""

    step: int = 0
    images: int = 0  # labelled ones
    unlabelled: int = 0
    elapsed: float = 0.0  # seconds of training, over all sittings
    scores: dict[str, float] = field(default_factory=dict)


class Validation:
    """What the averaged network is measured on while it trains.

    Args:
        held: views of characters that are not trained on, or an empty pack.
        settings: of the run.
    """

    def __init__(self, held: data.StrokePack, settings: Settings) -> None:
        self.views = self._draw(held, settings) if len(held) else None
        self.drawings, self.maps = [], []
        if settings.drawings is not None:
            self.drawings = evaluate.load_drawings(settings.drawings)
            crops = []
            for drawing in self.drawings:
                ink = image.ink(image.load_grey(drawing.path))
                crop, to_picture = image.crop(ink, drawing.box, settings.size)
                crops.append(torch.from_numpy(crop))
                self.maps.append(to_picture)
            self.crops = torch.stack(crops)[:, None]
        self.precision = importlib.util.find_spec("pycocotools") is not None

    @staticmethod
    def _draw(held: data.StrokePack, settings: Settings) -> tuple[Tensor, Tensor, Tensor]:
        """The same drawings every time: spread over the held-out views, made once."""
        count = min(settings.validation_views, len(held))
        tickets = np.linspace(0, len(held) - 1, count).astype(int).tolist()
        dataset = data.SketchDataset(held, settings.size, settings.seed)
        batches = list(data.loader(dataset, 32, settings.workers, tickets=tickets))
        ink, points, valid = (torch.cat(parts) for parts in zip(*batches, strict=True))
        # A crop may show next to nothing of the figure: then there is no box to measure with.
        shown = valid[:, list(skeleton.COMMON_INDEX)].sum(dim=1) >= _FEWEST_JOINTS
        return ink[shown], points[shown], valid[shown]

    def __call__(self, infer: Any, device: torch.device) -> dict[str, float]:
        """Scores of a network: ``held_*`` on drawn views, ``drawings_*`` on real drawings."""
        result = {}
        if self.views is not None:
            ink, points, valid = self.views
            found = [heatmaps.decode(infer(data.to_ink(part, device)))[0] for part in ink.split(64)]
            truth = [
                self._as_drawing(p, v) for p, v in zip(points.numpy(), valid.numpy(), strict=True)
            ]
            answers = list(torch.cat(found).cpu().numpy())
            result["held_pck01"] = evaluate.pck(answers, truth, 0.1)
            result["held_oks"] = _mean_oks(answers, truth)
        if self.drawings:
            # Read as the add-on does: the sides of a figure often look alike.
            parts = [
                heatmaps.decode_figures(infer(part.to(device))) for part in self.crops.split(64)
            ]
            points = torch.cat([part[0] for part in parts]).cpu().numpy()
            scores = torch.cat([part[1] for part in parts]).cpu().numpy()
            answers = [to.apply(one) for to, one in zip(self.maps, points, strict=True)]
            if self.precision:
                report = evaluate.assess(self.drawings, answers, list(scores), resamples=0)
                every = report.scores["all"]
                result |= {"drawings_ap": every.ap, "drawings_ap50": every.ap50}
                result["drawings_macro_ap"] = report.macro_ap
            read = [
                evaluate.best_reading(*pair) for pair in zip(answers, self.drawings, strict=True)
            ]
            result["drawings_oks"] = _mean_oks(read, self.drawings)
            result["drawings_pck01"] = evaluate.pck(read, self.drawings, 0.1)
        return result

    @staticmethod
    def _as_drawing(points: Any, valid: Any) -> evaluate.Drawing:
        """A drawn view as if annotated; its box is that of its keypoints."""
        low, high = points[valid].min(axis=0), points[valid].max(axis=0)
        return evaluate.Drawing(Path(), "", image.Box(*low, *(high - low)), points, valid)


def _mean_oks(answers: list[Any], truth: list[evaluate.Drawing]) -> float:
    return float(np.mean([evaluate.oks(*pair) for pair in zip(answers, truth, strict=True)]))


class Trainer:
    """A run: ``Trainer(settings).run()``.

    Args:
        settings: of the run, the same in all processes.
        processes: that train together, joined already; this one alone if not given.
    """

    def __init__(self, settings: Settings, processes: Processes | None = None) -> None:
        self.settings = settings
        self.processes = processes or Processes(settings.device)
        self.device = self.processes.device
        self.cuda = self.device.type == "cuda"
        self.file = settings.out / "checkpoint.pt"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = self.cuda and not settings.deterministic
        if settings.deterministic:
            # cuBLAS reads this when it starts; see torch's notes on reproducibility.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(settings.deterministic, warn_only=True)

        pack = data.load_strokes(settings.strokes)
        training, held = data.hold_out(pack, settings.hold_out)
        log.info("%d views to train on, %d held out", len(training), len(held))
        self.sketches = data.SketchDataset(training, settings.size, settings.seed, settings.plain)
        self.unlabelled = (
            data.UnlabelledDataset(
                settings.unlabelled, settings.size, settings.seed, self._validated_on()
            )
            if settings.unlabelled
            else None
        )
        if self.unlabelled is not None:
            kept, left_out = len(self.unlabelled), self.unlabelled.left_out
            log.info("%d drawings to adapt to; %d look like validation's", kept, left_out)
        self.validation = Validation(held, settings) if self.processes.first else None

        # Here: only process 0 has drawn views to validate on, and all shall begin with the same.
        torch.manual_seed(settings.seed)
        self.network = models.build(settings.network)
        if settings.init is not None:
            start = pretrained.initialise(self.network, settings.init)
            log.info("started from %s: %s", settings.init, start)
        # The stubs of torch do not know memory_format here.
        self.network.to(self.device, memory_format=torch.channels_last)  # type: ignore
        self.average = Average(self.network, settings.ema)
        self.optimizer = self._optimizer()
        self.keypoint_loss = losses.keypoint_loss(settings.loss, settings.sigma, settings.mining)
        self.decoder = heatmaps.decoder(settings.unlabelled_decoder)
        self.adversary = self._adversary(settings.discriminator) if settings.discriminator else None
        self.progress = Progress()
        self.log: RunLog | None = None  # opened by run()
        self._scored = -1  # step of the last validation
        if settings.resume:
            self._restore()
        forward = models.WithFeatures(self.network)
        if settings.compile:
            forward.compile(dynamic=False)
        self.forward = self.processes.parallel(forward)

    def _validated_on(self) -> list[Path]:
        """The pictures that must not be learnt from, not even without their joints."""
        folder = self.settings.drawings
        return [] if folder is None else [one.path for one in evaluate.load_drawings(folder)]

    def _optimizer(self) -> torch.optim.Optimizer:
        """AdamW; gains and biases do not decay."""
        kernels = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [
            {"params": kernels, "weight_decay": self.settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.settings.lr, fused=self.cuda)

    def _adversary(self, name: str) -> adversarial.Adversary:
        settings = self.settings
        if self.unlabelled is None:
            raise UserError(
                "A discriminator needs real drawings beside the synthetic ones: name folders of "
                "them with --unlabelled."
            )
        return adversarial.Adversary(
            name,
            channels=self.network.final_layer.in_channels,
            size=settings.size // models.STRIDE,
            gamma=settings.gamma,
            update=settings.adversary,
            device=self.device,
            average=self.processes.average_gradients,
        )

    # ------------------------------------------------------------------ files

    def _restore(self) -> None:
        # Read once: on other machines there need not be a copy.
        here = self.processes.first and self.file.exists()
        state = self.processes.from_first(checkpoint.load(self.file) if here else None)
        if state is None:
            return
        if state["network"] != self.settings.network or "optimizer" not in state:
            raise UserError(f"{self.file} is not a checkpoint of a {self.settings.network} run.")
        self.network.load_state_dict(state["student"])
        self.average.network.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        if (self.adversary is None) != (state.get("discriminator") is None):
            raise UserError(f"{self.file} is of a run with other adaptation; go on with the same.")
        if self.adversary is not None:
            self.adversary.load_state_dict(state["discriminator"])
        self.progress = Progress(
            **{one.name: state[one.name] for one in dataclasses.fields(Progress)}
        )
        log.info("resumed at step %d", self.progress.step)

    def save(self) -> None:
        """Write the checkpoint, and the slim file where one is wanted (process 0)."""
        if not self.processes.first:
            return
        state = {
            "network": self.settings.network,
            "config": {},
            "size": self.settings.size,
            "weights": self.average.network.state_dict(),
            "student": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "discriminator": self.adversary and self.adversary.state_dict(),
            "settings": self.settings.recorded() | {"processes": self.processes.count},
            **dataclasses.asdict(self.progress),
        }
        checkpoint.save(self.file, state)
        if self.settings.slim is not None:
            checkpoint.save_slim(self.settings.slim, state)

    def _record(self, group: str, values: dict[str, float]) -> None:
        """One line of the log (process 0)."""
        if self.log is not None:
            so_far = {"images": self.progress.images, "elapsed": round(self.progress.elapsed, 1)}
            self.log.write(group, self.progress.step, so_far | values)

    # ------------------------------------------------------------------ one step

    def _autocast(self) -> contextlib.AbstractContextManager:
        # A processor with AVX512-BF16 gains too (1.7 times), but one without it loses: ask for it.
        half = self.settings.precision == "bfloat16" or (
            self.settings.precision == "auto" and self.cuda
        )
        return torch.autocast(self.device.type, torch.bfloat16, enabled=half)

    def infer(self, ink: Tensor) -> Tensor:
        """The averaged network's logits, without gradients."""
        with torch.no_grad(), self._autocast():
            return self.average.network(ink.contiguous(memory_format=torch.channels_last)).float()

    def _teaches(self, share: float) -> bool:
        """Whether self-training goes on at this position in the training."""
        return self.settings.unlabelled_weight > 0 and share >= self.settings.unlabelled_start

    def _taught(self, unlabelled: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Unlabelled drawings as the student sees them, the teacher's keypoints, the sure ones."""
        ink, threshold = data.to_ink(unlabelled, self.device), self.settings.unlabelled_threshold
        with self._autocast():
            points, sure = adapt.pseudo_labels(
                self.average.network, ink, threshold, decoder=self.decoder
            )
        return adapt.distort(ink, points, sure, rng)

    def step(
        self, batch: list[Tensor], unlabelled: Tensor | None, share: float
    ) -> dict[str, Tensor]:
        """One update of the weights.

        Args:
            batch: ink bytes, keypoints and validity of labelled drawings.
            unlabelled: ink bytes of unlabelled drawings, or None.
            share: position in the training, 0..1.

        Returns:
            Losses and shares to log, still on the device.
        """
        settings = self.settings
        seed = self.processes.rank << 48 ^ settings.seed << 32 ^ self.progress.step
        rng = torch.Generator(self.device).manual_seed(seed)
        points, valid = (value.to(self.device, non_blocking=True) for value in batch[1:])
        ink = photometric.jitter(data.to_ink(batch[0], self.device), rng)
        labelled = len(ink)
        taught = None
        if unlabelled is not None:
            if self._teaches(share):
                real, *taught = self._taught(unlabelled, rng)
                if self.adversary is not None:
                    # The student's view is partly erased; that shall not tell the domains apart.
                    ink = photometric.cut_out(ink, rng)
            else:
                real = photometric.jitter(data.to_ink(unlabelled, self.device), rng)
            # One batch, so that the batch statistics belong to both kinds of drawings.
            ink = torch.cat([ink, real])

        with self._autocast():
            logits, features = self.forward(ink.contiguous(memory_format=torch.channels_last))
        loss = losses.labelled_mean(self.keypoint_loss(logits[:labelled], points, valid), valid)
        report = {"loss": loss.detach()}
        loss = loss * self.processes.weight(valid.sum())
        if taught is not None:
            guess, sure = taught
            # Over all keypoints, not only the sure ones: few sure ones shall weigh little.
            term = self.keypoint_loss(logits[labelled:], guess, sure).mean()
            weight = settings.unlabelled_weight * adapt.ramp(share, settings.unlabelled_start)
            loss = loss + weight * term
            report |= {"unlabelled_loss": term.detach(), "sure": sure.float().mean()}
        rate = learning_rate(settings, share)
        if self.adversary is not None:
            with self._autocast():
                verdict = self.adversary.judge(features, labelled, rate)
            loss = loss + verdict.term
            report |= {
                "discriminator_loss": verdict.loss,
                "discriminator_accuracy": verdict.accuracy,
            }

        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.adversary is not None:
            self.adversary.finish()
        nn.utils.clip_grad_norm_(self.network.parameters(), settings.clip)
        self.optimizer.step()
        self.processes.average_buffers(self.network)
        self.progress.step += 1
        self.progress.images += labelled * self.processes.count
        self.progress.unlabelled += (len(ink) - labelled) * self.processes.count
        self.average.update(self.progress.step)
        return report

    # ------------------------------------------------------------------ the loop

    def share(self) -> float:
        """Position in the training, 0..1."""
        if self.settings.minutes is not None:
            return self.progress.elapsed / (60 * self.settings.minutes)
        return self.progress.images / (self.settings.epochs * len(self.sketches))

    def _tickets(self, count: int, seed: int, used: int) -> data.Tickets:
        """This process' share of a stream of which all have used so many together."""
        return data.Tickets(count, seed, used + self.processes.rank, self.processes.count)

    def labelled_batches(self) -> Iterator[list[Tensor]]:
        """What :meth:`step` takes, from here on, without end; worker processes draw it."""
        settings = self.settings
        tickets = self._tickets(len(self.sketches), settings.seed, self.progress.images)
        return iter(
            data.loader(
                self.sketches, settings.batch, settings.workers, tickets=tickets, pin=self.cuda
            )
        )

    def _unlabelled_batches(self) -> Iterator[Tensor]:
        assert self.unlabelled is not None
        settings = self.settings
        batch = max(1, settings.batch // 4)
        tickets = self._tickets(len(self.unlabelled), settings.seed + 1, self.progress.unlabelled)
        workers = math.ceil(settings.workers / 4)
        return iter(data.loader(self.unlabelled, batch, workers, tickets=tickets, pin=self.cuda))

    def run(self) -> bool:
        """Train to the end, or until a signal asks to stop.

        Returns:
            True when the training is complete, False when it was stopped and can be resumed.
        """
        first = self.processes.first
        if first:
            files.remove_abandoned(self.settings.out)
            self.log = RunLog(self.settings.out, self.progress.step)
        stop, hidden = StopOnSignal(), not (first and sys.stderr.isatty())
        bar = tqdm(total=1.0, disable=hidden, bar_format=_BAR)
        with stop, bar, spare_cores(0 if self.cuda else self.settings.workers):
            complete = self._loop(stop, bar)
        if complete:
            self._evaluate()
        self.save()
        if self.log is not None:
            self.log.close()
        log.info("%s; checkpoint in %s", "finished" if complete else "stopped", self.file)
        return complete

    def _loop(self, stop: StopOnSignal, bar: tqdm) -> bool:
        settings, progress = self.settings, self.progress
        batches = self.labelled_batches()
        # Made now and not when first needed: forking is safest before the training's threads run.
        drawings = None if self.unlabelled is None else self._unlabelled_batches()
        self.network.train()
        before = progress.elapsed
        started = saved = time.perf_counter()
        meter = Meter(progress.images)
        evaluated = self._evaluations_due()
        while True:
            # The clocks of several processes differ, and a signal may reach only one.
            share, stopped = self.processes.agree(self.share(), stop.asked)
            if share >= 1 or stopped:
                return share >= 1
            waiting = time.perf_counter()
            batch = next(batches)
            unlabelled = None
            if drawings is not None and (self.adversary is not None or self._teaches(share)):
                unlabelled = next(drawings)
            meter.waited += time.perf_counter() - waiting
            meter.add(self.step(batch, unlabelled, share))
            now = time.perf_counter()
            progress.elapsed = before + now - started
            bar.update(min(1.0, self.share()) - bar.n)
            if now - meter.started >= settings.log_seconds:
                self._tell(share, meter.row(progress.images))
                meter = Meter(progress.images)
            if self._evaluations_due() > evaluated:
                evaluated = self._evaluations_due()
                self._evaluate()
            if now - saved >= 60 * settings.checkpoint_minutes:
                self.save()
                saved = time.perf_counter()

    def _tell(self, share: float, row: dict[str, float]) -> None:
        """A line of the log, and one on the console."""
        self._record("train", row | {"lr": learning_rate(self.settings, share)})
        shown = "  ".join(f"{key} {value:.4g}" for key, value in row.items())
        log.info("%5.1f %%  step %d  %s", 100 * share, self.progress.step, shown)

    def _evaluations_due(self) -> int:
        epoch = self.progress.images / len(self.sketches)
        return int(epoch / self.settings.evaluate_every)

    def _evaluate(self) -> None:
        if self.validation is None or self._scored == self.progress.step:  # process 0 does it, once
            return
        self._scored = self.progress.step
        scores = self.validation(self.infer, self.device)
        if scores:
            self.progress.scores = scores
            self._record("validation", scores)
            log.info("epoch %.2f  %s", self.progress.images / len(self.sketches), _listed(scores))


_BAR = "{percentage:5.1f} % {bar} {elapsed} of {elapsed}+{remaining}"


def _listed(scores: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.3f}" for key, value in scores.items())


class Meter:
    """Averages since the last line of the log, gathered without waiting for the device."""

    def __init__(self, images: int) -> None:
        self.images, self.started, self.waited = images, time.perf_counter(), 0.0
        self._sums: dict[str, tuple[Tensor, int]] = {}

    def add(self, report: dict[str, Tensor]) -> None:
        """Take in one step's figures."""
        for key, value in report.items():
            total, count = self._sums.get(key, (torch.zeros_like(value), 0))
            self._sums[key] = (total + value, count + 1)

    def row(self, images: int) -> dict[str, float]:
        """The averages, drawings per second, and the share of the time spent waiting for data."""
        means = {key: float(total) / count for key, (total, count) in self._sums.items()}
        seconds = time.perf_counter() - self.started
        rates = {"images_per_s": (images - self.images) / seconds, "waiting": self.waited / seconds}
        return {key: round(value, 5) for key, value in (means | rates).items()}


@contextlib.contextmanager
def spare_cores(workers: int) -> Iterator[None]:
    """Within it, torch leaves as many cores as there are workers to them, but keeps one.

    A step's threads wait for one another many hundred times. Where the workers take their cores,
    each wait lasts until the scheduler's next turn: on two cores the training took half as long
    again (80 instead of 124 images/s, U-Net at 128 pixels). ``OMP_NUM_THREADS`` overrules.
    """
    before = torch.get_num_threads()
    if workers and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) - workers)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


class StopOnSignal:
    """Within it, the first Ctrl-C or SIGTERM only sets ``asked``; a second one acts as usual."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopOnSignal:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def _ask(self, number: int, _frame: Any) -> None:
        self.asked = True
        signal.signal(number, self._before[number])

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m trainer train``."""
    cuda = torch.cuda.is_available()
    known = {one.name: one.default for one in dataclasses.fields(Settings)}
    cores = os.cpu_count() or 1
    # A core draws about 150 sketches a second; a processor's step takes most of the others.
    known |= {"device": "cuda" if cuda else "cpu", "workers": 16 if cuda else max(1, cores // 4)}

    def option(name: str, text: str, **kind: Any) -> None:
        key = name.replace("-", "_")
        many = kind.get("nargs") == "+"
        default = known[key]
        shown = "" if default in (None, (), False) or many else f" (default: {default})"
        parser.add_argument(f"--{name}", default=default, help=text + shown, **kind)

    parser.add_argument(
        "strokes", nargs="+", type=Path, help="stroke packs (.npz), folders of them"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and log")
    option("network", "one of " + ", ".join(models.NAMES), choices=models.NAMES, metavar="NAME")
    option("size", "side of the input, pixels, a multiple of 32", type=int)
    option(
        "loss",
        "softmax over each map's cells; mse or bce (of a sigmoid) on maps of Gaussians; pixel: "
        "each cell is one of the keypoints or background",
        choices=losses.NAMES,
    )
    option(
        "mining",
        "of pixel's background: weigh it as much as the keypoints, take its hardest cells, or all",
        choices=losses.MININGS,
    )
    option("sigma", "of the target's Gaussian, in heatmap cells of 4 pixels", type=float)
    option(
        "plain",
        "draw the records' own lines in one even pen, without props, papers and figures of our "
        "own: shows what these add",
        action="store_true",
    )
    option("hold-out", "characters kept for validation", nargs="+", metavar="NAME")
    option("drawings", "annotated drawings to validate on", type=Path, metavar="DIR")
    option("epochs", "length of the training", type=float)
    option("minutes", "length of the training instead, over all resumptions", type=float)
    option("batch", "drawings per step of each process", type=int)
    option("lr", "peak learning rate of AdamW", type=float)
    option("warmup", "share of the training over which the learning rate rises", type=float)
    option("weight-decay", "of kernels", type=float)
    option("clip", "largest norm of the gradient", type=float)
    option("ema", "decay of the averaged weights", type=float)
    option("seed", "of everything random", type=int)
    option("workers", "worker processes that draw, for each process that trains", type=int)
    option("device", "cpu or cuda; under torchrun each process has its GPU", metavar="NAME")
    option(
        "precision",
        "of the multiplications; auto takes bfloat16 on CUDA",
        choices=("auto", "float32", "bfloat16"),
    )
    option("compile", "torch.compile the network", action="store_true")
    option(
        "deterministic",
        "the same log of the same seed on CUDA, too, by slower kernels (a CPU's always are)",
        action="store_true",
    )
    option(
        "init",
        "start from the weights of another run or of a published HRNet (ImageNet, MS COCO) "
        "where they fit",
        type=Path,
        metavar="FILE",
    )
    option("resume", "go on from the checkpoint in --out, if there is one", action="store_true")
    option(
        "slim", "also keep the averaged weights in half precision here", type=Path, metavar="FILE"
    )
    option("checkpoint-minutes", "between checkpoints", type=float)
    option("evaluate-every", "epochs between validations", type=float)
    option("log-seconds", "between lines of the log", type=float)
    option("validation-views", "views of held-out characters to validate on", type=int)
    option("unlabelled", "folders of drawings to adapt to", type=Path, nargs="+", metavar="DIR")
    option("unlabelled-weight", "of the self-training term, 0 for none", type=float)
    option("unlabelled-start", "share of the training before it begins", type=float)
    option("unlabelled-threshold", "least probability of a keypoint to learn from", type=float)
    option(
        "unlabelled-decoder",
        "that reads the teacher's keypoints off its maps: each by itself, or figure by figure, "
        "left and right kept apart",
        choices=("window", "figure"),
    )
    option(
        "discriminator",
        "adapt the features to the unlabelled drawings against one of "
        + ", ".join(adversarial.DISCRIMINATORS),
        choices=adversarial.DISCRIMINATORS,
        metavar="NAME",
    )
    option(
        "gamma",
        "weight of the discriminator's loss, on the scale of --loss: about 0.1 for softmax and "
        "pixel, 3e-5 for mse (thesis); sweep it",
        type=float,
    )
    option(
        "adversary",
        "reverse the discriminator's gradient, or let it and the network learn in turn",
        choices=adversarial.UPDATES,
    )


def settings_of(arguments: argparse.Namespace) -> Settings:
    """What the options of :func:`add_arguments` say."""
    names = {one.name for one in dataclasses.fields(Settings)}
    values = {key: value for key, value in vars(arguments).items() if key in names}
    for key in ("strokes", "hold_out", "unlabelled"):
        values[key] = tuple(values[key])
    return Settings(**values)


def main(arguments: argparse.Namespace) -> None:
    """Train from command-line options, logging to the console and to ``OUT/train.log``."""
    settings = settings_of(arguments)
    settings.out.mkdir(parents=True, exist_ok=True)
    with Processes(settings.device) as processes:
        handlers: list[logging.Handler] = [logging.StreamHandler()]
        if processes.first:
            handlers.append(logging.FileHandler(settings.out / "train.log"))
        logging.basicConfig(
            level=logging.INFO if processes.first else logging.WARNING,
            format="%(asctime)s  %(message)s",
            datefmt="%H:%M:%S",
            handlers=handlers,
        )
        Trainer(settings, processes).run()
