"""What a cleaning rule is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.data.accounting import Action
from mercer.data.cleaning.sheet import Sheet


class Suppressed(Protocol):
    """Who was forgotten."""

    def contains(self, ids: list[str]) -> npt.NDArray[np.bool_]:
        """Which ids are on the list."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What rules may know besides the table.

    end: of the decision day (µs, UTC). items: the catalogue, where it has a source of its own. suppressed: the
    forgotten. no_products: codes that a rule took out of the catalogue, with the rule's name. sales: what was sold at
    which price, for `near-duplicate-item`; folds: what it made of that, code -> the code that stands for it.
    """

    end: int
    items: frozenset[str] | None = None
    suppressed: Suppressed | None = None
    no_products: Mapping[str, str] = field(default_factory=dict)
    sales: pd.DataFrame | None = None
    folds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule. `apply` changes the sheet and returns how many rows it acted on.

    fixed: the brief can't switch it off, because what follows rests on it. asked: it acts only where `rules_on` of the
    brief names it.
    """

    name: str
    sentence: str
    action: Action
    apply: Callable[[Sheet, Facts], int]
    fixed: bool = False
    asked: bool = False
