"""Write a trained network for the add-on: ONNX that OpenCV 4.11 reads, and its card.

Batch normalisation is folded into the convolutions. Their weights are stored in half precision and
cast to float32 when OpenCV loads them: half the file, and nearly the answers of the whole.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from addon.core import image, skeleton
from addon.core.errors import UserError
from addon.core.estimator import SHIPPED
from addon.core.files import write_whole, written_whole

from . import adapt, checkpoint, models
from .heatmaps import decode

OPSET = 13
TOLERANCE = 1e-3
"""Largest difference between OpenCV and torch, relative to the largest logit."""


class HalfConv2d(nn.Module):
    """A convolution whose weights are stored in half precision and used in single."""

    weight: Tensor
    bias: Tensor

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        assert conv.bias is not None and not isinstance(conv.padding, str)
        self.stride, self.padding = conv.stride, conv.padding
        self.register_buffer("weight", conv.weight.detach().half())
        self.register_buffer("bias", conv.bias.detach().half())

    def forward(self, x: Tensor) -> Tensor:
        """Like the convolution that it was made from."""
        return F.conv2d(x, self.weight.float(), self.bias.float(), self.stride, self.padding)


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """A copy in which each normalisation is part of the convolution that it follows.

    In both networks here a normalisation stands right behind its convolution among its parent's
    modules, as ``conv1``, ``bn1`` or as neighbours in a sequence.
    """
    folded = copy.deepcopy(network).eval()
    for parent in list(folded.modules()):
        children = list(parent.named_children())
        for (name, conv), (following, norm) in zip(children, children[1:], strict=False):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, following, nn.Identity())
    if any(isinstance(module, nn.BatchNorm2d) for module in folded.modules()):
        raise ValueError("a batch normalisation does not follow a convolution")
    return folded


def halve(network: nn.Module) -> nn.Module:
    """Replace every convolution, in place, by one with half-precision weights."""
    for name, child in list(network.named_children()):
        if isinstance(child, nn.Conv2d):
            setattr(network, name, HalfConv2d(child))
        else:
            halve(child)
    return network


@dataclass(frozen=True)
class Agreement:
    """How far the exported network is from the trained one, on the pictures of the check.

    Attributes:
        opencv: largest difference of a logit between OpenCV and torch with the same rounded
            weights, relative to the largest logit.
        rounding: the same between OpenCV and the network as trained.
        pixels: largest move of a keypoint by the rounding, input pixels.
    """

    opencv: float
    rounding: float
    pixels: float


def export_onnx(network: nn.Module, size: int, path: Path) -> Agreement:
    """Write "ink" ``[1, 1, size, size]`` -> "heatmaps", logits ``[1, 23, size / 4, size / 4]``.

    The file appears only after OpenCV has been found to agree with torch.

    Raises:
        RuntimeError: they do not agree to :data:`TOLERANCE`.
        UserError: torch's exporter lacks the package onnx.
    """
    if importlib.util.find_spec("onnx") is None:
        raise UserError("Exporting needs the package onnx: pip install onnx.")
    stored = halve(fold_batch_norm(network))
    pictures = _check_pictures(size)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary, torch.no_grad():
        # The default exporter of torch 2.13 writes what OpenCV 4.11 cannot parse; constant folding
        # would turn the casts back into single-precision weights.
        torch.onnx.export(
            stored,
            (torch.zeros(1, 1, size, size),),
            str(temporary),
            dynamo=False,
            opset_version=OPSET,
            do_constant_folding=False,
            input_names=["ink"],
            output_names=["heatmaps"],
        )
        opencv = cv2.dnn.readNetFromONNX(np.frombuffer(temporary.read_bytes(), np.uint8))
        answers = []
        for picture in pictures:
            opencv.setInput(picture[None].numpy())
            answers.append(torch.from_numpy(np.asarray(opencv.forward()).copy()))
        found, trained = torch.cat(answers), network(pictures)
        scale = float(trained.abs().max())
        agreement = Agreement(
            opencv=float((found - stored(pictures)).abs().max()) / scale,
            rounding=float((found - trained).abs().max()) / scale,
            pixels=float((decode(found)[0] - decode(trained)[0]).abs().amax()),
        )
        if agreement.opencv > TOLERANCE:
            raise RuntimeError(f"OpenCV and torch differ by {agreement.opencv:.1e} of the logits")
    return agreement


def _check_pictures(size: int) -> Tensor:
    """Two made-up drawings: a stick figure and a page of random lines, ``[2, 1, size, size]``."""
    rng = np.random.default_rng(0)
    figure = np.array([(50, 12), (50, 35), (50, 60), (35, 95), (50, 60), (66, 95)])
    arms = np.array([(22, 55), (50, 35), (80, 20)])
    scribble = rng.uniform(0, 100, (40, 2))
    pages = []
    for lines in ((figure, arms), (scribble,)):
        grey = np.full((size, size), 255, np.uint8)
        for line in lines:
            points = np.round(line * size / 100).astype(np.int32)
            cv2.polylines(grey, [points], False, 0, max(1, size // 96), cv2.LINE_AA)
        pages.append(torch.from_numpy(image.ink(grey)))
    return torch.stack(pages)[:, None]


def card(
    state: dict[str, Any], digest: str, agreement: Agreement, facts: dict[str, Any]
) -> dict[str, Any]:
    """What a user of the network should know.

    Args:
        state: the checkpoint.
        digest: SHA-256 of the ONNX file, by which the add-on knows that the two belong together.
        agreement: found when exporting.
        facts: said by the person who trained it; they override what is known from the checkpoint.
    """
    settings = state.get("settings", {})
    return {
        "network": state["network"],
        "sha256": digest,
        "input_size": state["size"],
        "stride": models.STRIDE,
        "margin": image.MARGIN,
        "keypoints": list(skeleton.KEYPOINTS),
        "input": "ink map [1, 1, S, S], float32, 1 = ink (addon/core/image.py)",
        "output": "logits [1, 23, S/4, S/4]; softmax over each map (addon/core/estimator.py)",
        "training": {
            "drawings_seen": state.get("images", 0),
            "steps": state.get("step", 0),
            "minutes": round(state.get("elapsed", 0.0) / 60, 1),
            "settings": settings,
        },
        "scores": state.get("scores", {}),
        "export": {
            "weights": "float16, used as float32",
            "opencv_against_torch": float(f"{agreement.opencv:.2g}"),
            "rounding_of_the_logits": float(f"{agreement.rounding:.2g}"),
            "rounding_of_keypoints_px": float(f"{agreement.pixels:.2g}"),
        },
        "licence": "GPL-3.0-or-later",
        **facts,
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m trainer export``."""
    parser.add_argument("checkpoint", type=Path, help="checkpoint or slim file (or its pieces)")
    parser.add_argument(
        "--out", type=Path, default=SHIPPED, help="ONNX file; the card stands beside"
    )
    parser.add_argument("--size", type=int, help="side of the input, if not the training's")
    parser.add_argument(
        "--card", type=Path, help="JSON with more facts: data, scores, weaknesses, licence ..."
    )
    parser.add_argument(
        "--slim", type=Path, metavar="FILE", help="write half-precision pieces instead of ONNX"
    )
    parser.add_argument(
        "--batch-norm-of",
        type=Path,
        metavar="DIR",
        help="take on the batch statistics of the drawings in this folder (AdaBN)",
    )


