"""Folds by query: the text of a query alone says where it belongs, and no judgment of a held-out one trains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.brief import SearchTarget, Split
from mercer.contracts import Holdout, Vocabulary
from mercer.data.audit import audit_leakage
from mercer.data.splits import SearchSplit, split_search
from mercer.data.splits.search import fold_of
from mercer.errors import BriefError, DataError

ITEMS = Vocabulary(["cup-red", "mug-blue", "pan-big"])
FOLD_0, OTHERS = "tea", ("blue mug", "wedding gift")

Judgment = tuple[str, str, float, str]


def divided(*judgments: Judgment, **split: Any) -> SearchSplit:
    frame = pd.DataFrame(list(judgments), columns=["query", "item", "grade", "judge"])
    target = SearchTarget(task="search", split=Split(**{"kind": "folds", "by": "query", **split}))
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
    (FOLD_0, "mug-blue", 2, "editor"),
    (OTHERS[0], "pan-big", 1, "editor"),
    (OTHERS[1], "mug-blue", 0, "editor"),
)


def test_the_fold_is_the_md5_of_the_text_and_nothing_else() -> None:
    # Worked out with md5sum: these may never change, or two releases would not be tested on the same queries.
    assert {query: fold_of(query, 5) for query in ("blue mug", "tea", "wedding gift")} == {
        "blue mug": 2,
        "tea": 0,
        "wedding gift": 1,
    }
    assert {query: fold_of(query, 3) for query in ("blue mug", "tea", "wedding gift")} == {
        "blue mug": 2,
        "tea": 2,
        "wedding gift": 1,
    }


@given(st.text(), st.integers(2, 9))
def test_every_text_has_a_fold(query: str, folds: int) -> None:
    assert 0 <= fold_of(query, folds) < folds
    assert fold_of(query, folds) == fold_of(query, folds)


def test_a_text_that_is_no_utf8_has_a_fold_too() -> None:
    assert fold_of("caf\udce9", 5) in range(5)


def test_fold_0_selects_and_the_others_test() -> None:
    split = divided(*PLAIN)
    assert grades(split.validation) == {FOLD_0: {"mug-blue": 2}}
    assert grades(split.test) == {OTHERS[0]: {"pan-big": 1}, OTHERS[1]: {"mug-blue": 0}}
    assert split.protocol == {"split": "folds", "folds": 5, "by": "query", "selects": "fold 0"}


def test_no_judgment_of_a_held_out_query_trains_and_the_whole_catalogue_does() -> None:
    split = divided(*PLAIN)
    assert split.train.judgments is not None
    assert split.train.judgments.empty
    assert split.train.vocabulary is ITEMS
    assert split.train.interactions is None
    assert audit_leakage(split) == 3


def test_a_grade_is_the_mean_of_the_judges() -> None:
    extra = [
        (FOLD_0, "mug-blue", 1, "buyer"),
        (FOLD_0, "mug-blue", 0, "guest"),
        (FOLD_0, "pan-big", 3, "guest"),
    ]
    assert grades(divided(*PLAIN, *extra).validation) == {FOLD_0: {"mug-blue": 1, "pan-big": 3}}


def test_items_that_the_catalogue_does_not_know_are_dropped() -> None:
    split = divided(*PLAIN, (OTHERS[0], "sold-out-long-ago", 3, "editor"))
    assert grades(split.test)[OTHERS[0]] == {"pan-big": 1}
    gone = ("sofa", "sold-out-long-ago", 3, "editor")
    assert "sofa" not in {*divided(*PLAIN, gone).test.units, *divided(*PLAIN, gone).validation.units}


def test_the_order_of_the_source_does_not_matter() -> None:
    rows = [*PLAIN, (FOLD_0, "cup-red", 1, "editor"), (OTHERS[0], "cup-red", 1, "editor")]
    there, back = divided(*rows), divided(*rows[::-1])
    for part in ("validation", "test"):
        one, two = getattr(there, part), getattr(back, part)
        assert one.units == two.units
        assert np.array_equal(one.relevant.values, two.relevant.values)
        assert np.array_equal(one.grades, two.grades)


def test_whoever_searches_is_a_stranger() -> None:
    asked = divided(*PLAIN).test.requests
    assert asked.users == (None, None)
    assert asked.history.n_events == 0
    assert asked.eligible().all()


@pytest.mark.parametrize(("left", "part"), [(PLAIN[:1], "test"), (PLAIN[1:], "validation")])
def test_a_part_without_a_query_is_an_error(left: tuple[Judgment, ...], part: str) -> None:
    with pytest.raises(DataError, match=f"the {part} part") as caught:
        divided(*left)
    assert "Judge more" in caught.value.remedy


@pytest.mark.parametrize("split", [{"kind": "temporal"}, {"by": "user"}])
def test_queries_are_divided_by_folds_only(split: dict[str, str]) -> None:
    with pytest.raises(BriefError, match="folds over queries") as caught:
        divided(*PLAIN, **split)
    assert "by: query" in caught.value.remedy
