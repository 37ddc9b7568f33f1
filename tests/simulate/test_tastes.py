import numpy as np
import pytest

from mercer.simulate.tastes import Sampler, blocks, dearness, taste_weights
from mercer.simulate.world import World


def test_weights_are_the_documented_product(small_world: World) -> None:
    people, catalogue = small_world.people, small_world.catalogue
    user, item = 17, 33
    expected = np.exp(
        catalogue.wanted[item]
        + people.liking[user, catalogue.category[item]]
        + people.brand_liking[user, catalogue.brand[item]]
        + people.purse[user] * dearness(catalogue)[item]
    )
    weights = taste_weights(people, catalogue, np.array([user]))
    assert people.age[user] >= catalogue.min_age[item]
    assert weights[0, item] == pytest.approx(expected, rel=1e-4)


def test_the_young_want_no_limited_goods(small_world: World) -> None:
    people, catalogue = small_world.people, small_world.catalogue
    young = np.flatnonzero(people.age < 18)
    assert len(young)
    weights = taste_weights(people, catalogue, young)
    assert (catalogue.min_age >= 18).any()
    assert (weights[:, catalogue.min_age >= 18] == 0).all()


def test_draws_follow_weights_and_the_season(small_world: World) -> None:
    catalogue = small_world.catalogue
    rng = np.random.default_rng(3)
    weights = taste_weights(small_world.people, catalogue, np.array([4]))
    sampler = Sampler.of(weights, catalogue)
    n, month = 60_000, 6
    drawn = sampler.draw(np.zeros(n, np.int64), np.full(n, month), np.full(n, 100.0), rng)
    expected = weights[0] * catalogue.demand()[month, catalogue.season]
    expected *= catalogue.on_sale(np.arange(len(catalogue)), 100.0)
    expected /= expected.sum()
    seen = np.bincount(drawn, minlength=len(catalogue)) / n
    assert np.abs(seen - expected).sum() < 0.03
    np.testing.assert_array_equal(seen[expected == 0], 0)


def test_what_is_not_on_sale_is_never_drawn(small_world: World) -> None:
    catalogue = small_world.catalogue
    new = np.flatnonzero(catalogue.begins > 0)
    assert len(new)
    block = next(blocks(small_world.people, catalogue))
    n = 20_000
    rows = np.arange(n) % 300
    drawn = block.sampler.draw(rows, np.zeros(n, np.int64), np.zeros(n), np.random.default_rng(1))
    assert not np.isin(drawn, new).any()


def test_dearness_has_no_mean_and_unit_spread_within_a_type(small_world: World) -> None:
    catalogue = small_world.catalogue
    dear = dearness(catalogue)
    own = catalogue.kind_of == 0
    assert dear[own].mean() == pytest.approx(0, abs=1e-9)
    assert dear[own].std() == pytest.approx(1)
