"""The two-stage ranker keeps the contract of every ranker, with and without titles, repeats and sources."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from mercer.environment import encoder_folder
from mercer.language.exported import MODEL
from mercer.recommend.two_stage import TwoStage
from mercer.testing.rankers import RankerContract

FEW = {"label_cuts": 3, "min_rows_per_leaf": 5, "rounds": 30}


class TestWithoutTitles(RankerContract):
    ranker = TwoStage
    options = MappingProxyType({**FEW, "text": False})


@pytest.mark.encoder
@pytest.mark.skipif(
    not (encoder_folder() / MODEL).is_dir(), reason="the encoder is not exported; run: make setup"
)
class TestWithTitles(RankerContract):
    ranker = TwoStage
    options = MappingProxyType({**FEW, "members": 2})


class TestFewSources(RankerContract):
    ranker = TwoStage
    options = MappingProxyType(
        {
            **FEW,
            "text": False,
            "sources": ("neighbours", "again"),
            "groups": ("neighbours", "again"),
            "breadth": 0.1,
            "kinds": ("view", "purchase"),
        }
    )
