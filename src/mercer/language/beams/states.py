"""Keys and values of prompts and of the beams after them, and who may look at whom.

One row of the batch holds a request: its prompt, filled up on the right to the longest of the block, then all beams'
tokens, a step after the other. Written in place into room that is made once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(slots=True)
class Kept:
    """What a block of n requests has read; the model writes into it by `update`, as into Transformers' own cache.

    keys, values: for each layer, shape (n, heads, prompt + width * steps, columns). lengths: int64, shape (n,), tokens
    of each prompt. prompt: those of the longest. beams: how many beams each step had.
    ancestors: bool, shape (n, beams, tokens after the prompt): which of them each beam of the last step went through,
    its last one among them.
    """

    keys: list[torch.Tensor]
    values: list[torch.Tensor]
    lengths: torch.Tensor
    prompt: int
    beams: list[int]
    ancestors: torch.Tensor

    @property
    def depth(self) -> int:
        """Tokens that each beam has after its prompt."""
        return len(self.beams)

    @property
    def used(self) -> int:
        """Columns written."""
        return self.prompt + self.ancestors.shape[2]

    def update(
        self, key: torch.Tensor, value: torch.Tensor, layer: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write a step's keys and values, the last columns in use; returns all that are in use."""
        end = self.used
        begin = end - key.shape[2]
        self.keys[layer][:, :, begin:end] = key
        self.values[layer][:, :, begin:end] = value
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def get_seq_length(self, *_: Any) -> int:
        """Columns in use; Transformers asks."""
        return self.used

    def grow(self, parents: torch.Tensor) -> None:
        """Make the columns of a new step: each beam goes on from its parent. parents: int64, shape (n, beams)."""
        n, beams = parents.shape
        itself = torch.eye(beams, dtype=torch.bool, device=parents.device).expand(n, -1, -1)
        if self.beams:
            before = self.ancestors.gather(1, parents[:, :, None].expand(-1, -1, self.ancestors.shape[2]))
            self.ancestors = torch.cat([before, itself], 2)
        else:
            self.ancestors = itself
        self.beams.append(beams)

    def mask(self, window: int | None, dtype: torch.dtype) -> torch.Tensor:
        """What is added to attention, shape (n, 1, beams, used): 0 where a beam may look, a large negative elsewhere.

        window: how many tokens back a token looks, itself among them; None for all.
        """
        n, beams, _ = self.ancestors.shape
        at = torch.arange(self.prompt, device=self.lengths.device)
        read = at < self.lengths[:, None]
        tree = self.ancestors
        if window is not None:
            # The newest token stands at lengths + depth - 1.
            read = read & (at > (self.lengths + (self.depth - 1 - window))[:, None])
            if window < self.depth:
                tree = tree & (self._depths() >= self.depth - window)
        seen = torch.cat([read[:, None].expand(n, beams, -1), tree], 2)
        return torch.where(seen, 0.0, torch.finfo(dtype).min).to(dtype)[:, None]

    def _depths(self) -> torch.Tensor:
        """The depth of every token after the prompt, from 0, shape (tokens after the prompt,)."""
        counts = torch.tensor(self.beams, device=self.lengths.device)
        return torch.repeat_interleave(torch.arange(self.depth, device=counts.device), counts)
