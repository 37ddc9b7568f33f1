from __future__ import annotations

from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mercer.data.cleaning.returns import undone

from ..made import events


def bought(day: int, **changes: object) -> dict[str, object]:
    return {"time": f"2026-03-{day:02d}T10:00:00Z", "basket": f"10{day}", **changes}


def test_a_cancelled_order_and_a_negative_quantity_are_returns(tmp_path: Path) -> None:
    cleaned = events(
        tmp_path,
        bought(1, quantity=6, amount_minor=600),
        bought(2, quantity=-6, amount_minor=-600, basket="C102"),
        bought(3, quantity=-1, amount_minor=-100),
        bought(4, kind="return", amount_minor=100),
    )
    kept = cleaned.kept()
    assert cleaned.rules() == {"cancellation": 3, "matched-return": 1}
    assert kept["kind"].tolist() == ["purchase", "return", "return", "return"]
    assert kept["quantity"].tolist() == [6, 6, 1, 1]
    assert kept["amount_minor"].tolist() == [600, -600, -100, -100]


def test_other_kinds_and_orders_that_only_begin_with_c_are_left_alone(tmp_path: Path) -> None:
    cleaned = events(
        tmp_path, bought(1, basket="CORNER-1"), bought(2, kind="view", basket="C1", amount_minor=None)
    )
    assert cleaned.rules() == {}
    assert cleaned.kept()["kind"].tolist() == ["purchase", "view"]


def test_a_return_undoes_the_latest_purchase_of_the_same_size_and_price(tmp_path: Path) -> None:
    cleaned = events(
        tmp_path,
        bought(1, quantity=2, amount_minor=500),
        bought(2, quantity=2, amount_minor=500),
        bought(3, quantity=3, amount_minor=750),
        bought(4, quantity=2, amount_minor=500, user="someone-else"),
        bought(5, quantity=-2, amount_minor=-500),
        bought(6, quantity=2, amount_minor=500),
    )
    assert dict(zip(cleaned.kept()["event"], cleaned.kept()["origin"], strict=True))["e4"] == "e1"


def test_without_an_equal_one_it_undoes_the_latest_that_was_large_enough(tmp_path: Path) -> None:
    cleaned = events(
        tmp_path,
        bought(1, quantity=10, amount_minor=1000),
        bought(2, quantity=-4, amount_minor=-400),
        bought(3, quantity=-40, amount_minor=-4000),
        bought(4, quantity=-1, amount_minor=-100, item="never-bought"),
    )
    origin = dict(zip(cleaned.kept()["event"], cleaned.kept()["origin"].fillna(""), strict=True))
    assert origin == {"e0": "", "e1": "e0", "e2": "", "e3": ""}
    assert cleaned.rules()["matched-return"] == 1


def test_an_origin_that_the_source_names_stays(tmp_path: Path) -> None:
    cleaned = events(tmp_path, bought(1), bought(2), bought(3, kind="return", amount_minor=-250, origin="e0"))
    assert cleaned.kept()["origin"].fillna("").tolist() == ["", "", "e0"]
    assert "matched-return" not in cleaned.rules()


def test_a_shop_whose_orders_all_begin_with_c_has_no_cancellations(tmp_path: Path) -> None:
    cleaned = events(tmp_path, *(bought(day, basket=f"C10{day}") for day in range(1, 5)))
    assert cleaned.rules() == {}
    assert set(cleaned.kept()["kind"]) == {"purchase"}


def test_no_purchase_is_undone_beyond_what_it_was(tmp_path: Path) -> None:
    cleaned = events(
        tmp_path,
        bought(1, quantity=10, amount_minor=1000),
        bought(2, quantity=-6, amount_minor=-600),
        bought(3, quantity=-5, amount_minor=-500),
        bought(4, quantity=-1, amount_minor=-900),
    )
    origin = dict(zip(cleaned.kept()["event"], cleaned.kept()["origin"].fillna(""), strict=True))
    assert origin == {"e0": "", "e1": "e0", "e2": "", "e3": ""}


def by_stack(steps: list[bool]) -> dict[int, str]:
    """The plain way: a stack of purchases that no return has undone."""
    stack: list[int] = []
    found = {}
    for at, back in enumerate(steps):
        if not back:
            stack.append(at)
        elif stack:
            found[at] = f"e{stack.pop():02d}"
    return found


@given(steps=st.lists(st.tuples(st.sampled_from("xy"), st.booleans()), max_size=30), seed=st.integers(0, 5))
def test_equal_returns_undo_purchases_as_a_stack_does(steps: list[tuple[str, bool]], seed: int) -> None:
    log = pd.DataFrame(
        {
            "user": "u", "item": [item for item, _ in steps], "time": pd.to_datetime(range(len(steps)), unit="D"),
            "quantity": 2.0, "amount": 5.0, "event": [f"e{at:02d}" for at in range(len(steps))],
            "back": pd.Series([back for _, back in steps], dtype=bool), "row": range(len(steps)), "origin": None,
        }
    )  # fmt: skip
    log["known"] = log["time"]
    expected = {}
    for item in "xy":
        places = [at for at, (which, _) in enumerate(steps) if which == item]
        pairs = by_stack([steps[at][1] for at in places])
        expected |= {places[back]: f"e{places[int(found[1:])]:02d}" for back, found in pairs.items()}
    assert undone(log.sample(frac=1, random_state=seed)) == expected
