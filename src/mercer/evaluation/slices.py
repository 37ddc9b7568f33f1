"""Slices: who and what a metric is broken down by.

A unit slice describes the unit (new or old user, country); an item slice describes the relevant item (head
or tail), so that a ranking metric on it counts only the relevant items inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mercer.contracts import Holdout, Interactions, Labelled
from mercer.errors import DataError

OTHER = "other"
LEAST_UNITS = 50
"""A group of fewer units is counted under `other`: its interval would say nothing."""

HEAD_SHARE = 0.5
"""Head items are the most popular ones that together make this share of the histories' events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """Names of slices with a value for each unit (holdout or labelled row) or each item (code).

    An empty value leaves the unit or item out of the slice.
    """

    unit: Mapping[str, Sequence[str]] = field(default_factory=dict)
    item: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def take(self, rows: npt.NDArray[np.int64]) -> Slices:
        """The units named, in that order; items stay."""
        unit = {name: [values[row] for row in rows] for name, values in self.unit.items()}
        return Slices(unit=unit, item=self.item)

    def check(self, n_units: int, n_items: int) -> None:
        """Raises DataError naming a slice whose length is wrong."""
        for values, wanted, what in ((self.unit, n_units, "units"), (self.item, n_items, "items")):
            for name, column in values.items():
                if len(column) != wanted:
                    raise DataError(f"Slice {name!r} has {len(column)} values for {wanted} {what}.")


def ranking_slices(holdout: Holdout, groups: Mapping[str, Sequence[str]] | None = None) -> Slices:
    """The standing slices: history (new, old), items (head, tail), country; of searches also the query's words.

    groups: further unit slices, a value per row of the holdout; small groups are merged into `other`.
    """
    history = holdout.requests.history
    unit = {**_history(history), **_query(holdout.requests.query), **_groups(groups or {})}
    item = {"items": _head_and_tail(popularity(history))} if history.n_events else {}
    return Slices(unit=unit, item=item)


def prediction_slices(labelled: Labelled, groups: Mapping[str, Sequence[str]] | None = None) -> Slices:
    """The standing slices of a behavior target: history (new, old), country, and `groups` as above."""
    return Slices(unit={**_history(labelled.snapshots.history), **_groups(groups or {})})


def popularity(history: Interactions) -> npt.NDArray[np.int64]:
    """Events of the histories by item code, shape (I,)."""
    return np.bincount(history.item, minlength=len(history.items)).astype(np.int64)


def _query(queries: Sequence[str] | None) -> dict[str, list[str]]:
    """Queries of one word name a kind of thing or a brand; longer ones say more of what is wanted."""
    if queries is None:
        return {}
    return {"query": ["one word" if len(query.split()) < 2 else "several words" for query in queries]}


def _history(history: Interactions) -> dict[str, list[str]]:
    """The third of units with the shortest histories is new (ties included), the rest old."""
    if history.n_events == 0:
        return {}
    lengths = history.lengths
    limit = np.quantile(lengths, 1 / 3, method="inverted_cdf")
    slices = {"history": ["new" if n <= limit else "old" for n in lengths.tolist()]}
    if "country" in history.extras:
        slices.update(_groups({"country": _last(history, "country")}))
    return slices


def _last(history: Interactions, extra: str) -> list[str]:
    column = history.extras[extra]
    ends = history.indptr[1:] - 1
    return [
        str(column[end]) if n and column[end] is not None else ""
        for end, n in zip(ends.tolist(), history.lengths.tolist(), strict=True)
    ]


def _groups(groups: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    merged: dict[str, list[str]] = {}
    for name, values in groups.items():
        texts = ["" if value is None else str(value) for value in values]
        counts: dict[str, int] = {}
        for text in texts:
            counts[text] = counts.get(text, 0) + 1
        if len([text for text in counts if text]) > 1:
            merged[name] = [text if not text or counts[text] >= LEAST_UNITS else OTHER for text in texts]
    return merged


def _head_and_tail(counts: npt.NDArray[np.int64]) -> list[str]:
    order = np.argsort(-counts, kind="stable")
    running = np.cumsum(counts[order])
    n_head = int(np.searchsorted(running, HEAD_SHARE * running[-1])) + 1
    labels = np.full(len(counts), "tail", object)
    labels[order[:n_head]] = "head"
    return [str(label) for label in labels]
