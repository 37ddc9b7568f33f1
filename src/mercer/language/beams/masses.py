"""Masses: what is known of items before a model is asked, for each request; a node weighs what lies below it.

Where a token's probability is taken among the tokens that go on from its prefix, the logarithm of a child's mass is
added to what the model says of it. So with a model that says nothing, the probability of an item is its share of the
mass, and a model need only learn what the masses do not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mercer.errors import UsageError
from mercer.language.beams.prefixes import Prefixes

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Masses:
    """sums: float64, shape (n, I + 1): of the masses of the leaves before each, in the order of leaves."""

    prefixes: Prefixes
    sums: Floats

    @classmethod
    def of(cls, prefixes: Prefixes, mass: npt.NDArray[np.floating]) -> Self:
        """mass: of each item, above 0, shape (n, I). Raises UsageError for another shape or other numbers."""
        mass = np.asarray(mass)
        if mass.ndim != 2 or mass.shape[1] != prefixes.n_items or not (mass > 0).all():
            raise UsageError(
                f"Masses of the shape {mass.shape} are given for a tree of {prefixes.n_items} items.",
                remedy="Give a number above 0 for each item, a row for each request.",
            )
        sums = np.zeros((len(mass), prefixes.n_items + 1))
        np.cumsum(mass[:, prefixes.item], axis=1, dtype=np.float64, out=sums[:, 1:])
        return cls(prefixes, sums)

    def log_below(self, request: Numbers, depth: int, node: npt.NDArray[np.integer]) -> Floats:
        """Logarithm of what lies below nodes of a depth, for one request each, shape (m,)."""
        leaves = self.prefixes.depths[depth].leaves
        return np.asarray(np.log(self.sums[request, leaves[node + 1]] - self.sums[request, leaves[node]]))
