"""Exact mid-ranks: the place an item would have on average if ties were broken by lot.

rank = 1 + #greater + (#equal - 1) / 2, counted among the eligible items of the request.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32, Ragged, Requests

Floats = npt.NDArray[np.float64]

_SORT_FROM = 16
"""From this many wanted items in a row, sorting the row once is cheaper than scanning it for each."""


def rule_out(scores: Floats32, requests: Requests) -> Floats32:
    """A copy of `scores`, float32, shape (n, I), with -inf for ineligible items and for NaN.

    Equal to masking with `requests.eligible()`, without a dense mask where only a few items are ruled out.
    """
    ruled = np.array(scores, np.float32, order="C")
    np.copyto(ruled, np.float32(-np.inf), where=np.isnan(ruled))
    if requests.candidates is not None or requests.allow is not None:
        np.copyto(ruled, np.float32(-np.inf), where=~requests.eligible())
        return ruled
    if requests.deny is not None:
        ruled[requests.deny.row_of, requests.deny.values] = -np.inf
    if not requests.repeats:
        seen = requests.masked_history
        ruled[seen.user_of, seen.item] = -np.inf
    return ruled


def mid_ranks(scores: Floats32, wanted: Ragged) -> Floats:
    """Mid-ranks of the items wanted, aligned with `wanted.values`.

    scores: shape (n, I), -inf for what can't be answered. wanted: item codes, one row a request; a code
    below 0 is an item outside the catalogue. An item that can't be answered is a miss: rank inf.
    """
    ranks = np.full(len(wanted.values), np.inf)
    for row in range(len(wanted)):
        start, end = wanted.indptr[row], wanted.indptr[row + 1]
        codes = wanted.values[start:end]
        if len(codes):
            ranks[start:end] = _row_ranks(scores[row], codes)
    return ranks


def _row_ranks(row: Floats32, codes: npt.NDArray[np.int32]) -> Floats:
    own = np.where(codes >= 0, row[codes], np.float32(-np.inf))
    if len(codes) < _SORT_FROM:
        greater = np.array([np.count_nonzero(row > value) for value in own], np.float64)
        at_least = np.array([np.count_nonzero(row >= value) for value in own], np.float64)
    else:
        ordered = np.sort(row)
        greater = len(row) - np.searchsorted(ordered, own, "right").astype(np.float64)
        at_least = len(row) - np.searchsorted(ordered, own, "left").astype(np.float64)
    return np.where(own > -np.inf, 1 + greater + (at_least - greater - 1) / 2, np.inf)


def group_mid_ranks(group: npt.NDArray[np.int64], value: Floats) -> Floats:
    """Mid-ranks of `value`, smallest first, within each group; both shape (n,), the answer too."""
    order = np.lexsort((value, group))
    g, v = group[order], value[order]
    n = len(g)
    if n == 0:
        return np.zeros(0)
    index = np.arange(n)
    new_group = np.r_[True, g[1:] != g[:-1]]
    new_tie = new_group | np.r_[True, v[1:] != v[:-1]]
    group_start = np.maximum.accumulate(np.where(new_group, index, 0))
    tie = np.cumsum(new_tie) - 1
    first = index[new_tie]
    size = np.diff(np.r_[first, n])
    ranks = np.empty(n)
    ranks[order] = first[tie] - group_start + 1 + (size[tie] - 1) / 2
    return ranks
