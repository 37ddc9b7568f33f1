"""The highest memory of a block: resident memory of this process, or what PyTorch holds of the GPU."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import torch

EVERY_SECONDS = 0.02


class Memory:
    """Watches memory while it is entered; `peak_mib` may be read at any time."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._process = psutil.Process()
        self._peak = 0
        self._done = threading.Event()

    def __enter__(self) -> Memory:
        if self._device.type == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            self._watch = threading.Thread(target=self._sample, daemon=True)
            self._watch.start()
        return self

    def _sample(self) -> None:
        while not self._done.wait(EVERY_SECONDS):
            self._peak = max(self._peak, self._process.memory_info().rss)

    @property
    def peak_mib(self) -> float:
        """The highest so far, in MiB."""
        if self._device.type == "cuda":
            import torch

            self._peak = torch.cuda.max_memory_allocated(self._device)
        else:
            self._peak = max(self._peak, self._process.memory_info().rss)
        return round(self._peak / 2**20, 1)

    def __exit__(self, *_: object) -> None:
        if self._device.type != "cuda":
            self._done.set()
            self._watch.join()
