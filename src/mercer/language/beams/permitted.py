"""Permitted: which items a request may be answered with, and which nodes of the tree still lead to one.

What all requests share (stock, withdrawn goods) is counted once, below every node. What differs is kept as differences:
for a request that denies some items, the nodes that have nothing left below them; for a request that allows few, the
nodes that lead to one. So a thousand requests over a hundred thousand items cost what their lists hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mercer.contracts import Ragged

if TYPE_CHECKING:
    from mercer.language.beams.prefixes import Prefixes

Bools = npt.NDArray[np.bool_]
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Permitted:
    """The rules of n requests, as `Prefixes.permitted` takes them."""

    prefixes: Prefixes
    n: int
    available: Bools | None
    allow: tuple[Ragged, ...]
    deny: tuple[Ragged, ...]
    mask: Bools | None

    def __len__(self) -> int:
        return self.n
