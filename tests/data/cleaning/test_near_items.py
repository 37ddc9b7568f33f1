"""When two items are one, when they are not, and that what is folded is folded everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.data.cleaning.near_items import EVIDENCE, LEAST_ORDERS, find_folds

from ..made import EVENT, brief_of, clean, written

TITLE = "Ceramic tealight holder"


def shelf(**titles: str) -> pd.DataFrame:
    return pd.DataFrame({"item": list(titles), "title": list(titles.values())})


def orders(*, together: int = 0, **items: tuple[int, int]) -> pd.DataFrame:
    """Sales of items (orders, price), in orders of their own but for the first `together`."""
    rows = [
        (item, number if number < together else f"{item} {number}", price)
        for item, (n, price) in items.items()
        for number in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["item", "order", "price"])
    return frame.assign(order=pd.factorize(frame["order"].astype(str))[0])


def folds(items: pd.DataFrame, sales: pd.DataFrame | None = None) -> dict[str, str]:
    found = find_folds(items, sales)
    assert list(found.columns) == list(EVIDENCE)
    return dict(zip(found["item"], found["kept"], strict=True))


@pytest.mark.parametrize(
    ("title", "why"),
    [
        ("Ceramic tealight holder", "the same title"),
        ("CERAMIC TEALIGHT-HOLDER.", "the same title"),
        ("Tealight holders, ceramic", "the same words"),
        ("The ceramic tealight holder", "the same words"),
        ("Ceramic tea light holder", "the same letters"),
        ("Céramic tealight holder", "the same title"),
        ("Ceramic taelight holder", "titles that differ in one letter"),
        ("Cerramic tealight holder", "titles that differ in one letter"),
        ("Ceramic telight holder", "titles that differ in one letter"),
    ],
)
def test_titles_that_say_the_same(title: str, why: str) -> None:
    items = shelf(a1=TITLE, b1=title)
    found = find_folds(items, orders(a1=(30, 500), b1=(20, 549)))
    assert found["item"].tolist() == ["b1"]
    row = found.iloc[0]
    assert row["why"] == f"{why}, a like price, and never in one order"
    assert row[["kept", "title", "kept_title"]].tolist() == ["a1", title, TITLE]
    assert row[["price_minor", "kept_price_minor", "orders", "kept_orders", "together"]].tolist() == [
        549,
        500,
        20,
        30,
        0,
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ceramic tealight holder", "Ceramic tealight lantern"), ("Tealight holder", "Tealight holder 2"),
        ("Set of 4 mugs", "Set of 6 mugs"), ("Pad 40x40cm", "Pad 60x40cm"), ("Letter A keyring", "Letter W keyring"),
        ("Shirt M", "Shirt L"), ("Green vase", "Greene vase"), ("Small candles", "Smell candles"),
        ("Red mug", "Rad mug"),
        ("Right hinge", "Light hinge"), ("Holder", "Holder, ceramic"), ("Candle", "Handle"), ("Mug", "-"),
    ],
)  # fmt: skip
def test_titles_that_say_something_else(one: str, other: str) -> None:
    # Other titles hold the words too: what is a word of the shop is no slip of the pen.
    items = shelf(
        a1=one, b1=other, c1="Candle in a box", d1="Handle of a box", e1="Candle lamp", f1="Handle lamp"
    )
    sales = orders(a1=(30, 500), b1=(30, 500))
    assert folds(items, sales) == {}


@pytest.mark.parametrize(
    ("sales", "codes"),
    [
        (None, ("a1", "b1")),
        (orders(a1=(30, 500), b1=(30, 551)), ("a1", "b1")),
        (orders(a1=(30, 500), b1=(LEAST_ORDERS - 1, 500)), ("a1", "b1")),
        (orders(a1=(30, 500), b1=(30, 500), together=1), ("a1", "b1")),
        (orders(a1=(30, 0), b1=(30, 0)), ("a1", "b1")),
        (orders(**{"82613B": (30, 500), "82613C": (30, 500)}), ("82613B", "82613C")),
        (orders(**{"shirt-12-S": (30, 500), "shirt-12-XL": (30, 500)}), ("shirt-12-S", "shirt-12-XL")),
    ],
)
def test_what_speaks_against_one_product_under_two_codes(
    sales: pd.DataFrame | None, codes: tuple[str, str]
) -> None:
    assert folds(shelf(**dict.fromkeys(codes, TITLE)), sales) == {}


@pytest.mark.parametrize("other", ["85123a", "85123 A", "85123-A", "85123_a"])
def test_a_code_in_another_spelling_is_the_same_product_at_any_price(other: str) -> None:
    items = shelf(**{"85123A": TITLE, other: "Tealight holder, ceramic"})
    assert folds(items, orders(**{"85123A": (9, 295), other: (2, 663)})) == {other: "85123A"}
    assert folds(items) in ({other: "85123A"}, {"85123A": other})
    assert folds(shelf(**{"85123A": TITLE, other: "Something else"})) == {}


def test_another_brand_category_or_age_is_another_product() -> None:
    sales = orders(a1=(30, 500), b1=(30, 500))
    items = shelf(a1=TITLE, b1=TITLE)
    for column, pair in (("brand", ["Ann", "Bob"]), ("category", ["home", None]), ("min_age", [0.0, 18.0])):
        assert folds(items.assign(**{column: pair}), sales) == {}
    assert folds(items.assign(brand=[None, None], min_age=[18.0, 18.0]), sales) == {"b1": "a1"}


def test_the_code_that_sold_most_stands_for_all_and_none_is_folded_twice() -> None:
    items = shelf(a1=TITLE, b1=TITLE, c1=TITLE)
    assert folds(items, orders(a1=(20, 500), b1=(40, 500), c1=(30, 500))) == {"a1": "b1", "c1": "b1"}
    assert folds(items, orders(a1=(30, 500), b1=(30, 500), c1=(30, 500))) == {"b1": "a1", "c1": "a1"}


titles = st.lists(
    st.sampled_from(["red", "mug", "mugs", "cup", "of", "tea", "teapot", "teapott", "2", "b"]), min_size=1
).map(" ".join)


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["a1", "A1", "a-1", "b2", "c3", "d4", "e5"]), titles),
        unique_by=lambda row: row[0],
    ),
    sizes=st.lists(st.integers(0, 40), min_size=7, max_size=7),
    seed=st.integers(0, 3),
)
def test_folding_is_flat_and_does_not_depend_on_the_order_of_rows(
    rows: list[tuple[str, str]], sizes: list[int], seed: int
) -> None:
    items = pd.DataFrame(rows, columns=["item", "title"])
    sales = orders(**{item: (size, 500) for (item, _), size in zip(rows, sizes, strict=False)})
    found = folds(items, sales)
    assert not set(found) & set(found.values()), "an item is folded into one that is folded itself"
    assert set(found) | set(found.values()) <= set(items["item"])
    assert folds(items.sample(frac=1, random_state=seed), sales.sample(frac=1, random_state=seed)) == found
    rest = items.loc[~items["item"].isin(list(found))]
    assert folds(rest, sales.loc[sales["item"].isin(rest["item"])]) == {}, "a second time finds more"


def test_a_folded_item_is_the_other_in_every_table(tmp_path: Path) -> None:
    names = {
        "items": [
            {"item": "m1", "title": "Mug"},
            {"item": "M1", "title": "Mug"},
            {"item": "x", "title": "Lamp"},
        ],
        "events": [
            {**EVENT, "event": f"e{n}", "user": f"u{n}", "item": item}
            for n, item in enumerate(["m1", "m1", "M1", "x"])
        ],
        "judgments": [{"query": "mug", "item": item, "grade": 1} for item in ("M1", "x")],
        "impressions": [
            {"request": "r", "item": item, "position": 1, "propensity": 1.0} for item in ("M1", "x")
        ],
        "outcomes": [
            {"request": "r", "item": item, "kind": "click", "time": EVENT["time"]} for item in ("M1", "x")
        ],
    }
    data: dict[str, Any] = {name: {"source": written(tmp_path, name, rows)} for name, rows in names.items()}
    cleaned = clean(brief_of({**data, "rules_on": ["near-duplicate-item"]}), tmp_path)
    for name in names:
        assert set(cleaned.kept(name)["item"]) <= {"m1", "x"}, name
        assert cleaned.quarantined(name).empty
    assert cleaned.accounting.tables["items"].merged == 1
    evidence = pq.read_table(cleaned.out / "near-duplicate-items.parquet")
    assert evidence.column_names == list(EVIDENCE)
    assert evidence.to_pylist()[0]["why"] == "the same code in another spelling, the same title"
    untouched = clean(brief_of(data), tmp_path, tmp_path / "without")
    assert set(untouched.kept()["item"]) == {"m1", "M1", "x"}
    assert not (untouched.out / "near-duplicate-items.parquet").exists()
