"""The first stage: a few hundred items worth scoring, from several sources at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import NO_ITEM, Rankings
from mercer.contracts.ragged import gather
from mercer.recommend.two_stage.histories import Histories
from mercer.recommend.two_stage.knowledge import Knowledge
from mercer.recommend.two_stage.options import TwoStageOptions
from mercer.recommend.two_stage.sparse import Rows, best_cells
from mercer.recommend.two_stage.spreads import Spreads

Ints = npt.NDArray[np.int64]
Floats32 = npt.NDArray[np.float32]

USUAL = {"neighbours": 150, "chains": 100, "titles": 60, "brand": 40, "category": 20, "popular": 20, "again": 200,
         "seen": 50, "sequence": 100}  # fmt: skip
"""Candidates that each source gives at breadth 1; titles, brand and category for each of the last items."""
LAST_ITEMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Candidates of n requests in flat arrays, by request and item. cell: row * I + item, ascending and distinct."""

    n: int
    n_items: int
    cell: Ints
    row: Ints
    item: Ints

    @classmethod
    def of(cls, cell: Ints, n: int, n_items: int) -> Self:
        """From distinct cells in ascending order."""
        row, item = np.divmod(cell, n_items)
        return cls(n=n, n_items=n_items, cell=cell, row=row, item=item)

    def __len__(self) -> int:
        return len(self.cell)

    @property
    def sizes(self) -> Ints:
        """Candidates of each request, shape (n,)."""
        return np.bincount(self.row, minlength=self.n)


def pool(
    h: Histories,
    spreads: Spreads,
    known: Knowledge,
    options: TwoStageOptions,
    *,
    repeats: bool,
    sequence: Floats32 | None = None,
) -> Pool:
    """The union of all sources; without repeats, nothing that was bought.

    sequence: scores of a sequence ranker, shape (n, I), where there is one.
    """
    n, n_items = h.n, known.n_items
    bought = np.unique(h.row * n_items + h.item)
    some = {name: round(USUAL[name] * options.breadth) for name in options.sources}
    cells: list[Ints] = [np.zeros(0, np.int64)]

    unwanted = np.zeros(0, np.int64) if repeats else bought
    if "neighbours" in some:
        cells.append(best_cells(spreads.decayed, some["neighbours"], unwanted))
    if "chains" in some:
        cells.append(best_cells(spreads.chained, some["chains"], unwanted))
    cells += _beside_last(h, known, some)
    if "popular" in some:
        listed = np.concatenate([known.selling[: some["popular"]], known.rising[: some["popular"]]])
        cells.append((np.arange(n)[:, None] * n_items + listed).ravel())
    if "again" in some and repeats:
        cells.append(_latest(h, n_items, some["again"]))
    if "seen" in some:
        near = h.other_back < some["seen"]
        cells.append(h.other_row[near] * n_items + h.other_item[near])
    if "sequence" in some and sequence is not None:
        cells.append(_greatest(sequence, unwanted, some["sequence"]))
    union = np.unique(np.concatenate(cells))
    if not repeats:
        union = union[~np.isin(union, bought, assume_unique=True)]
    return Pool.of(union, n, n_items)


def _beside_last(h: Histories, known: Knowledge, some: dict[str, int]) -> list[Ints]:
    """Items of near titles, of the same brand and of the same category path as each of the last items."""
    cells = []
    groups = (
        ("brand", known.catalogue.brand, known.facts.of_brand),
        ("category", known.catalogue.leaf, known.facts.of_leaf),
    )
    for place in range(LAST_ITEMS):
        row = np.flatnonzero(h.recent[:, place] >= 0)
        item = h.recent[row, place]
        if "titles" in some:
            near = known.titles.near[item, : some["titles"]].astype(np.int64)
            there = near >= 0
            cells.append(np.repeat(row, near.shape[1])[there.ravel()] * known.n_items + near[there])
        for name, group, members in groups:
            if name in some:
                code = group[item].astype(np.int64)
                inside = code >= 0
                cells.append(_first_members(members, row[inside], code[inside], some[name], known.n_items))
    return cells


def _greatest(scores: Floats32, bought: Ints, k: int) -> Ints:
    """The k items of greatest score of each row that were not bought; none of the least score, at which beams leave
    all that they do not reach."""
    reached = scores > scores.min(axis=1, keepdims=True)
    reached.ravel()[bought] = False
    items = Rankings.top_k(scores, k, eligible=reached).items.astype(np.int64)
    row, place = np.nonzero(items != NO_ITEM)
    return np.asarray(row * scores.shape[1] + items[row, place], np.int64)


def _first_members(members: Rows, row: Ints, code: Ints, k: int, n_items: int) -> Ints:
    indptr, at = gather(members.indptr, code)
    lengths = np.diff(indptr)
    first = np.arange(len(at)) - np.repeat(indptr[:-1], lengths) < k
    return np.repeat(row, lengths)[first] * n_items + members.indices[at[first]]


def _latest(h: Histories, n_items: int, k: int) -> Ints:
    """The k latest different items of each history."""
    newest_first = (h.row * n_items + h.item)[::-1]
    cell, at = np.unique(newest_first, return_index=True)
    row = cell // n_items
    order = np.lexsort((at, row))
    sizes = np.bincount(row, minlength=h.n)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.asarray(cell[order[place < k]], np.int64)
