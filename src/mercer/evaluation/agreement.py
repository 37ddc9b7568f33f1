"""How far a judge's grades agree with people's: quadratic-weighted kappa, and the order of pairs, by query.

A judge is whatever grades items for queries: a person, a panel, a model. Intervals draw whole queries again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from mercer.errors import DataError
from mercer.evaluation.bootstrap import LEAST_CLUSTERS, Interval, interval, replicates
from mercer.evaluation.measure import Floats, Measure

GRADES = (0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement of a judge with people on the pairs that both graded.

    kappa: quadratic-weighted, 0 is chance and 1 is agreement; NaN where one side has a single grade. pairwise: share
    of pairs of one query with different human grades that the judge orders alike, a tie counts half; 0.5 is chance.
    low, high, pairwise_low, pairwise_high: ends of 95 % intervals, None with fewer than five queries. n: pairs of query
    and item; n_pairs: pairs of items. sample: how the pairs were chosen.
    """

    judge: str
    sample: str
    n: int
    n_queries: int
    kappa: float
    low: float | None
    high: float | None
    n_pairs: int
    pairwise: float
    pairwise_low: float | None
    pairwise_high: float | None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; null for NaN."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Agreement:
        """What `to_json` wrote."""
        missing = {name: math.nan for name in ("kappa", "pairwise") if content[name] is None}
        return cls(**{**content, **missing})


def agreement(
    judged: pd.DataFrame,
    human: pd.DataFrame,
    *,
    judge: str,
    sample: str,
    grades: Sequence[float] = GRADES,
    seed: int = 0,
) -> Agreement:
    """Compare two frames of columns query, item, grade, a row a pair; only pairs in both count.

    judged: may also hold `score`, which orders the items of a query more finely than grades do. grades: the scale,
    ascending; its steps count as equal. Raises DataError for a grade outside it, for a pair graded twice, or where no
    pair is in both. Source of kappa: Cohen, Psychological Bulletin 1968, with weights (i − j)².
    """
    both = _joined(judged, human)
    scale = np.asarray(grades, np.float64)
    theirs, ours = (_places(both[column], scale) for column in ("grade_human", "grade_judge"))
    queries = pd.Index(both["query"]).unique().sort_values()
    cluster = queries.get_indexer(both["query"]).astype(np.int64)
    tables = np.zeros((len(queries), len(scale), len(scale)))
    np.add.at(tables, (cluster, theirs, ours), 1.0)
    order = both["score"] if "score" in both else both["grade_judge"]
    alike, pairs = _pairs(cluster, theirs.astype(np.float64), order.to_numpy(np.float64), len(queries))
    measures = [
        _measure(queries, lambda weight: _kappas(weight, tables)),
        _measure(queries, lambda weight: _ratio(weight @ alike, weight @ pairs)),
    ]
    ends = [Interval(None, None)] * 2
    if len(queries) >= LEAST_CLUSTERS:
        drawn = replicates(measures, seed=seed)
        ends = [
            interval(drawn[:, at], measures[at].value, centred=False) for at in range(2)
        ]  # fmt: skip
    return Agreement(
        judge=judge,
        sample=sample,
        n=len(both),
        n_queries=len(queries),
        kappa=measures[0].value,
        low=ends[0].low,
        high=ends[0].high,
        n_pairs=int(pairs.sum()),
        pairwise=measures[1].value,
        pairwise_low=ends[1].low,
        pairwise_high=ends[1].high,
    )


def quadratic_kappa(
    ours: Sequence[float], theirs: Sequence[float], grades: Sequence[float] = GRADES
) -> float:
    """Quadratic-weighted kappa of two aligned lists of grades; NaN where both have one and the same single grade."""
    scale = np.asarray(grades, np.float64)
    table = np.zeros((1, len(scale), len(scale)))
    np.add.at(table, (0, _places(pd.Series(theirs), scale), _places(pd.Series(ours), scale)), 1.0)
    return float(_kappas(np.ones((1, 1)), table)[0])


def _joined(judged: pd.DataFrame, human: pd.DataFrame) -> pd.DataFrame:
    for name, frame in (("judge", judged), ("people", human)):
        if frame.duplicated(["query", "item"]).any():
            raise DataError(
                f"The grades of the {name} hold a pair of query and item twice.",
                remedy="Give one grade a pair, such as the mean over judges.",
            )
    columns = ["query", "item", "grade"]
    more = ["score"] if "score" in judged else []
    both = judged[columns + more].merge(human[columns], on=["query", "item"], suffixes=("_judge", "_human"))
    if both.empty:
        raise DataError(
            "The judge and the people graded no pair in common.", remedy="Let the judge grade theirs."
        )
    return both


def _places(found: pd.Series, scale: Floats) -> Any:
    """Where each grade stands on the scale."""
    values = found.to_numpy(np.float64)
    at = np.minimum(np.searchsorted(scale, values), len(scale) - 1)
    if (scale[at] != values).any():
        wrong = float(values[scale[at] != values][0])
        raise DataError(
            f"{wrong:g} is no grade of the scale {', '.join(f'{grade:g}' for grade in scale)}.",
            remedy="Round grades to the scale, or name the scale they are on.",
        )
    return at.astype(np.int64)


def _measure(queries: pd.Index, pooled: Any) -> Measure:
    codes = np.arange(len(queries), dtype=np.int64)
    return Measure(keys=queries, cluster=codes, clusters=queries, weight=np.ones(len(queries)), pooled=pooled)


def _kappas(weight: Floats, tables: Floats) -> Floats:
    """Kappa of weighted queries; weight has shape (b, Q), tables (Q, G, G); the answer has shape (b,)."""
    size = tables.shape[1]
    seen = (weight @ tables.reshape(len(tables), -1)).reshape(-1, size, size)
    steps = np.arange(size, dtype=np.float64)
    cost = (steps[:, None] - steps[None, :]) ** 2
    chance = seen.sum(2)[:, :, None] * seen.sum(1)[:, None, :] / seen.sum((1, 2))[:, None, None]
    return 1.0 - _ratio((cost * seen).sum((1, 2)), (cost * chance).sum((1, 2)))


def _ratio(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)


def _pairs(cluster: Any, theirs: Floats, ours: Floats, n_queries: int) -> tuple[Floats, Floats]:
    """Of each query: pairs of different human grades that the judge orders alike (a tie is half), and all of them."""
    alike, pairs = np.zeros(n_queries), np.zeros(n_queries)
    for query in range(n_queries):
        rows = cluster == query
        better = np.sign(theirs[rows][:, None] - theirs[rows][None, :])
        said = np.sign(ours[rows][:, None] - ours[rows][None, :])
        counted = np.triu(better != 0, 1)
        alike[query] = ((1 + better * said) / 2)[counted].sum()
        pairs[query] = counted.sum()
    return alike, pairs
