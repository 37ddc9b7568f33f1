"""A small log with everything that events can have, paths for its items, and a decoder over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mercer.contracts import ITEM_COLUMNS, Dataset, Interactions, Vocabulary
from mercer.language.events import EventOptions, EventTokenizer, ShapeOptions, TaskOptions
from mercer.language.events.decoder import EventDecoder
from mercer.language.events.tasks import next_event
from mercer.language.events.trainee import EventTrainee
from mercer.language.semantic_ids.ids import SemanticIds, random_ids

DAY_US = 86_400_000_000
N_ITEMS = 30
EVERY = EventOptions(
    fields=("kind", "gap", "calendar", "amount"), hashed=("category", "merchant"), buckets=7, window=5
)
ITEMS_ALONE = EventOptions(window=5)
LENGTHS = (3, 0, 9, 1, 14, 6)


def log(lengths: tuple[int, ...] = LENGTHS, *, seed: int = 1, clock: bool = True) -> Interactions:
    """Users with so many events each."""
    chance = np.random.default_rng(seed)
    n = sum(lengths)
    items = Vocabulary(f"i{number}" for number in range(N_ITEMS))
    bare = Interactions.empty(
        Vocabulary(f"u{number}" for number in range(len(lengths))), items, ("view", "purchase")
    )
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    time = np.concatenate([np.sort(chance.integers(0, 400 * DAY_US, length)) for length in lengths] or [[]])
    time = time.astype(np.int64)
    return Interactions(
        users=bare.users, items=items, kinds=bare.kinds, indptr=indptr,
        item=chance.integers(0, N_ITEMS, n).astype(np.int32), time=time, known_at=time.copy(),
        kind=chance.integers(0, 2, n).astype(np.int8), quantity=np.ones(n, np.float32),
        amount_minor=chance.integers(-200, 5000, n), basket=np.arange(n), session=np.arange(n), origin_time=time.copy(),
        extras={"merchant": np.array([f"m{number % 11}" for number in range(n)])}, has_clock=clock,
    )  # fmt: skip


def frame(n_items: int = N_ITEMS) -> pd.DataFrame:
    """The catalogue."""
    items = pd.DataFrame({name: [""] * n_items for name in ITEM_COLUMNS})
    items["item"] = [f"i{number}" for number in range(n_items)]
    items["title"] = [f"a {('red', 'blue')[number % 2]} mug number {number}" for number in range(n_items)]
    items["category"] = [f"shop/{number % 5}" for number in range(n_items)]
    return items


def dataset(shop: Interactions | None = None) -> Dataset:
    shop = log() if shop is None else shop
    return Dataset(vocabulary=shop.items, items=frame(len(shop.items)), as_of=400 * DAY_US, interactions=shop)


def ids(n_items: int = N_ITEMS, seed: int = 1) -> SemanticIds:
    return random_ids(n_items, (4, 5, 6), seed=seed)


def tokenizer(options: EventOptions = ITEMS_ALONE, shop: Interactions | None = None) -> EventTokenizer:
    return EventTokenizer.build(dataset(shop), ids(), options)


def shape(**changes: Any) -> ShapeOptions:
    return ShapeOptions(**{"width": 16, "layers": 2, "heads": 2, "inner": 2.0, "dropout": 0.0, **changes})


def decoder(options: EventOptions = ITEMS_ALONE, *, seed: int = 1, **changes: Any) -> EventDecoder:
    return EventDecoder.new(tokenizer(options), shape(**changes), seed=seed)


def trainee(
    options: EventOptions = ITEMS_ALONE, tasks: TaskOptions | None = None, **changes: Any
) -> EventTrainee:
    made = decoder(options, **changes)
    lines = next_event(made.tokenizer, log(), tasks or TaskOptions())
    return EventTrainee(made, lines, validation=lines.take(np.arange(2)))
