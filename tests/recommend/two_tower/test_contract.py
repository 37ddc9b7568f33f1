"""The two-tower ranker keeps the contract of every ranker, with and without content, kinds and even draws."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from mercer.environment import encoder_folder
from mercer.language.exported import MODEL
from mercer.recommend.two_tower import TwoTower
from mercer.testing.rankers import RankerContract
from recommend.with_keras.needs import NEEDS_TENSORFLOW

pytestmark = NEEDS_TENSORFLOW

SMALL = {
    "width": 8,
    "hidden": 8,
    "epochs": 2,
    "batch": 64,
    "negatives": 8,
    "window": 10,
    "content": ("brand", "category"),
}


class TestTwoTower(RankerContract):
    ranker = TwoTower
    options = MappingProxyType(SMALL)
    tolerance = 1e-5


class TestTwoTowerWithViewsAlone(RankerContract):
    ranker = TwoTower
    options = MappingProxyType(
        {
            **SMALL,
            "kinds": ("view", "purchase"),
            "kind_weights": {"view": 0.5},
            "content": (),
            "negatives": 0,
            "rates": (0.5,),
        }
    )
    tolerance = 1e-5


@pytest.mark.encoder
@pytest.mark.skipif(
    not (encoder_folder() / MODEL).is_dir(), reason="the encoder is not exported; run: make setup"
)
class TestTwoTowerWithTitlesAndPrices(RankerContract):
    ranker = TwoTower
    options = MappingProxyType({**SMALL, "content": ("title", "price")})
    tolerance = 1e-5
