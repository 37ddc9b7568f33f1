"""The columns of a file: what is known of each, and how its values spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mercer.data.profile import charts
from mercer.data.profile.meaning import PERSON, Kind, as_typed, likely_meaning
from mercer.data.profile.outliers import far_out
from mercer.data.profile.section import Chart, Column, Grid, Section
from mercer.data.profile.spread import bins
from mercer.data.profile.texts import FIRM, Finds, look
from mercer.data.profile.words import count, listed, measure, plural, share

_MOST_CHARTS = 40
_MOST_VALUES = 8
_FEW_NUMBERS = 16
_MONTHS = 48
_OFTEN = 0.1
"""Share of texts with a name or an address from which a column is taken to hold persons, and not brands."""
LEAST_ROWS = 5
"""A value that fewer rows hold could point at a person: it is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """What the page says about one column. finds: what personal data its texts look as if they held."""

    name: str
    kind: Kind
    stored: str
    n_missing: int
    n_unread: int
    n_distinct: int
    n_rows: int
    meaning: str
    finds: Finds
    values: pd.Series[Any]

    @property
    def is_personal(self) -> bool:
        """Whether no value may be shown: it could be a person's."""
        guessed = self.finds.of(("person", "address")) > _OFTEN * self.finds.looked
        return bool(self.finds.of(FIRM)) or guessed or self.meaning == PERSON


def facts_of(name: str, column: pd.Series[Any]) -> ColumnFacts:
    """Type, gaps, distinct values and likely meaning of a column."""
    kind, values = as_typed(column, named=name)
    n_missing, n_distinct = int(column.isna().sum()), int(values.nunique())
    return ColumnFacts(
        name=name,
        kind=kind,
        stored=str(column.dtype),
        n_missing=n_missing,
        n_unread=int(values.isna().sum()) - n_missing,
        n_distinct=n_distinct,
        n_rows=len(column),
        meaning=likely_meaning(name, kind, n_distinct, len(column) - n_missing),
        finds=look(name, [str(text) for text in values.dropna().unique()] if kind == "text" else []),
        values=values,
    )


