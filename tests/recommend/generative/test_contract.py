"""The generative ranker keeps the promises of every ranker, in every family of decoders."""

from __future__ import annotations

import pytest

from mercer.recommend.generative import Generative
from mercer.testing.rankers import RankerContract
from recommend.generative.tiny import TINY

QUICK = {**TINY, "epochs": 2, "batch_tokens": 1024, "neighbours": 2.4}
FIELDS = {
    **QUICK,
    "kinds": ["view", "purchase"],
    "kind_weights": {"view": 0.5},
    "events": {
        "window": 6,
        "fields": ["kind", "gap", "calendar", "amount"],
        "hashed": ["brand"],
        "buckets": 8,
    },
}
LLAMA = {**QUICK, "shape": {**TINY["shape"], "family": "llama"}}
MISTRAL = {**QUICK, "shape": {**TINY["shape"], "family": "mistral", "sliding": 16}}


class TestGenerative(RankerContract):
    ranker = Generative
    options = QUICK
    tolerance = 1e-4


class TestWithFieldsAndViews(RankerContract):
    ranker = Generative
    options = FIELDS
    tolerance = 1e-4


@pytest.mark.slow
class TestLlama(RankerContract):
    ranker = Generative
    options = LLAMA
    tolerance = 1e-4


@pytest.mark.slow
class TestMistral(RankerContract):
    ranker = Generative
    options = MISTRAL
    tolerance = 1e-4
