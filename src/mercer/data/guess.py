"""What a file's columns could mean: a first guess for `mercer init`, from names and contents."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from mercer.brief import Source
from mercer.data.casts import to_number
from mercer.data.marks import find_marks
from mercer.data.moments import to_time
from mercer.data.money import all_signs, unsigned
from mercer.data.sources import read_frame
from mercer.errors import DataError

_NAMES: dict[str, tuple[str, ...]] = {
    "user": ("customer", "user", "client", "member", "buyer", "account", "shopper"),
    "item": ("stockcode", "item", "product", "sku", "asin", "article", "docid"),
    "time": ("timestamp", "datetime", "invoicedate", "date", "time", "created"),
    "quantity": ("quantity", "qty", "units", "count"),
    "price": ("unitprice", "price"),
    "amount": ("amount", "total", "revenue", "spend"),
    "basket": ("invoice", "order", "basket", "receipt", "transaction"),
    "session": ("session", "visit"),
    "country": ("country",),
    "kind": ("eventtype", "event_type", "action", "kind"),
    "title": ("description", "title", "name"),
    "label": ("label", "target", "outcome"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """map: canonical column -> own column. confidence: by canonical column, 0 to 1. unknown: what no file tells.

    table: "events" when there are users, items and times; "items" when there are items and titles; else "examples".
    """

    table: str
    map: dict[str, str]
    confidence: dict[str, float]
    unknown: tuple[str, ...]
    columns: tuple[str, ...]
    n_rows: int
    first: str = ""
    last: str = ""
    notes: tuple[str, ...] = field(default=())


def guess_mapping(path: Path) -> Guess:
    """Guess which canonical columns a CSV or Parquet file holds. Raises DataError for a file that can't be read."""
    frame = read_frame(Source(source=path.name), (path.parent,))
    found: dict[str, str] = {}
    confidence: dict[str, float] = {}
    for canonical, words in _NAMES.items():
        best = max(
            ((_fit(canonical, words, str(name), frame[name]), str(name)) for name in frame.columns),
            default=(0.0, ""),
        )
        if best[0] >= 0.5 and best[1] not in found.values():
            found[canonical], confidence[canonical] = best[1], round(best[0], 2)
    if {"user", "item", "time"} <= found.keys():
        table = "events"
    elif {"item", "title"} <= found.keys():
        table = "items"
    else:
        table = "examples"
    times, naive = (
        _times(frame[found["time"]]) if "time" in found else (pd.Series(dtype="datetime64[us]"), False)
    )
    unknown = [
        *(["timezone"] if naive else []),
        *(["currency"] if {"price", "amount"} & found.keys() else []),
    ]
    return Guess(
        table=table,
        map=found,
        confidence=confidence,
        unknown=(*unknown, "jurisdictions"),
        columns=tuple(map(str, frame.columns)),
        n_rows=len(frame),
        first=str(times.min().date()) if times.notna().any() else "",
        last=str(times.max().date()) if times.notna().any() else "",
    )


def _fit(canonical: str, words: tuple[str, ...], name: str, column: pd.Series[Any]) -> float:
    """How well a column fits: its name, then whether its values are of the kind."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    named = max(
        (len(word) / max(len(plain), 1) for word in words if word.replace("_", "") in plain), default=0.0
    )
    if canonical == "item" and plain == "id":
        named = 0.1  # a table's own id, where no other column is called an item
    if not named:
        return 0.0
    score = 0.6 + 0.4 * named
    sample = column.dropna().head(1_000)
    if canonical == "time" and not _are_times(sample):
        return 0.0
    if canonical in ("quantity", "price", "amount") and not _are_numbers(sample):
        return 0.0
    return score


def _are_numbers(sample: pd.Series[Any]) -> bool:
    """Whether most values are numbers, whatever mark stands before their decimals and whatever sign of a currency
    beside them."""
    if not pd.api.types.is_numeric_dtype(sample):
        sample = unsigned(sample.astype("string").str.strip(), all_signs())
    try:
        marks, _ = find_marks({"": sample}, Source(source=""))
    except DataError:
        return True
    return bool(to_number(sample, marks.decimal, marks.thousands)[1].mean() <= 0.1)


def _are_times(sample: pd.Series[Any]) -> bool:
    if not len(sample):
        return False
    return bool(_times(sample)[0].notna().mean() > 0.9)


def _times(column: pd.Series[Any]) -> tuple[pd.Series[Any], bool]:
    """The times that a column says, and whether they carry no zone; none where days and months can't be told apart."""
    nothing = pd.Series(pd.NaT, index=column.index, dtype="datetime64[us]")
    try:
        return to_time(column, None, "")[0], False
    except DataError:
        pass
    try:
        return to_time(column, "UTC", "")[0], True
    except DataError:
        return nothing, True
