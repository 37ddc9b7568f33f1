"""The held-out wordings (benchmarks/held_out) as data that `mercer run` reads: a catalogue and graded judgments.

    .venv/bin/python benchmarks/wordings.py OUT [--icecat FOLDER]

OUT/shop: items.parquet and judgments.csv of the simulated shop; OUT/icecat, with --icecat: the same of 19,406 products.
Then: mercer run briefs/wordings.yaml --data OUT/shop --out runs/wordings

What is right comes from the gold of each wording and the truth of the catalogue, so every item is judged and no pool
of one system favours it. Simulated shop, for an item of a type asked for: 3 where it meets every condition, 2 where it
meets some of them or misses only brand or size, else 1; one that costs too much or too little has 1 at most, one that
the person is too young for 0. Icecat: an item that holds all the words that the gold demands has 3 where it meets the
conditions and 1 where not. Anything else is 0 and not written. Wordings for which nothing has 2 or more (a question of
service, goods that the shop lacks, a gift that may be anything) have no grades.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import yaml

from mercer.search.understanding.contract import Filters
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.options import ShopOptions
from mercer.simulate.tables import items_table
from mercer.simulate.wording import attributes_of
from mercer.simulate.world import World, draw_world

HELD_OUT = Path(__file__).parent / "held_out"
SHOP = ShopOptions(users=300, items=2000, months=12, seed=7)
"""The catalogue of the demo; its customers play no part."""

SOFT = {"brand", "size"}


@dataclass(frozen=True)
class Gold:
    """One wording and what it asks for. things: names of types, or words that a right product holds."""

    text: str
    things: tuple[str, ...]
    filters: Filters
    intent: str


def gold(name: str) -> list[Gold]:
    """The wordings of benchmarks/held_out/NAME_wordings.yaml."""
    entries = yaml.safe_load((HELD_OUT / f"{name}_wordings.yaml").read_text("utf-8"))
    return [
        Gold(
            text=entry["text"],
            things=tuple(entry.get("types", entry.get("must", ()))),
            filters=Filters(**(entry.get("filters") or {})),
            intent=entry["intent"],
        )
        for entry in entries
    ]


def shop() -> World:
    """The simulated shop that the wordings are about."""
    return draw_world(SHOP)


def shop_grades(catalogue: Catalogue, held: list[dict[str, str]], wanted: Gold) -> np.ndarray:
    """Grade of every item, int64, shape (I,). held: the attributes of every item."""
    numbers = [
        catalogue.assortment.number[name] for name in wanted.things if name in catalogue.assortment.number
    ]
    grades = np.zeros(len(catalogue), np.int64)
    filters = wanted.filters
    asked = dict(filters.attributes) | ({"brand": filters.brand} if filters.brand else {})
    for item in np.flatnonzero(np.isin(catalogue.kind_of, numbers)):
        missed = {name for name, value in asked.items() if held[item].get(name) != value}
        grade = 3 if not missed else 2 if len(missed) < len(asked) or missed <= SOFT else 1
        grades[item] = grade if _affordable(int(catalogue.price_minor[item]), filters) else 1
    if filters.age is not None:
        grades[catalogue.min_age > filters.age] = 0
    return grades


def _affordable(price: int, filters: Filters) -> bool:
    least = 0 if filters.price_min is None else filters.price_min
    return least <= price and (filters.price_max is None or price <= filters.price_max)


def shop_judgments(world: World, wanted: Iterable[Gold]) -> pd.DataFrame:
    """Columns query, item, grade, of every item above 0."""
    catalogue = world.catalogue
    held = [attributes_of(catalogue, item) for item in range(len(catalogue))]
    rows = ((one.text, shop_grades(catalogue, held, one)) for one in wanted)
    return _frame(rows, catalogue.ids)


def icecat_items(folder: Path) -> pd.DataFrame:
    """The products, with the columns of an items table."""
    columns = {
        "id": "item", "title": "title", "short_description": "text", "supplier": "brand", "price": "price_minor",
        "attributes": "attributes",
    }  # fmt: skip
    found = pd.read_parquet(folder / "products.parquet", columns=list(columns)).rename(columns=columns)
    return found.fillna("")


ICECAT_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "colour": ("attr_t_product_colour", "attr_t_cable_colour"),
    "printing_colours": ("attr_t_printing_colours",),
    "cable_length": ("attr_n_cable_length",),
}
"""Names of the gold, and the catalogue's columns that may hold them."""


def icecat_judgments(items: pd.DataFrame, wanted: Iterable[Gold]) -> pd.DataFrame:
    """Columns query, item, grade, of every item above 0."""
    import json

    texts = [f" {a} {b} ".lower() for a, b in zip(items["title"], items["text"], strict=True)]
    attributes = [json.loads(text) if text else {} for text in items["attributes"]]
    prices, brands = items["price_minor"].tolist(), items["brand"].tolist()

    def meets(row: int, filters: Filters) -> bool:
        return (
            _affordable(int(prices[row]), filters)
            and filters.brand in ("", brands[row])
            and all(
                value.lower() in _values(attributes[row], ICECAT_ATTRIBUTES[name])
                for name, value in filters.attributes.items()
            )
        )

    def rows() -> Iterator[tuple[str, np.ndarray]]:
        for one in wanted:
            grades = np.zeros(len(items), np.int64)
            for row, text in enumerate(texts):
                if one.things and all(word in text for word in one.things):
                    grades[row] = 3 if meets(row, one.filters) else 1
            yield one.text, grades

    return _frame(rows(), items["item"].tolist())


def _values(held: Mapping[str, Any], names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        value = held.get(name)
        if isinstance(value, str):
            found |= {part.strip().lower() for part in value.split(",")} | {value.lower()}
        elif value is not None:
            found.add(f"{value:g}")
    return found


def _frame(rows: Iterable[tuple[str, np.ndarray]], ids: Any) -> pd.DataFrame:
    names = np.asarray(ids, object)
    parts = [
        pd.DataFrame({"query": text, "item": names[grades > 0], "grade": grades[grades > 0]})
        for text, grades in rows
        if (grades >= 2).any()
    ]
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--icecat", type=Path)
    given = parser.parse_args()
    world = shop()
    _write(
        given.out / "shop",
        items_table(world.catalogue, world.calendar).to_pandas(),
        shop_judgments(world, gold("shop")),
    )
    if given.icecat:
        items = icecat_items(given.icecat)
        _write(given.out / "icecat", items, icecat_judgments(items, gold("icecat")))


def _write(folder: Path, items: pd.DataFrame, judgments: pd.DataFrame) -> None:
    import pyarrow as pa

    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pandas(items, preserve_index=False), folder / "items.parquet")
    judgments.to_csv(folder / "judgments.csv", index=False)
    n = judgments["query"].nunique()
    print(f"{folder.name}: {len(items):,} items, {n} wordings with a right answer, {len(judgments):,} grades")


if __name__ == "__main__":
    main()
