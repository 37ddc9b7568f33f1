"""The sequence rankers keep the contract of every ranker: each loss, with and without kinds, times and titles."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from mercer.environment import encoder_folder
from mercer.language.exported import MODEL
from mercer.recommend.sequence import Ligr, Sasrec
from mercer.testing.rankers import RankerContract

SMALL = {
    "width": 16,
    "epochs": 2,
    "negatives": 8,
    "window": 10,
    "content": ("brand", "category"),
    "estimate_steps": 0,
}


class TestSasrec(RankerContract):
    ranker = Sasrec
    options = MappingProxyType(SMALL)
    tolerance = 1e-5


class TestSasrecWithFullSoftmaxAndAveragedWeights(RankerContract):
    ranker = Sasrec
    options = MappingProxyType({**SMALL, "loss": "softmax", "average": 0.9, "content": ()})
    tolerance = 1e-5


class TestLigrWithViews(RankerContract):
    ranker = Ligr
    options = MappingProxyType({**SMALL, "kinds": ("view", "purchase"), "kind_weights": {"view": 0.5}})
    tolerance = 1e-5


class TestLigrWithBinaryLossAndPrices(RankerContract):
    ranker = Ligr
    options = MappingProxyType({**SMALL, "loss": "bce", "content": ("price",), "asked": "event"})
    tolerance = 1e-5


@pytest.mark.encoder
@pytest.mark.skipif(
    not (encoder_folder() / MODEL).is_dir(), reason="the encoder is not exported; run: make setup"
)
class TestSasrecWithTitles(RankerContract):
    ranker = Sasrec
    options = MappingProxyType({**SMALL, "content": ("title", "brand", "category", "price")})
    tolerance = 1e-5
