"""A small shop whose search understands queries, released beside one that does not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from mercer.brief import Brief
from mercer.contracts import Context, Dataset, Requests, Runtime, Vocabulary, plugins
from mercer.release import Release, ReleasedModel, build
from mercer.release.histories import histories
from mercer.search import Bm25
from mercer.search.understanding.ruled import UnderstoodRules

DAY = 86_400_000_000
NOW = 1_767_225_600_000_000 + 200 * DAY

BRIEF = """
schema: 1
name: wording-shop
question: What should a search find?
decision: {date: 2026-07-20, target: find}
data: {events: {source: events.parquet}, items: {source: items.parquet}}
packs_date: 2026-07-20
targets:
  find: {task: search}
  words: {task: search}
"""

KINDS = (
    ("Clothing > Jackets", "jacket", 3000, 0),
    ("Kitchen > Mugs", "mug", 800, 0),
    ("Kitchen > Knives", "knife", 2500, 18),
    ("Toys > Puzzles", "puzzle", 1200, 6),
)
BRANDS = ("Ashdown", "Northbrook", "Tidewell")
COLOURS = ("Red", "Blue", "Green", "Yellow")


def items_frame() -> pd.DataFrame:
    """144 items: four kinds, three brands, four colours, three prices of each 500 apart; knives for adults."""
    rows = [
        {
            "item": f"{noun}-{brand[0]}{colour[0]}{step}".lower(),
            "title": f"{brand} {colour} {noun.title()} No. {step + 1}",
            "text": "",
            "category": category,
            "brand": brand,
            "price_minor": price + 500 * step,
            "currency": "EUR",
            "available_from": 0,
            "available_until": 0,
            "min_age": age,
            "attributes": json.dumps({"colour": colour}),
        }
        for (category, noun, price, age), brand, colour, step in product(KINDS, BRANDS, COLOURS, range(3))
    ]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class WordingShop:
    items: pd.DataFrame
    vocabulary: Vocabulary
    release: Release

    def requests(self, *queries: str, age: int = -1, **changes: object) -> Requests:
        """One request a query, of strangers of an age."""
        n = len(queries)
        nobody = histories(
            {"item": (), "time": ()}, row=(), users=[str(row) for row in range(n)], items=self.vocabulary
        )
        unknown = Context.unknown(n)
        context = Context(
            jurisdiction=unknown.jurisdiction,
            age=np.full(n, age, np.int16),
            opt_out=unknown.opt_out,
            objected=unknown.objected,
            not_profiled=unknown.not_profiled,
        )
        made = {
            "users": (None,) * n,
            "history": nobody,
            "time": np.full(n, NOW, np.int64),
            "context": context,
            "query": queries,
        }
        return Requests(**{**made, **changes})


def make_wording_shop(folder: Path, *, filters: str = "first") -> WordingShop:
    """filters: what those do that are understood, as the option of `understood-rules`."""
    items = items_frame()
    vocabulary = Vocabulary(items["item"])
    log = histories({"item": (), "time": ()}, row=(), users=["nobody"], items=vocabulary)
    train = Dataset(vocabulary=vocabulary, items=items, as_of=NOW, interactions=log)
    models = {}
    for target, ranker in (
        ("find", UnderstoodRules(UnderstoodRules.Options(base="bm25-fields", filters=filters))),
        ("words", Bm25()),
    ):
        place = folder / "models" / target
        place.mkdir(parents=True)
        ranker.fit(train, seed=1, runtime=Runtime(threads=1)).save(place)
        models[target] = ReleasedModel(
            model_name=ranker.name,
            group=plugins.RANKERS,
            model_folder=place,
            options=ranker.options.model_dump(mode="json"),
            seed=1,
            fit_on="train",
        )
    release = build(
        folder / "release",
        brief=Brief.parse(BRIEF),
        targets=models,
        vocabulary=vocabulary,
        items=items,
        features_hash="",
        evidence={},
        created=datetime(2026, 7, 20, 12, tzinfo=UTC),
    )
    return WordingShop(items, vocabulary, release)
