"""A judge is let in by the lower end of its agreement with people, and by nothing else."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from mercer.contracts import TABLES
from mercer.errors import DataError, UnsupportedError
from mercer.evaluation import (
    AcceptedJudge,
    Agreement,
    accept_judge,
    agreement,
    only_accepted,
    quadratic_kappa,
)

Grades = npt.NDArray[np.int64]


def graded(grades: Grades, per_query: int = 10) -> pd.DataFrame:
    rows = np.arange(len(grades))
    return pd.DataFrame(
        {
            "query": [f"q{row // per_query:03d}" for row in rows],
            "item": [f"i{row}" for row in rows],
            "grade": grades.astype(np.float64),
        }
    )


def people(n: int = 400, seed: int = 1) -> Grades:
    return np.random.default_rng(seed).integers(0, 4, n)


def near(grades: Grades, wrong: float, seed: int = 2) -> Grades:
    """The grades, a share of them drawn again."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(grades)) < wrong, rng.integers(0, 4, len(grades)), grades)


def judged(grades: Grades, theirs: Grades) -> Agreement:
    return agreement(graded(grades), graded(theirs), judge="model:m@1", sample="all")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    ours, theirs = (list(side) for side in zip(*pairs, strict=True))
    if len(set(ours) | set(theirs)) == 1:
        assert np.isnan(quadratic_kappa(ours, theirs))
    else:
        expected = cohen_kappa_score(ours, theirs, weights="quadratic", labels=[0, 1, 2, 3])
        assert quadratic_kappa(ours, theirs) == pytest.approx(expected, abs=1e-9)


def test_same_grades_agree_wholly_and_reversed_ones_wholly_disagree() -> None:
    theirs = people()

    same, reverse = judged(theirs, theirs), judged(3 - theirs, theirs)

    assert (same.kappa, same.pairwise, same.low) == (1.0, 1.0, 1.0)
    assert reverse.kappa < -0.9
    assert reverse.pairwise == 0.0


def test_grades_at_random_are_at_chance() -> None:
    found = judged(people(seed=5), people())

    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high
    assert found.pairwise == pytest.approx(0.5, abs=0.05)


def test_one_grade_for_everything_has_no_order() -> None:
    found = judged(np.zeros(400, np.int64), people())

    assert (found.kappa, found.pairwise) == (0.0, 0.5)


def test_a_score_orders_what_grades_tie() -> None:
    theirs = people()
    frame = graded(np.zeros(400, np.int64)).assign(score=theirs + 0.0)

    found = agreement(frame, graded(theirs), judge="j", sample="all")

    assert (found.kappa, found.pairwise) == (0.0, 1.0)


def test_interval_is_of_queries_and_not_of_pairs() -> None:
    theirs = people(2000)
    few, many = (
        agreement(graded(near(theirs, 0.4), size), graded(theirs, size), judge="j", sample="all")
        for size in (200, 2)
    )

    assert (few.n_queries, many.n_queries) == (10, 1000)
    assert few.kappa == pytest.approx(many.kappa)


def test_judge_that_agrees_is_accepted_and_one_that_does_not_is_refused_with_its_figures() -> None:
    theirs = people()
    good, poor = judged(near(theirs, 0.2), theirs), judged(near(theirs, 0.8), theirs)

    assert accept_judge(good).judge == "model:m@1"
    with pytest.raises(UnsupportedError) as refused:
        accept_judge(poor)
    assert f"kappa {poor.kappa:.2f}" in refused.value.message
    assert f"[{poor.low:.2f}, {poor.high:.2f}]" in refused.value.message
    assert "400 pairs of 40 queries" in refused.value.message


def test_the_lower_end_decides_and_not_the_value() -> None:
    theirs = people(60)
    found = judged(near(theirs, 0.5), theirs)
    assert found.low is not None
    bar = (found.low + found.kappa) / 2

    with pytest.raises(UnsupportedError):
        accept_judge(found, least=bar)
    assert accept_judge(found, least=found.low - 0.01)


def test_too_few_queries_are_no_agreement() -> None:
    theirs = people(40)

    with pytest.raises(UnsupportedError, match="4 queries"):
        accept_judge(judged(theirs, theirs))


def test_model_grades_need_an_accepted_judge() -> None:
    theirs = people()
    accepted = accept_judge(judged(near(theirs, 0.1), theirs))
    table = graded(theirs).assign(judge=["ann", None, "model:m@1", "model:other@2"] * 100)

    assert only_accepted(table[table["judge"] != "model:other@2"], [accepted]) is not None
    with pytest.raises(UnsupportedError, match=r"100 of 400 .*'model:other@2' \(100\)"):
        only_accepted(table, [accepted])
    with pytest.raises(UnsupportedError, match=r"200 of 400"):
        only_accepted(table)


def test_peoples_grades_need_nothing() -> None:
    bare = graded(people())
    canonical = TABLES["judgments"].empty().to_pandas()

    for table in (bare, bare.assign(judge="ann"), bare.assign(judge=None), canonical):
        assert only_accepted(table) is table


def test_record_is_held_against_its_bar_when_it_is_read() -> None:
    theirs = people()
    accepted = accept_judge(judged(near(theirs, 0.2), theirs))
    content = json.loads(json.dumps(accepted.to_json()))

    assert AcceptedJudge.from_json(content) == accepted
    content["agreement"]["low"] = 0.1
    with pytest.raises(UnsupportedError):
        AcceptedJudge.from_json(content)


def test_bad_grades_are_named() -> None:
    theirs = graded(people())

    with pytest.raises(DataError, match="twice"):
        agreement(pd.concat([theirs, theirs]), theirs, judge="j", sample="all")
    with pytest.raises(DataError, match="no pair"):
        agreement(theirs.assign(query="other"), theirs, judge="j", sample="all")
    with pytest.raises(DataError, match=r"1\.5 is no grade"):
        agreement(theirs.assign(grade=1.5), theirs, judge="j", sample="all")
    with pytest.raises(DataError, match="7 is no grade"):
        agreement(theirs.assign(grade=7.0), theirs, judge="j", sample="all")
