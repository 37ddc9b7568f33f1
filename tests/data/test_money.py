from __future__ import annotations

import pytest

from mercer.data.money import decimals, uneven


@pytest.mark.parametrize(
    ("currency", "expected"),
    [("GBP", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("TND", 3), (None, 2)],
)
def test_decimals_are_those_of_iso_4217(currency: str | None, expected: int) -> None:
    assert decimals(currency) == expected


def test_the_uneven_ones_are_all_told() -> None:
    assert set(uneven().values()) == {0, 3}
    assert all(decimals(code) == count for code, count in uneven().items())
