"""One table over all rules: rows that each must catch, and rows much like them that it must leave as they are.

A rule without a line here fails the tests. Rows of a line stand in one source, sound ones first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mercer.data import SuppressionList
from mercer.data.cleaning import all_rules, rules_for

from ..made import EVENT, Cleaned, brief_of, clean, written

Rows = Sequence[Mapping[str, Any]]

TIME = EVENT["time"]
PAID = {"payment": "p", "payer": "u1", "payee": "shop", "time": TIME, "amount_minor": 350}
ASKED = {"request": "r", "user": "u1", "time": TIME, "query": "blue mug"}
MUG = {"item": "mug", "title": "Blue mug"}
LAMP = {"item": "lamp", "title": "Lamp"}
SHOWN = {"request": "r", "item": "mug", "position": 1, "propensity": 0.5}
EXAMPLE = {"unit": "x", "label": 1, "age": 30, "score": 5}


@dataclass(frozen=True)
class Line:
    """clean: rows the rule must not touch. planted: rows it must act on, each counted once.

    table: which of the sources they stand in; others: further sources, on which nothing happens. user: who was
    forgotten. source, data: keys of the table's source and of the brief's data.
    """

    clean: Rows
    planted: Rows
    table: str = "events"
    others: Mapping[str, Rows] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    forgotten: str = "nobody"


def sold(**changes: Any) -> dict[str, Any]:
    return {**EVENT, **changes}


def numbered(*codes: str, **changes: Any) -> list[dict[str, Any]]:
    """Events of forty items whose codes are numbers, then of those named."""
    first = [sold(item=f"{22400 + n}") for n in range(40)]
    return [*first, *(sold(item=code, **changes) for code in codes)]


def priced(*prices: int, item: str = "mug") -> list[dict[str, Any]]:
    return [
        sold(item=item, amount_minor=price, time=f"2026-03-{day:02d}T10:00:00Z")
        for day, price in enumerate(prices, 1)
    ]


ORDERS = [
    sold(item=item, basket=f"{item}{n}", amount_minor=price, user=f"u{n}")
    for item, price in (
        ("11111", 500),
        ("22222", 520),
        ("33333", 500),
        ("44444", 900),
        ("55555B", 500),
        ("55555C", 500),
    )
    for n in range(20)
]
"""Six items in twenty orders each, none with another."""

LINES: dict[str, Line] = {
    "suppressed": Line(
        [EVENT, sold(user="ann2"), sold(user=" bob")], [sold(user="ann"), sold(user=" ann ")], forgotten="ann"
    ),
    "nul-bytes": Line(
        [EVENT, sold(channel="web\\0"), sold(channel=None)], [sold(channel="we\0b"), sold(item="\0")]
    ),
    "text-too-long": Line([sold(channel="x" * 100_000)], [sold(channel="x" * 100_001)]),
    "unreadable-time": Line(
        [sold(known_at=TIME), sold(time="1 Mar 2026 10:00Z"), sold(known_at=None)],
        [sold(time="soon"), sold(time=None), sold(time="2026-02-30T00:00:00Z"), sold(known_at="later")],
    ),
    "future-time": Line([EVENT, sold(time="2026-10-01T23:59:59Z")], [sold(time="2026-10-02T00:00:00Z")]),
    "missing-user": Line(
        [EVENT, sold(user="0"), sold(user="None of us")], [sold(user=None), sold(user="  ")]
    ),
    "missing-item": Line([EVENT, sold(item="0")], [sold(item=None), sold(item=" ")]),
    "repeated-row": Line(
        [sold(quantity=n, event=None) for n in (1, 2)],
        [sold(quantity=1, event=None)],
        source={"map": {name: name for name in EVENT if name != "event"}},
    ),
    "folded-item": Line(
        [*(sold(item="a1", user=f"u{n}") for n in range(3)), sold(item="b1")],
        [sold(item="A1"), sold(item="A1")],
        others={
            "items": [
                {"item": "a1", "title": "Mug"},
                {"item": "A1", "title": "Mug"},
                {"item": "b1", "title": "Mug"},
            ]
        },
        data={"rules_on": ["near-duplicate-item"]},
    ),
    "cancellation": Line(
        [
            *(sold(basket=f"53636{n}") for n in range(5)),
            sold(basket="CORNER"),
            sold(kind="view", basket="C5", amount_minor=None),
            sold(kind="return", amount_minor=-250),
        ],
        [sold(basket="C536367"), sold(quantity=-2, amount_minor=-500), sold(kind="return", amount_minor=250)],
    ),
    "bad-quantity": Line(
        [EVENT, sold(quantity=0.5), sold(quantity=1_000_000), sold(quantity=None)],
        [
            sold(quantity=0),
            sold(quantity=float("inf")),
            sold(quantity=1_000_001),
            sold(quantity="two"),
            sold(kind="view", quantity=-1),
        ],
    ),
    "bad-amount": Line(
        [EVENT, sold(amount_minor=10**12), sold(kind="return", amount_minor=-250), sold(amount_minor=None)],
        [
            sold(amount_minor=-1),
            sold(amount_minor=float("inf")),
            sold(amount_minor=10**13),
            sold(amount_minor="much"),
        ],
    ),
    "test-row": Line(
        [
            *(sold(user=f"u{n}", item=f"i{n}") for n in range(20)),
            sold(user="testa"),
            sold(item="testosterone"),
            sold(user="contest@shop.example"),
            sold(item="TEST TUBE"),
        ],
        [
            sold(user="test"),
            sold(user="Test_User1"),
            sold(user="test@shop.example"),
            sold(item="TEST001"),
            sold(item="dummy"),
        ],
    ),
    "adjustment": Line(
        [
            {"item": "22423", "title": title}
            for title in ("MUG", "MUG", "HEIGHT ADJUSTABLE MUG", "LOST PROPERTY SIGN")
        ]
        + [{"item": "22424", "title": "LOST"}] * 2
        + [{"item": f"2250{n}", "title": "LAMP"} for n in range(10)],
        [
            {"item": "22423", "title": title}
            for title in ("damaged", "?", "check", "stock check", "wrongly coded 20713")
        ]
        + [{"item": "ADJUST2", "title": "Adjustment by John"}],
        table="items",
    ),
    "non-product": Line(
        numbered("M123", "POST1", "85123A", "D-22"),
        numbered("POST", "M", "BANK CHARGES", "gift_0001_20")[40:],
    ),
    "zero-price": Line(
        [EVENT, sold(amount_minor=1), sold(kind="view", amount_minor=0), sold(amount_minor=None)],
        [sold(amount_minor=0)],
    ),
    "impossible-price": Line(
        [
            *priced(*[100] * 21, 4_900, 3),
            *priced(*[100] * 19, 9_000, item="lamp"),
            *priced(100, 9_000, item="vase"),
        ],
        [
            sold(amount_minor=5_001, time="2026-04-01T10:00:00Z"),
            sold(amount_minor=1, time="2026-04-02T10:00:00Z"),
            sold(kind="return", amount_minor=-5_001, time="2026-04-03T10:00:00Z"),
        ],
    ),
    "unknown-item": Line(
        [EVENT, sold(item="lamp")], [sold(item="Mug"), sold(item="vase")], others={"items": [MUG, LAMP]}
    ),
    "duplicate-event": Line(
        [sold(event="1"), sold(event="2"), sold(event="01")], [sold(event="1"), sold(event="1")]
    ),
    "conflicting-event": Line(
        [sold(event="1"), sold(event="2")], [sold(event="1", quantity=2), sold(event="1", user="u2")]
    ),
    "matched-return": Line(
        [
            sold(event="1"),
            sold(event="2", kind="return", amount_minor=-250, user="u2", time="2026-03-09T10:00:00Z"),
            sold(event="3", kind="return", amount_minor=-250, time="2026-02-09T10:00:00Z"),
            sold(event="4", kind="return", amount_minor=-999, time="2026-03-09T10:00:00Z"),
        ],
        [sold(event="5", kind="return", amount_minor=-250, time="2026-03-02T10:00:00Z")],
    ),
    "unreadable-value": Line(
        [SHOWN, {**SHOWN, "position": 2, "propensity": None}],
        [{**SHOWN, "position": 3, "propensity": "half"}],
        table="impressions",
    ),
    "missing-value": Line(
        [{"user": "u1", "purpose": "analytics", "given": "no", "time": TIME}],
        [
            {"user": "u1", "purpose": None, "given": "no", "time": TIME},
            {"user": "u1", "purpose": "x", "given": "?", "time": TIME},
        ],
        table="consents",
    ),
    "card-number-in-text": Line(
        [ASKED, {**ASKED, "request": "s", "query": "4111111111111112 pieces"}],
        [{**ASKED, "request": "t", "query": "pay 4111 1111 1111 1111"}],
        table="requests",
    ),
    "bad-limit": Line(
        [{**MUG, "min_age": 18}, {**LAMP, "min_age": 0}],
        [{**MUG, "item": "knife", "min_age": "adult"}, {**MUG, "item": "x", "min_age": 121}],
        table="items",
    ),
    "bad-price": Line(
        [{**MUG, "price_minor": 0}, {**LAMP, "price_minor": 10**12}],
        [{**MUG, "item": "x", "price_minor": -1}],
        table="items",
    ),
    "repeated-item": Line(
        [MUG, LAMP, {"item": "Mug", "title": "Red mug"}], [MUG, {**MUG, "title": "Mug, blue"}], table="items"
    ),
    "item-without-title": Line(
        [MUG, {"item": "x", "title": "-"}], [{"item": "lamp", "title": None}], table="items"
    ),
    "near-duplicate-item": Line(
        [
            {"item": code, "title": title, "colour": "-"}
            for code, title in (
                ("11111", "Cinnamon scented candle in glass"),
                ("33333", "Lavender scented candle in glass"),
                ("44444", "Cinamon scented candle in glass"),
                ("55555B", "Rose scented candle"),
                ("55555C", "Rose scented candle"),
                ("66666", "Candle 40x40cm"),
                ("66667", "Candle 60x40cm"),
                ("77777", "Letter A"),
                ("77778", "Letter W"),
            )
        ],
        [
            {"item": "22222", "title": "CINAMON SCENTED CANDLES IN GLASS"},
            {"item": "55555c", "title": "Rose-scented candle"},
        ],
        table="items",
        others={"events": ORDERS},
        data={"rules_on": ["near-duplicate-item"]},
    ),
    "duplicate-user": Line(
        [{"user": "a", "age": 3}, {"user": "A", "age": 3}], [{"user": "a", "age": 3}], table="users"
    ),
    "conflicting-user": Line(
        [{"user": "a", "age": 3}, {"user": "b", "age": 3}], [{"user": "a", "age": 4}], table="users"
    ),
    "age-out-of-range": Line(
        [{"user": "a", "age": 0}, {"user": "b", "age": 120}, {"user": "c", "age": None}],
        [{"user": "d", "age": -1}, {"user": "e", "age": 121}],
        table="users",
    ),
    "email-in-text": Line(
        [ASKED, {**ASKED, "request": "s", "query": "mug @ home"}],
        [{**ASKED, "request": "t", "query": "to ann@shop.example"}],
        table="requests",
    ),
    "phone-in-text": Line(
        [ASKED, {**ASKED, "request": "s", "query": "sku 22423 size 40"}],
        [{**ASKED, "request": "t", "query": "ring 020 7946 0018"}],
        table="requests",
    ),
    "duplicate-request": Line([ASKED, {**ASKED, "request": "R"}], [ASKED], table="requests"),
    "conflicting-request": Line(
        [ASKED, {**ASKED, "request": "s"}], [{**ASKED, "query": "red mug"}], table="requests"
    ),
    "duplicate-payment": Line([PAID, {**PAID, "payment": "q"}], [PAID], table="payments"),
    "conflicting-payment": Line(
        [PAID, {**PAID, "payment": "q"}], [{**PAID, "amount_minor": 1}], table="payments"
    ),
    "missing-label": Line(
        [EXAMPLE, {**EXAMPLE, "unit": "y", "label": 0}],
        [{**EXAMPLE, "unit": "z", "label": None}],
        table="examples",
    ),
    "unknown-label": Line(
        [{**EXAMPLE, "unit": str(n), "label": "yes" if n % 2 else "no"} for n in range(300)],
        [{**EXAMPLE, "unit": "z", "label": "maybe"}],
        table="examples",
        source={"positive": "yes"},
    ),
    "empty-example": Line(
        [EXAMPLE, {**EXAMPLE, "unit": "y", "label": 0, "age": None}],
        [{**EXAMPLE, "unit": "z", "age": None, "score": None}],
        table="examples",
    ),
    "unreadable-cell": Line(
        [{**EXAMPLE, "unit": str(n), "label": n % 2, "age": str(n)} for n in range(30)],
        [{**EXAMPLE, "unit": "z", "age": "old"}],
        table="examples",
    ),
    "duplicate-unit": Line([EXAMPLE, {**EXAMPLE, "unit": "X", "label": 0}], [EXAMPLE], table="examples"),
    "conflicting-unit": Line(
        [EXAMPLE, {**EXAMPLE, "unit": "y", "label": 0}], [{**EXAMPLE, "age": 31}], table="examples"
    ),
}


def cleaned(line: Line, rows: Rows, folder: Path) -> Cleaned:
    rows = [
        {**row, "event": row.get("event") if row.get("event") not in (None, "e1") else f"e{at}"}
        if line.table == "events"
        else row
        for at, row in enumerate(rows)
    ]
    sources = {
        **{name: {"source": written(folder, name, [dict(row, event=f"o{at}") for at, row in enumerate(other)]
                                    if name == "events" else other)} for name, other in line.others.items()},
        line.table: {"source": written(folder, line.table, rows), **line.source},
    }  # fmt: skip
    suppressed = SuppressionList(folder / "cache")
    suppressed.add(line.forgotten)
    return clean(brief_of({**sources, **line.data}), folder, folder / "out", suppressed)


def test_no_rule_is_without_a_line_and_no_line_without_its_rule() -> None:
    assert LINES.keys() == all_rules().keys()
    for name, line in LINES.items():
        assert name in {rule.name for rule in rules_for(line.table)}
        assert line.clean, name
        assert line.planted, name


@pytest.mark.parametrize("name", sorted(LINES))
def test_what_is_planted_is_caught_and_nothing_beside_it(name: str, tmp_path: Path) -> None:
    line, rule = LINES[name], all_rules()[name]
    found = cleaned(line, [*line.clean, *line.planted], tmp_path)
    assert found.rules(line.table).get(name) == len(line.planted)
    caught = {row for row, why in found.reasons(line.table).items() if why == name}
    count = found.accounting.tables[line.table]
    assert count.kept + count.quarantined + count.merged == count.read == len(line.clean) + len(line.planted)
    if rule.action == "quarantine":
        assert caught == set(range(len(line.clean), len(line.clean) + len(line.planted)))
        assert count.kept + count.merged == len(line.clean)
    else:
        assert not caught
        assert count.quarantined == 0
        assert count.merged == (len(line.planted) if rule.action == "merge" else 0)


@pytest.mark.parametrize("name", sorted(LINES))
def test_sound_rows_are_left_as_they_are(name: str, tmp_path: Path) -> None:
    line = LINES[name]
    found = cleaned(line, line.clean, tmp_path)
    assert name not in found.rules(line.table)
    assert found.reasons(line.table) == {}
    without = clean_without(line, name, tmp_path / "without")
    assert found.kept(line.table).equals(without), "a rule that found nothing changed something"


def clean_without(line: Line, name: str, folder: Path) -> Any:
    """The sound rows cleaned while the rule is switched off, where it can be."""
    folder.mkdir()
    rule = all_rules()[name]
    data = dict(line.data)
    if rule.asked:
        data.pop("rules_on")
    elif not rule.fixed:
        data["rules_off"] = [name]
    changed = Line(line.clean, line.planted, line.table, line.others, line.source, data, line.forgotten)
    return cleaned(changed, line.clean, folder).kept(line.table)
