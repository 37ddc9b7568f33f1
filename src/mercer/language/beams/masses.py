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
    """below: for each depth, float64, shape (n, nodes): what lies below each node. Sums of numbers above 0, so that
    what is small beside a great mass is not lost."""

    below: tuple[Floats, ...]

    @classmethod
    def of(cls, prefixes: Prefixes, mass: npt.NDArray[np.floating]) -> Self:
        """mass: of each item, above 0, shape (n, I). Raises UsageError for another shape or other numbers."""
        mass = np.asarray(mass)
        if mass.ndim != 2 or mass.shape[1] != prefixes.n_items or not _are_masses(mass):
            raise UsageError(
                f"Masses of the shape {mass.shape} are given for a tree of {prefixes.n_items} items.",
                remedy="Give a finite number above 0 for each item, a row for each request.",
            )
        leaves = mass[:, prefixes.item].astype(np.float64)
        return cls(tuple(np.add.reduceat(leaves, depth.leaves[:-1], axis=1) for depth in prefixes.depths))

    def log_below(self, request: Numbers, depth: int, node: npt.NDArray[np.integer]) -> Floats:
        """Logarithm of what lies below nodes of a depth, for one request each, shape (m,)."""
        return np.asarray(np.log(self.below[depth][request, node]))


def _are_masses(mass: npt.NDArray[np.floating]) -> bool:
    return bool(np.isfinite(mass).all() and (mass > 0).all())
