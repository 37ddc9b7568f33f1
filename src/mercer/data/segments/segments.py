"""Both views of the customers: by how they buy and by what they buy. Aggregates only; no customer is named."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Interactions
from mercer.data.segments.habits import habits, standardised
from mercer.data.segments.stability import Choice, choose, group
from mercer.data.segments.tastes import bought_items, tastes
from mercer.data.segments.words import habit_name, listed

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST = 100
"""Fewer customers are not divided."""
SMALL = 20
"""A group of fewer is not described: its averages would be those of a few people."""
TYPICAL_ITEMS = 3
LONGEST = 50
"""Characters of a title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One group.

    customers, share: how many, and of all in the view. spend_share: of the net spend of all in the view.
    recency, frequency, money: medians (days; days with a purchase; minor units); None where unknown.
    typical: titles that the group buys far more often than others do. sentence: for a page.
    """

    name: str
    customers: int
    share: float
    spend_share: float
    recency: float | None
    frequency: float
    money: float
    typical: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One way to divide the customers. segments: empty where nothing was stable. sentence: how it was decided."""

    by: str
    customers: int
    segments: tuple[Segment, ...]
    agreement: tuple[float, ...]
    cloud: tuple[float, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What was found as of a cut (microseconds)."""

    as_of: int
    views: tuple[View, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def find_segments(log: Interactions, items: pd.DataFrame, as_of: int, *, seed: int = 0) -> Segments:
    """Divide the customers who had bought by `as_of`.

    items: row i is item code i, with a column title. Nothing known after `as_of` is read.
    """
    known = habits(log, as_of)
    views = []
    if len(known) >= FEWEST:
        views.append(_by_habit(known, seed))
        matrix = bought_items(log, as_of)
        rows, vectors = tastes(matrix, seed)
        if len(rows) >= FEWEST:
            views.append(_by_taste(known, rows, vectors, matrix, items["title"].astype(str).to_numpy(), seed))
    return Segments(as_of=as_of, views=tuple(views))


def _by_habit(known: pd.DataFrame, seed: int) -> View:
    points = standardised(known)
    choice = choose(points, seed=seed)
    label = group(points, choice.groups, seed)
    columns = [name for name in known.columns if name != "row"]
    scale = np.log1p(known[columns])
    distance = (scale - scale.mean()) / scale.std().replace(0, 1)
    found = []
    for at in range(choice.groups):
        inside = label == at
        found.append(_segment(known, inside, habit_name(distance[inside].mean().to_dict()), ()))
    return _view(
        "how they buy",
        listed([name for name in columns if known[name].nunique() > 1]),
        len(known),
        found,
        choice,
    )


def _by_taste(
    known: pd.DataFrame, rows: Ints, vectors: Floats, matrix: Any, titles: npt.NDArray[Any], seed: int
) -> View:
    choice = choose(vectors, seed=seed)
    label = group(vectors, choice.groups, seed)
    of_row = known.set_index("row").loc[rows].reset_index()
    bought = matrix[rows]
    everybody = np.asarray(bought.sum(axis=0)) / len(rows)
    found = []
    for at in range(choice.groups):
        inside = label == at
        typical = _typical(
            np.asarray(bought[np.flatnonzero(inside)].sum(axis=0)), int(inside.sum()), everybody, titles
        )
        found.append(
            _segment(of_row, inside, listed([title for title, _ in typical]), tuple(t for t, _ in typical))
        )
    return _view("what they buy", "the items they bought", len(rows), found, choice)


def _typical(counts: Floats, n: int, everybody: Floats, titles: npt.NDArray[Any]) -> list[tuple[str, float]]:
    """Titles with the largest lead over everybody's share, bought by SMALL of the group at least."""
    lead = np.where(counts >= min(SMALL, n), counts / max(n, 1) - everybody, -np.inf)
    best = np.argsort(-lead, kind="stable")[:TYPICAL_ITEMS]
    return [
        (" ".join(titles[code].split()) or "untitled", float(lead[code])) for code in best if lead[code] > 0
    ]


def _segment(
    known: pd.DataFrame, inside: npt.NDArray[np.bool_], name: str, typical: tuple[str, ...]
) -> Segment:
    part, n = known[inside], int(inside.sum())
    share, total = n / len(known), float(known["money"].sum())
    spend_share = float(part["money"].sum()) / total if total > 0 else 0.0
    title = f"buyers of {name}" if typical else name
    sentence = f"{title[:1].upper()}{title[1:]}: {_percent(share)} of customers"
    sentence += f", {_percent(spend_share)} of net spend." if total > 0 else "."
    return Segment(
        name=name,
        customers=n,
        share=share,
        spend_share=spend_share,
        recency=float(part["recency"].median()) if "recency" in part else None,
        frequency=float(part["frequency"].median()),
        money=float(part["money"].median()),
        typical=typical,
        sentence=sentence,
    )


def _short(title: str) -> str:
    words = " ".join(title.split()) or "untitled"
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1].rstrip()}…"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"


def _view(by: str, basis: str, customers: int, found: list[Segment], choice: Choice) -> View:
    shown = tuple(one for one in found if one.customers >= SMALL) if choice.groups > 1 else ()
    if choice.groups > 1:
        agreement = choice.agreement[choice.groups - 2]
        sentence = (
            f"{choice.groups} groups by {basis}: two halves of the customers, divided apart, agree on them to "
            f"{agreement:.2f} (1 is the same, 0 is chance)."
        )
        if not choice.natural:
            sentence += (
                " A shapeless cloud would be cut as surely, so they are handy, not natural:"
                " people differ by degrees."
            )
    else:
        best = max(choice.agreement, default=0.0)
        sentence = (
            f"No division by {basis or 'habit'} is found again by another half of the customers clearly "
            f"(best agreement {best:.2f}), so none is shown: customers differ by degrees, not in kind."
        )
    return View(
        by=by, customers=customers, segments=shown, agreement=choice.agreement, cloud=choice.cloud,
        sentence=sentence,
    )  # fmt: skip
