"""HRNet: a deep high-resolution network for keypoint heatmaps.

K. Sun, B. Xiao, D. Liu, J. Wang: Deep High-Resolution Representation Learning for Human Pose
Estimation, CVPR 2019. A branch at a quarter of the input's resolution runs through the whole
network; coarser branches join it stage by stage, and after every module each branch reads all the
others.
Modules and parameters carry the published names, so that published weights fit.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from addon.core import skeleton

from .blocks import BasicBlock, Bottleneck, conv_bn, initialise


@dataclass(frozen=True)
class HRNetConfig:
    """The shape of the network.

    Attributes:
        width: channels of the finest branch; each coarser one has twice the channels of the last.
        modules: exchange modules in stages 2, 3 and 4.
        blocks: residual blocks of each branch in each module.
        stem_blocks: bottleneck blocks at full width before the branches part (``layer1``).
        stem_channels: inner channels of those bottlenecks; they put out four times as many.
        in_channels: 1, or 3 to read the ink repeated, as networks that were trained on colour do.
        keypoints: heatmaps put out.
    """

    width: int = 32
    modules: tuple[int, int, int] = (1, 4, 3)
    blocks: int = 4
    stem_blocks: int = 4
    stem_channels: int = 64
    in_channels: int = 1
    keypoints: int = skeleton.COUNT


PRESETS: dict[str, HRNetConfig] = {
    # The published sizes, whose weights fit; the two small ones are W18-Small-v2 and -v1 there.
    "hrnet-w48": HRNetConfig(width=48),
    "hrnet-w32": HRNetConfig(width=32),
    "hrnet-w18-small": HRNetConfig(width=18, modules=(1, 3, 2), blocks=2, stem_blocks=2),
    "hrnet-w16-small": HRNetConfig(
        width=16, modules=(1, 1, 1), blocks=2, stem_blocks=1, stem_channels=32
    ),
    # Two sizes between: the coarse branches of stage 4 hold most of the weights and little of the
    # work, so that dropping modules there makes a smaller file of the same width.
    "hrnet-w32-lean": HRNetConfig(width=32, modules=(1, 4, 2)),
    "hrnet-w48-lean": HRNetConfig(width=48, modules=(1, 3, 1)),
}


class HighResolutionModule(nn.Module):
    """Residual blocks on every branch, then every branch put out reads all of them.

    Args:
        widths: channels of each branch, finest first.
        blocks: residual blocks of each branch.
        outputs: branches put out; 1 where only the finest is needed afterwards.
    """

    def __init__(self, widths: list[int], blocks: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(width) for _ in range(blocks))) for width in widths
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(self._path(widths, source, target) for source in range(len(widths)))
            for target in range(outputs)
        )
        self.relu = nn.ReLU(inplace=True)

    @staticmethod
    def _path(widths: list[int], source: int, target: int) -> nn.Module:
        """The layers that bring branch ``source`` to the size and channels of ``target``."""
        if source == target:
            return nn.Identity()
        if source > target:
            upsample = nn.Upsample(scale_factor=2.0 ** (source - target), mode="nearest")
            return nn.Sequential(*conv_bn(widths[source], widths[target], 1), upsample)
        steps = []
        for _ in range(target - source - 1):
            halve = conv_bn(widths[source], widths[source], 3, stride=2)
            steps.append(nn.Sequential(*halve, nn.ReLU(inplace=True)))
        steps.append(nn.Sequential(*conv_bn(widths[source], widths[target], 3, stride=2)))
        return nn.Sequential(*steps)

    def forward(self, branches: list[Tensor]) -> list[Tensor]:
        """Features of each branch, finest first, each half the size of the one before."""
        branches = [blocks(x) for blocks, x in zip(self.branches, branches, strict=True)]
        fused = []
        for paths in self.fuse_layers:
            assert isinstance(paths, nn.ModuleList)
            total = paths[0](branches[0])
            for path, x in zip(paths[1:], branches[1:], strict=True):
                total = total + path(x)
            fused.append(self.relu(total))
        return fused


class HRNet(nn.Module):
    """Ink ``[N, 1, S, S]``, S a multiple of 32 -> logits ``[N, keypoints, S / 4, S / 4]``."""

    def __init__(self, config: HRNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or HRNetConfig()
        self.conv1, self.bn1 = conv_bn(config.in_channels, 64, 3, stride=2)
        self.conv2, self.bn2 = conv_bn(64, 64, 3, stride=2)
        self.relu = nn.ReLU(inplace=True)
        channels = config.stem_channels * Bottleneck.expansion
        self.layer1 = nn.Sequential(
            *(
                Bottleneck(channels if i else 64, config.stem_channels)
                for i in range(config.stem_blocks)
            )
        )
        widths = [config.width * 2**i for i in range(4)]
        self.transition1 = self._transition([channels], widths[:2])
        self.stage2 = self._stage(widths[:2], config.modules[0])
        self.transition2 = self._transition(widths[:2], widths[:3])
        self.stage3 = self._stage(widths[:3], config.modules[1])
        self.transition3 = self._transition(widths[:3], widths[:4])
        self.stage4 = self._stage(widths[:4], config.modules[2], last_outputs=1)
        self.final_layer = nn.Conv2d(config.width, config.keypoints, kernel_size=1)
        initialise(self, self.final_layer)

    @staticmethod
    def _transition(before: list[int], after: list[int]) -> nn.ModuleList:
        """From the branches of one stage to those of the next, which has one more."""
        layers: list[nn.Module] = []
        for i, outputs in enumerate(after):
            if i >= len(before):  # a new branch, from the coarsest of the last stage
                halve = nn.Sequential(*conv_bn(before[-1], outputs, 3, stride=2), nn.ReLU(True))
                layers.append(nn.Sequential(halve))
            elif before[i] != outputs:
                layers.append(nn.Sequential(*conv_bn(before[i], outputs, 3), nn.ReLU(True)))
            else:
                layers.append(nn.Identity())
        return nn.ModuleList(layers)

    def _stage(self, widths: list[int], modules: int, last_outputs: int = 0) -> nn.Sequential:
        outputs = [len(widths)] * modules
        outputs[-1] = last_outputs or len(widths)
        return nn.Sequential(
            *(HighResolutionModule(widths, self.config.blocks, count) for count in outputs)
        )

    @staticmethod
    def _enter(transition: nn.ModuleList, branches: list[Tensor]) -> list[Tensor]:
        """Branches of the next stage: known ones carried over, a new one from the coarsest."""
        sources = branches + branches[-1:]
        return [layer(x) for layer, x in zip(transition, sources, strict=True)]

    def features(self, x: Tensor) -> Tensor:
        """The finest branch before the last layer, ``[N, width, S / 4, S / 4]``."""
        if self.config.in_channels > 1:
            x = x.expand(-1, self.config.in_channels, -1, -1)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        branches = self.stage2(self._enter(self.transition1, [self.layer1(x)]))
        branches = self.stage3(self._enter(self.transition2, branches))
        return self.stage4(self._enter(self.transition3, branches))[0]

    def forward(self, x: Tensor) -> Tensor:
        """Heatmap logits; a softmax over each map's pixels is the keypoint's distribution."""
        return self.final_layer(self.features(x))
