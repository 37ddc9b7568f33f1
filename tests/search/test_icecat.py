"""Quality on a real catalogue: the rankers reach the level that was measured when they were chosen, and a brief ships.

Chorus electronics catalogue (Icecat), 116 queries with a relevant product; gain 2^grade - 1, unjudged is 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from conftest import ROOT, shared_data

import mercer
from mercer.contracts import Dataset, Rankings
from mercer.environment import encoder_folder
from mercer.language.exported import MODEL
from mercer.pipeline.models import entries
from mercer.search import Bm25

from .small_catalogue import asked, catalogue

BRIEF = ROOT / "briefs" / "icecat.yaml"


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


def test_the_brief_names_models_and_options_that_exist() -> None:
    brief = mercer.Brief.load(BRIEF)
    chosen = entries("find", brief.targets["find"])
    assert {entry.model for entry in chosen} >= {"bm25", "bm25-fields", "minilm", "bm25-minilm", "search-ltr"}
    assert brief.decision.against in {entry.model for entry in chosen}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mercer.Run]:
    """The brief, walked from data to release; about five minutes, most of them for encoding."""
    data = shared_data("icecat-search")
    if not (encoder_folder() / MODEL).is_dir():
        pytest.skip("the encoder is not exported; run: make setup")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MERCER_CACHE", str(tmp_path_factory.mktemp("icecat-cache")))
        yield mercer.run(BRIEF, tmp_path_factory.mktemp("icecat") / "run", data=data)


def found(run: mercer.Run, model: str, metric: str) -> float:
    assert run.leaderboard is not None
    [row] = run.leaderboard.find(model=model, metric=metric, split="test", slice="all")
    return float(row.value)


@pytest.mark.slow
@pytest.mark.encoder
def test_the_selected_ranker_reaches_its_documented_level(run: mercer.Run) -> None:
    assert found(run, "search-ltr", "ndcg@10") >= 0.767
    assert found(run, "search-ltr", "condensed-ndcg@10") >= 0.880
    assert found(run, "bm25-minilm", "ndcg@10") >= 0.76
    assert found(run, "nested-selection", "ndcg@10") >= 0.75


@pytest.mark.slow
@pytest.mark.encoder
def test_the_brief_ships_what_was_better_than_words_alone(run: mercer.Run) -> None:
    assert run.exit_code == 0
    decision = run.summary()["decision"]
    assert (decision["verdict"], run.manifest["selected"]["find"]["model"]) == ("ship", "search-ltr")


@pytest.mark.slow
@pytest.mark.encoder
def test_the_release_answers_numbers_typing_errors_and_nothing(run: mercer.Run) -> None:
    release = mercer.load(run.path)
    products = pd.read_parquet(shared_data("icecat-search") / "products.parquet", columns=["id", "ean"])
    some = products.iloc[5::2500]
    answers = release.search([f"cheap {ean}" for ean in some["ean"]], k=1)
    assert answers["item"].tolist() == some["id"].astype(str).tolist()
    asked_for = release.search(["wireless mouse", "wireles mouse", "?!"], k=5)
    lists = [rows["item"].tolist() for _, rows in asked_for.groupby("query")]
    assert lists[0] == lists[1]
    assert len(lists) == 2
