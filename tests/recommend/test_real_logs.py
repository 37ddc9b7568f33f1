"""Bands measured on real logs: a change that makes a ranker much worse, or too good to be true, is seen."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from conftest import ROOT, shared_data

from mercer.contracts import Dataset, Holdout
from mercer.evaluation import score_ranking, value
from mercer.recommend import BuyAgain, ItemKnn, MostPopular, ScoringRanker


@pytest.fixture
def quality(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark that made the numbers of decision 0012; its splits are used here."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import recommend_quality

    sys.modules.pop("recommend_quality")
    return recommend_quality


def ndcg(ranker: ScoringRanker, train: Dataset, holdout: Holdout) -> float:
    codes = np.arange(len(train.vocabulary), dtype=np.int32)
    fitted = ranker.fit(train)
    return value(score_ranking(holdout, score=lambda block: fitted.score(block, codes)), "ndcg@10")


def test_neighbours_on_beauty(quality: ModuleType) -> None:
    train, _, test = quality.beauty(shared_data("amazon-beauty"))
    assert (train.interactions.n_events, len(train.vocabulary), len(test)) == (153_776, 12_101, 22_363)
    some = test.take(np.arange(0, len(test), 11))
    assert 0.045 < ndcg(ItemKnn(), train, some) < 0.063
    assert 0.003 < ndcg(MostPopular(), train, some) < 0.009


@pytest.mark.parametrize(
    ("ranker", "repeats", "low", "high"), [(ItemKnn, False, 0.07, 0.082), (BuyAgain, True, 0.26, 0.29)]
)
def test_the_best_of_each_target_on_retail(
    quality: ModuleType, ranker: type[ScoringRanker], repeats: bool, low: float, high: float
) -> None:
    file: Path = shared_data("online-retail") / "online_retail.parquet"
    train, _, test = quality.retail(file, repeats=repeats)
    assert low < ndcg(ranker(), train, test) < high
    assert ndcg(MostPopular(), train, test) < low / 2
