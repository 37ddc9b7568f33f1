"""The outcome of a flat table: how often it is yes, and which columns it goes with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.data.profile import charts
from mercer.data.profile.columns import LEAST_ROWS, ColumnFacts
from mercer.data.profile.section import Chart, Column, Grid, Section
from mercer.data.profile.words import count, listed, measure, plural, share
from mercer.errors import DataError, nearest

_NAMES = (
    "label",
    "target",
    "outcome",
    "class",
    "default",
    "churn",
    "fraud",
    "response",
    "revenue",
    "converted",
    "y",
)
_YES = ("1", "1.0", "true", "yes", "y", "t")
_LEAST = 30
"""Rows that a group needs for its rate to be shown."""
_PARTS = 5
_DRAWN = 6
_MOST_GROUPS = 12
_TELLING = 0.5
"""Strength from which a reader should ask whether the column was known before the outcome."""
_RARE = 0.05
_MOST_VALUES = 60
_MISSING, _OTHER = "missing", "other"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How the outcome goes with a column. groups: name, rows, rate of yes. strength: correlation ratio, 0 to 1."""

    name: str
    groups: tuple[tuple[str, int, float], ...]
    strength: float


def outcome_of(facts: Sequence[ColumnFacts], named: str = "") -> ColumnFacts | None:
    """The column that a table is about: the one named, else one of two values whose name or last place says so.

    Raises DataError for a name that the table lacks or a column that does not have two values.
    """
    if named:
        found = {f.name: f for f in facts}
        if named not in found:
            raise DataError(f"No column is called {named!r}.", remedy=nearest(named, found))
        if found[named].n_distinct != 2:
            raise DataError(
                f"{named} has {plural(found[named].n_distinct, 'value')}.",
                remedy="An outcome here is yes or no: name a column of two values.",
            )
        return found[named]
    two = [
        f
        for f in facts
        if f.n_distinct == 2 and not f.n_missing and f.values.value_counts().min() >= LEAST_ROWS
    ]
    for f in two:
        words = "".join(c if c.isalnum() else " " for c in f.name.lower()).split()
        if any(word in _NAMES for word in words):
            return f
    return two[-1] if two and two[-1] is facts[-1] else None


def section(facts: Sequence[ColumnFacts], named: str = "") -> Section | None:
    """Balance of the outcome and its strongest links; None where no column looks like one."""
    found = outcome_of(facts, named)
    if found is None:
        return None
    positive, yes = _as_yes(found.values)
    n_yes, n = int(yes.sum()), len(yes)
    links = sorted(
        (one for f in facts if f is not found and (one := _link(f, yes)) is not None),
        key=lambda one: -one.strength,
    )
    finding = (
        f"{found.name} is {positive} in {count(n_yes)} of {plural(n, 'row')} ({share(n_yes, n)}): knowing nothing, one "
        f"is right {share(max(n_yes, n - n_yes), n)} of the time."
    )
    if links:
        finding += f" It goes most with {listed([f'{one.name} ({one.strength:.2f})' for one in links[:3]])}."
    telling = [one.name for one in links if one.strength > _TELLING]
    rare = share(n_yes, n) if min(n_yes, n - n_yes) < _RARE * n else ""
    watch = []
    if telling:
        watch.append(
            f"{listed(telling)} {'tells' if len(telling) == 1 else 'tell'} {found.name} apart: was "
            f"{'it' if len(telling) == 1 else 'each'} known before?"
        )
    if rare:
        watch.append(
            f"{found.name} is {positive} in {rare} of the rows only: judge models by ranking, not accuracy."
        )
    return Section(
        id="outcome",
        title=f"The outcome, {found.name}",
        finding=finding,
        meaning=("" if named else f"That {found.name} is the outcome is a guess; --label names another. ")
        + "A column that goes with the outcome is worth having only if it is known before the outcome is.",
        watch=" ".join(watch),
        charts=tuple(_drawn(one, positive, found.name) for one in links[:_DRAWN]),
        grids=(_grid(links),) if links else (),
        notes=(
            "Strength is the correlation ratio: the spread of the rates of groups over the spread of the outcome, from "
            f"0 to 1. Groups of fewer than {_LEAST} rows count together.",
        ),
    )


def _as_yes(values: pd.Series[Any]) -> tuple[str, npt.NDArray[np.bool_]]:
    """The value that counts as yes (the one spelled so, else the rarer), and where it stands."""
    texts = values.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
    counts = texts.value_counts()
    spelled = [name for name in counts.index if name.lower() in _YES]
    positive = spelled[0] if len(spelled) == 1 else str(counts.index[-1])
    return positive, (texts == positive).to_numpy(bool)


