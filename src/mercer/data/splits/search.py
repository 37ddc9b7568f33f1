"""Search: folds by query, so that no query trains and tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.brief import SearchTarget
from mercer.contracts import Context, Dataset, Holdout, Interactions, Ragged, Requests, Vocabulary
from mercer.data.splits.folds import CAUTION, FoldSplit, Ints, text_folds
from mercer.errors import BriefError, DataError


def split_search(
    items: pd.DataFrame, vocabulary: Vocabulary, judgments: pd.DataFrame, target: SearchTarget
) -> FoldSplit:
    """Divide the judged queries by the md5 of their text; the whole catalogue trains, for it is what is searched.

    A grade is the mean over judges. Queries without any grade above 0 can't be ranked well or badly by the
    metrics and stay in the rows without counting. What trains holds the judgments of its own queries alone.
    Raises BriefError for a split that is not folds by query, DataError when a fold has no query.
    """
    if target.split.kind != "folds" or target.split.by not in ("query", "unit"):
        raise BriefError(
            "A search target is split by folds over queries.", remedy="Use {kind: folds, by: query}."
        )
    judged = judgments.groupby(["query", "item"], as_index=False, sort=True)["grade"].mean()
    judged["code"] = vocabulary.encode(judged["item"].tolist())
    judged = judged.loc[judged["code"] >= 0].sort_values(["query", "code"]).reset_index(drop=True)
    held = _holdout(judged, vocabulary)
    number = text_folds(held.units, target.split)
    for repeat in number:
        if len(set(repeat.tolist())) < target.split.folds:
            raise DataError(
                f"No judged query fell into one of {target.split.folds} folds.",
                remedy="Judge more queries, or ask for fewer folds.",
            )
    row_of = held.relevant.row_of

    def training(rows: Ints) -> Dataset:
        inside = np.isin(row_of, rows)
        known = pd.DataFrame(
            {
                "query": judged["query"].to_numpy(object)[inside],
                "item": judged["code"].to_numpy(np.int32)[inside],
                "grade": judged["grade"].to_numpy(np.float64)[inside],
            }
        )
        return Dataset(vocabulary=vocabulary, items=items, as_of=-1, judgments=known)

    protocol = {
        "split": "folds", "folds": target.split.folds, "repeats": target.split.repeats, "by": "query",
        "caution": CAUTION,
    }  # fmt: skip
    return FoldSplit(number=number, folds=target.split.folds, test=held, training=training, protocol=protocol)


def _holdout(judged: pd.DataFrame, vocabulary: Vocabulary) -> Holdout:
    """All judged queries in the order of their text; `judged` is sorted by query and code."""
    lengths = judged.groupby("query", sort=True).size()
    queries = tuple(str(query) for query in lengths.index)
    n = len(queries)
    requests = Requests(
        users=(None,) * n,
        history=Interactions.empty(Vocabulary([str(number) for number in range(n)]), vocabulary),
        time=np.zeros(n, np.int64),
        context=Context.unknown(n),
        query=queries,
    )
    return Holdout(
        requests=requests,
        relevant=Ragged(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), judged["code"].to_numpy(np.int32)
        ),
        grades=judged["grade"].to_numpy(np.float64),
        units=queries,
        clusters=queries,
    )
