from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.data.personal import holds, redact

# Numbers that issuers publish for tests of payment forms.
CARDS = (
    "4111 1111 1111 1111", "5555-5555-5555-4444", "2223003122003222", "378282246310005", "6011111111111117",
    "3530111333300000", "30569309025904", "5018 0000 0009", "4000056655665556",
)  # fmt: skip


@pytest.mark.parametrize("number", CARDS)
def test_a_card_number_is_found_among_words_and_taken_out(number: str) -> None:
    text = f"refund to {number}, please"
    assert holds(text, "card")
    assert redact(text, "card") == "refund to ‹card›, please"


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112", "1111111111111111", "0000 0000 0000 0000", "call 020 7946 0000", "order 4111111",
        "9111111111111111", "set of 12 mugs", "", "411111111111111141111111111111", "2026-03-01 10:20:30",
    ],
)  # fmt: skip
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not holds(text, "card")
    assert redact(text, "card") == text


@given(st.from_regex(r"4[0-9]{15}", fullmatch=True), st.integers(1, 9))
def test_a_changed_digit_is_no_card(number: str, step: int) -> None:
    digits = number[:-1]
    total = sum(int(d) for d in digits[-2::-2]) + sum(sum(divmod(2 * int(d), 10)) for d in digits[-1::-2])
    check = -total % 10
    assert holds(f"{digits}{check}", "card") == (len(set(f"{digits}{check}")) > 1)
    assert not holds(f"{digits}{(check + step) % 10}", "card")
