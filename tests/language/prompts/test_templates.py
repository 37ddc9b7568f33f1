"""Templates: names in braces, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.language.prompts.templates import fill, names


def test_names_are_found_once_in_their_order() -> None:
    assert names("{b} and {a}, {b} {{c}}") == ("b", "a")


@pytest.mark.parametrize(
    "template", ["{", "}", "{A}", "{a.b}", "{a!r}", "{0}", "{}", "{a b}", "{a:>9}", "{{{"]
)
def test_a_brace_that_encloses_no_name_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="encloses no name"):
        names(template)


def test_doubled_braces_are_braces() -> None:
    assert fill("{{x}} {a} }}", {"a": "1"}) == "{x} 1 }"


@given(st.text(), st.text())
def test_a_value_is_put_in_as_it_is(one: str, other: str) -> None:
    assert fill("<{a}|{b}>", {"a": one, "b": other}) == f"<{one}|{other}>"


def test_a_name_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="a"):
        fill("{a}", {})
