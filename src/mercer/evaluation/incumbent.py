"""What the business used until now, scored as an opponent: its rankings, or its scores of customers.

The business made its file before anybody chose a test set. So it may hold other units and lack some: both are counted
and said. What contradicts itself (twice the same, no number) is refused.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import Source
from mercer.contracts import Holdout, Labelled, Predictions
from mercer.data.casts import to_number, to_text
from mercer.data.moments import to_time
from mercer.data.money import decimals
from mercer.errors import DataError, nearest
from mercer.evaluation.names import metric_name
from mercer.evaluation.predictions import score_predictions
from mercer.evaluation.rankings_file import score_rankings_frame
from mercer.evaluation.scored import Scored
from mercer.evaluation.slices import Slices

UNITS = ("unit", "user", "query", "entity")
ORDER_METRICS = ("auc", "average-precision")
"""What can be said of values that order customers and are no probabilities."""

_FILE = "incumbent.json"
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a file of the incumbent covers.

    units: of the test set. missing: those it says nothing of; in lists they are misses, in scores they count as the
    lowest score of their cut-off. left_out: its rows on other units and cut-offs, and on items that the catalogue
    lacks (unknown_items). order_only: its scores are no probabilities, so only their order is judged.
    """

    kind: Literal["lists", "scores"]
    units: int
    missing: int
    left_out: int
    unknown_items: int = 0
    order_only: bool = False

    @property
    def said(self) -> str:
        """What of it a reader should know, or nothing."""
        parts = []
        if self.missing and self.kind == "lists":
            parts.append(f"{self.missing:,} of {self.units:,} without a list, which are misses")
        if self.missing and self.kind == "scores":
            parts.append(f"{self.missing:,} of {self.units:,} without a score, which count as the lowest")
        if self.unknown_items:
            parts.append(f"{_rows(self.unknown_items)} of items that the catalogue lacks left out")
        if self.order_only:
            parts.append("judged by its order alone, for its scores are no probabilities")
        return "; ".join(parts)

    def measures(self, metric: str) -> bool:
        """Whether the metric says something of these rows."""
        return not self.order_only or metric_name(metric).name in ORDER_METRICS

    def save(self, folder: Path) -> None:
        """Write incumbent.json."""
        (folder / _FILE).write_text(json.dumps(asdict(self), indent=1), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        return cls(**json.loads((folder / _FILE).read_text("utf-8")))


def score_lists(
    frame: pd.DataFrame, held: Holdout, source: Source, *, name: str, slices: Slices | None = None
) -> tuple[Scored, Coverage]:
    """Score the rankings the business showed: columns unit (user, query), item, and rank or score.

    Raises DataError for a missing column, an item given twice to one unit, a rank that is no number, and a file that
    names no unit or no item of the test set at all.
    """
    rows = _named(frame, source, name, needed=("item",), either=("rank", "score"))
    worth = "rank" if "rank" in rows else "score"
    rows = rows.assign(item=to_text(rows["item"]), **{worth: _numbers(rows[worth], source, name, worth)})
    known_unit = rows["unit"].isin(set(held.units)).to_numpy(bool)
    known_item = rows["item"].isin(set(held.requests.items.ids)).to_numpy(bool)
    kept = rows.loc[known_unit & known_item]
    if kept.empty:
        what = "unit of the test set" if not known_unit.any() else "item of the catalogue"
        raise DataError(
            f"{name}: none of its {_rows(len(rows))} names a {what}.",
            remedy="Check which columns `map` takes for unit and item.",
        )
    scored = score_rankings_frame(kept, held, name=name, slices=slices)
    return scored, Coverage(
        kind="lists",
        units=len(held.units),
        missing=len(set(held.units) - set(kept["unit"])),
        left_out=len(rows) - len(kept),
        unknown_items=int(np.count_nonzero(known_unit & ~known_item)),
    )


def score_scores(
    frame: pd.DataFrame,
    held: Labelled,
    source: Source,
    *,
    name: str,
    kind: Literal["probability", "amount"],
    currency: str | None,
    slices: Slices | None = None,
) -> tuple[Scored, Coverage]:
    """Score the scores the business went by: columns unit (user, entity), value (score), and as_of.

    as_of: the cut-off, nothing of that day or later was known; it may be left out where the test has one. value of a
    probability: one in [0, 1], or else anything that is larger for who is likelier, which is judged by its order alone;
    of an amount: major units of `currency`.
    Raises DataError for a missing column, a unit with two scores at a cut-off, a value that is no number, a time that
    is none, and a file that names no unit of the test set at its cut-offs.
    """
    rows = _named(frame, source, name, needed=(), either=("value", "score"))
    column = "value" if "value" in rows else "score"
    rows = rows.assign(value=_numbers(rows[column], source, name, column))
    days = [_day(int(instant)) for instant in held.snapshots.as_of]
    rows["day"] = _days(rows, source, name, sorted(set(days)))
    wanted = pd.MultiIndex.from_arrays([list(held.snapshots.entities), days])
    given = pd.MultiIndex.from_arrays([rows["unit"], rows["day"]])
    inside = given.isin(wanted)
    if not inside.any():
        raise DataError(
            f"{name}: none of its {_rows(len(rows))} names a unit of the test set at {', '.join(sorted(set(days)))}.",
            remedy="Check which columns `map` takes for unit and as_of.",
        )
    twice = given.duplicated() & inside
    if twice.any():
        raise DataError(
            f"{name}: {_rows(int(twice.sum()))} with a second score of a unit at a cut-off "
            f"(first rows: {_places(twice)}).",
            remedy="Give each unit one score a cut-off.",
        )
    known = (
        pd.Series(rows["value"].to_numpy(np.float64), index=given)[inside]
        .reindex(wanted)
        .to_numpy(np.float64)
    )
    missing = np.isnan(known)
    value = np.where(missing, _lowest(known, days), known)
    order_only = kind == "probability" and bool(((value < 0) | (value > 1)).any())
    if order_only:
        value = (pd.Series(value).rank(method="average").to_numpy(np.float64) - 0.5) / len(value)
    elif kind == "amount":
        value = value * 10 ** decimals(source.currency or currency)
    scored = score_predictions(held, Predictions(value, value, value), kind=kind, slices=slices)
    return scored, Coverage(
        kind="scores",
        units=len(value),
        missing=int(np.count_nonzero(missing)),
        left_out=int(np.count_nonzero(~inside)),
        order_only=order_only,
    )


def _named(
    frame: pd.DataFrame, source: Source, name: str, *, needed: tuple[str, ...], either: tuple[str, ...]
) -> pd.DataFrame:
    """The rows in canonical columns, units as text. Raises DataError for a column that is not there."""
    for canonical, column in source.map.items():
        if column not in frame.columns:
            raise DataError(
                f"{name} has no column {column!r} for {canonical}.",
                remedy=nearest(column, map(str, frame.columns)),
            )
    rows = frame.rename(columns={column: canonical for canonical, column in source.map.items()})
    unit = next((one for one in UNITS if one in rows), None)
    for names in (UNITS, *((one,) for one in needed), either):
        if not any(one in rows for one in names):
            raise DataError(
                f"{name} has no column {' or '.join(map(repr, names))}.",
                remedy="Say in `map` which column it is.",
            )
    return rows.assign(unit=to_text(rows[str(unit)])).reset_index(drop=True)


def _numbers(column: pd.Series, source: Source, name: str, called: str) -> npt.NDArray[np.float64]:
    numbers, _ = to_number(column, source.decimal, source.thousands)
    values = numbers.to_numpy(np.float64, na_value=np.nan)
    bad = ~np.isfinite(values)
    if bad.any():
        raise DataError(
            f"{name}, column {called!r}: {_rows(int(bad.sum()))} without a number (first rows: {_places(bad)}).",
            remedy="Leave out what was not ranked or scored.",
        )
    return values


def _days(rows: pd.DataFrame, source: Source, name: str, days: list[str]) -> list[str]:
    """The day of each row's cut-off; without such a column that of the test, if it has one."""
    if "as_of" not in rows:
        if len(days) > 1:
            raise DataError(
                f"{name} has no column 'as_of', and the test has the cut-offs {', '.join(days)}.",
                remedy="Say which cut-off each score was made for.",
            )
        return days * len(rows)
    instants, bad = to_time(rows["as_of"], source.timezone or "UTC", "as_of", day_first=source.day_first)
    bad = bad | instants.isna().to_numpy(bool)
    if bad.any():
        raise DataError(
            f"{name}, column 'as_of': {_rows(int(bad.sum()))} without a time (first rows: {_places(bad)}).",
            remedy="Write days as YYYY-MM-DD.",
        )
    return [_day(int(one)) for one in instants.to_numpy("datetime64[us]").astype(np.int64)]


def _day(instant: int) -> str:
    """The first day of which nothing was known at an instant (microseconds)."""
    return datetime.fromtimestamp((instant + 1) / 1e6, UTC).date().isoformat()


def _lowest(value: npt.NDArray[np.float64], days: list[str]) -> npt.NDArray[np.float64]:
    """The lowest known value of each row's cut-off; where a cut-off has none, of all."""
    known = pd.Series(value)
    by_day = known.groupby(np.array(days)).transform("min")
    return by_day.fillna(known.min()).to_numpy(np.float64)


def _rows(n: int) -> str:
    return f"{n:,} row" + ("" if n == 1 else "s")


def _places(bad: npt.NDArray[np.bool_]) -> str:
    """Numbers of the first such rows, from 1, the first row of data."""
    return ", ".join(str(at + 1) for at in np.flatnonzero(bad)[:_SHOWN])
