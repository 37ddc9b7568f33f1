"""Columns that know the answer are named, by their meaning or by their behaviour; honest ones are left alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import shared_data

from mercer.data.leaks import strength, suspects


def _table(n: int = 2000, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Three honest columns that tell the label weakly, and the label."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=n), rng.normal(size=n)
    label = (rng.random(n) < 1 / (1 + np.exp(-(x + 0.5 * y - 1)))).astype(float)
    month = np.array(["may", "june", "july"], object)[rng.integers(0, 3, n)]
    return pd.DataFrame({"x": x, "y": y, "month": month}), label


def test_honest_columns_are_left_alone() -> None:
    features, label = _table()
    assert suspects(features, label, {"x": "temperature on the day before the order"}) == ()


def test_a_column_made_from_the_label_is_named_by_its_behaviour() -> None:
    features, label = _table()
    rng = np.random.default_rng(2)
    features["paid"] = np.where(
        (label > 0) & (rng.random(len(label)) < 0.8), rng.exponential(20, len(label)), 0
    )
    [found] = suspects(features, label, {})
    assert (found.column, found.witness) == ("paid", "behaviour")
    assert found.alone > 0.85 > found.next_best
    assert "paid may know the answer" in found.sentence


def test_a_column_whose_meaning_speaks_of_the_outcome_is_named_by_the_dictionary() -> None:
    features, label = _table()
    features["score"] = np.random.default_rng(3).normal(size=len(label))
    [found] = suspects(features, label, {"score": "Computed from completed transactions of the session"})
    assert (found.column, found.witness) == ("score", "dictionary")


@pytest.mark.parametrize("name", ["x", "month"])
def test_the_strength_of_a_shuffled_column_is_that_of_chance(name: str) -> None:
    features, label = _table(4000)
    shuffled = features[name].sample(frac=1, random_state=0).reset_index(drop=True)
    assert strength(shuffled, label) == pytest.approx(0.5, abs=0.03)


def test_a_column_of_unique_texts_is_not_mistaken_for_one_that_knows() -> None:
    features, label = _table()
    features["id"] = [f"row {n}" for n in range(len(label))]
    assert suspects(features, label, {}) == ()


def test_missing_values_tell_too() -> None:
    features, label = _table()
    features["refund"] = np.where(label > 0, np.nan, 1.0)
    [found] = suspects(features, label, {})
    assert found.column == "refund"


def test_one_label_alone_makes_no_suspect() -> None:
    features, label = _table()
    assert suspects(features, np.ones_like(label), {}) == ()


def test_page_values_are_named_without_a_dictionary_and_credit_columns_are_not() -> None:
    sessions = pd.read_csv(shared_data("shopper-intention") / "online_shoppers_intention.csv", sep=";")
    bought = (sessions["Revenue"].astype(str).str.upper() == "TRUE").to_numpy(float)
    assert [one.column for one in suspects(sessions.drop(columns="Revenue"), bought, {})] == ["PageValues"]
    for file, label in (
        ("german_data_credit.csv", "class-label"),
        ("credit-card-clients.csv", "default payment"),
    ):
        table = pd.read_csv(shared_data("credit-risk") / file)
        assert suspects(table.drop(columns=label), table[label].to_numpy(float), {}) == ()
