"""Metrics of rankings: a value per unit from mid-ranks, grades and lists; coverage and Gini over all lists.

Gains are 2^grade - 1, which is 1 for a binary relevance and 0 for an unjudged item.
Sources: Järvelin and Kekäläinen, TOIS 2002 (ndcg); Sakai, SIGIR 2007 (condensed lists); Zhou et al., PNAS
2010 (self-information); McSherry and Najork, ECIR 2008 (why ties need a rule).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.errors import UnsupportedError
from mercer.evaluation.measure import Codes, Floats, Measure
from mercer.evaluation.midranks import group_mid_ranks
from mercer.evaluation.names import MetricName
from mercer.evaluation.scored import Scored

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """Judged items as arrays of one length; `unit` are codes below n_units."""

    n_units: int
    unit: Codes
    rank: Floats
    grade: Floats

    @property
    def gain(self) -> Floats:
        return np.exp2(np.maximum(self.grade, 0)) - 1

    def sum(self, values: Floats) -> Floats:
        return np.bincount(self.unit, values, self.n_units).astype(np.float64)


PerUnit = tuple[Floats, Bools]
"""Values per unit, shape (n_units,), and which of them are defined."""


def recall(judged: _Judged, k: int) -> PerUnit:
    """Share of the relevant items (grade > 0) of mid-rank <= k; ties never make more than k hits."""
    relevant = judged.grade > 0
    total = judged.sum(relevant.astype(np.float64))
    hits = np.minimum(judged.sum((relevant & (judged.rank <= k)).astype(np.float64)), k)
    return hits / np.maximum(total, 1), total > 0


def ndcg(judged: _Judged, k: int) -> PerUnit:
    """Sum of gain / log2(1 + mid-rank) over mid-ranks <= k, over that of the best order."""
    gain = judged.gain
    reached = judged.rank <= k
    discounted = np.zeros(len(gain))
    discounted[reached] = gain[reached] / np.log2(1 + judged.rank[reached])
    ideal = _ideal(judged, k)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(ideal > 0, judged.sum(discounted) / ideal, 0.0)
    return np.minimum(value, 1.0), ideal > 0


def _ideal(judged: _Judged, k: int) -> Floats:
    order = np.lexsort((-judged.gain, judged.unit))
    unit, gain = judged.unit[order], judged.gain[order]
    starts = np.searchsorted(unit, np.arange(judged.n_units))
    place = np.arange(len(unit)) - starts[unit] + 1
    kept = place <= k
    ideal = np.bincount(unit[kept], gain[kept] / np.log2(1 + place[kept]), judged.n_units)
    return ideal.astype(np.float64)


def mrr(judged: _Judged, k: int) -> PerUnit:
    """One over the best mid-rank of a relevant item, 0 where that is over k."""
    relevant = judged.grade > 0
    best = np.full(judged.n_units, np.inf)
    np.minimum.at(best, judged.unit[relevant], judged.rank[relevant])
    some = judged.sum(relevant.astype(np.float64)) > 0
    return np.where(best <= k, 1 / best, 0.0), some


def condensed_ndcg(judged: _Judged, k: int) -> PerUnit:
    """`ndcg` with ranks counted among the judged items that the system ranked at all."""
    condensed = np.full(len(judged.rank), np.inf)
    ranked = np.isfinite(judged.rank)
    condensed[ranked] = group_mid_ranks(judged.unit[ranked], judged.rank[ranked])
    return ndcg(_Judged(n_units=judged.n_units, unit=judged.unit, rank=condensed, grade=judged.grade), k)


_BY_RANK: Mapping[str, Callable[[_Judged, int], PerUnit]] = {
    "recall": recall,
    "ndcg": ndcg,
    "mrr": mrr,
    "condensed-ndcg": condensed_ndcg,
}


def ranking_measure(scored: Scored, metric: MetricName, inside: Bools | None = None) -> Measure:
    """A ranking metric; `inside`, shape (rows,), keeps only the judged items of a slice.

    Raises UnsupportedError where lists are needed and absent, shorter than k, or asked for by slice.
    """
    units = scored.units
    code = scored.unit_codes
    cluster, clusters = _clusters(scored, code, len(units))
    base = metric.name.split("@")[0]
    if base in _BY_RANK:
        keep = slice(None) if inside is None else inside
        judged = _Judged(
            n_units=len(units),
            unit=code[keep],
            rank=scored.rows["rank"].to_numpy(np.float64)[keep],
            grade=scored.rows["grade"].to_numpy(np.float64)[keep],
        )
        values, defined = _BY_RANK[base](judged, metric.k)
        return _per_unit(units, cluster, clusters, values, defined)
    lists = _lists(scored, metric, inside)
    unit = units.get_indexer(pd.Index(lists["unit"])).astype(np.int64)
    if base in ("judged", "novelty"):
        marks = _is_judged(scored, lists) if base == "judged" else lists["bits"].to_numpy(np.float64)
        shown = np.bincount(unit, minlength=len(units))
        values = np.bincount(unit, marks, len(units)) / np.maximum(shown, 1)
        return _per_unit(units, cluster, clusters, values, (shown > 0) & np.isfinite(values))
    return Measure(
        keys=units,
        cluster=cluster,
        clusters=clusters,
        weight=np.ones(len(units)),
        pooled=_exposure(unit, lists["item"].to_numpy(object), scored.n_items, len(units), base),
    )


def _per_unit(units: pd.Index, cluster: Codes, clusters: pd.Index, values: Floats, defined: Bools) -> Measure:
    return Measure(
        keys=units,
        cluster=cluster,
        clusters=clusters,
        weight=defined.astype(np.float64),
        values=np.where(defined, values, 0.0),
    )


def _clusters(scored: Scored, code: Codes, n_units: int) -> tuple[Codes, pd.Index]:
    cluster_of_row, clusters = scored.clusters
    cluster = np.zeros(n_units, np.int64)
    cluster[code] = cluster_of_row
    return cluster, clusters


def _lists(scored: Scored, metric: MetricName, inside: Bools | None) -> pd.DataFrame:
    if scored.lists is None or inside is not None:
        why = "by slice" if inside is not None else "without lists"
        raise UnsupportedError(f"{metric.name} is not computed {why}.")
    k = metric.k or scored.depth
    if k > scored.depth:
        raise UnsupportedError(f"{metric.name} needs {k} places; the lists keep {scored.depth}.")
    lists = scored.lists
    known = lists["unit"].isin(scored.units)
    return lists[(lists["position"] <= k) & known]


def _is_judged(scored: Scored, lists: pd.DataFrame) -> Floats:
    judged = pd.MultiIndex.from_frame(scored.rows[["unit", "item"]])
    return pd.MultiIndex.from_frame(lists[["unit", "item"]]).isin(judged).astype(np.float64)


def _exposure(
    unit: Codes, item: npt.NDArray[np.object_], n_items: int, n_units: int, base: str
) -> Callable[[Floats], Floats]:
    from scipy.sparse import csr_matrix

    shown, column = np.unique(item.astype(str), return_inverse=True)
    matrix = csr_matrix((np.ones(len(unit)), (column, unit)), shape=(len(shown), n_units))

    def counts(weights: Floats) -> Floats:
        return np.asarray((matrix @ weights.T).T, np.float64)

    if base == "coverage":
        return lambda weights: (counts(weights) > 0).sum(axis=1) / max(n_items, 1)
    return lambda weights: _gini(counts(weights), n_items)


def _gini(counts: Floats, n_items: int) -> Floats:
    """Gini of exposure over the whole catalogue, items never shown counting 0; counts: shape (b, shown)."""
    ordered = np.sort(counts, axis=1)
    n = max(n_items, ordered.shape[1])
    total = ordered.sum(axis=1)
    place = np.arange(n - ordered.shape[1] + 1, n + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(2 * (ordered @ place) / (n * total) - (n + 1) / n)
