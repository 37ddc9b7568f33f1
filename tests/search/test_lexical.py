"""The index: BM25 by hand, the same files every time, never written to once saved."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from mercer.errors import DamagedError
from mercer.search.documents import Document
from mercer.search.lexical import MAX_QUERY_TERMS, LexicalIndex

TEXT = {"all": 1.0}
BOTH = {"all": 1.0, "title": 1.0}


def index(*titles: str) -> LexicalIndex:
    return LexicalIndex.build(
        [Document({"title": title}, (title.lower(),)) for title in titles], plurals=True
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def bm25(n_items: int, n_holding: int, times: int, length: int, mean_length: float) -> float:
    idf = math.log(1 + (n_items - n_holding + 0.5) / (n_holding + 0.5))
    return idf * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * length / mean_length))


def test_scores_are_bm25() -> None:
    codes, scores = index("red mug", "blue mug", "blue blue lamp shade").matches(["blue"], TEXT)
    assert codes.tolist() == [1, 2]
    assert scores[0] == pytest.approx(bm25(3, 2, 1, 2, 8 / 3), rel=1e-5)
    assert scores[1] == pytest.approx(bm25(3, 2, 2, 4, 8 / 3), rel=1e-5)


def test_scores_add_over_terms_and_title() -> None:
    held = index("red mug", "blue lamp")
    red, mug, both = (held.matches(words, TEXT)[1][0] for words in (["red"], ["mug"], ["red", "mug"]))
    assert both == pytest.approx(red + mug, rel=1e-6)
    assert held.matches(["red"], BOTH)[1][0] == pytest.approx(2 * red, rel=1e-6)


def test_the_best_field_of_a_term_counts_in_full_and_the_others_by_the_tie() -> None:
    documents = [
        Document({"title": "red mug", "brand": "red"}, ()),
        Document({"title": "lamp", "brand": "x"}, ()),
    ]
    held = LexicalIndex.build(documents, plurals=True, apart=("title", "brand"))
    title, brand = (held.matches(["red"], {name: 1.0})[1][0] for name in ("title", "brand"))
    weights = {"title": 2.0, "brand": 1.0}
    for tie in (0.0, 0.3, 1.0):
        best, other = max(2 * title, brand), min(2 * title, brand)
        assert held.matches(["red"], weights, tie=tie)[1][0] == pytest.approx(best + tie * other, rel=1e-6)


def test_only_the_texts_named_are_indexed() -> None:
    documents = [Document({"title": "mug", "attributes": "blue"}, ())]
    held = LexicalIndex.build(documents, plurals=True, together=("title",), apart=())
    assert len(held.matches(["blue"], TEXT)[0]) == 0
    assert len(held.matches(["mug"], TEXT)[0]) == 1


def test_a_term_counts_once_and_a_long_query_is_cut() -> None:
    held = index("red mug", "blue lamp")
    assert held.matches(["red", "red"], TEXT)[1] == held.matches(["red"], TEXT)[1]
    unknown = [f"w{number}" for number in range(MAX_QUERY_TERMS)]
    assert len(held.matches([*unknown, "red"], TEXT)[0]) == 0


def test_nothing_asked_nothing_found() -> None:
    assert len(index("red mug").matches([], BOTH)[0]) == 0
    assert len(index("red mug").identified([])) == 0
    assert len(index().matches(["red"], BOTH)[0]) == 0


def test_identifiers_are_found_whole() -> None:
    held = index("a", "ab", "a")
    assert held.identified(["a"]).tolist() == [0, 2]
    assert held.identified(["ab", "x"]).tolist() == [1]


def test_the_same_documents_give_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        index("red mug", "blue mug").save(tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_saved_index_is_opened_by_many_and_written_by_none(tmp_path: Path) -> None:
    index("red mug", "blue mug").save(tmp_path)
    before = contents(tmp_path)
    held = [LexicalIndex.open(tmp_path) for _ in range(3)]
    assert [len(one.matches(["mug"], TEXT)[0]) for one in held] == [2, 2, 2]
    assert contents(tmp_path) == before


def test_a_loaded_index_can_be_saved_again(tmp_path: Path) -> None:
    index("red mug").save(tmp_path / "one")
    held = LexicalIndex.open(tmp_path / "one")
    held.save(tmp_path / "two")
    held.save(tmp_path / "one")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_missing_or_damaged_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        LexicalIndex.open(tmp_path / "none")
    index("red mug").save(tmp_path)
    (tmp_path / "meta.json").write_text("{")
    with pytest.raises(DamagedError):
        LexicalIndex.open(tmp_path)
