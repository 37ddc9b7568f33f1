"""Each rule of event logs: what it must catch is caught under its name, sound rows beside it stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ..made import EVENT, events, table

INF = float("inf")


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("nul-bytes", [{"channel": "we\0b"}, {"user": "u\0"}, {"country": "\0"}]),
        ("text-too-long", [{"channel": "x" * 1_000_000}, {"item": "y" * 100_001}]),
        ("unreadable-time", [{"time": "yesterday"}, {"time": None}, {"time": ""}, {"known_at": "later"}]),
        ("future-time", [{"time": "2026-10-02T00:00:00Z"}, {"time": "2031-01-01T00:00:00Z"}]),
        ("missing-user", [{"user": None}, {"user": "  "}]),
        ("missing-item", [{"item": None}, {"item": ""}]),
        (
            "bad-quantity",
            [
                *({"quantity": wrong} for wrong in (0, INF, 1_000_001, "two")),
                {"kind": "view", "quantity": -1},
            ],
        ),
        (
            "bad-amount",
            [{"amount_minor": wrong} for wrong in (-1, INF, -INF, 10**13, "much", 2.5)],
        ),
        ("zero-price", [{"amount_minor": 0}]),
    ],
)
def test_a_planted_row_is_quarantined_under_its_rule(
    tmp_path: Path, rule: str, changes: list[dict[str, Any]]
) -> None:
    sound = [
        {"channel": "web", "country": "UK", "known_at": EVENT["time"]},
        {"kind": "view", "amount_minor": None},
    ]
    cleaned = events(tmp_path, *sound, *changes)
    assert cleaned.reasons() == dict.fromkeys(range(2, 2 + len(changes)), rule)
    kept = cleaned.kept()
    assert kept["event"].tolist() == ["e0", "e1"]
    assert kept.loc[0, ["user", "item", "kind", "quantity", "amount_minor"]].tolist() == [
        "u1",
        "mug",
        "purchase",
        1,
        250,
    ]
    assert str(kept.loc[0, "time"]) == "2026-03-01 10:00:00"


def test_the_last_instant_of_the_decision_day_is_not_the_future(tmp_path: Path) -> None:
    cleaned = events(tmp_path, {"time": "2026-10-01T23:59:59.999999Z"}, {"time": "2026-10-02T00:00:00Z"})
    assert cleaned.reasons() == {1: "future-time"}


def test_free_gifts_are_set_aside_but_free_views_are_not(tmp_path: Path) -> None:
    cleaned = events(
        tmp_path, {"amount_minor": 0}, {"amount_minor": 0, "kind": "view"}, {"amount_minor": None}
    )
    assert cleaned.reasons() == {0: "zero-price"}


def test_amounts_in_major_units_are_read_and_guarded(tmp_path: Path) -> None:
    plain = {name: value for name, value in EVENT.items() if name != "amount_minor"}
    cleaned = events(
        tmp_path, {"amount": "2.50"}, {"amount": "x"}, {"amount": "-1"}, {"amount": "inf"}, defaults=plain
    )
    assert cleaned.reasons() == {1: "bad-amount", 2: "bad-amount", 3: "bad-amount"}
    assert cleaned.kept()["amount_minor"].tolist() == [250]


def test_service_codes_are_no_products_in_a_log_of_five_digit_codes(tmp_path: Path) -> None:
    codes = [
        "85123A",
        "22423",
        "84406B",
        "71053",
        "22633",
        "22632",
        "84879",
        "21730",
        "22745",
        "47566",
        "85099B",
        "22720",
        "POST",
        "M",
        "BANK CHARGES",
    ]
    cleaned = events(tmp_path, *({"item": code} for code in codes))
    assert cleaned.reasons() == dict.fromkeys((12, 13, 14), "non-product")


def test_the_same_codes_are_products_where_codes_look_otherwise(tmp_path: Path) -> None:
    cleaned = events(tmp_path, {"item": "POST"}, {"item": "M"}, {"item": "mug"})
    assert cleaned.rules() == {}


def test_payments_and_outcomes_guard_their_amounts(tmp_path: Path) -> None:
    row = {"payment": "p0", "payer": "u1", "payee": "shop", "time": "2026-03-01T10:00:00Z", "amount": 3.5}
    bad = [-1.0, INF, None]
    rows = [row, *({**row, "payment": f"p{at + 1}", "amount": amount} for at, amount in enumerate(bad))]
    cleaned = table(tmp_path, "payments", *rows, currency="GBP")
    assert cleaned.reasons("payments") == {1: "bad-amount", 2: "bad-amount", 3: "missing-value"}
    assert cleaned.kept("payments")["amount_minor"].tolist() == [350]
    assert cleaned.quarantined("payments")["user"].tolist() == ["u1"] * 3
