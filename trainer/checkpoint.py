"""Networks in files: whole checkpoints, and slim ones that hold what is needed to use a network.

Both are ``torch.save`` dictionaries with ``network`` (its name), ``config`` (fields that differ
from the preset), ``size`` (side of the input), ``weights`` (averaged) and facts about the training.
A checkpoint also holds what the training needs to go on.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from addon.core.errors import UserError
from addon.core.files import write_whole, written_whole

from . import models

PIECE_BYTES = 15 * 2**20

FACTS = ("network", "config", "size", "settings", "step", "images", "elapsed", "scores")
"""Entries that say what a network is and how it was trained."""

_DAMAGED = (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, LookupError)
_NUMPY_NUMBER = [
    (np.float64(0).__reduce__()[0], "numpy.core.multiarray.scalar"),
    np.dtype,
    np.dtypes.Float64DType,
]
"""How other people's trainers keep their scores."""


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint; the older one stays until the new one is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        torch.save(state, temporary)


def save_slim(path: Path, state: dict[str, Any]) -> list[Path]:
    """Write what is needed to use the network, in half precision, in pieces of at most 15 MiB.

    ``cat FILE.?? > FILE`` joins them; :func:`load` does so by itself.

    Args:
        path: the pieces are called ``path`` + ``.00``, ``.01`` ...
        state: a checkpoint.
    """
    slim = {key: state[key] for key in FACTS if key in state}
    slim["weights"] = {name: _slim(value) for name, value in state["weights"].items()}
    buffer = io.BytesIO()
    torch.save(slim, buffer)
    data = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    pieces = []
    for start in range(0, len(data), PIECE_BYTES):
        pieces.append(path.with_name(f"{path.name}.{len(pieces):02d}"))
        write_whole(pieces[-1], data[start : start + PIECE_BYTES])
    for stale in set(_pieces(path)) - set(pieces):
        stale.unlink()
    return pieces


def _slim(value: Tensor) -> Tensor:
    """Kernels in half precision; running variances may exceed its range and are small anyway."""
    value = value.detach().cpu()
    return value.half() if value.is_floating_point() and value.ndim > 1 else value


def _pieces(path: Path) -> list[Path]:
    return sorted(path.parent.glob(path.name + ".[0-9][0-9]"))


def read(path: Path) -> Any:
    """What a file holds that torch wrote, or the pieces of one (by the name without ``.00``).

    Only tensors, numbers and containers of them are read: a file cannot run code.

    Raises:
        UserError: there is no such file, or torch did not write it so.
    """
    pieces = [path] if path.is_file() else _pieces(path)
    if not pieces:
        raise UserError(f"There is no checkpoint at {path}.")
    data = io.BytesIO(b"".join(piece.read_bytes() for piece in pieces))
    try:
        with torch.serialization.safe_globals(_NUMPY_NUMBER):
            return torch.load(data, map_location="cpu", weights_only=True)
    except _DAMAGED as error:
        raise UserError(f"{path} is not a checkpoint, or a piece of it is missing.") from error


def is_ours(state: Any) -> bool:
    """Whether a file's content is a checkpoint or slim file of this trainer."""
    return isinstance(state, dict) and {"network", "config", "size", "weights"} <= state.keys()


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint, a slim file, or the pieces of one; see :func:`read`.

    Raises:
        UserError: there is no such file, or it is not a checkpoint of this trainer.
    """
    state = read(path)
    if not is_ours(state):
        raise UserError(f"{path} is not a checkpoint of Croquis' trainer.")
    return state


def network(state: dict[str, Any]) -> models.Network:
    """The network of a checkpoint, with its averaged weights in float32, in evaluation mode."""
    result = models.build(state["network"], **state["config"])
    result.load_state_dict(state["weights"])
    return result.eval()
