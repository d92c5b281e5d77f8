"""What a training writes while it runs: ``log.jsonl``, and the same figures for TensorBoard."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

from addon.core.files import write_whole

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter


class RunLog:
    """One JSON object a line in ``log.jsonl``; curves in ``tensorboard/`` if that is installed.

    A run that was killed goes on from its checkpoint and comes by the steps after it again, so
    their lines are dropped first; a run that starts anew starts with an empty log.

    Args:
        folder: of the run.
        step: from which the run goes on.
    """

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "log.jsonl"
        self._curves = folder / "tensorboard"
        self._first = step + 1
        self._writer: SummaryWriter | None = None
        if self.file.exists():
            lines = self.file.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if _step_of(line) <= step]
            write_whole(self.file, "".join(kept).encode())

    def write(self, group: str, step: int, values: dict[str, float]) -> None:
        """Add a line.

        Args:
            group: of the curves, ``train`` or ``validation``.
            step: of the training.
            values: by name.
        """
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        if self._writer is None:
            self._writer = self._open()
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def _open(self) -> SummaryWriter | None:
        # Not before the first line: its thread shall not run while worker processes are forked.
        if importlib.util.find_spec("tensorboard") is None:
            return None
        from torch.utils.tensorboard.writer import SummaryWriter

        # What an earlier sitting wrote of the steps that come again is hidden by purge_step.
        return SummaryWriter(str(self._curves), purge_step=self._first, flush_secs=20)

    def close(self) -> None:
        """Bring everything to the disk."""
        if self._writer is not None:
            self._writer.close()


def _step_of(line: str) -> float:
    """The step of a line of the log; infinite for one that a kill cut off."""
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return float("inf")
