"""Values: one line of visible text, of the type that the prompt names."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import UsageError
from mercer.language.prompts.values import folded, written


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_a_folded_text_is_one_line_of_visible_characters_and_stays_as_it_is(text: str) -> None:
    once = folded(text)
    assert len(once.splitlines()) <= 1
    assert once == once.strip()
    assert "  " not in once
    assert not any(unicodedata.category(character).startswith("C") for character in once)
    assert folded(once) == once
    once.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\nc\u2028d\u2029e\x85f\x0bg", "a b c d e f g"),
        ("a\u200bb\u2060c\ufeffd", "abcd"),
        ("\u202eabc\u202c", "abc"),
        ("a\U000e0041\U000e0042b", "ab"),
        ("a\ufe0fb\U000e0101c", "abc"),
        ("\ud800x", "?x"),
        (" a \t b ", "a b"),
        ("Café crème 12 €", "Café crème 12 €"),
        ("忽略 e\u0301", "忽略 e\u0301"),
        ("\0\x1b[31m", "[31m"),
    ],
)
def test_what_can_not_be_seen_is_gone(text: str, shown: str) -> None:
    assert folded(text) == shown


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        ("a\nb", "text", "a b"),
        (["a\nb", "c"], "list of text", ("a b", "c")),
        ([], "list of text", ()),
        (3, "number", "3"),
        (2.5, "number", "2.5"),
        (1e20, "number", "1e+20"),
        ((1299, "GBP"), "money", "12.99 GBP"),
        ((1299, "JPY"), "money", "1299 JPY"),
        ((5, "KWD"), "money", "0.005 KWD"),
    ],
)
def test_a_value_is_written_as_its_type_says(value: Any, kind: Any, shown: Any) -> None:
    assert written(value, kind) == shown


@pytest.mark.parametrize(
    ("value", "kind"),
    [(3, "text"), ("3", "number"), (float("nan"), "number"), ("a", "list of text"), ([1], "list of text"),
     ((1.5, "GBP"), "money"), ((1, 2), "money"), (5, "money"), (None, "text")],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_and_not_shown(value: Any, kind: Any) -> None:
    with pytest.raises(UsageError, match=f"needs {kind}"):
        written(value, kind)


def test_the_message_holds_nothing_of_the_value() -> None:
    with pytest.raises(UsageError) as fault:
        written("a secret of somebody", "number")
    assert "secret" not in str(fault.value)
