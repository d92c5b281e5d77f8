"""What test_distributed.py runs under torchrun: a few steps, then each process' weights in a file.

    torchrun ... distributed_run.py STROKES OUT BATCH MODE

``exact``: normalisation by running statistics, no chance in the tones and plain gradient descent,
so that the steps of two processes are those of one with both batches. ``whole``: the training loop
as users run it, with self-training, a discriminator and validation, from a checkpoint if OUT holds
one. ``stopped``: the same, but the last process is asked to stop after two steps.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from trainer import photometric
from trainer.distributed import Processes
from trainer.train import Settings, Trainer

STEPS = 3
STOP = 2


def _exact(trainer: Trainer) -> None:
    """A few steps that do not depend on how the drawings are shared out."""
    photometric.jitter = lambda ink, rng: ink
    trainer.network.eval()
    trainer.optimizer = torch.optim.SGD(trainer.network.parameters())
    batches = trainer.labelled_batches()
    for _ in range(STEPS):
        trainer.step(next(batches), None, 0.02)  # the peak of the learning rate


def _stopped(trainer: Trainer) -> None:
    step = trainer.step

    def stopping(*arguments: Any) -> Any:
        report = step(*arguments)
        if trainer.progress.step == STOP and not trainer.processes.first:
            signal.raise_signal(signal.SIGTERM)
        return report

    trainer.step = stopping
    assert not trainer.run()


def train(strokes: Path, out: Path, batch: int, mode: str) -> dict[str, Any]:
    """Train in one of the modes; what this process ends with."""
    usual: dict[str, Any] = {"network": "hrnet-w16-small", "size": 64, "workers": 0, "lr": 0.3}
    if mode != "exact":
        usual |= {"unlabelled": (strokes / "drawings",), "unlabelled_start": 0.0, "lr": 1e-3}
        usual |= {"hold_out": ("Bert",), "validation_views": 4, "log_seconds": 0.0, "epochs": 2.0}
        usual |= {"discriminator": "mlp1"}
    with Processes("cpu") as processes:
        trainer = Trainer(Settings((strokes,), out, batch=batch, resume=True, **usual), processes)
        if mode == "exact":
            _exact(trainer)
        elif mode == "stopped":
            _stopped(trainer)
        else:
            assert trainer.run()
    return {
        "count": processes.count,
        "images": trainer.progress.images,
        "gradients": {name: p.grad for name, p in trainer.network.named_parameters()},
        "network": trainer.network.state_dict(),
        "average": trainer.average.network.state_dict(),
        "discriminator": trainer.adversary and trainer.adversary.network.state_dict(),
    }


def main() -> None:
    """Train, and leave what every process came to."""
    torch.set_num_threads(1)
    strokes, out, batch, mode = sys.argv[1:]
    result = train(Path(strokes), Path(out), int(batch), mode)
    torch.save(result, Path(out) / f"rank{os.environ['RANK']}.pt")


if __name__ == "__main__":
    main()
