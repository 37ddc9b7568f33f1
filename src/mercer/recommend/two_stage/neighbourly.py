"""Features of the company items keep: neighbours of the history, neighbours of those, and factors of both."""

from __future__ import annotations

import numpy as np

from mercer.recommend.two_stage.asked import Asked, Columns

NEIGHBOURS = (
    "neighbours", "neighbours_log", "neighbours_share", "neighbours_place", "neighbours_slow", "neighbours_fast",
    "neighbours_last", "neighbours_last_share", "neighbours_last_place", "neighbours_ahead",
    "neighbours_ahead_last", "neighbours_support",
)  # fmt: skip
CHAINS = ("chains", "chains_share", "chains_place")
FACTORS = ("factors", "factors_share", "factors_place")


def neighbours(a: Asked) -> Columns:
    """What others bought after the history, by several weightings of its events."""
    own, last = a.at(a.spreads.decayed), a.local.last
    return {
        "neighbours": own,
        "neighbours_log": np.log(own + 1e-6),
        **a.within_list("neighbours", own),
        "neighbours_slow": a.local.slow,
        "neighbours_fast": a.local.fast,
        "neighbours_last": last,
        **a.within_list("neighbours_last", last),
        "neighbours_ahead": a.local.ahead,
        "neighbours_ahead_last": a.local.ahead_last,
        "neighbours_support": a.local.support,
    }


def chains(a: Asked) -> Columns:
    """Neighbours of the history's best neighbours."""
    values = a.at(a.spreads.chained)
    return {"chains": values, **a.within_list("chains", values)}


def factors(a: Asked) -> Columns:
    """Product of the history's factors with the candidate's."""
    ahead, item = a.known.facts.history_factors, a.known.facts.item_factors
    if not item.shape[1]:
        return dict.fromkeys(FACTORS, a.unknown())
    from scipy.sparse import csr_array

    weight = a.h.weight * 0.75**a.h.age
    loud = weight > 1e-3
    row, held = a.h.row[loud], ahead[a.h.item[loud]].astype(np.float64)
    ends = np.searchsorted(row, np.arange(a.pool.n + 1))  # the events lie by history
    history = csr_array((weight[loud], np.arange(len(row)), ends), shape=(a.pool.n, len(row)))
    summed = history @ held
    # Row by row and not by a matrix product, whose rounding would depend on the batch.
    values = (summed[a.pool.row] * item[a.pool.item]).sum(axis=1)
    return {"factors": values, **a.within_list("factors", values)}
