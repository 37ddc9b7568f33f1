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
    # The least of an array is NaN when one is in it: one quick pass tells that there is nothing to mask.
    if np.isnan(ruled.min(initial=np.inf)):
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
    row_of, codes = wanted.row_of, wanted.values
    if not len(codes):
        return np.zeros(0)
    own = np.where(codes >= 0, scores[row_of, codes], np.float32(-np.inf))
    greater, at_least = np.zeros(len(codes), np.int64), np.zeros(len(codes), np.int64)
    scanned = np.repeat(wanted.lengths < _SORT_FROM, wanted.lengths) & (own > -np.inf)
    reached = np.empty(scores.shape[1], bool)
    for at in np.flatnonzero(scanned):
        row, value = scores[row_of[at]], own[at]
        greater[at] = np.count_nonzero(np.greater(row, value, out=reached))
        at_least[at] = np.count_nonzero(np.greater_equal(row, value, out=reached))
    for row_number in np.flatnonzero(wanted.lengths >= _SORT_FROM):
        mine = slice(wanted.indptr[row_number], wanted.indptr[row_number + 1])
        ordered = np.sort(scores[row_number])
        greater[mine] = len(ordered) - np.searchsorted(ordered, own[mine], "right")
        at_least[mine] = len(ordered) - np.searchsorted(ordered, own[mine], "left")
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
