"""Domain-adversarial training: features that do not tell synthetic drawings from real ones.

Y. Ganin et al.: Domain-Adversarial Training of Neural Networks, JMLR 2016; on sketches:
A. Novikova, bachelor thesis, SPbU 2022. A discriminator reads the features of the keypoint network
and learns to tell the domains apart by binary cross-entropy; the network minimises *keypoint loss -
gamma x discriminator loss*. The discriminator's accuracy tells whether gamma fits: near 1 the
network does not listen (gamma too small), at 0.5 or below it is fooled (enough, or too large).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F

from addon.core.errors import UserError

DISCRIMINATORS = ("mlp1", "mlp2", "conv1", "conv2")
"""What :func:`discriminator` knows."""

UPDATES = ("reversal", "alternating")
"""One backward pass through a layer that reverses the gradient (Ganin et al.), or a step of the
discriminator before each step of the network (thesis)."""

_MLP_WIDTH = 256
_CONV_WIDTH = 64
_CELLS = 16  # along each side of the maps behind the first layer of conv1 and conv2


def discriminator(name: str, channels: int, size: int) -> nn.Sequential:
    """A network from features to the logit of "this is a real drawing".

    The thesis gives layers and widths. Between the linear layers stands a ReLU here, without which
    the stack would be one linear layer. Conv1 and Conv2 were made for maps of 64 x 48 cells, which
    their first layer (4 x 3, without overlap) brings to 16 x 16; here it has the size that does so
    for square maps, 4 x 4 at an input of 256 pixels, 3 x 3 at 192. Maps whose side is no multiple
    of 16 are first averaged to the nearest one.

    Args:
        name: ``mlp1`` (1x1 convolution, mean over the map, a linear layer), ``mlp2`` (the same with
            four linear layers), ``conv1`` (four convolutions without overlap, each with twice the
            channels of the last, a linear layer) or ``conv2`` (the same without doubling).
        channels: of the features.
        size: cells along each side of the feature maps.

    Returns:
        A module ``[N, channels, size, size]`` -> ``[N, 1]``.

    Raises:
        UserError: the name is not known.
    """
    if name in ("mlp1", "mlp2"):
        hidden = [nn.Linear(_MLP_WIDTH, _MLP_WIDTH) for _ in range(3 if name == "mlp2" else 0)]
        return nn.Sequential(
            nn.Conv2d(channels, _MLP_WIDTH, 1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            *(layer for linear in hidden for layer in (linear, nn.ReLU(inplace=True))),
            nn.Linear(_MLP_WIDTH, 1),
        )
    if name in ("conv1", "conv2"):
        first = max(1, round(size / _CELLS))
        layers: list[nn.Module] = [nn.AdaptiveAvgPool2d(first * _CELLS)]
        width = channels
        for i, kernel in enumerate((first, 2, 2, 4)):
            outputs = _CONV_WIDTH * (2**i if name == "conv1" else 1)
            conv = nn.Conv2d(width, outputs, kernel, stride=kernel, bias=False)
            layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
            width = outputs
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width, 1))
    raise UserError(
        f"There is no discriminator called {name}; choose one of {', '.join(DISCRIMINATORS)}."
    )


class _Reversal(Function):
    """The identity, whose gradient is multiplied by ``-gamma`` (Ganin and Lempitsky, ICML 2015)."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, gamma: float) -> Tensor:
        ctx.gamma = gamma
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.gamma * gradients[0], None


def reverse_gradient(features: Tensor, gamma: float) -> Tensor:
    """The features, unchanged; on the way back their gradient is multiplied by ``-gamma``."""
    reversed_: Tensor = _Reversal.apply(features, gamma)  # type: ignore[assignment]
    return reversed_


def domain_loss(logits: Tensor, labelled: int) -> tuple[Tensor, Tensor]:
    """Binary cross-entropy and accuracy of a discriminator; both domains weigh the same.

    A batch holds fewer real drawings than synthetic ones; without equal weights, "synthetic"
    would be the right answer to most of them.

    Args:
        logits: ``[N, 1]``; above 0 means "real".
        labelled: how many of them, the first, belong to synthetic drawings.

    Returns:
        Loss and accuracy, scalars; 0.5 is the accuracy of chance.
    """
    score = logits.float().flatten()
    synthetic, real = score[:labelled], score[labelled:]
    loss = (F.softplus(synthetic).mean() + F.softplus(-real).mean()) / 2
    right = ((synthetic <= 0).float().mean() + (real > 0).float().mean()) / 2
    return loss, right


class Verdict(NamedTuple):
    """What the adversary adds to a step, scalars.

    Attributes:
        term: to add to the network's loss before its backward pass.
        loss: of the discriminator.
        accuracy: of the discriminator on this batch, before it learns from it.
    """

    term: Tensor
    loss: Tensor
    accuracy: Tensor


class Adversary:
    """The discriminator with its optimiser, and how the network is set against it.

    In each step: :meth:`judge`, the backward pass of the network's loss with the term added, and
    :meth:`finish`.

    Args:
        name: one of :data:`DISCRIMINATORS`.
        channels: of the features.
        size: cells along each side of the feature maps.
        gamma: weight of the discriminator's loss in the network's.
        update: one of :data:`UPDATES`.
        device: of the features.
        average: called on the discriminator between its backward pass and its optimiser's step; for
            processes that share one training to average its gradients.

    Attributes:
        network: the discriminator.
    """

    def __init__(
        self,
        name: str,
        channels: int,
        size: int,
        gamma: float,
        update: str,
        device: torch.device,
        average: Callable[[nn.Module], None] | None = None,
    ) -> None:
        self.name, self.gamma, self.alternating = name, gamma, update == "alternating"
        self.network = discriminator(name, channels, size).to(device)
        self._average = average
        self._optimizer = torch.optim.Adam(self.network.parameters())

    def judge(self, features: Tensor, labelled: int, rate: float) -> Verdict:
        """Tell the domains apart; alternating, the discriminator learns from it at once.

        Args:
            features: ``[N, C, S, S]`` with the network's graph behind them.
            labelled: how many of them, the first, belong to synthetic drawings.
            rate: learning rate of the discriminator.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        if not self.alternating:
            logits = self.network(reverse_gradient(features, self.gamma))
            loss, accuracy = domain_loss(logits, labelled)
            return Verdict(loss, loss.detach(), accuracy)
        loss, accuracy = domain_loss(self.network(features.detach()), labelled)
        loss.backward()
        self._learn()
        # Now the network against the discriminator as it is, which gets no gradient of this.
        self.network.requires_grad_(False)
        against, _ = domain_loss(self.network(features), labelled)
        self.network.requires_grad_(True)
        return Verdict(-self.gamma * against, loss.detach(), accuracy)

    def finish(self) -> None:
        """After the network's backward pass: with gradient reversal, the discriminator learns."""
        if not self.alternating:
            self._learn()

    def _learn(self) -> None:
        if self._average is not None:
            self._average(self.network)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {
            "name": self.name,
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave.

        Raises:
            UserError: it belongs to another discriminator.
        """
        if state["name"] != self.name:
            raise UserError(
                f"The checkpoint has the discriminator {state['name']}, not {self.name}; "
                "go on with the same, or start a new run with --init."
            )
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
