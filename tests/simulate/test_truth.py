from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mercer.errors import DamagedError, DataError, NotFoundError
from mercer.simulate import Truth, small_shop
from mercer.simulate.season import DAY_US, microseconds

ORIGIN = microseconds(date(2026, 8, 1))


def orders_soon_after(truth: Truth, within_days: float) -> dict[int, np.ndarray]:
    """User row -> items of the lines of the first order after the origin, where it came soon."""
    days = (ORIGIN - truth.calendar.start_us) / DAY_US
    found = {}
    for row in range(len(truth.users)):
        order = truth._orders_before(row, days)
        if order == truth.baskets.first[row + 1]:
            continue
        if truth.visits.clock[truth.baskets.visit[order]] < days + within_days:
            found[row] = truth.baskets.item[truth.baskets.start[order] : truth.baskets.start[order + 1]]
    return found


def test_line_probabilities_sum_to_one_and_respect_age_and_sale(truth: Truth) -> None:
    chance = truth.line_probabilities(truth.users[:600], ORIGIN)
    np.testing.assert_allclose(chance.sum(axis=1), 1.0)
    assert (chance >= 0).all()
    young = np.flatnonzero(truth.people.age[:600] < 18)
    assert len(young)
    assert (chance[young][:, truth.catalogue.min_age >= 18] == 0).all()
    days = (ORIGIN - truth.calendar.start_us) / DAY_US
    assert (chance[:, ~truth.catalogue.on_sale(np.arange(2000), days)] == 0).all()


def test_line_probabilities_are_calibrated_on_the_next_orders(truth: Truth) -> None:
    """Over the next orders of the same month, lines fall on items of probability p as often as p says."""
    orders = orders_soon_after(truth, 31)
    rows = np.array(sorted(orders))
    chance = truth.line_probabilities([truth.users[row] for row in rows], ORIGIN)
    lines = np.zeros(chance.shape)
    for place, row in enumerate(rows):
        np.add.at(lines[place], orders[row], 1.0)
    expected = chance * np.array([len(orders[row]) for row in rows])[:, None]
    edges = np.quantile(chance[::17].ravel(), [0.75, 0.95, 0.99, 0.999])
    group = np.searchsorted(edges, chance)
    assert lines.sum() > 8_000
    for number in range(5):
        inside = group == number
        assert lines[inside].sum() == pytest.approx(expected[inside].sum(), rel=0.10)


def test_what_is_bought_again_is_worth_nothing_where_repeats_are_off(truth: Truth) -> None:
    users = [user for row, user in enumerate(truth.users[:300]) if len(truth._lines_before(row, 300.0))]
    days = (ORIGIN - truth.calendar.start_us) / DAY_US
    own = [
        [truth.items[item] for item in set(truth._lines_before(truth.users.index(user), days).tolist())]
        for user in users[:40]
    ]
    assert truth.value_of(users[:40], own, ORIGIN).min() > 0
    assert truth.value_of(users[:40], own, ORIGIN, repeats=False).max() == 0


def test_the_value_of_a_list_is_the_sum_over_its_items_each_counted_once(truth: Truth) -> None:
    user = truth.users[5]
    chance = truth.line_probabilities([user], ORIGIN)[0]
    lists = [[truth.items[3], truth.items[8], truth.items[3], "no-such-item"]]
    assert truth.value_of([user], lists, ORIGIN) == pytest.approx(chance[3] + chance[8])
    assert truth.value_of([user], [list(truth.items)], ORIGIN) == pytest.approx(1.0)


def test_preference_is_a_distribution_of_taste(truth: Truth) -> None:
    liking = truth.preference(truth.users[0])
    assert liking.shape == (2000,)
    assert liking.sum() == pytest.approx(1.0)


def test_expected_spend_matches_what_was_spent(truth: Truth, purchases: pd.DataFrame, shop: Path) -> None:
    expected = truth.expected_spend(truth.users, ORIGIN, 60)
    time = purchases["time"].to_numpy("datetime64[us]").astype(np.int64)
    within = purchases[(time >= ORIGIN) & (time < ORIGIN + 60 * DAY_US)]
    spent = within.groupby("user")["amount_minor"].sum().reindex(truth.users).fillna(0).to_numpy()
    known = np.isfinite(expected)
    assert spent[known].sum() == pytest.approx(expected[known].sum(), rel=0.06)
    for rows in np.array_split(np.argsort(expected[known]), 4)[1:]:
        assert spent[known][rows].sum() == pytest.approx(expected[known][rows].sum(), rel=0.25)


def test_knowing_who_is_active_sharpens_and_keeps_the_mean(truth: Truth) -> None:
    history = truth.repurchase(truth.users, ORIGIN, 60)
    state = truth.repurchase(truth.users, ORIGIN, 60, knowing="state")
    assert np.isnan(history).sum() == np.isnan(state).sum() == (truth.people.rates.joined >= 304).sum()
    assert np.nanmean(state) == pytest.approx(np.nanmean(history), abs=0.01)
    assert np.nanstd(state) > np.nanstd(history)


def test_the_files_say_what_the_methods_say(truth: Truth, shop: Path) -> None:
    table = pd.read_parquet(shop / "truth" / "repurchase.parquet")
    assert (table["origin"] == pd.Timestamp("2026-08-01")).all()
    np.testing.assert_array_equal(table["probability"], truth.repurchase(truth.users, ORIGIN, 60))
    np.testing.assert_array_equal(
        table["expected_spend_minor"], truth.expected_spend(truth.users, ORIGIN, 60)
    )


def test_unknown_users_and_origins_are_refused(truth: Truth) -> None:
    with pytest.raises(NotFoundError, match="1 of 2 users"):
        truth.repurchase([truth.users[0], "nobody"], ORIGIN, 60)
    with pytest.raises(DataError, match="outside the log"):
        truth.value_of([truth.users[0]], [[]], microseconds(date(2020, 1, 1)))


def test_a_folder_without_truth_and_a_damaged_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no truth"):
        Truth.load(tmp_path)
    small_shop(tmp_path)
    weights = tmp_path / "truth" / "world.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(DamagedError):
        Truth.load(tmp_path)
