"""The closed forms against hand-worked cases and against many simulated lives."""

from datetime import date

import numpy as np
import pytest

from mercer.simulate import Truth
from mercer.simulate.activity import Rates, alive, draw_visits, expected_orders, orders_at_all
from mercer.simulate.season import Calendar, microseconds

YEAR = Calendar.ending(date(2026, 9, 30), 12)
FLAT = Calendar(YEAR.start_us, YEAR.length_days, YEAR.edges_days, np.ones_like(YEAR.busy), YEAR.month_of_year)


def many(n: int, visit_rate: float, conversion: float, drop_rate: float, rng: np.random.Generator) -> Rates:
    return Rates(
        joined=np.zeros(n),
        dropped=rng.exponential(1 / drop_rate, n),
        visit_rate=np.full(n, visit_rate),
        conversion=np.full(n, conversion),
        drop_rate=np.full(n, drop_rate),
        founder=np.ones(n, bool),
    )


def test_without_drop_out_and_seasons_orders_are_a_poisson_process() -> None:
    rates = many(1, 0.05, 0.4, 1e-12, np.random.default_rng(0))
    assert orders_at_all(rates, FLAT, 100, 60) == pytest.approx(1 - np.exp(-0.05 * 0.4 * 60), rel=1e-6)
    assert expected_orders(rates, FLAT, 100, 60) == pytest.approx(0.05 * 0.4 * 60, rel=1e-6)


def test_the_chance_of_being_active_is_that_of_pareto_nbd_with_known_rates() -> None:
    rate, drop, silence = 0.04, 0.004, 75.0
    rates = many(1, rate, 1.0, drop, np.random.default_rng(0))
    both = rate + drop
    by_hand = 1 / (1 + drop / both * (np.exp(both * silence) - 1))
    assert alive(rates, FLAT, np.array([25.0]), 100.0) == pytest.approx(by_hand)


def test_who_was_just_here_is_active_and_who_joins_later_is_unknown() -> None:
    rates = many(2, 0.04, 1.0, 0.004, np.random.default_rng(0))
    rates.joined[1] = 200.0
    chance = alive(rates, YEAR, np.array([100.0, 200.0]), 100.0)
    assert chance[0] == 1.0
    assert np.isnan(chance[1])


def test_probabilities_match_the_frequencies_of_many_lives() -> None:
    rng = np.random.default_rng(5)
    rates = many(40_000, 0.02, 0.5, 0.006, rng)
    visits = draw_visits(rates, YEAR, rng)
    origin, horizon = 150.0, 60.0
    last = np.zeros(len(rates))
    before = visits.clock < origin
    np.maximum.at(last, visits.user[before], visits.clock[before])
    within = (visits.clock >= origin) & (visits.clock < origin + horizon) & visits.order
    ordered = np.bincount(visits.user[within], minlength=len(rates))
    active = alive(rates, YEAR, last, origin)
    chance = active * orders_at_all(rates, YEAR, origin, horizon)
    assert active.mean() == pytest.approx((rates.dropped > origin).mean(), abs=0.01)
    assert chance.mean() == pytest.approx((ordered > 0).mean(), abs=0.008)
    expected = active * expected_orders(rates, YEAR, origin, horizon)
    assert expected.mean() == pytest.approx(ordered.mean(), rel=0.03)
    # Not only on average: those silent for longest and those just here, each for themselves.
    for group in (last < np.quantile(last, 0.25), last > np.quantile(last, 0.75)):
        assert chance[group].mean() == pytest.approx((ordered[group] > 0).mean(), abs=0.015)


def test_visits_are_ordered_within_the_log_and_end_with_drop_out() -> None:
    rng = np.random.default_rng(2)
    rates = many(500, 0.1, 0.5, 0.01, rng)
    visits = draw_visits(rates, YEAR, rng)
    assert (np.diff(visits.user) >= 0).all()
    assert (visits.clock <= np.minimum(rates.dropped, YEAR.length_days)[visits.user]).all()
    same = np.diff(visits.user) == 0
    assert (np.diff(visits.clock)[same] >= 0).all()


@pytest.mark.parametrize("knowing", ["history", "state"])
@pytest.mark.parametrize("day", [date(2026, 2, 1), date(2026, 5, 1), date(2026, 8, 1)])
def test_true_probabilities_of_the_shop_are_calibrated_by_decile(
    truth: Truth, knowing: str, day: date
) -> None:
    origin, horizon = microseconds(day), 60
    days = (origin - truth.calendar.start_us) / 86_400_000_000
    chance = truth.repurchase(truth.users, origin, horizon, knowing=knowing)  # type: ignore[arg-type]
    clock = truth.visits.clock
    within = (clock >= days) & (clock < days + horizon) & truth.visits.order
    ordered = np.bincount(truth.visits.user[within], minlength=len(truth.users)) > 0
    known = np.isfinite(chance)
    assert known.sum() > 2500
    order = np.argsort(chance[known], kind="stable")
    for rows in np.array_split(order, 10):
        p, y = chance[known][rows], ordered[known][rows]
        spread = np.sqrt((p * (1 - p)).sum()) / len(rows)
        assert abs(y.mean() - p.mean()) < 3.5 * spread + 0.004
