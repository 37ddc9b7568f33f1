"""Spelling: words that the catalogue lacks, one edit, never a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.contracts import NO_ITEM
from mercer.search import Bm25
from mercer.search.spelling import Speller

from .small_catalogue import asked, catalogue

WORDS = {"printer": 9, "toner": 5, "tones": 5, "battery": 3, "capsule": 2, "phone": 7, "creme": 1}
SPELLER = Speller(WORDS)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pinter", "printer"),
        ("pprinter", "printer"),
        ("prihter", "printer"),
        ("pritner", "printer"),
        ("Prinetr, black", "printer, black"),
        ("pritners", "printer"),
        ("batery", "battery"),
        ("crème tomer", "crème toner"),
    ],
)
def test_one_edit_is_mended(typed: str, meant: str) -> None:
    assert SPELLER.corrected(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "printer",
        "Printers",
        "capsules",
        "pimter",
        "tuner",
        "pone",
        "prin7er",
        "tn-pinter1",
        "pinter-2140",
        "x" * 40,
        "",
        " ",
        "\0",
        "無線",
    ],
)
def test_what_is_left_alone(typed: str) -> None:
    words = Speller({**WORDS, "tuner": 1})
    assert words.corrected(typed) == typed


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("prointres", "printer"), ("bettary", "battery"), ("kapsuls", "capsule"), ("batttr", "batttr")],
)
def test_a_longer_word_may_be_two_edits_away(typed: str, meant: str) -> None:
    assert SPELLER.corrected(typed) == meant


def test_one_edit_goes_before_two() -> None:
    words = Speller({"casserole": 1, "casseroles": 1, "caserolle": 90})
    assert words.corrected("casserolle") in ("casserole", "caserolle")
    assert Speller({"blanket": 1, "blinked": 90}).corrected("blankte") == "blanket"


def test_a_word_of_the_language_is_no_slip() -> None:
    assert Speller(WORDS).corrected("pointer") == "printer"
    assert Speller(WORDS, frozenset({"pointer"})).corrected("pointer") == "pointer"
    assert Speller(WORDS, frozenset({"pointer"})).corrected("Pointers") == "Pointers"


def test_the_commonest_word_wins_and_then_the_alphabet() -> None:
    assert Speller({"toner": 1, "tones": 2}).corrected("tonex") == "tones"
    assert Speller({"tones": 2, "toner": 2}).corrected("tonex") == "toner"


@given(st.text(max_size=60))
def test_a_query_keeps_its_spaces_and_everything_with_a_digit(query: str) -> None:
    corrected = SPELLER.corrected(query)
    before, after = query.split(), corrected.split()
    assert len(before) == len(after)
    for typed, searched in zip(before, after, strict=True):
        if any(c.isdigit() for c in typed):
            assert searched == typed


@given(st.sampled_from(sorted(WORDS)))
def test_a_word_of_the_catalogue_stays(word: str) -> None:
    assert SPELLER.corrected(word) == word


def test_a_catalogue_without_words_corrects_nothing() -> None:
    assert Speller({}).corrected("pinter") == "pinter"


def test_a_misspelt_query_finds_and_an_article_number_is_read_as_typed() -> None:
    train = catalogue()
    on, off = (Bm25(Bm25.Options(spelling=spelling)).fit(train) for spelling in (True, False))
    request = asked(train, "rechargable")
    assert on.rank(request, 1).items[0, 0] == 5
    assert off.rank(request, 1).items[0, 0] == NO_ITEM
    assert on.rank(asked(train, "49777666543I9", "4977766654319"), 1).items[:, 0].tolist() == [NO_ITEM, 0]
