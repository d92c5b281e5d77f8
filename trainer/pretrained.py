"""Starting weights from a file: another run of this trainer, or a published HRNet.

The published checkpoints (K. Sun et al., CVPR 2019: ImageNet classification and MS COCO keypoints)
name their parameters as ours do; what belongs to another task has other names or sizes and is left
out. They were trained on photographs: colours from 0 to 1, less ImageNet's mean, over its standard
deviation. A drawing is such a picture, too, grey = 1 - ink, so the first convolution is rewritten
to do on ink what it did on that grey; see :func:`on_ink`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from addon.core import skeleton
from addon.core.errors import UserError

from . import checkpoint, heatmaps, models

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_FIRST = "conv1.weight"  # of the network
_WRAPPERS = ("state_dict", "model")  # keys under which a checkpoint keeps its parameters
_PREFIXES = ("module.", "model.", "backbone.")  # of names, from DataParallel and from frameworks


@dataclass(frozen=True)
class Start:
    """What became of a file's weights.

    Attributes:
        taken: the network's tensors that come from the file.
        fresh: the network's tensors that keep their own values.
        unused: the file's tensors that have no place of their name and size in the network.
    """

    taken: list[str]
    fresh: list[str]
    unused: list[str]

    def __str__(self) -> str:
        """One line for the log."""
        left, fresh = _parts(self.unused, self.taken), _parts(self.fresh, self.taken)
        return f"{len(self.taken)} tensors taken; left out: {left}; freshly made: {fresh}"


def _parts(names: Iterable[str], taken: Iterable[str]) -> str:
    """The largest modules that hold some of the names and nothing of what was taken."""
    touched = {part for name in taken for part in _enclosing(name)}
    parts = (next((p for p in _enclosing(n) if p not in touched), n) for n in names)
    return ", ".join(dict.fromkeys(parts)) or "nothing"


def _enclosing(name: str) -> list[str]:
    """``a.b.c`` -> ``a``, ``a.b``: the modules around a parameter, outermost first."""
    words = name.split(".")
    return [".".join(words[:count]) for count in range(1, len(words))]


def initialise(network: models.Network, path: Path) -> Start:
    """Start from another network's weights, as far as names and shapes agree.

    Args:
        network: changed in place.
        path: a checkpoint or slim file of this trainer, or a published checkpoint: a dictionary
            of tensors as it is or under ``state_dict`` or ``model``, with or without a prefix.

    Raises:
        UserError: no checkpoint there, or it has nothing in common with the network.
    """
    own = network.state_dict()
    weights = _weights(checkpoint.read(path), path)
    _fit_channels(weights, own)
    fitting = {
        name: value
        for name, value in weights.items()
        if name in own and value.shape == own[name].shape
    }
    if not any(value.ndim > 1 for value in fitting.values()):
        raise UserError(f"{path} holds a network of another kind; choose its --network.")
    network.load_state_dict(fitting, strict=False)
    return Start(
        sorted(fitting),
        sorted(filter(_counts, own.keys() - fitting.keys())),
        sorted(filter(_counts, weights.keys() - fitting.keys())),
    )


def _fit_channels(weights: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    """Sum, in place, a first convolution over the repeated ink for a network that reads it once."""
    first, target = weights.get(_FIRST), own.get(_FIRST)
    if first is not None and target is not None and (first.shape[1], target.shape[1]) == (3, 1):
        weights[_FIRST] = first.sum(dim=1, keepdim=True)


def _counts(name: str) -> bool:
    # Older files lack the counters of batches, and nothing here reads them.
    return not name.endswith(".num_batches_tracked")


def photo_network(path: Path, name: str, size: int) -> dict[str, Any]:
    """A network as it was trained on photographs, to be measured on drawings without training.

    Its maps of MS COCO's shoulders, elbows, wrists, hips, knees and ankles become ours; the other
    keypoints' maps are flat.

    Args:
        path: a published checkpoint of 17 keypoints.
        name: of the network.
        size: side of the input, pixels.

    Returns:
        A checkpoint's content, to save or to make a network of.

    Raises:
        UserError: no such checkpoint there, or it is of another network.
    """
    network = models.build(name)
    own, weights = network.state_dict(), _weights(checkpoint.read(path), path)
    _fit_channels(weights, own)
    for part in ("final_layer.weight", "final_layer.bias"):
        rows = weights.get(part)
        if rows is None or len(rows) != len(skeleton.COCO17_NAMES):
            raise UserError(f"{path} was not trained on the 17 keypoints of MS COCO.")
        # Published maps are Gaussians of height 1; our logits are MSE_SCALE times such a map.
        table = heatmaps.MSE_SCALE * rows.view(len(rows), -1)
        found = skeleton.from_labelling(table.numpy(), skeleton.COCO17_NAMES, "coco17")
        weights[part] = torch.from_numpy(found).float().view(len(found), *rows.shape[1:])
    weights = {key: weights[key] for key in own if key in weights}
    fits = all(weights[key].shape == own[key].shape for key in weights)
    if not fits or any(map(_counts, own.keys() - weights.keys())):
        raise UserError(f"{path} is not a checkpoint of {name}; choose its network.")
    return {"network": name, "config": {}, "size": size, "weights": own | weights}


def _weights(state: Any, path: Path) -> dict[str, Tensor]:
    """Bare name -> tensor of any checkpoint, for a network that reads ink."""
    if checkpoint.is_ours(state):
        return dict(state["weights"])
    for key in _WRAPPERS:
        while isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    found = state.items() if isinstance(state, dict) else ()
    tensors = {_bare(name): value for name, value in found if isinstance(value, Tensor)}
    if not tensors:
        raise UserError(f"{path} holds no weights of a network.")
    return on_ink(tensors)


def _bare(name: str) -> str:
    while prefix := next((one for one in _PREFIXES if name.startswith(one)), ""):
        name = name.removeprefix(prefix)
    return name


def on_ink(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights for normalised colour pictures, rewritten for ink that is repeated in the channels.

    With ``x_c = (1 - ink - mean_c) / std_c`` the first convolution, ``sum w_c * x_c``, is that of
    ``-w_c / std_c`` with the ink, plus ``b = sum w_c (1 - mean_c) / std_c``, which the batch
    normalisation behind it takes off its running mean. Only along the picture's border does the
    answer change: a padded 0 is blank paper now, and was a mean colour.

    Args:
        weights: of the published layout, ``conv1.weight`` ``[64, 3, 3, 3]``.

    Returns:
        The same with another first layer, or as they are where that does not read three colours.
    """
    kernel, mean = weights.get(_FIRST), weights.get("bn1.running_mean")
    if kernel is None or mean is None or kernel.ndim != 4 or kernel.shape[1] != 3:
        return weights
    scaled = kernel / torch.tensor(IMAGENET_STD).view(3, 1, 1)
    offset = (scaled * (1 - torch.tensor(IMAGENET_MEAN)).view(3, 1, 1)).sum(dim=(1, 2, 3))
    return {**weights, _FIRST: -scaled, "bn1.running_mean": mean - offset}
