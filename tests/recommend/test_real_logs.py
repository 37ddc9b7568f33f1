"""Bands measured on real logs: a change that makes a ranker much worse, or too good to be true, is seen."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from conftest import ROOT, shared_data

from mercer.contracts import Dataset, Holdout
from mercer.evaluation import score_ranking, value
from mercer.recommend import BuyAgain, ItemKnn, MostPopular, ScoringRanker


@pytest.fixture
def quality(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark that made the numbers of docs/results; its splits are used here."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import recommend_quality

    sys.modules.pop("recommend_quality")
    return recommend_quality


def ndcg(ranker: ScoringRanker, train: Dataset, holdout: Holdout) -> float:
    codes = np.arange(len(train.vocabulary), dtype=np.int32)
    fitted = ranker.fit(train)
    return value(score_ranking(holdout, score=lambda block: fitted.score(block, codes)), "ndcg@10")


def test_beauty(quality: ModuleType) -> None:
    split = quality.load("beauty", shared_data("amazon-beauty"))["beauty/next-item"]
    train, test = split.train, split.test
    assert (train.interactions.n_events, len(train.vocabulary), len(test)) == (153_776, 12_101, 22_363)
    some = test.take(np.arange(0, len(test), 11))
    assert 0.045 < ndcg(ItemKnn(), train, some) < 0.063
    assert 0.003 < ndcg(MostPopular(), train, some) < 0.009


def test_online_retail(quality: ModuleType) -> None:
    splits = quality.load("online-retail", shared_data("online-retail"))
    for target, ranker, low, high in (
        ("next-item", ItemKnn(), 0.07, 0.082),
        ("next-item-repeats", BuyAgain(), 0.26, 0.29),
    ):
        split = splits[f"online-retail/{target}"]
        assert low < ndcg(ranker, split.train, split.test) < high
        assert ndcg(MostPopular(), split.train, split.test) < low / 2
