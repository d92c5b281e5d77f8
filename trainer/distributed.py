"""One training on several processes, one per GPU, started by torchrun.

``torchrun --nproc-per-node 8 -m trainer train ...``: every process holds the whole network and
draws its own share of the tickets. DistributedDataParallel averages the gradients while they are
computed (Li et al., VLDB 2020), so that all take the same step, that of one process with the
batches joined; only the batch statistics that a process normalises by are its own. The learning
rate is taken as given: choose it for the joined batch. Process 0 validates and writes the files.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

_PATIENCE = timedelta(hours=1)  # of the others, while process 0 validates


class Processes:
    """The processes that train together: those of torchrun, or this one alone.

    Use it as a context, which leaves the group at the end.

    Args:
        device: ``cpu``, ``cuda`` (each process on a machine then takes its own GPU), or one GPU.

    Attributes:
        rank: number of this process.
        count: how many there are, over all machines.
        device: of this process.
    """

    def __init__(self, device: str) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.device = torch.device(device)
        if self.device.type == "cuda":
            if self.device.index is None:
                self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(self.device)
        if self.count > 1:
            # Both: what the processes agree on lies in main memory and shall not wait for a GPU.
            cuda = self.device.type == "cuda"
            backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
            dist.init_process_group(backend, timeout=_PATIENCE)

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error the others may not come: torchrun ends them.
        if self.count > 1 and kind is None:
            dist.barrier()
            dist.destroy_process_group()

    @property
    def first(self) -> bool:
        """Whether this process validates and writes the files."""
        return self.rank == 0

    def parallel(self, module: nn.Module) -> nn.Module:
        """A module whose backward pass averages the gradients over the processes.

        Its parameters must be the same everywhere, and all must take part in every forward pass.
        """
        if self.count == 1:
            return module
        # Buffers are averaged after the step instead (average_buffers): every process then counts,
        # and the averaged network sees the same ones everywhere.
        return DistributedDataParallel(
            module, forward_sync_buffers=False, gradient_as_bucket_view=True
        )

    def weight(self, items: Tensor) -> Tensor | float:
        """What to multiply a mean over this process' items with.

        The average over the processes is then the mean over the items of all of them.

        Args:
            items: how many there are here, a scalar.
        """
        if self.count == 1:
            return 1.0
        total = items.float()
        dist.all_reduce(total)
        return items * self.count / total.clamp(min=1)

    def average_gradients(self, module: nn.Module) -> None:
        """Average the gradients of a module that is not :meth:`parallel`."""
        self._average([p.grad for p in module.parameters() if p.grad is not None])

    def average_buffers(self, module: nn.Module) -> None:
        """Give all processes the mean of their running batch statistics."""
        self._average([buffer for buffer in module.buffers() if buffer.is_floating_point()])

    def _average(self, tensors: list[Tensor]) -> None:
        """Replace tensors by their means over the processes, in one exchange."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([one.flatten() for one in tensors])
        dist.all_reduce(flat)
        parts = (flat / self.count).split([one.numel() for one in tensors])
        for one, part in zip(tensors, parts, strict=True):
            one.copy_(part.view_as(one))

    def agree(self, share: float, stop: bool) -> tuple[float, bool]:
        """The furthest position in the training, and whether any process was asked to stop."""
        if self.count == 1:
            return share, stop
        votes = torch.tensor([share, float(stop)], dtype=torch.float64)
        dist.all_reduce(votes, dist.ReduceOp.MAX)
        return float(votes[0]), bool(votes[1])

    def from_first(self, value: Any) -> Any:
        """What process 0 passes; tensors in it must lie in main memory."""
        if self.count == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return box[0]
