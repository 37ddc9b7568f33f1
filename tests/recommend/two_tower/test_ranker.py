"""What the two-tower ranker promises: it learns what follows what, knows new items, and keeps its time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mercer.contracts import Budget, Dataset, Holdout, Ragged
from mercer.recommend.two_tower import TwoTower
from mercer.testing.handmade import dataset, log, requests, scores
from mercer.testing.small_shop import small_dataset, small_holdout
from recommend.with_keras.needs import NEEDS_TENSORFLOW

pytestmark = NEEDS_TENSORFLOW

QUICK = {"width": 16, "hidden": 32, "batch": 64, "negatives": 8, "learning_rate": 0.01, "dropout": 0.0}


def rounds(n_items: int = 12, n_users: int = 60) -> Dataset:
    """Everybody buys item after item of a round trip, from a place of their own; the last item is bought by nobody."""
    trips = [[((user + day) % (n_items - 1), day) for day in range(6)] for user in range(n_users)]
    return dataset(log(*trips, n_items=n_items), repeats=False)


def test_it_learns_what_follows_what() -> None:
    ranker = TwoTower(TwoTower.Options(**QUICK, epochs=40, content=())).fit(rounds(), seed=1)
    asked = requests(log([(3, 1), (4, 2)], [(4, 1), (3, 2)], [(9, 1), (10, 2)], n_items=12), repeats=False)
    assert scores(ranker, asked).argmax(axis=1)[[0, 2]].tolist() == [5, 0]
    assert ranker.epochs[-1].loss < ranker.epochs[0].loss


def test_a_new_item_is_found_by_its_content() -> None:
    """Two kinds of goods, told apart by brand; the last item of each is bought by nobody."""
    rng, trips = np.random.default_rng(5), []
    for user in range(80):
        items = rng.permutation(7)[:4] + 8 * (user % 2)
        trips.append([(int(item), day) for day, item in enumerate(items)])
    train = dataset(log(*trips, n_items=16), repeats=False)
    train = replace(
        train, items=train.items.assign(brand=["Moor"] * 8 + ["Folio"] * 8, title="", category="")
    )
    ranker = TwoTower(TwoTower.Options(**QUICK, epochs=15, content=("brand",))).fit(train, seed=1)
    found = scores(ranker, requests(log([(0, 1), (1, 2)], [(8, 1), (9, 2)], n_items=16)))
    assert found[0, 7] > found[0, 8:].max()
    assert found[1, 15] > found[1, :8].max()


def test_validation_chooses_the_epoch_and_stops() -> None:
    train = small_dataset()
    options = TwoTower.Options(**QUICK, epochs=30, content=(), patience=2)
    ranker = TwoTower(options).fit(train, validation=small_holdout(train, "recommend"), seed=1)
    values = [epoch.value for epoch in ranker.epochs if epoch.value is not None]
    assert len(values) == len(ranker.epochs) <= 30
    assert len(values) in (30, int(np.argmax(values)) + 3)


def test_validation_teaches_nothing() -> None:
    """Another answer sheet changes which epoch is kept and not what an epoch learns."""
    train = small_dataset()
    right = small_holdout(train, "recommend")
    other = replace(right, relevant=Ragged.from_rows([[23, 22]] * 8))
    losses = [[epoch.loss for epoch in fit_with(train, holdout).epochs] for holdout in (right, other, None)]
    assert losses[0] == losses[1] == losses[2]


def fit_with(train: Dataset, holdout: Holdout | None) -> TwoTower:
    options = TwoTower.Options(**QUICK, epochs=3, content=(), patience=9)
    return TwoTower(options).fit(train, validation=holdout, seed=1)


def test_a_short_budget_is_kept_and_told() -> None:
    ranker = TwoTower(TwoTower.Options(**QUICK, epochs=500, content=())).fit(
        small_dataset(), budget=Budget(0.01)
    )
    assert len(ranker.epochs) == 1
    assert "time limit" in ranker.notes[0]


def test_who_has_no_history_gets_what_is_popular() -> None:
    ranker = TwoTower(TwoTower.Options(**QUICK, epochs=1, content=())).fit(rounds(), seed=1)
    found = scores(ranker, requests(log([], [(1, 1)], n_items=12), users=(None, "x")))
    assert found[0].tolist() == ranker.state["share"].tolist()
    assert found[1].tolist() != ranker.state["share"].tolist()


def test_a_price_that_is_no_number_is_refused_where_prices_are_read() -> None:
    train = small_dataset()
    bad = replace(train, items=train.items.assign(price_minor=pd.Series([np.nan] * 24)))
    with pytest.raises(Exception, match="price_minor"):
        TwoTower(TwoTower.Options(**QUICK, epochs=1, content=("price",))).fit(bad)


def test_an_unknown_kind_of_content_is_refused() -> None:
    with pytest.raises(ValueError, match="Did you mean 'brand'"):
        TwoTower.Options(content=("brands",))
