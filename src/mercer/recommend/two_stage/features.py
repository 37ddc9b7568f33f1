"""The second stage's features: one number for each candidate of each request, in groups that can be left out.

neighbourly.py, matching.py, personal.py and sequential.py hold the groups; here they get their order and become a
matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mercer.recommend.two_stage import matching, neighbourly, personal, sequential
from mercer.recommend.two_stage.asked import Asked, Columns

FEATURES: dict[str, tuple[tuple[str, ...], Callable[[Asked], Columns]]] = {
    "neighbours": (neighbourly.NEIGHBOURS, neighbourly.neighbours),
    "chains": (neighbourly.CHAINS, neighbourly.chains),
    "factors": (neighbourly.FACTORS, neighbourly.factors),
    "titles": (matching.TITLES, matching.titles),
    "brand": (matching.BRAND, matching.brand),
    "category": (matching.CATEGORY, matching.category),
    "popularity": (personal.POPULARITY, personal.popularity),
    "trend": (personal.TREND, personal.trend),
    "prices": (personal.PRICES, personal.prices),
    "person": (personal.PERSON, personal.person),
    "again": (personal.AGAIN, personal.again),
    "seen": (personal.SEEN, personal.seen),
    "sequence": (sequential.SEQUENCE, sequential.sequence),
}
"""Names and maker of each group, in the order of the matrix's columns. What is not known is NaN."""


def names(groups: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns of the groups, in order."""
    return tuple(name for group, (found, _) in FEATURES.items() if group in groups for name in found)


def matrix(asked: Asked, groups: Sequence[str]) -> npt.NDArray[np.float32]:
    """The features of every candidate, float32, shape (m, F)."""
    out = np.empty((len(asked.pool), len(names(groups))), np.float32)
    at = 0
    for group, (found, make) in FEATURES.items():
        if group in groups:
            columns = make(asked)
            for name in found:
                out[:, at] = columns[name]
                at += 1
    return out
