"""Which mark stands before decimals and which between thousands: as the brief says, or as a table's numbers show.

A number such as 12,99 can only have a decimal comma and 1,234.50 only a comma between thousands; 1,234 alone could be
either. So all columns of numbers of a table are looked at together, and one such number tells for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mercer.brief import Source
from mercer.data.casts import to_number
from mercer.errors import DataError


@dataclass(frozen=True, slots=True)
class Marks:
    """decimal: before decimals. thousands: between thousands; None is what `to_number` makes of it."""

    decimal: str = "."
    thousands: str | None = None


STYLES = (
    Marks(".", ","),
    Marks(",", "."),
    Marks(".", " "),
    Marks(",", " "),
    Marks(".", "'"),
    Marks(",", "'"),
)
"""How numbers are written besides plainly. A space and an apostrophe never stand before decimals."""


def find_marks(columns: Mapping[str, pd.Series[Any]], source: Source) -> tuple[Marks, str | None]:
    """The marks of a table's numbers, and a sentence on how they were decided where the brief does not say them.

    columns: those that hold numbers, by name. What the brief says of the decimal comma and of thousands holds; what it
    leaves open is decided where one way of writing reads every number. Numbers written in two ways are left to the
    brief's way, so that the others are unreadable.
    Raises DataError where two ways read every number and give different values.
    """
    said = Marks(source.decimal, source.thousands)
    texts = _distinct(columns)
    if source.thousands is not None or not len(texts):
        return said, None
    unread = to_number(texts, said.decimal)[1]
    if not unread.any():
        return said, None
    ways = [style for style in STYLES if said.decimal in (".", style.decimal)]
    read = {style: to_number(texts, style.decimal, style.thousands) for style in ways}
    numbers = ~np.logical_and.reduce([unread, *(bad for _, bad in read.values())])
    fitting = [style for style in ways if not (read[style][1] & numbers).any()]
    if not (unread & numbers).any() or not fitting:
        return said, None
    first = read[fitting[0]][0][numbers]
    if any(not read[style][0][numbers].equals(first) for style in fitting[1:]):
        raise DataError(
            f"{source.source}, column {_named(columns, texts[unread & numbers])}: a mark in its numbers could stand "
            "before decimals or between thousands, and no number of the table tells.",
            remedy="Give `decimal` or `thousands` in the brief.",
        )
    chosen = fitting[0]
    spelled = {" ": "a space", "'": "an apostrophe"}.get(chosen.thousands or "", f"`{chosen.thousands}`")
    return chosen, (
        f"numbers of {_named(columns, texts[unread & numbers])} are read with `{chosen.decimal}` before decimals and "
        f"{spelled} between thousands, as they show"
    )


def _distinct(columns: Mapping[str, pd.Series[Any]]) -> pd.Series[Any]:
    """Every text that the columns hold, once."""
    texts: list[str] = []
    for column in columns.values():
        if not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            texts += column.dropna().astype("string").str.strip().unique().tolist()
    found = pd.Series(list(dict.fromkeys(texts)), dtype="string")
    return found[found != ""].reset_index(drop=True)


def _named(columns: Mapping[str, pd.Series[Any]], texts: pd.Series[Any]) -> str:
    """The columns that hold any of the texts."""
    wanted = set(texts)
    return ", ".join(
        repr(name)
        for name, column in columns.items()
        if not pd.api.types.is_numeric_dtype(column)
        and column.astype("string").str.strip().isin(wanted).any()
    )
