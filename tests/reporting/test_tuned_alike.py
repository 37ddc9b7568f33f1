"""Whether the models of a leaderboard were tuned alike, in a sentence under it."""

from __future__ import annotations

import pytest

from mercer.evaluation import Row
from mercer.reporting.figures import tuned_alike
from mercer.reporting.tuning_page import uneven

BUDGET = "20 trials or 600 s"


def row(model: str, trials: int = 0, tuning: str | None = None, budget: str | None = None) -> Row:
    said = {"tuning": tuning, "tuning_budget": budget}
    return Row(
        task="recommend", target="next-item", model=model, split="test", metric="ndcg@10", value=0.1, low=None,
        high=None, interval="none", unit="user", n=10, trials=trials,
        protocol={key: value for key, value in said.items() if value is not None},
    )  # fmt: skip


KNN = row("item-knn", 20, "20 trials in 41 s", BUDGET)
SLOW = row("ease", 7, "7 trials in 603 s", BUDGET)
PLAIN = row("most-popular", tuning="nothing to search")
OUTSIDE = row("incumbent")


def test_one_budget_for_all_is_alike_whatever_ended_it() -> None:
    said = tuned_alike([KNN, SLOW, PLAIN, OUTSIDE])
    assert said == f" Every model that has options to search had {BUDGET} for it, on validation."


@pytest.mark.parametrize(
    "other",
    [
        row("ease", tuning="none"),
        row("ease", tuning="none: the options were changed since"),
        row("ease", 7, "7 trials in 603 s", "7 trials or 600 s"),
        row("ease", 7, "7 trials in 103 s, interrupted", BUDGET),
        row("ease", 5, "5 trials in 103 s, given up", BUDGET),
        row("ease", 20, "20 trials in 103 s, on other data", BUDGET),
    ],
)
def test_anything_else_is_named(other: Row) -> None:
    said = tuned_alike([KNN, other, PLAIN])
    assert "Not tuned alike" in said
    assert f"ease: {other.protocol['tuning']}" in said
    assert "item-knn: 20 trials in 41 s" in said
    assert "most-popular" not in said


def test_where_nothing_was_tuned_nothing_is_said() -> None:
    assert tuned_alike([row("ease", tuning="none"), PLAIN, OUTSIDE]) == ""


def test_the_page_of_tuning_names_a_search_that_was_cut_short() -> None:
    whole = {"model": "a", "stopped": "trials", "cost": {"budget": {"trials": 20, "seconds": 600.0}}}
    assert uneven([whole, whole | {"model": "b", "stopped": "seconds"}]) == ""
    assert uneven([whole, {"model": "c", "stopped": "nothing-to-search", "cost": {}}]) == ""
    assert "b: the search ended before its budget did" in uneven(
        [whole, whole | {"model": "b", "stopped": "interrupted"}]
    )
    other = whole | {"cost": {"budget": {"trials": 5, "seconds": 600.0}}}
    assert "different budgets" in uneven([whole, other])