def main(arguments: argparse.Namespace) -> None:
    """Export a checkpoint."""
    state = checkpoint.load(arguments.checkpoint)
    state["size"] = arguments.size or state["size"]
    if arguments.batch_norm_of:
        state["weights"] = adapt.weights_adapted_to(state, arguments.batch_norm_of)
        state.setdefault("settings", {})["batch_norm_of"] = arguments.batch_norm_of.name
    if arguments.slim:
        pieces = checkpoint.save_slim(arguments.slim, state)
        print(f"{len(pieces)} pieces of at most 15 MiB: {pieces[0]} ...")
        return
    facts = {}
    if arguments.card:
        try:
            facts = json.loads(arguments.card.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{arguments.card} is not a JSON file that can be read.") from error
    agreement = export_onnx(checkpoint.network(state), state["size"], arguments.out)
    digest = hashlib.sha256(arguments.out.read_bytes()).hexdigest()
    text = json.dumps(card(state, digest, agreement, facts), indent=2) + "\n"
    write_whole(arguments.out.with_suffix(".json"), text.encode())
    print(
        f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB; OpenCV against torch "
        f"{agreement.opencv:.1e}, rounding {agreement.rounding:.1e} of the largest logit, "
        f"keypoints within {agreement.pixels:.2f} px"
    )