def _link(f: ColumnFacts, yes: npt.NDArray[np.bool_]) -> Link | None:
    """Rates of yes by the values of a category, or by fifths of a number."""
    if f.is_personal or f.kind in ("empty", "list", "time") or f.n_distinct < 2:
        return None
    groups = _numbers(f) if f.kind == "number" and f.n_distinct > _MOST_GROUPS else _values(f)
    if groups is None:
        return None
    table = (
        pd.DataFrame({"group": groups, "yes": yes})
        .groupby("group", observed=True)["yes"]
        .agg(["size", "mean"])
    )
    small = table["size"] < _LEAST
    rows = [(str(at), int(row["size"]), float(row["mean"])) for at, row in table[~small].iterrows()]
    if small.any():
        n = int(table.loc[small, "size"].sum())
        rate = float((table.loc[small, "size"] * table.loc[small, "mean"]).sum() / n)
        if n >= _LEAST:
            rows.append((_OTHER, n, rate))
    if len(rows) < 2:
        return None
    sizes, rates = (np.array([row[at] for row in rows], np.float64) for at in (1, 2))
    mean = float(np.average(rates, weights=sizes))
    total = mean * (1 - mean)
    between = float(np.average((rates - mean) ** 2, weights=sizes))
    strength = float(np.sqrt(between / total)) if total > 0 else 0.0
    if f.kind != "number":
        rows.sort(key=lambda row: (row[0] in (_MISSING, _OTHER), -row[2]))
    return Link(name=f.name, groups=tuple(rows), strength=strength)


def _numbers(f: ColumnFacts) -> pd.Categorical[Any]:
    """Fifths of a number, in order, as far as its values can be parted."""
    values = f.values.to_numpy(np.float64, na_value=np.nan)
    edges = np.unique(np.nanquantile(values, np.arange(1, _PARTS) / _PARTS))
    names = [f"to {measure(float(edges[0]))}"]
    names += [f"{measure(float(a))} to {measure(float(b))}" for a, b in pairwise(edges)]
    names += [f"over {measure(float(edges[-1]))}", _MISSING]
    at = np.where(np.isnan(values), len(names) - 1, np.searchsorted(edges, values, side="left"))
    return pd.Categorical(np.array(names)[at], list(dict.fromkeys(names)))


def _values(f: ColumnFacts) -> pd.Categorical[Any] | None:
    """The values of a category, or of a number with few of them, in order."""
    if f.n_distinct > _MOST_VALUES:
        return None
    order = sorted(f.values.dropna().unique(), key=lambda value: (isinstance(value, str), value))
    names = {value: f"{value:g}" if isinstance(value, float) else str(value) for value in order}
    told = [_MISSING if pd.isna(value) else names[value] for value in f.values]
    return pd.Categorical(told, list(dict.fromkeys([*names.values(), _MISSING])))


def _drawn(link: Link, positive: str, outcome: str) -> Chart:
    shown = link.groups[:_MOST_GROUPS]
    frame = pd.DataFrame(
        {
            "name": [name[:40] for name, _, _ in shown],
            "value": [100 * rate for _, _, rate in shown],
            "text": [f"{share(rate)} of {count(n)}" for _, n, rate in shown],
        }
    ).drop_duplicates("name")
    caption = (
        "" if len(shown) == len(link.groups) else f"The first {len(shown)} of {len(link.groups)} groups."
    )
    return charts.chart(
        charts.bars(frame, f"{outcome} is {positive}, % of rows", step=24, room=1.5, most=100),
        link.name,
        label=f"Rate of {outcome} by {link.name}",
        caption=caption,
        wide=charts.HALF,
    )


def _grid(links: Sequence[Link]) -> Grid:
    rows = []
    for one in links:
        low, high = (pick(one.groups, key=lambda group: group[2]) for pick in (min, max))
        rows.append(
            (
                one.name, f"{one.strength:.2f}", one.strength,
                f"{low[0][:40]}: {share(low[2])}", f"{high[0][:40]}: {share(high[2])}",
            )
        )  # fmt: skip
    return Grid(
        title="Every column and the outcome",
        folded=len(links) > _DRAWN,
        columns=(
            Column(name="column"), Column(name="strength", align="right"), Column(name="", bar=True),
            Column(name="lowest rate"), Column(name="highest rate"),
        ),
        rows=tuple(rows),
    )  # fmt: skip
