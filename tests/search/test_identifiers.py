"""Article numbers: one identifier however it is spelled."""

from __future__ import annotations

import pytest

from mercer.search.identifiers import candidates, normal


@pytest.mark.parametrize(
    ("one", "other"),
    [("TN-2110", "tn 2110"), ("978-3-16-148410-0", "9783161484100"), ("012502618843", "0012502618843"),
     ("006R90321", "006r90321"), ("A/B.C", "abc")],
)  # fmt: skip
def test_spellings_of_one_number(one: str, other: str) -> None:
    assert normal(one) == normal(other) != ""


@pytest.mark.parametrize(("one", "other"), [("007", "7"), ("10", "100"), ("TN-2110", "TN-2111")])
def test_different_numbers(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@pytest.mark.parametrize("text", ["", "  ", "---", "\0", "x" * 65, "x" * 1_000_000])
def test_no_identifier(text: str) -> None:
    assert normal(text) == ""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("7", ["7"]),
        ("toner TN-2110", ["tonertn2110", "tn2110"]),
        ("windows 10", ["windows10"]),
        ("rtx 2060", ["rtx2060"]),
        ("4977766654319", ["4977766654319"]),
        ("", []),
    ],
)
def test_what_in_a_query_may_be_one(query: str, expected: list[str]) -> None:
    assert candidates(query) == expected
