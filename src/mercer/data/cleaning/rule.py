"""What a cleaning rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mercer.data.accounting import Action
from mercer.data.cleaning.sheet import Sheet


class Suppressed(Protocol):
    """Who was forgotten."""

    def contains(self, ids: list[str]) -> npt.NDArray[np.bool_]:
        """Which ids are on the list."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What rules may know besides the table: the end of the decision day (µs, UTC), the catalogue, the forgotten."""

    end: int
    items: frozenset[str] | None = None
    suppressed: Suppressed | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule. `apply` changes the sheet and returns how many rows it acted on.

    fixed: the brief can't switch it off, because what follows rests on it.
    """

    name: str
    sentence: str
    action: Action
    apply: Callable[[Sheet, Facts], int]
    fixed: bool = False
