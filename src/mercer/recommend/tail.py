"""Popularity as the order of what a ranker knows nothing about.

A ranker that scores a few items leaves thousands at 0. Giving all of them one score would make their order
an accident of item codes; adding popularity to every score would reorder what the ranker does know. So
popularity orders only the unknown, wholly below the known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32, Interactions

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def popularity(log: Interactions, weights: npt.NDArray[np.float64]) -> Floats32:
    """Weighted number of events of each item over that of the most popular one, in [0, 1], shape (I,)."""
    counts = np.bincount(log.item, weights, minlength=len(log.items))
    most = counts.max(initial=0.0)
    return np.asarray(counts / most if most > 0 else counts, np.float32)


def over_tail(known: csr_array, share: Floats32) -> Floats32:
    """What `with_tail` gives for `known` in sparse form, float32 with entries above 0, in one dense pass.

    known: shape (n, I); every stored entry must be positive.
    """
    lengths = np.diff(known.indptr)
    held = lengths > 0
    ceiling = np.ones(len(lengths), np.float32)
    if held.any():
        # An empty row shares its start with the next row: the starts of the others cut the data exactly.
        ceiling[held] = np.minimum.reduceat(known.data, known.indptr[:-1][held]) / 2
    filled = ceiling[:, None] * share[None, :]
    filled[np.repeat(np.arange(len(lengths)), lengths), known.indices] = known.data
    return np.asarray(filled, np.float32)


def with_tail(known: Floats32, share: Floats32) -> Floats32:
    """Scores where `known` > 0, and below each row's least such score the other items by `share`.

    known: float32, shape (n, I), 0 or less where nothing is known. share: in [0, 1], shape (I,) or (n, I).
    A row without anything known is ordered by `share` alone. Items with equal share stay tied.
    """
    positive = known > 0
    least = np.where(positive, known, np.float32(np.inf)).min(axis=1, initial=np.float32(np.inf))
    # Half of the least known score keeps the best of the tail strictly below it; 1 where nothing is known.
    ceiling = np.where(np.isfinite(least), least / 2, 1).astype(np.float32)
    return np.asarray(np.where(positive, known, ceiling[:, None] * share), np.float32)
