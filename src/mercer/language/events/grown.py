"""A vocabulary whose first rows are frozen and whose last rows learn, in one matrix that needs no copy.

A pretrained model has tens of thousands of rows for texts; events add some hundreds. Were the whole matrix trained, its
gradient and moments would be most of a step; were the new rows kept apart, every reader would put both together. Here
the rows that learn are a view of the whole, which the model's own head holds as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class GrownRows(nn.Module):
    """Rows 0 to n_old - 1 frozen, the rest learning. Embeds tokens; `rows` gives a part to foretell with.

    whole: float32, shape (n, width), of all rows, without a gradient. new: the last rows of it, a parameter. head: a
    linear layer whose weight is made to be `whole`, too.
    """

    whole: Tensor

    def __init__(self, old: Tensor, new: Tensor, head: nn.Linear | None = None) -> None:
        """old, new: shapes (n_old, width) and (n_new, width)."""
        super().__init__()
        self.n_old = len(old)
        self.register_buffer("whole", torch.cat([old.detach(), new.detach()]).float(), persistent=False)
        self.new = nn.Parameter(self.whole[self.n_old :])
        # In a list it is no part of this module: the model holds it.
        self._head = [] if head is None else [head]
        self._join()

    @property
    def weight(self) -> Tensor:
        """All rows, without a gradient."""
        return self.whole

    def _join(self) -> None:
        with torch.no_grad():
            self.whole[self.n_old :].copy_(self.new)
            self.new.data = self.whole[self.n_old :]
            for head in self._head:
                head.weight = nn.Parameter(self.whole, requires_grad=False)
                head.in_features, head.out_features = self.whole.shape[1], len(self.whole)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Any:
        """Moved to another place, the parts are copied one by one: make them one again."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._join()
        return self

    def forward(self, ids: Tensor) -> Tensor:
        """Rows of tokens, shape (..., width)."""
        if not torch.is_grad_enabled():
            return functional.embedding(ids, self.whole)
        old = functional.embedding(ids.clamp(max=self.n_old - 1), self.whole[: self.n_old])
        new = functional.embedding((ids - self.n_old).clamp(min=0), self.new)
        return torch.where((ids < self.n_old)[..., None], old, new)

    def rows(self, start: int, stop: int) -> Tensor:
        """Rows start to stop - 1, with a gradient where they learn; all of one kind."""
        if start >= self.n_old:
            return self.new[start - self.n_old : stop - self.n_old]
        return self.whole[start:stop]


def drawn(old: Tensor, n_new: int, generator: torch.Generator) -> Tensor:
    """First values of new rows: about the mean of the old ones, as far apart as these are, column by column."""
    spread, mean = torch.std_mean(old.detach().float(), dim=0)
    noise = torch.randn((n_new, old.shape[1]), generator=generator)
    return mean + spread * noise.to(old.device)