def quantiles(facts: Sequence[ColumnFacts]) -> Section | None:
    """Quantiles of numbers and of times."""
    rows = []
    for f in facts:
        if f.kind == "number":
            values = f.values.to_numpy(np.float64, na_value=np.nan)
            values = values[np.isfinite(values)]
            if len(values):
                q = np.quantile(values, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
                zeros = share(int((values == 0).sum()), len(values))
                far = count(int(far_out(values).sum()))
                rows.append(
                    (f.name, *(measure(float(v)) for v in q), measure(float(values.mean())), zeros, far)
                )
        elif f.kind == "time":
            q = f.values.dropna().quantile([0, 0.05, 0.25, 0.5, 0.75, 0.95, 1], interpolation="lower")
            rows.append((f.name, *(f"{v:%Y-%m-%d}" for v in q), "–", "–", "–"))
    if not rows:
        return None
    names = ("least", "5 %", "25 %", "middle", "75 %", "95 %", "greatest", "mean", "zeros", "far out")
    negative = [f.name for f in facts if f.kind == "number" and (f.values < 0).any()]
    finding = f"{plural(len(rows), 'column')} can be measured"
    finding += (
        f"; {listed(negative)} {'goes' if len(negative) == 1 else 'go'} below zero."
        if negative
        else "; none goes below zero."
    )
    grid = Grid(
        columns=(Column(name="column"), *(Column(name=n, align="right") for n in names)), rows=tuple(rows)
    )
    return Section(
        id="quantiles",
        title="Quantiles",
        finding=finding,
        meaning="95 % means: 95 rows of 100 hold this value or a smaller one. Far out: how many values above zero lie "
        "more than 3 times the middle half's width beyond it, on a scale of factors.",
        grids=(grid,),
    )


def shapes(facts: Sequence[ColumnFacts]) -> Section | None:
    """A histogram of each measured column, the most frequent values of each small one."""
    drawn: list[Chart] = []
    for f in facts:
        if len(drawn) < _MOST_CHARTS:
            one = _shape(f)
            if one is not None:
                drawn.append(one)
    if not drawn:
        return None
    return Section(
        id="shapes",
        title="How values spread",
        finding=f"{plural(len(drawn), 'column')} of {len(facts)} {'is' if len(drawn) == 1 else 'are'} drawn: numbers "
        "and times as histograms, others by their most frequent values.",
        charts=tuple(drawn),
        notes=(f"The first {_MOST_CHARTS} that can be drawn.",) if len(drawn) == _MOST_CHARTS else (),
    )


def _shape(f: ColumnFacts) -> Chart | None:
    if f.is_personal or f.n_distinct < 2:
        return None
    if f.kind == "number" and f.n_distinct > 2:
        if f.n_distinct <= _FEW_NUMBERS and (f.values.dropna() % 1 == 0).all():
            return _whole(f)
        frame, equal_factors = bins(f.values.to_numpy(np.float64, na_value=np.nan))
        draw = charts.histogram(frame, f.name, "share of rows", log=equal_factors, height=200)
        caption = "Equal steps to the right are equal factors." if equal_factors else ""
        return charts.chart(draw, f.name, label=f"Histogram of {f.name}", caption=caption, wide=charts.HALF)
    if f.kind == "time":
        return _times(f)
    return _frequent(f)


def _whole(f: ColumnFacts) -> Chart | None:
    """A column a whole number; numbers that few rows hold are left out."""
    counts = f.values.dropna().astype(np.int64).value_counts().sort_index()
    counts = counts[counts >= LEAST_ROWS]
    if counts.empty:
        return None
    frame = pd.DataFrame({f.name: counts.index.astype(str), "share of rows": counts.to_numpy() / f.n_rows})
    draw = charts.columns(frame, share=True, height=200)
    return charts.chart(draw, f.name, label=f"Share of rows by {f.name}", wide=charts.HALF)


def _times(f: ColumnFacts) -> Chart:
    """Rows by month; by day where they lie within three months, by year where months would be too many."""
    there = f.values.dropna()
    days = (there.max() - there.min()).days
    form = "%Y-%m-%d" if days <= 92 else "%Y-%m" if days <= 31 * _MONTHS else "%Y"
    counts = there.dt.strftime(form).value_counts().sort_index()
    frame = pd.DataFrame({f.name: counts.index.astype(str), "rows": counts.to_numpy()})
    return charts.chart(
        charts.columns(frame, height=200), f.name, label=f"Rows by {f.name}", wide=charts.HALF,
        caption={"%Y-%m-%d": "By day.", "%Y-%m": "By month.", "%Y": "By year."}[form],
    )  # fmt: skip


def _frequent(f: ColumnFacts) -> Chart | None:
    counts = f.values.value_counts()
    counts = counts[counts >= LEAST_ROWS]
    if counts.empty or (f.n_distinct > _MOST_VALUES * 10 and counts.iloc[0] < 0.01 * f.n_rows):
        return None
    ranked = sorted(counts.items(), key=lambda pair: (-int(pair[1]), str(pair[0])))[:_MOST_VALUES]
    frame = pd.DataFrame(
        {
            "name": [str(value)[:40] for value, _ in ranked],
            "value": [int(n) for _, n in ranked],
            "text": [share(int(n), f.n_rows) for _, n in ranked],
        }
    ).drop_duplicates("name")
    caption = (
        f"The {len(frame)} most frequent of {count(f.n_distinct)} values."
        if f.n_distinct > len(frame)
        else ""
    )
    return charts.chart(
        charts.bars(frame, "rows", step=20),
        f.name,
        label=f"Most frequent values of {f.name}",
        caption=caption,
        wide=charts.HALF,
    )
