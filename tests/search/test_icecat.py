"""Quality on a real catalogue: the rankers reach the level that was measured when they were chosen.

Chorus electronics catalogue (Icecat), 116 queries with a relevant product; gain 2^grade - 1, unjudged is 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from conftest import shared_data

from mercer.contracts import Budget, Dataset, Rankings
from mercer.environment import encoder_folder
from mercer.language.exported import MODEL
from mercer.search import Bm25, Bm25Minilm

from .small_catalogue import asked, catalogue


@pytest.fixture(scope="module")
def icecat() -> tuple[Dataset, dict[str, dict[int, int]]]:
    folder = shared_data("icecat-search")
    products = pd.read_parquet(folder / "products.parquet")
    columns = {"id": "item", "title": "title", "short_description": "text", "supplier": "brand", "ean": "ean"}
    train = catalogue(products[[*columns, "attributes"]].rename(columns=columns).to_dict("records"))
    ratings = pd.read_csv(folder / "ratings.csv", dtype={"docid": str})
    ratings["code"] = train.vocabulary.encode(ratings["docid"].tolist())
    grades = {
        str(query): dict(zip(rows["code"].tolist(), rows["rating"].tolist(), strict=True))
        for query, rows in ratings.groupby("query")
        if rows["rating"].max() >= 1
    }
    assert len(grades) == 116
    return train, grades


def mean_ndcg(answer: Rankings, grades: list[dict[int, int]]) -> float:
    discount = 1 / np.log2(np.arange(2, 12))

    def dcg(held: list[int]) -> float:
        gains: npt.NDArray[np.float64] = 2.0 ** np.array([*held, *[0] * 10][:10]) - 1
        return float(gains @ discount)

    values = [
        dcg([judged.get(code, 0) for code in row]) / dcg(sorted(judged.values(), reverse=True))
        for row, judged in zip(answer.items.tolist(), grades, strict=True)
    ]
    return float(np.mean(values))


def test_bm25_reaches_its_documented_level(icecat: tuple[Dataset, dict[str, dict[int, int]]]) -> None:
    train, grades = icecat
    answer = Bm25().fit(train).rank(asked(train, *grades), 10)
    assert mean_ndcg(answer, list(grades.values())) >= 0.719


def test_an_ean_finds_its_product_first(icecat: tuple[Dataset, dict[str, dict[int, int]]]) -> None:
    train, _ = icecat
    codes = list(range(0, len(train.vocabulary), 400))
    held = train.items["ean"].iloc[codes]
    answer = Bm25().fit(train).rank(asked(train, *held), 1)
    found = train.items["ean"].iloc[answer.items[:, 0]]
    assert found.tolist() == held.tolist()


@pytest.mark.slow
@pytest.mark.encoder
@pytest.mark.skipif(not (encoder_folder() / MODEL).is_dir(), reason="the encoder is not exported")
def test_fusion_reaches_its_documented_level(icecat: tuple[Dataset, dict[str, dict[int, int]]]) -> None:
    train, grades = icecat
    ranker = Bm25Minilm().fit(train, budget=Budget(3600))
    assert mean_ndcg(ranker.rank(asked(train, *grades), 10), list(grades.values())) >= 0.767
