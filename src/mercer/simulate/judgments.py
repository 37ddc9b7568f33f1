"""Graded judgments from the truth: does the item have what the query asks for?

3: the type and every condition. 2: the type and some of the conditions, or the type where only brand or size was
asked for: a fair substitute. 1: the type but no condition, or another type from the same shelf that meets one, or
what goes with the type. 0: anything else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mercer.simulate.catalogue import Catalogue
from mercer.simulate.queries import Query, write_queries
from mercer.simulate.season import Ints
from mercer.simulate.wording import attributes_of

POOL = 30
_MISSPELT = 0.12
_SOFT = {"brand", "size"}


@dataclass(frozen=True)
class Judgments:
    """query: position in `queries`; item and grade 0..3, one row a judged pair."""

    queries: tuple[Query, ...]
    query: Ints
    item: Ints
    grade: Ints


def judge(catalogue: Catalogue, n: int, rng: np.random.Generator) -> Judgments:
    """n different queries (fewer where the catalogue has no more), each with a pool of POOL items.

    Queries follow demand: what is wanted more is searched more. The pool holds what the type's shelf, its
    companions and its department offer, and a few other items.
    """
    chance = np.exp(0.5 * catalogue.wanted)
    queries: dict[str, Query] = {}
    for _ in range(20):
        items = rng.choice(len(catalogue), n, p=chance / chance.sum())
        for query in write_queries(catalogue, items, _MISSPELT, rng):
            if len(queries) < n:
                queries.setdefault(query.text, query)
    held = [attributes_of(catalogue, item) for item in range(len(catalogue))]
    kept = tuple(queries.values())
    rows = [_pool(catalogue, query, held, rng) for query in kept]
    return Judgments(
        kept,
        np.repeat(np.arange(len(kept)), [len(items) for items, _ in rows]),
        np.concatenate([items for items, _ in rows]),
        np.concatenate([grades for _, grades in rows]),
    )


def grades_of(catalogue: Catalogue, query: Query, held: list[dict[str, str]]) -> Ints:
    """Grade of every item for a query, shape (I,). held: attributes of every item."""
    same = catalogue.kind_of == query.type_number
    shelf = catalogue.category == catalogue.category[np.flatnonzero(same)[0]]
    grades = np.zeros(len(catalogue), np.int64)
    grades[_companions(catalogue, query.type_number)] = 1
    if not query.asked:
        grades[same] = 3
        return grades
    met = np.zeros(len(catalogue), np.int64)
    for item in np.flatnonzero(shelf):
        met[item] = sum(held[item].get(name) == value for name, value in query.asked)
    grades[shelf & ~same & (met > 0)] = 1
    substitute = 2 if {name for name, _ in query.asked} <= _SOFT else 1
    grades[same] = np.where(met[same] == len(query.asked), 3, np.where(met[same] > 0, 2, substitute))
    return grades


def _companions(catalogue: Catalogue, type_number: int) -> Ints:
    wished = catalogue.assortment.types[type_number].goes_with[:1]
    numbers = [catalogue.assortment.number[name] for name in wished if name in catalogue.assortment.number]
    return np.flatnonzero(np.isin(catalogue.kind_of, numbers))


def _pool(
    catalogue: Catalogue, query: Query, held: list[dict[str, str]], rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """The judged items of a query in ascending order, with their grades."""
    grades = grades_of(catalogue, query, held)
    rank = rng.random(len(catalogue)) + 4.0 * grades
    near = catalogue.category == catalogue.category[np.flatnonzero(catalogue.kind_of == query.type_number)[0]]
    rank += 1.5 * near
    size = min(POOL, len(catalogue))
    strangers = size // 6
    best = np.argsort(-rank, kind="stable")
    rest = rng.choice(best[size - strangers :], min(strangers, len(best) - size + strangers), replace=False)
    items = np.sort(np.concatenate([best[: size - strangers], rest]))
    return items, grades[items]
