"""`bm25`: words decide, numbers come first, no query can break it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from mercer.contracts import NO_ITEM, Ragged
from mercer.errors import DamagedError, DataError, UnsupportedError, UsageError
from mercer.search import Bm25, Bm25Fields
from mercer.testing.rankers import RankerContract

from .small_catalogue import asked, catalogue

TRAIN = catalogue()
FITTED = Bm25().fit(TRAIN)

STRANGE = (
    "\0", "a\0b", "\ud800", "🎧", "title:usb", "usb AND hub", "+usb -hub", "\"usb hub", "usb*", "(usb",
    "usb^3", "/us.*/", "[a TO b]", "*", "!", "' OR 1=1 --", "<script>", "%00", "\u202eusb", "usb\n\r\thub",
    "x" * 1_000_000, "usb " * 250_000, "無線", "١٢٣",
)  # fmt: skip


def answered(query: str, **rules: Ragged) -> list[str]:
    items = FITTED.rank(asked(TRAIN, query, **rules), 8).items[0]
    return TRAIN.vocabulary.decode(items[items != NO_ITEM])


class TestContract(RankerContract):
    ranker = Bm25


class TestFieldsContract(RankerContract):
    ranker = Bm25Fields


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("toner for printers", "100"),
        ("laser printers", "200"),
        ("laptop 256 gb", "300"),
        ("wifi", "300"),
        ("rechargeable battery", "600"),
        ("CAFE CREME", "700"),
        ("15,6 notebook", "300"),
        ("silver", "300"),
    ],
)
def test_words_of_the_query_find_the_item(query: str, first: str) -> None:
    assert answered(query)[0] == first


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("800", "800"),
        ("0012502618843", "200"),
        ("012502618843", "200"),
        ("4977766 654319", "100"),
        ("dv7 1211ea", "300"),
        ("usb hub laptops dv7-1211ea", "300"),
    ],
)
def test_an_article_number_comes_first(query: str, first: str) -> None:
    assert answered(query)[0] == first


def test_an_item_without_a_word_of_the_query_is_no_answer() -> None:
    answer = FITTED.rank(asked(TRAIN, "usb"), 8)
    assert answered("usb") == ["400", "500"]
    assert (answer.items[0, 2:] == NO_ITEM).all()
    assert np.isneginf(FITTED.score(asked(TRAIN, "usb"), np.array([0, 3], np.int32))[0, 0])


def test_equal_texts_tie_and_stand_in_order_of_the_catalogue() -> None:
    scores = FITTED.score(asked(TRAIN, "usb hub"), np.array([3, 4], np.int32))
    assert scores[0, 0] == scores[0, 1]
    assert answered("usb hub") == ["400", "500"]


@pytest.mark.parametrize("query", ["", "   ", "!?", "zzxxq"])
def test_nothing_to_look_for_gives_an_empty_list(query: str) -> None:
    assert answered(query) == []


@pytest.mark.parametrize("query", STRANGE, ids=range(len(STRANGE)))
def test_no_character_is_an_operator(query: str) -> None:
    words = " ".join(re.findall("[A-Za-z0-9]+", query))
    assert answered(query) == answered(words)


def test_a_filter_is_exact_however_far_down_its_items_stand() -> None:
    rows = [{"item": str(n), "title": "usb " * (1 + n % 7) + "hub"} for n in range(500)]
    train = catalogue(rows)
    ranker = Bm25().fit(train)
    codes = np.arange(500, dtype=np.int32)
    scores = ranker.score(asked(train, "usb hub"), codes)[0]
    last = np.lexsort((codes, -scores))[-5:]
    answer = ranker.rank(asked(train, "usb hub", allow=Ragged.from_rows([last])), 10)
    assert answer.items[0, :5].tolist() == last.tolist()
    assert (answer.items[0, 5:] == NO_ITEM).all()


def test_a_pinned_item_without_a_match_has_score_zero() -> None:
    answer = FITTED.rank(asked(TRAIN, "usb", pin=Ragged.from_rows([[7]])), 4)
    assert answer.items[0].tolist() == [7, 3, 4, NO_ITEM]
    assert answer.scores[0, 0] == 0


def test_titles_can_count_as_much_as_wanted() -> None:
    rows = [
        {"item": "a", "title": "desk", "text": "lamp lamp lamp"},
        {"item": "b", "title": "lamp", "text": "of brass and glass"},
    ]
    train = catalogue(rows)
    for weight, first in ((0.0, 0), (2.0, 1)):
        ranker = Bm25(Bm25.Options(title_weight=weight)).fit(train)
        assert ranker.rank(asked(train, "lamp"), 1).items[0, 0] == first


def test_attributes_are_text_where_wanted() -> None:
    for attributes, first in ((True, 2), (False, NO_ITEM)):
        ranker = Bm25(Bm25.Options(attributes=attributes)).fit(TRAIN)
        assert ranker.rank(asked(TRAIN, "silver"), 1).items[0, 0] == first
        assert ranker.rank(asked(TRAIN, "dv7-1211ea"), 1).items[0, 0] == 2


def test_a_word_counts_by_its_best_field() -> None:
    rows = [
        {"item": "a", "title": "desk lamp", "text": "oak and brass", "brand": "Moor"},
        {"item": "b", "title": "oak lamp", "text": "oak and brass", "brand": "Moor"},
        {"item": "c", "title": "chair", "text": "made of ash and glass", "brand": "Oak"},
    ]
    train = catalogue(rows)

    def scores(**options: float) -> list[float]:
        ranker = Bm25Fields(Bm25Fields.Options(**options)).fit(train)
        return ranker.score(asked(train, "oak"), np.arange(3, dtype=np.int32))[0].tolist()

    title, text = scores(text_weight=0, brand_weight=0)[1], scores(brand_weight=0)[0]
    assert scores()[1] == pytest.approx(max(title, text))
    assert scores(tie=1)[1] == pytest.approx(title + text)
    assert scores(tie=0.5)[1] == pytest.approx(max(title, text) + min(title, text) / 2)
    assert scores(brand_weight=2)[2] == pytest.approx(2 * scores()[2])


def test_a_field_of_weight_zero_is_not_searched() -> None:
    ranker = Bm25Fields(Bm25Fields.Options(attributes_weight=0)).fit(TRAIN)
    assert ranker.rank(asked(TRAIN, "silver"), 1).items[0, 0] == NO_ITEM
    assert Bm25Fields().fit(TRAIN).rank(asked(TRAIN, "silver"), 1).items[0, 0] == 2


def test_a_catalogue_with_damaged_texts_is_indexed() -> None:
    rows = [
        {"item": "a", "title": "usb\0hub", "text": "\x01", "attributes": "{"},
        {"item": "b", "title": "", "text": None},
        {"item": "c", "title": "y " * 500_000},
    ]
    train = catalogue(rows)
    assert Bm25().fit(train).rank(asked(train, "hub"), 3).items[0].tolist() == [0, NO_ITEM, NO_ITEM]


def test_wrong_use_is_told() -> None:
    with pytest.raises(UnsupportedError, match="not fitted"):
        Bm25().rank(asked(TRAIN, "usb"), 3)
    with pytest.raises(UsageError, match="k is 0"):
        FITTED.rank(asked(TRAIN, "usb"), 0)
    other = catalogue([{"item": "x", "title": "usb"}])
    with pytest.raises(DataError, match="another catalogue"):
        FITTED.rank(asked(other, "usb"), 3)
    request = asked(TRAIN, "usb")
    object.__setattr__(request, "query", None)
    with pytest.raises(UnsupportedError, match="queries"):
        FITTED.rank(request, 3)


def test_two_fits_write_the_same_bytes_and_loading_writes_none(tmp_path: Path) -> None:
    def contents(folder: Path) -> dict[str, bytes]:
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        Bm25().fit(TRAIN).save(tmp_path / name)
    before = contents(tmp_path / "one")
    assert before == contents(tmp_path / "two")
    loaded = [Bm25.load(tmp_path / "one") for _ in range(2)]
    assert [one.rank(asked(TRAIN, "usb"), 1).items[0, 0] for one in loaded] == [3, 3]
    assert contents(tmp_path / "one") == before


@pytest.mark.parametrize("name", ["index.json", "options.yaml", "lexical/meta.json"])
def test_a_damaged_folder_is_refused(tmp_path: Path, name: str) -> None:
    FITTED.save(tmp_path)
    (tmp_path / name).write_text("{")
    with pytest.raises(DamagedError):
        Bm25.load(tmp_path)


def test_another_rankers_folder_is_refused(tmp_path: Path) -> None:
    FITTED.save(tmp_path)
    text = (tmp_path / "index.json").read_text()
    (tmp_path / "index.json").write_text(text.replace("bm25", "other"))
    with pytest.raises(DamagedError, match="holds other"):
        Bm25.load(tmp_path)
