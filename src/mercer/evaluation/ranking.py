"""Scored rows of a ranking: every judged item of every unit with its mid-rank over the eligible catalogue."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import NO_ITEM, Floats32, Holdout, Ragged, Rankings, Requests
from mercer.errors import DataError, UsageError
from mercer.evaluation.midranks import Floats, group_mid_ranks, mid_ranks, rule_out
from mercer.evaluation.scored import SLICE, Scored
from mercer.evaluation.slices import Slices, popularity

_BLOCK_CELLS = 2_000_000
"""Scores held at once: 8 MB of float32, which stay in the cache from one pass to the next."""

_LEAST_ROWS = 8
"""Requests scored together however large the catalogue is: a ranker reads its vectors once for all of them."""

Score = Callable[[Requests], Floats32]
Rank = Callable[[Requests, int], Rankings]
_Answer = Callable[[Requests, Ragged], tuple[Floats, Rankings]]


def score_ranking(
    holdout: Holdout,
    *,
    score: Score | None = None,
    rank: Rank | None = None,
    k: int = 100,
    depth: int = 10,
    slices: Slices | None = None,
    advance: Callable[[int, int], None] | None = None,
) -> Scored:
    """Score a ranker on held-out requests.

    score: scores of the whole catalogue for a block of requests, shape (n, I), no rule applied; ranks are
        then exact over the eligible catalogue and the lists are its best `depth` items.
    rank: the k best items of a block; used without `score`, or where requests pin items. Ties are
        mid-ranked inside the list, and an item outside it is a miss.
    k: places asked of `rank`. depth: places kept in the lists. advance: told (done, total) requests.
    Raises UsageError when neither callable is given, DataError for repeated units or wrong slices.
    """
    check_holdout(holdout)
    n_items = len(holdout.requests.items)
    answer: _Answer
    if score is not None and (holdout.requests.pin is None or rank is None):
        answer, size = _by_score(score, depth), max(_LEAST_ROWS, _BLOCK_CELLS // max(1, n_items))
    elif rank is not None:
        answer, size = _by_rank(rank, k, depth), 512
    else:
        raise UsageError("Nothing to evaluate.", remedy="Give `score` or `rank`.")
    ranks: list[Floats] = []
    lists: list[Rankings] = []
    for at in range(0, len(holdout), size):
        rows = np.arange(at, min(at + size, len(holdout)))
        places, listed = answer(holdout.requests.take(rows), holdout.relevant.take(rows))
        ranks.append(places)
        lists.append(listed)
        if advance is not None:
            advance(int(rows[-1]) + 1, len(holdout))
    return ranking_rows(holdout, _join(ranks), lists, depth=depth, slices=slices)


def _by_score(score: Score, depth: int) -> _Answer:
    def answer(requests: Requests, wanted: Ragged) -> tuple[Floats, Rankings]:
        scores = _checked(score(requests), len(requests), len(requests.items))
        ruled = rule_out(scores, requests)
        return mid_ranks(ruled, wanted), Rankings.top_k(ruled, depth)

    return answer


def _by_rank(rank: Rank, k: int, depth: int) -> _Answer:
    def answer(requests: Requests, wanted: Ragged) -> tuple[Floats, Rankings]:
        answered = rank(requests, max(k, depth))
        return list_ranks(answered, wanted), Rankings(answered.items[:, :depth], answered.scores[:, :depth])

    return answer


def check_holdout(holdout: Holdout) -> None:
    """Raises DataError when a unit is named twice: a metric per unit would then be no such thing."""
    if len(set(holdout.units)) != len(holdout.units):
        raise DataError(
            "A held-out set names a unit twice.", remedy="Name units apart, for instance by user and origin."
        )


def list_ranks(answered: Rankings, wanted: Ragged) -> Floats:
    """Mid-ranks, by score inside each list, of the items wanted; inf where the list does not hold one."""
    n, k = answered.items.shape
    row = np.repeat(np.arange(n, dtype=np.int64), k)
    item, score = answered.items.ravel().astype(np.int64), answered.scores.ravel().astype(np.float64)
    there = item != NO_ITEM
    row, item, score = row[there], item[there], score[there]
    places = group_mid_ranks(row, -score)
    width = int(max(item.max(initial=0), wanted.values.max(initial=0))) + 1
    keys = row * width + item
    order = np.argsort(keys)
    looked_up = wanted.row_of * width + wanted.values
    if not len(keys):
        return np.full(len(looked_up), np.inf)
    at = np.minimum(np.searchsorted(keys[order], looked_up), len(keys) - 1)
    found = (keys[order][at] == looked_up) & (wanted.values >= 0)
    return np.where(found, places[order][at], np.inf)


def ranking_rows(
    holdout: Holdout, ranks: Floats, lists: list[Rankings], *, depth: int, slices: Slices | None
) -> Scored:
    """Put ranks (aligned with `holdout.relevant.values`) and lists into the frames that a run keeps."""
    slices = slices or Slices()
    items = holdout.requests.items
    slices.check(len(holdout), len(items))
    names = np.array([*items.ids, ""], object)
    units, clusters = np.array(holdout.units, object), np.array(holdout.clusters, object)
    row, item = holdout.relevant.row_of, holdout.relevant.values
    rows = pd.DataFrame(
        {
            "unit": units[row].astype(str),
            "cluster": clusters[row].astype(str),
            "item": names[item].astype(str),
            "grade": holdout.grades.astype(np.float64),
            "rank": ranks,
        }
    )
    for name, values in slices.unit.items():
        rows[SLICE + name] = np.array(values, object)[row].astype(str)
    for name, values in slices.item.items():
        rows[SLICE + name] = np.array([*values, ""], object)[item].astype(str)
    frame = _list_frame(lists, units, names, _bits(holdout.requests, len(items)))
    return Scored(kind="ranking", rows=rows, lists=frame, n_items=len(items), depth=depth)


def _list_frame(
    lists: list[Rankings],
    units: npt.NDArray[np.object_],
    names: npt.NDArray[np.object_],
    bits: npt.NDArray[np.float64],
) -> pd.DataFrame:
    items = np.concatenate([part.items for part in lists]) if lists else np.zeros((0, 1), np.int32)
    scores = np.concatenate([part.scores for part in lists]) if lists else np.zeros((0, 1), np.float32)
    row, place = np.nonzero(items != NO_ITEM)
    codes = items[row, place]
    return pd.DataFrame(
        {
            "unit": units[row].astype(str),
            "position": (place + 1).astype(np.int64),
            "item": names[codes].astype(str),
            "score": scores[row, place].astype(np.float64),
            "bits": bits[codes],
        }
    )


def _bits(requests: Requests, n_items: int) -> npt.NDArray[np.float64]:
    """-log2 of each item's share of the histories' events, one event added to every item; NaN without any."""
    counts = popularity(requests.history)
    if not counts.sum():
        return np.full(n_items, np.nan)
    return np.asarray(-np.log2((counts + 1) / (counts.sum() + n_items)))


def _checked(scores: Floats32, n: int, n_items: int) -> Floats32:
    scores = np.asarray(scores)
    if scores.shape != (n, n_items):
        raise DataError(f"A ranker gave scores of shape {scores.shape}; {(n, n_items)} is expected.")
    return scores


def _join(parts: list[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)
