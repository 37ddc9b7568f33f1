"""Folds by query: the text of a query alone says where it belongs, and no judgment of a held-out one trains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mercer.brief import SearchTarget, Split
from mercer.contracts import Holdout, Vocabulary
from mercer.data.audit import audit_leakage
from mercer.data.splits import FoldSplit, split_search
from mercer.errors import BriefError, DataError

ITEMS = Vocabulary(["cup-red", "mug-blue", "pan-big"])
TEA, OTHERS = "tea", ("blue mug", "wedding gift", "pan")
ALL = (TEA, *OTHERS)
"""Of three folds, tea and blue mug are in the last, wedding gift in the second, pan in the first."""

Judgment = tuple[str, str, float, str]


def divided(*judgments: Judgment, **split: Any) -> FoldSplit:
    frame = pd.DataFrame(list(judgments), columns=["query", "item", "grade", "judge"])
    target = SearchTarget(task="search", split=Split(**{"kind": "folds", "folds": 3, "by": "query", **split}))
    return split_search(pd.DataFrame({"item": ITEMS.ids}), ITEMS, frame, target)


def grades(held: Holdout) -> dict[str, dict[str, float]]:
    """Item and grade for each query of a part."""
    assert held.requests.query == held.units == held.clusters
    return {
        query: {
            ITEMS.ids[code]: float(grade)
            for code, grade in zip(
                held.relevant[n], held.grades[slice(*held.relevant.indptr[n : n + 2])], strict=True
            )
        }
        for n, query in enumerate(held.units)
    }


PLAIN: tuple[Judgment, ...] = (
    (TEA, "mug-blue", 2, "editor"),
    (OTHERS[0], "pan-big", 1, "editor"),
    (OTHERS[1], "mug-blue", 0, "editor"),
    (OTHERS[2], "pan-big", 3, "editor"),
)


def test_every_query_is_tested_and_no_judgment_of_a_held_out_one_trains() -> None:
    split = divided(*PLAIN)
    assert grades(split.test) == {q: {item: grade} for q, item, grade, _ in PLAIN}
    for fold in split.names():
        part = split.part(fold)
        judged = part.train.judgments
        assert set(judged["query"]) == set(ALL) - set(part.test.units) - set(part.validation.units)
        assert set(part.refit.judgments["query"]) == set(ALL) - set(part.test.units)
        assert part.train.vocabulary is ITEMS
        assert part.train.interactions is None
    assert audit_leakage(split) == len(ALL)
    assert split.everything().judgments["query"].tolist() == sorted(ALL)


def test_training_judgments_name_items_by_their_code() -> None:
    judged = divided(*PLAIN).everything().judgments
    assert dict(zip(judged["query"], judged["item"], strict=True))["tea"] == ITEMS.code("mug-blue")


def test_what_a_row_says_of_its_split() -> None:
    protocol = dict(divided(*PLAIN).protocol)
    assert "share training rows" in protocol.pop("caution")
    assert protocol == {"split": "folds", "folds": 3, "repeats": 1, "by": "query"}


def test_a_grade_is_the_mean_of_the_judges() -> None:
    extra = [
        (TEA, "mug-blue", 1, "buyer"),
        (TEA, "mug-blue", 0, "guest"),
        (TEA, "pan-big", 3, "guest"),
    ]
    assert grades(divided(*PLAIN, *extra).test)[TEA] == {"mug-blue": 1, "pan-big": 3}


def test_items_that_the_catalogue_does_not_know_are_dropped() -> None:
    split = divided(*PLAIN, (OTHERS[0], "sold-out-long-ago", 3, "editor"))
    assert grades(split.test)[OTHERS[0]] == {"pan-big": 1}
    gone = ("sofa", "sold-out-long-ago", 3, "editor")
    assert "sofa" not in divided(*PLAIN, gone).test.units


def test_the_order_of_the_source_does_not_matter() -> None:
    rows = [*PLAIN, (TEA, "cup-red", 1, "editor"), (OTHERS[0], "cup-red", 1, "editor")]
    there, back = divided(*rows), divided(*rows[::-1])
    assert there.test.units == back.test.units
    assert np.array_equal(there.test.relevant.values, back.test.relevant.values)
    assert np.array_equal(there.test.grades, back.test.grades)
    assert np.array_equal(there.number, back.number)


def test_whoever_searches_is_a_stranger() -> None:
    asked = divided(*PLAIN).test.requests
    assert asked.users == (None,) * len(ALL)
    assert asked.history.n_events == 0
    assert asked.eligible().all()


def test_a_fold_without_a_query_is_an_error() -> None:
    with pytest.raises(DataError, match="one of 3 folds") as caught:
        divided(*PLAIN[:2])
    assert "Judge more" in caught.value.remedy


@pytest.mark.parametrize("split", [{"kind": "temporal"}, {"by": "user"}])
def test_queries_are_divided_by_folds_only(split: dict[str, str]) -> None:
    with pytest.raises(BriefError, match="folds over queries") as caught:
        divided(*PLAIN, **split)
    assert "by: query" in caught.value.remedy
