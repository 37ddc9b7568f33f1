"""Ranked answers: k items a request, best first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.contracts.ragged import Ragged

NO_ITEM = -1

Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rankings:
    """items: int32, shape (n, k), -1 where the list is shorter. scores: float32, shape (n, k), -inf there."""

    items: npt.NDArray[np.int32]
    scores: Floats32

    def __len__(self) -> int:
        return len(self.items)

    @property
    def k(self) -> int:
        """Places in each list."""
        return int(self.items.shape[1])

    @classmethod
    def top_k(
        cls,
        scores: Floats32,
        k: int,
        *,
        eligible: npt.NDArray[np.bool_] | None = None,
        pin: Ragged | None = None,
    ) -> Rankings:
        """The k best eligible items of each row; ties in ascending item code, so the answer is deterministic.

        scores: float32, shape (n, I); -inf and NaN are never answered. eligible: bool, shape (n, I).
        pin: eligible pinned items come first in the order given, keeping their own scores.
        """
        n, n_items = scores.shape
        usable = scores.astype(np.float32, copy=False)
        # The least of an array is NaN when one is in it: one quick pass tells that there is nothing to mask.
        if np.isnan(usable.min(initial=np.inf)):
            usable = np.where(np.isnan(usable), np.float32(-np.inf), usable)
        if eligible is not None:
            usable = np.where(eligible, usable, np.float32(-np.inf))
        width = min(k, n_items)
        items = np.full((n, k), NO_ITEM, np.int32)
        best = np.full((n, k), -np.inf, np.float32)
        if n and width:
            order = _best_columns(usable, width)
            values = np.take_along_axis(usable, order, 1)
            found = values > -np.inf
            items[:, :width] = np.where(found, order, NO_ITEM)
            best[:, :width] = np.where(found, values, -np.inf)
        if pin is not None:
            _pin_first(items, best, usable, eligible, pin)
        return cls(items, best)

    def take(self, rows: npt.NDArray[np.int64]) -> Rankings:
        """The rows named, in that order."""
        return Rankings(self.items[rows], self.scores[rows])

    @classmethod
    def concatenate(cls, parts: list[Rankings]) -> Rankings:
        """Stack batches of equal k. Raises ValueError on an empty list."""
        return cls(np.concatenate([p.items for p in parts]), np.concatenate([p.scores for p in parts]))


_PARTS = 64
_MOST_CANDIDATES = 16
"""Times `width`: a row with more candidates is ordered by partition."""


def _best_columns(usable: Floats32, width: int) -> npt.NDArray[np.int64]:
    """Column numbers of the `width` best values of each row, ties by ascending column.

    The columns of a row are dealt into sets; the width-th best of the sets' maxima is a value that at least
    `width` columns reach, so only the few columns that reach it need ordering.
    """
    n, n_items = usable.shape
    n_sets = n_items // _PARTS
    if n_sets <= width:
        return np.argsort(-usable, axis=1, kind="stable")[:, :width]
    maxima = usable[:, : n_sets * _PARTS].reshape(n, _PARTS, n_sets).max(axis=1)
    reached = usable >= np.partition(maxima, n_sets - width, axis=1)[:, n_sets - width, None]
    counts = np.array([np.count_nonzero(row) for row in reached], np.int64)
    crowded = counts > _MOST_CANDIDATES * width
    reached[crowded] = False
    row, column = np.divmod(np.flatnonzero(reached), n_items)
    order = np.lexsort((column, -usable[row, column], row))
    starts = np.cumsum(np.where(crowded, 0, counts)) - np.where(crowded, 0, counts)
    few = np.flatnonzero(~crowded)
    out = np.empty((n, width), np.int64)
    out[few] = column[order][starts[few, None] + np.arange(width)]
    out[crowded] = _best_by_partition(usable[crowded], width)
    return out


def _best_by_partition(usable: Floats32, width: int) -> npt.NDArray[np.int64]:
    # A partition alone would break ties at the boundary arbitrarily: take everything above the width-th
    # value, then fill with the lowest codes among its equals.
    n_items = usable.shape[1]
    threshold = np.partition(usable, n_items - width, axis=1)[:, n_items - width]
    out = np.empty((len(usable), width), np.int64)
    for row, (values, limit) in enumerate(zip(usable, threshold, strict=True)):
        above = np.flatnonzero(values > limit)
        if len(above) < width:
            equal = np.flatnonzero(values == limit)[: width - len(above)]
            above = np.concatenate([above, equal])
        out[row] = above[np.lexsort((above, -values[above]))]
    return out


def _pin_first(
    items: npt.NDArray[np.int32],
    best: Floats32,
    usable: Floats32,
    eligible: npt.NDArray[np.bool_] | None,
    pin: Ragged,
) -> None:
    k = items.shape[1]
    for row in range(len(items)):
        wanted = [
            code
            for code in dict.fromkeys(pin[row].tolist())
            if code >= 0 and (eligible is None or eligible[row, code])
        ]
        if not wanted:
            continue
        rest = [
            (code, score) for code, score in zip(items[row], best[row], strict=True) if code not in wanted
        ]
        first = [(code, usable[row, code]) for code in wanted]
        for place, (code, score) in enumerate((first + rest)[:k]):
            items[row, place], best[row, place] = code, score
