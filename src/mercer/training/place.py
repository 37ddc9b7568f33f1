"""Where a training computes: device, precision, threads, and the other processes that share the work.

Under `torchrun` every process holds the whole module and a part of each batch; gradients are added up after each
step. Only the process of rank 0 validates and writes.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.contracts import Runtime
from mercer.environment import torchrun
from mercer.errors import MissingExtraError, UnsupportedError, UsageError
from mercer.training.trainee import Rows

if TYPE_CHECKING:
    import torch


def needs_torch() -> None:
    """Raises MissingExtraError where PyTorch is not installed."""
    try:
        import torch  # noqa: F401
    except ImportError as fault:
        raise MissingExtraError("torch", "encoder") from fault


@dataclass(frozen=True, slots=True)
class Place:
    """The device, and this process among `size` processes."""

    device: torch.device
    precision: str
    rank: int = 0
    size: int = 1

    @property
    def writes(self) -> bool:
        """Whether this process validates and writes."""
        return self.rank == 0

    def part(self, batch: Rows) -> Rows:
        """This process's rows of a batch; its rows are sorted by cost, so each gets its share of costly ones."""
        return batch[self.rank :: self.size]

    def autocast(self) -> AbstractContextManager[Any]:
        """Compute in bfloat16 where the precision says so."""
        import torch

        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor by its sum over all processes; they are of one type."""
        if self.size == 1:
            return
        import torch

        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        totals = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, total in zip(tensors, totals, strict=True):
            tensor.copy_(total.view_as(tensor))

    def from_first(self, values: Sequence[float]) -> list[float]:
        """What rank 0 holds, told to all."""
        if self.size == 1:
            return list(values)
        import torch

        told = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(told, src=0)
        return [float(one) for one in told.tolist()]

    def same_weights(self, tensors: Sequence[torch.Tensor]) -> None:
        """Give all processes the tensors of rank 0."""
        if self.size == 1:
            return
        import torch

        for tensor in tensors:
            torch.distributed.broadcast(tensor, src=0)


@contextmanager
def entered(runtime: Runtime) -> Iterator[Place]:
    """The place of a runtime; threads, determinism and torch's own chance are put back afterwards.

    Raises UsageError for a device that is not there and for a world of processes that was not started.
    """
    needs_torch()
    import torch

    place = _place(runtime)
    threads = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    torch.set_num_threads(runtime.threads)
    if place.device.type == "cpu":
        torch.use_deterministic_algorithms(True)
        # Filling fresh memory only serves to find reads of it, and costs time.
        memory.fill_uninitialized_memory = False
    on_gpu = [place.device] if place.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=on_gpu):
            yield place
    finally:
        torch.use_deterministic_algorithms(strict)
        memory.fill_uninitialized_memory = filled
        torch.set_num_threads(threads)


def _place(runtime: Runtime) -> Place:
    import torch

    started = torchrun()
    if runtime.world_size != started.size:
        raise UsageError(
            f"The runtime asks for {runtime.world_size} processes; {started.size} were started.",
            remedy=f"Start with: torchrun --nproc_per_node {runtime.world_size} SCRIPT",
        )
    name = runtime.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as fault:
        raise UsageError(f"No device is called {name!r}.", remedy="Use cpu, cuda, cuda:1 or auto.") from fault
    if device.type not in ("cpu", "cuda"):
        raise UnsupportedError(f"Training on {name!r} is not supported.", remedy="Use cpu or cuda.")
    if device.type == "cuda":
        if not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count():
            raise UsageError(
                f"The device {name!r} is not there: PyTorch sees {torch.cuda.device_count()} GPUs.",
                remedy="Use --device cpu, or install a PyTorch for your GPU.",
            )
        device = torch.device("cuda", started.local_rank if started.size > 1 else device.index or 0)
        torch.cuda.set_device(device)
    if started.size > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(torch.distributed.destroy_process_group)
    return Place(device, runtime.precision, started.rank, started.size)


def seed_of(*numbers: int) -> int:
    """A seed that is a function of some whole numbers, 0 or more."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
