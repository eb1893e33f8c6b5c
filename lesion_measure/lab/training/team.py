"""The processes of one training: one alone, or those that torchrun started, which share every batch."""

from __future__ import annotations

import datetime
import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from lesion_measure.errors import ConfigError
from lesion_measure.network.on_torch import torch_device

PATIENCE = datetime.timedelta(hours=12)
"""How long the others wait for the first process, which simulates frames alone. torchrun ends them if it dies."""


@dataclass(frozen=True, slots=True)
class Team:
    """This process (``rank``) among ``size``, and the device that it trains on.

    Only the first process (``leads``) writes files, validates and reports.
    """

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    def own(self, indices: Sequence[int]) -> Sequence[int]:
        """This process's part of a batch."""
        return indices[self.rank :: self.size]

    def weight(self, batch_size: int) -> float:
        """What the mean loss over this process's part is multiplied with, so that the mean over processes is the
        mean over the batch."""
        return len(self.own(range(batch_size))) * self.size / batch_size

    def together(self, network: nn.Module) -> nn.Module:
        """The network such that its gradients are averaged over all processes.

        On GPUs the statistics of batch normalisation are shared too; PyTorch has that for GPUs alone, so on CPUs
        every process normalises by its own part of the batch, and the first one's running statistics are kept.
        """
        if self.size == 1:
            return network
        if self.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
            return DistributedDataParallel(network, device_ids=[self.device.index])
        return DistributedDataParallel(network)

    def mean(self, value: float) -> float:
        """The mean of every process's value."""
        if self.size == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.all_reduce(shared)
        return float(shared) / self.size

    def agree(self, values: Sequence[float | None]) -> tuple[float | None, ...]:
        """The first process's values, in every process."""
        if self.size == 1:
            return tuple(values)
        known = [float("nan") if value is None else value for value in values]
        shared = torch.tensor(known, dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, 0)
        return tuple(None if value != value else value for value in shared.tolist())

    def same(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The first process's tensors, in every process, on the CPU."""
        own = {name: value.detach().clone() for name, value in state.items()}
        if self.size > 1:
            for value in own.values():
                shared = value.to(self.device)
                distributed.broadcast(shared, 0)
                value.copy_(shared)
        return {name: value.cpu() for name, value in own.items()}

    def wait(self) -> None:
        """Until every process has come here."""
        if self.size > 1:
            self.agree([0.0])


@contextmanager
def gathered(device: str) -> Iterator[Team]:
    """The team that this process belongs to: alone, unless torchrun started it with others.

    Raises
    ------
    ConfigError
        Training does not run on such a device, or one GPU is named for several processes.
    ModelError
        The device cannot be used here.
    """
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda"):
        raise ConfigError(f"Training does not run on '{device}'.", remedy="Use cpu, cuda or cuda:0.")
    if not (distributed.is_available() and distributed.is_torchelastic_launched()):
        yield Team(torch_device(device))
        return
    if kind == "cuda" and number:
        raise ConfigError(
            f"'{device}' is one GPU, but torchrun gives each process its own.", remedy="Use --device cuda."
        )
    own = torch_device(f"cuda:{distributed.get_node_local_rank()}" if kind == "cuda" else kind)
    if kind == "cuda":
        torch.cuda.set_device(own)
    distributed.init_process_group("nccl" if kind == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Team(own, distributed.get_rank(), distributed.get_world_size())
    finally:
        gc.collect()  # the wrapped networks hold threads of the group, and have to go before it
        distributed.destroy_process_group()
