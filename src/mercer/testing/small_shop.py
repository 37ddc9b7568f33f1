"""A shop small enough to read, for conformance tests: 24 items, 30 people, baskets, views and queries.

Everything is computed from the arguments; nothing is random but what a seeded generator draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Context, Dataset, Holdout, Interactions, Ragged, Requests, Vocabulary

DAY_US = 86_400_000_000
OPENING_US = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z in microseconds."""
AS_OF = OPENING_US + 300 * DAY_US

_COLOURS = ("blue", "red", "green", "white", "black", "grey")
_GOODS = (("mug", "Kitchen > Mugs", "Harbour"), ("lamp", "Home > Lamps", "Lumen"),
          ("scarf", "Clothing > Scarves", "Moor"), ("notebook", "Office > Paper", "Folio"))  # fmt: skip
_USE = {
    "mug": "holds coffee or tea",
    "lamp": "lights a desk",
    "scarf": "keeps the neck warm",
    "notebook": "for notes",
}
QUERIES = ("blue mug", "lamp for a desk", "warm scarf", "grey notebook", "red", "", "zzxxq", "white lamp")


def small_catalogue(n_items: int = 24) -> tuple[Vocabulary, pd.DataFrame]:
    """The first `n_items` of the catalogue (at most 24) as a vocabulary and a frame of ITEM_COLUMNS."""
    rows = [
        {
            "item": f"{good}-{colour}",
            "title": f"{colour.capitalize()} {good}",
            "text": f"A {colour} {good} by {brand}; {_USE[good]}.",
            "category": category,
            "brand": brand,
            "price_minor": 500 + 100 * number,
            "currency": "EUR",
            "available_from": 0,
            "available_until": 0,
            "min_age": 0,
        }
        for good, category, brand in _GOODS
        for number, colour in enumerate(_COLOURS)
    ]
    frame = pd.DataFrame(rows[:n_items])
    return Vocabulary(frame["item"].tolist()), frame


def small_log(items: Vocabulary, *, n_users: int = 30, seed: int = 0) -> Interactions:
    """Views and purchases of people who each keep mostly to one kind of goods, two to four items a basket."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, int, int, int]] = []
    basket = 0
    for user in range(n_users):
        day = int(rng.integers(0, 60))
        for _ in range(int(rng.integers(1, 7))):
            day += int(rng.integers(3, 40))
            size = int(rng.integers(2, 5))
            own = rng.integers(0, 6, size) + 6 * (user % 4)
            bought = np.where(rng.random(size) < 0.8, own, rng.integers(0, 24, size)) % len(items)
            time = OPENING_US + min(day, 299) * DAY_US
            rows += [(user, int(item), time - 60_000_000, 0, -1) for item in bought]
            rows += [(user, int(item), time, 1, basket) for item in bought]
            basket += 1
    rows.sort(key=lambda row: (row[0], row[2]))
    return log_of(rows, Vocabulary([f"person-{user:02d}" for user in range(n_users)]), items)


def log_of(
    rows: Sequence[tuple[int, int, int, int, int]],
    users: Vocabulary,
    items: Vocabulary,
    *,
    kinds: tuple[str, ...] = ("view", "purchase"),
    has_clock: bool = True,
) -> Interactions:
    """A log from rows of (user, item, time, kind, basket) codes, sorted by user and time."""
    table = np.array(rows, np.int64).reshape(-1, 5)
    n = len(table)
    indptr = np.zeros(len(users) + 1, np.int64)
    np.cumsum(np.bincount(table[:, 0], minlength=len(users)), out=indptr[1:])
    return Interactions(
        users=users,
        items=items,
        kinds=kinds,
        indptr=indptr,
        item=table[:, 1].astype(np.int32),
        time=table[:, 2].copy(),
        known_at=table[:, 2].copy(),
        kind=table[:, 3].astype(np.int8),
        quantity=np.ones(n, np.float32),
        amount_minor=np.full(n, 500, np.int64),
        basket=table[:, 4].copy(),
        session=np.full(n, -1, np.int64),
        origin_time=table[:, 2].copy(),
        has_clock=has_clock,
    )


def small_dataset(*, n_items: int = 24, repeats: bool = True, empty: bool = False) -> Dataset:
    """The shop's training data with judgments for the queries; `empty` leaves the log without an event."""
    vocabulary, frame = small_catalogue(n_items)
    log = small_log(vocabulary)
    if empty:
        log = Interactions.empty(Vocabulary(()), vocabulary)
    judgments = pd.DataFrame(
        {
            "query": ["blue mug", "blue mug", "red"],
            "item": np.minimum([0, 1, 7], n_items - 1),
            "grade": [2.0, 1.0, 1.0],
        }
    )
    return Dataset(
        vocabulary=vocabulary,
        items=frame,
        as_of=AS_OF,
        interactions=log,
        repeats=repeats,
        judgments=judgments,
    )


def small_requests(train: Dataset, task: Literal["recommend", "search"], **changes: Any) -> Requests:
    """Eight requests: six people of the log, one with an id nobody knows, one stranger; histories as logged.

    The last two have no history. For search, each carries a query: one is empty, one matches nothing.
    """
    log = train.interactions
    if log is None or not log.n_users:
        history = Interactions.empty(Vocabulary([f"row-{row}" for row in range(8)]), train.vocabulary)
    else:
        history = log.take(np.arange(8)).blank(np.arange(8) >= 6)
    content: dict[str, Any] = {
        "users": (*(f"person-{row:02d}" for row in range(6)), "nobody-knows-me", None),
        "history": history,
        "time": np.full(8, AS_OF, np.int64),
        "context": Context.unknown(8),
        "repeats": train.repeats,
        "query": QUERIES if task == "search" else None,
    }
    return Requests(**{**content, **changes})


def small_holdout(train: Dataset, task: Literal["recommend", "search"]) -> Holdout:
    """The eight requests with two relevant items each."""
    requests = small_requests(train, task)
    n_items = len(train.vocabulary)
    relevant = Ragged.from_rows([sorted({row % n_items, (row * 5 + 1) % n_items}) for row in range(8)])
    units = tuple(f"unit-{row}" for row in range(8))
    return Holdout(
        requests=requests,
        relevant=relevant,
        grades=np.ones(len(relevant.values)),
        units=units,
        clusters=units,
    )


def every_row(codes: Sequence[int] | npt.NDArray[np.int32], n: int) -> Ragged:
    """The same codes for each of n requests."""
    return Ragged.from_rows([codes] * n)
