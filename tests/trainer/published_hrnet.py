"""Names and shapes of the published HRNet checkpoints, from the published configurations.

K. Sun et al., CVPR 2019, table 1 and the configuration files of its authors: per stage the number
of exchange modules, the residual blocks of each branch and the channels of each branch.
"""

from __future__ import annotations

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]

# Name -> (bottlenecks of layer1, their inner channels, stages 2 to 4).
CONFIGURATIONS = {
    "hrnet-w32": (
        (4, 64),
        [
            {"modules": 1, "blocks": [4, 4], "channels": [32, 64]},
            {"modules": 4, "blocks": [4, 4, 4], "channels": [32, 64, 128]},
            {"modules": 3, "blocks": [4, 4, 4, 4], "channels": [32, 64, 128, 256]},
        ],
    ),
    "hrnet-w48": (
        (4, 64),
        [
            {"modules": 1, "blocks": [4, 4], "channels": [48, 96]},
            {"modules": 4, "blocks": [4, 4, 4], "channels": [48, 96, 192]},
            {"modules": 3, "blocks": [4, 4, 4, 4], "channels": [48, 96, 192, 384]},
        ],
    ),
    "hrnet-w18-small": (  # published as W18-Small-v2
        (2, 64),
        [
            {"modules": 1, "blocks": [2, 2], "channels": [18, 36]},
            {"modules": 3, "blocks": [2, 2, 2], "channels": [18, 36, 72]},
            {"modules": 2, "blocks": [2, 2, 2, 2], "channels": [18, 36, 72, 144]},
        ],
    ),
    "hrnet-w16-small": (  # published as W18-Small-v1
        (1, 32),
        [
            {"modules": 1, "blocks": [2, 2], "channels": [16, 32]},
            {"modules": 1, "blocks": [2, 2, 2], "channels": [16, 32, 64]},
            {"modules": 1, "blocks": [2, 2, 2, 2], "channels": [16, 32, 64, 128]},
        ],
    ),
}


def _conv(shapes: Shapes, conv: str, norm: str, out: int, into: int, kernel: int) -> None:
    """A convolution without bias and the batch normalisation behind it."""
    shapes[f"{conv}.weight"] = (out, into, kernel, kernel)
    for name in ("weight", "bias", "running_mean", "running_var"):
        shapes[f"{norm}.{name}"] = (out,)
    shapes[f"{norm}.num_batches_tracked"] = ()


def _trunk(name: str, whole_stage4: bool) -> Shapes:
    (bottlenecks, inner), stages = CONFIGURATIONS[name]
    shapes: Shapes = {}
    _conv(shapes, "conv1", "bn1", 64, 3, 3)
    _conv(shapes, "conv2", "bn2", 64, 64, 3)
    into = 64
    for i in range(bottlenecks):
        at = f"layer1.{i}"
        _conv(shapes, f"{at}.conv1", f"{at}.bn1", inner, into, 1)
        _conv(shapes, f"{at}.conv2", f"{at}.bn2", inner, inner, 3)
        _conv(shapes, f"{at}.conv3", f"{at}.bn3", 4 * inner, inner, 1)
        if into != 4 * inner:
            _conv(shapes, f"{at}.downsample.0", f"{at}.downsample.1", 4 * inner, into, 1)
        into = 4 * inner

    before = [into]
    for number, stage in enumerate(stages, start=2):
        channels = stage["channels"]
        for branch, out in enumerate(channels):
            at = f"transition{number - 1}.{branch}"
            if branch >= len(before):  # the new, coarser branch
                _conv(shapes, f"{at}.0.0", f"{at}.0.1", out, before[-1], 3)
            elif before[branch] != out:
                _conv(shapes, f"{at}.0", f"{at}.1", out, before[branch], 3)
        before = channels
        for module in range(stage["modules"]):
            at = f"stage{number}.{module}"
            for branch, (blocks, width) in enumerate(zip(stage["blocks"], channels, strict=True)):
                for block in range(blocks):
                    for i in (1, 2):
                        one = f"{at}.branches.{branch}.{block}"
                        _conv(shapes, f"{one}.conv{i}", f"{one}.bn{i}", width, width, 3)
            last = number == 4 and module == stage["modules"] - 1
            for target in range(1 if last and not whole_stage4 else len(channels)):
                for source in range(len(channels)):
                    path = f"{at}.fuse_layers.{target}.{source}"
                    if source > target:  # 1x1 convolution, normalisation, upsampling
                        sizes = channels[target], channels[source]
                        _conv(shapes, f"{path}.0", f"{path}.1", *sizes, 1)
                    for step in range(target - source):  # halved once a step
                        wide = channels[target if step == target - source - 1 else source]
                        names = f"{path}.{step}.0", f"{path}.{step}.1"
                        _conv(shapes, *names, wide, channels[source], 3)
    return shapes


def coco(name: str) -> Shapes:
    """The network for the 17 keypoints of MS COCO: only the finest branch leaves it."""
    width = CONFIGURATIONS[name][1][0]["channels"][0]
    head: Shapes = {"final_layer.weight": (17, width, 1, 1), "final_layer.bias": (17,)}
    return _trunk(name, whole_stage4=False) | head


def imagenet(name: str) -> Shapes:
    """The classification network: all branches leave it, and its head has layers of its own."""
    shapes = _trunk(name, whole_stage4=True)
    channels, widths = CONFIGURATIONS[name][1][2]["channels"], (32, 64, 128, 256)
    for i, (into, inner) in enumerate(zip(channels, widths, strict=True)):
        at = f"incre_modules.{i}.0"
        _conv(shapes, f"{at}.conv1", f"{at}.bn1", inner, into, 1)
        _conv(shapes, f"{at}.conv2", f"{at}.bn2", inner, inner, 3)
        _conv(shapes, f"{at}.conv3", f"{at}.bn3", 4 * inner, inner, 1)
        _conv(shapes, f"{at}.downsample.0", f"{at}.downsample.1", 4 * inner, into, 1)
    for i in range(3):
        at = f"downsamp_modules.{i}"
        _conv(shapes, f"{at}.0", f"{at}.1", 4 * widths[i + 1], 4 * widths[i], 3)
        shapes[f"{at}.0.bias"] = (4 * widths[i + 1],)
    _conv(shapes, "final_layer.0", "final_layer.1", 2048, 1024, 1)
    shapes["final_layer.0.bias"] = (2048,)
    shapes |= {"classifier.weight": (1000, 2048), "classifier.bias": (1000,)}
    return shapes


def weights(shapes: Shapes, seed: int = 0) -> dict[str, Tensor]:
    """Made-up values for names and shapes, small and, for variances, positive."""
    rng = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(shape, generator=rng) * 0.1 + 0.05
        if shape
        else torch.tensor(7, dtype=torch.int64)
        for name, shape in shapes.items()
    }
