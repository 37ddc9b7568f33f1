"""`bm25-minilm`: both halves count, filters are exact, the saved folder is all that serving needs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.contracts import NO_ITEM, Budget, Ragged, Rankings, Runtime
from mercer.environment import encoder_folder
from mercer.errors import DamagedError, MissingExtraError
from mercer.language import MiniLm
from mercer.language.exported import MODEL
from mercer.search import Bm25, Bm25Fields, Bm25Minilm, FieldsMinilm, Minilm
from mercer.search.fusion import competition_ranks, scaled
from mercer.testing.rankers import RankerContract

from .small_catalogue import asked, catalogue

pytestmark = [
    pytest.mark.encoder,
    pytest.mark.skipif(
        not (encoder_folder() / MODEL).is_dir(), reason="the encoder is not exported; run: make setup"
    ),
]

TRAIN = catalogue()
ALL = np.arange(len(TRAIN.vocabulary), dtype=np.int32)


@pytest.fixture(scope="module")
def fitted() -> Bm25Minilm:
    return Bm25Minilm().fit(TRAIN)


class TestContract(RankerContract):
    ranker = Bm25Minilm
    options: ClassVar[dict[str, bool]] = {"bundle_encoder": False}


class TestFieldsContract(RankerContract):
    ranker = FieldsMinilm
    options: ClassVar[dict[str, bool]] = {"bundle_encoder": False}


class TestConvexContract(RankerContract):
    ranker = Bm25Minilm
    options: ClassVar[dict[str, bool | str]] = {"bundle_encoder": False, "join": "convex"}


def test_scores_are_scaled_from_the_least_possible_to_the_greatest_found() -> None:
    scores = np.array([0.5, -np.inf, 2.0], np.float32)
    assert scaled(scores, 0.0).tolist() == [0.25, 0.0, 1.0]
    assert scaled(scores, -1.0).tolist() == [0.5, 0.0, 1.0]
    assert scaled(np.full(3, -np.inf, np.float32), 0.0).tolist() == [0.0, 0.0, 0.0]
    assert scaled(scores[:0], 0.0).tolist() == []


def test_a_convex_score_is_the_weighted_sum_of_both_halves() -> None:
    request = asked(TRAIN, "usb hub")
    words = Bm25Fields().fit(TRAIN).score(request, ALL)[0]
    near = Minilm().fit(TRAIN).score(request, ALL)[0]
    options = FieldsMinilm.Options(join="convex", meaning_share=0.3)
    got = FieldsMinilm(options).fit(TRAIN).score(request, ALL)[0]
    wanted = 0.7 * np.where(words > 0, words / words.max(), 0) + 0.3 * (near + 1) / (near.max() + 1)
    assert got == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("join", ["reciprocal", "convex"])
def test_a_share_of_all_or_nothing_leaves_one_half(join: str) -> None:
    request = asked(TRAIN, "printers toner")
    for share, other in ((0.0, Bm25()), (1.0, Minilm())):
        ranker = Bm25Minilm(Bm25Minilm.Options(join=join, meaning_share=share)).fit(TRAIN)
        alone = other.fit(TRAIN).rank(request, 8).items[0]
        found = alone[alone != NO_ITEM]
        assert ranker.rank(request, 8).items[0, : len(found)].tolist() == found.tolist()


def test_equal_scores_share_the_better_rank() -> None:
    scores = np.array([0.5, 0.9, 0.5, -1.0, 0.1], np.float32)
    assert competition_ranks(scores).tolist() == [2, 1, 2, 5, 4]
    assert competition_ranks(scores[:0]).tolist() == []


@given(st.lists(st.integers(-3, 3), max_size=30))
def test_a_rank_is_one_and_the_number_of_greater(values: list[int]) -> None:
    ranks = competition_ranks(np.array(values, np.float32))
    assert ranks.tolist() == [1 + sum(other > value for other in values) for value in values]


def test_a_score_is_the_sum_of_reciprocal_ranks(fitted: Bm25Minilm) -> None:
    query = "usb hub"
    words = Bm25().fit(TRAIN).score(asked(TRAIN, query), ALL)[0]
    encoder = MiniLm()
    titles = [
        "Brother TN-2110 toner black. Original toner for HL-2140 printers.",
        "USB-C hub. Adds four ports to laptops.",
    ]
    near = encoder.encode(titles) @ encoder.encode([query], "query")[0]
    assert near[1] > near[0]
    got = fitted.score(asked(TRAIN, query), ALL)[0]
    assert np.isneginf(words[0])
    assert got[3] == got[4] == pytest.approx(1 / 61 + 1 / 61)
    assert got[0] < 1 / 61


def test_meaning_finds_what_no_word_does(fitted: Bm25Minilm) -> None:
    query = "espresso"
    assert (Bm25().fit(TRAIN).rank(asked(TRAIN, query), 3).items == NO_ITEM).all()
    assert fitted.rank(asked(TRAIN, query), 1).items[0, 0] == 6


def test_an_article_number_comes_first(fitted: Bm25Minilm) -> None:
    answer = fitted.rank(asked(TRAIN, "0012502618843", "usb hub 4977766654319"), 2)
    assert answer.items[:, 0].tolist() == [1, 0]
    assert (answer.scores[:, 0] >= 1).all()


@pytest.mark.parametrize("query", ["", "  ", "\0", "?!", "\ud800"])
def test_nothing_to_look_for_gives_an_empty_list(fitted: Bm25Minilm, query: str) -> None:
    assert (fitted.rank(asked(TRAIN, query), 3).items == NO_ITEM).all()


@pytest.mark.parametrize("query", ["title:usb", "usb\0hub", "x" * 1_000_000, "無線 マウス", "' OR 1=1 --"])
def test_strange_queries_are_answered(fitted: Bm25Minilm, query: str) -> None:
    assert (fitted.rank(asked(TRAIN, query), 3).items != NO_ITEM).all()


def test_a_filter_is_applied_before_the_list_is_cut(fitted: Bm25Minilm) -> None:
    whole = fitted.rank(asked(TRAIN, "laptop"), len(ALL)).items[0]
    for n in range(1, len(ALL) + 1):
        last = whole[-n:]
        answer = fitted.rank(asked(TRAIN, "laptop", allow=Ragged.from_rows([last])), n)
        assert answer.items[0].tolist() == last.tolist()


def test_rank_agrees_with_score_in_one_batch_and_alone(fitted: Bm25Minilm) -> None:
    queries = ("laptop", "toner", "battery", "coffee")
    together = fitted.score(asked(TRAIN, *queries), ALL)
    alone = np.concatenate([fitted.score(asked(TRAIN, query), ALL) for query in queries])
    assert np.array_equal(together, alone)
    assert np.array_equal(fitted.rank(asked(TRAIN, *queries), 4).items, Rankings.top_k(together, 4).items)


def test_a_budget_that_ends_leaves_items_to_their_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ranker = Bm25Minilm().fit(TRAIN, budget=Budget(0.0))
    assert "7 of 7" in caplog.text
    answer = ranker.rank(asked(TRAIN, "usb", "espresso"), 3)
    assert answer.items.tolist() == [[3, 4, NO_ITEM], [NO_ITEM] * 3]


def test_a_catalogue_is_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Bm25Minilm().fit(TRAIN, runtime=Runtime(cache_folder=tmp_path))

    def refuse(*_: object) -> None:
        raise AssertionError("a text was encoded twice")

    monkeypatch.setattr(MiniLm, "encode", refuse)
    second = Bm25Minilm().fit(TRAIN, runtime=Runtime(cache_folder=tmp_path))
    monkeypatch.undo()
    request = asked(TRAIN, "laptop")
    assert np.array_equal(first.score(request, ALL), second.score(request, ALL))


def test_the_saved_folder_needs_no_other_encoder(
    fitted: Bm25Minilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted.save(tmp_path)
    monkeypatch.setenv("MERCER_ENCODERS", str(tmp_path / "nowhere"))
    loaded = Bm25Minilm.load(tmp_path)
    request = asked(TRAIN, "laptop", "espresso")
    assert np.array_equal(loaded.score(request, ALL), fitted.score(request, ALL))


def test_without_the_encoder_make_setup_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCER_ENCODERS", str(tmp_path / "nowhere"))
    with pytest.raises(MissingExtraError, match="make setup"):
        Bm25Minilm().fit(TRAIN)


def test_vectors_of_another_encoder_are_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    ranker = Bm25Minilm(Bm25Minilm.Options(bundle_encoder=False)).fit(TRAIN)
    ranker._meaning.dense = replace(ranker._meaning.dense, fingerprint="another")
    ranker.save(tmp_path)
    with pytest.raises(DamagedError, match="not the one that made"):
        Bm25Minilm.load(tmp_path)


def test_two_fits_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        ranker = Bm25Minilm(Bm25Minilm.Options(bundle_encoder=False))
        ranker.fit(TRAIN, runtime=Runtime(cache_folder=tmp_path / f"cache-{name}")).save(tmp_path / name)
    files = [
        sorted(p.relative_to(tmp_path / name) for p in (tmp_path / name).rglob("*"))
        for name in ("one", "two")
    ]
    assert files[0] == files[1]
    for path in files[0]:
        if (tmp_path / "one" / path).is_file():
            assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
