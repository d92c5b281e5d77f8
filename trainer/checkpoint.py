"""Networks in files: whole checkpoints, and slim ones that hold what is needed to use a network.

Both are ``torch.save`` dictionaries with ``network`` (its name), ``config`` (fields that differ
from the preset), ``size`` (side of the input), ``weights`` (averaged) and facts about the training.
A checkpoint also holds what the training needs to go on.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from addon.core.errors import UserError
from addon.core.files import write_whole, written_whole

from . import models

PIECE_BYTES = 15 * 2**20

FACTS = ("network", "config", "size", "settings", "step", "images", "elapsed", "scores")
"""Entries that say what a network is and how it was trained."""


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


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint, a slim file, or the pieces of one (by the name without ``.00``).

    Raises:
        UserError: there is no such file, or it is not a checkpoint of this trainer.
    """
    pieces = [path] if path.is_file() else _pieces(path)
    if not pieces:
        raise UserError(f"There is no checkpoint at {path}.")
    data = io.BytesIO(b"".join(piece.read_bytes() for piece in pieces))
    damaged = UserError(f"{path} is not a checkpoint, or a piece of it is missing.")
    if not zipfile.is_zipfile(data):
        raise damaged
    data.seek(0)
    try:
        state = torch.load(data, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError) as error:
        raise damaged from error
    if not isinstance(state, dict) or not {"network", "config", "size", "weights"} <= state.keys():
        raise UserError(f"{path} is not a checkpoint of Croquis' trainer.")
    return state


def network(state: dict[str, Any]) -> models.Network:
    """The network of a checkpoint, with its averaged weights in float32, in evaluation mode."""
    result = models.build(state["network"], **state["config"])
    result.load_state_dict(state["weights"])
    return result.eval()


def initialise(target: models.Network, path: Path) -> list[str]:
    """Start from another network's weights, as far as names and shapes agree.

    Returns:
        The names of the target's tensors that keep their own values.

    Raises:
        UserError: no checkpoint there, or it has nothing in common with the network.
    """
    own = target.state_dict()
    other = load(path)["weights"]
    fitting = {
        name: value
        for name, value in other.items()
        if name in own and value.shape == own[name].shape
    }
    if not fitting:
        raise UserError(f"{path} holds a network of another kind; choose its --network.")
    target.load_state_dict(fitting, strict=False)
    return sorted(own.keys() - fitting.keys())
