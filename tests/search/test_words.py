"""Terms: what a person types and what a catalogue prints meet in the same words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.search.words import MAX_CHARACTERS, MAX_TERM, singular, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Brother TN-2110 toner", ["brother", "tn", "2110", "tn2110", "toner"]),
        ("dv7-1211ea", ["dv7", "1211ea", "dv71211ea"]),
        ("Wi-Fi", ["wi", "fi", "wifi"]),
        ("and/or", ["and", "or"]),
        ("StarTech.com", ["startech", "com"]),
        ('15,6" and 15.6 inch', ["15.6", "and", "15.6", "inch", "15.6inch"]),
        ("256GB", ["256", "gb", "256gb"]),
        ("256 GB", ["256", "gb", "256gb"]),
        ("1,000 mAh", ["1000", "mah", "1000mah"]),
        ("Intel® Core™2 Duo", ["intel", "core", "2", "duo"]),
        ("Café Crème", ["cafe", "creme"]),
        ("Women's ﬁt Ⅷ", ["women", "fit", "viii"]),
        ("snake_case", ["snake", "case"]),
        ("無線マウス", ["無線", "線マ", "マウ", "ウス"]),
        ("猫 cat", ["猫", "cat"]),
        ('+ - && || ! ( ) { } [ ] ^ " ~ * ? : \\', []),
        ("", []),
        ("\0a\0", ["a"]),
        ("\ud800x", ["x"]),
    ],
)
def test_terms_of_product_text(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("plural", "expected"),
    [("batteries", "battery"), ("speakers", "speaker"), ("cases", "case"),
     ("shoes", "shoe"), ("glass", "glass"),
     ("bus", "bus"), ("gas", "gas"), ("2010s", "2010s"), ("laptop", "laptop")],
)  # fmt: skip
def test_plural_endings(plural: str, expected: str) -> None:
    assert singular(plural) == expected


def test_plurals_can_be_left_alone() -> None:
    assert terms("batteries", plurals=False) == ["batteries"]


@given(st.text(max_size=200))
def test_terms_are_short_words_that_read_as_themselves(text: str) -> None:
    for term in terms(text, plurals=False):
        assert term
        assert len(term) <= MAX_TERM
        assert not set(term) & set(" \t\n\0\"'()[]{}:^~*?+!&|\\/-_")
        term.encode("utf-8")


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=60))
def test_case_changes_nothing(text: str) -> None:
    assert terms(text.upper()) == terms(text.lower())


def test_a_text_of_a_million_characters_is_cut() -> None:
    assert len(terms("ab " * 400_000)) == MAX_CHARACTERS // 3 + 1
    assert terms("x" * 1_000_000) == ["x" * MAX_TERM]
