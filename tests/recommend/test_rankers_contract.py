"""Every ranker of the room keeps the contract, in more than one configuration."""

from __future__ import annotations

from types import MappingProxyType

from mercer import recommend
from mercer.contracts import plugins
from mercer.recommend import BuyAgain, Ease, Ials, ItemKnn, MostPopular, MostPopularRecent, UserKnn
from mercer.testing.rankers import RankerContract

WITH_VIEWS = {"kinds": ("view", "purchase"), "kind_weights": {"view": 0.2}}


class TestMostPopular(RankerContract):
    ranker = MostPopular


class TestMostPopularRecent(RankerContract):
    ranker = MostPopularRecent
    options = MappingProxyType({"window_days": 20.0})


class TestBuyAgain(RankerContract):
    ranker = BuyAgain


class TestBuyAgainWithViews(RankerContract):
    ranker = BuyAgain
    options = MappingProxyType({**WITH_VIEWS, "half_life_days": 5.0})


class TestItemKnn(RankerContract):
    ranker = ItemKnn


class TestItemKnnWithViewsAndFewNeighbours(RankerContract):
    ranker = ItemKnn
    options = MappingProxyType({**WITH_VIEWS, "neighbours": 2, "window": 1, "reach": 3})


class TestEase(RankerContract):
    ranker = Ease


class TestEaseWithViewsAndFewNeighbours(RankerContract):
    ranker = Ease
    options = MappingProxyType({**WITH_VIEWS, "neighbours": 3, "popularity_exponent": 0.3, "l2": 5.0})


class TestUserKnn(RankerContract):
    ranker = UserKnn


class TestUserKnnWithViewsAndFewNeighbours(RankerContract):
    ranker = UserKnn
    options = MappingProxyType({**WITH_VIEWS, "neighbours": 2, "amplify": 2.0})


class TestIals(RankerContract):
    ranker = Ials
    tolerance = 1e-5


class TestIalsWithViewsAndFewFactors(RankerContract):
    ranker = Ials
    options = MappingProxyType({**WITH_VIEWS, "factors": 4, "sweeps": 3})
    tolerance = 1e-5


def test_every_default_is_registered_and_under_contract() -> None:
    under_contract = {case.ranker.name for case in RankerContract.__subclasses__()}
    assert recommend.DEFAULTS
    assert set(recommend.DEFAULTS) <= set(plugins.names(plugins.RANKERS)) & under_contract
    for name in recommend.DEFAULTS:
        assert plugins.load(plugins.RANKERS, name).name == name
