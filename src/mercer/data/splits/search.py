"""Search: folds by query, so that no query trains and tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mercer.brief import SearchTarget
from mercer.contracts import Context, Dataset, Holdout, Interactions, Ragged, Requests, Vocabulary
from mercer.errors import BriefError, DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSplit:
    """The whole catalogue trains (it is what is searched); queries are divided."""

    train: Dataset
    validation: Holdout
    test: Holdout
    protocol: Mapping[str, Any] = field(default_factory=dict)


def split_search(
    items: pd.DataFrame, vocabulary: Vocabulary, judgments: pd.DataFrame, target: SearchTarget
) -> SearchSplit:
    """Divide the judged queries by the md5 of their text: fold 0 selects, the others test.

    A grade is the mean over judges. Queries without any grade above 0 can't be ranked well or badly by the
    metrics and stay in the rows without counting. No judgment of a held-out query is among the training judgments.
    Raises BriefError for a split that is not folds by query, DataError when a part has no query.
    """
    if target.split.kind != "folds" or target.split.by not in ("query", "unit"):
        raise BriefError(
            "A search target is split by folds over queries.", remedy="Use {kind: folds, by: query}."
        )
    judged = judgments.groupby(["query", "item"], as_index=False, sort=True)["grade"].mean()
    judged["code"] = vocabulary.encode(judged["item"].tolist())
    judged = judged.loc[judged["code"] >= 0]
    fold = judged["query"].map(lambda query: fold_of(query, target.split.folds)).to_numpy()
    parts = {"validation": judged.loc[fold == 0], "test": judged.loc[fold != 0]}
    for name, part in parts.items():
        if part.empty:
            raise DataError(f"No judged query fell into the {name} part.", remedy="Judge more queries.")
    none = pd.DataFrame(
        {"query": pd.Series([], dtype=str), "item": pd.Series([], dtype=np.int32), "grade": []}
    )
    return SearchSplit(
        train=Dataset(vocabulary=vocabulary, items=items, as_of=-1, judgments=none),
        validation=_holdout(parts["validation"], vocabulary),
        test=_holdout(parts["test"], vocabulary),
        protocol={"split": "folds", "folds": target.split.folds, "by": "query", "selects": "fold 0"},
    )


def fold_of(query: str, folds: int) -> int:
    """The fold of a query: stable across machines and data sets."""
    return int(hashlib.md5(query.encode("utf-8", "replace"), usedforsecurity=False).hexdigest(), 16) % folds


def _holdout(judged: pd.DataFrame, vocabulary: Vocabulary) -> Holdout:
    queries = tuple(sorted(set(judged["query"])))
    order = judged.sort_values(["query", "code"])
    lengths = order.groupby("query", sort=True).size().to_numpy()
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    n = len(queries)
    strangers = Vocabulary([str(number) for number in range(n)])
    requests = Requests(
        users=(None,) * n,
        history=Interactions.empty(strangers, vocabulary),
        time=np.zeros(n, np.int64),
        context=Context.unknown(n),
        query=queries,
    )
    return Holdout(
        requests=requests,
        relevant=Ragged(indptr, order["code"].to_numpy(np.int32)),
        grades=order["grade"].to_numpy(np.float64),
        units=queries,
        clusters=queries,
    )
