"""What a canonical table must hold beyond its column types.

`check_table(name, table)` raises DataError naming the table, the rule, the column and the first row that
breaks it. A source, a simulator or a log writer calls it in its tests on what it wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from mercer.contracts import TABLES
from mercer.errors import DataError, NotFoundError, nearest

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RowRule:
    """A claim about every row. holds: from the whole frame to one truth a row; nulls hold where optional."""

    sentence: str
    column: str
    holds: Callable[[pd.DataFrame], Any]


def _at_least(column: str, least: float) -> RowRule:
    return RowRule(
        f"{column} is at least {least:g}", column, lambda f: f[column].isna() | (f[column] >= least)
    )


def _above(column: str, bound: float) -> RowRule:
    return RowRule(f"{column} is above {bound:g}", column, lambda f: f[column].isna() | (f[column] > bound))


def _probability(column: str) -> RowRule:
    return RowRule(
        f"{column} lies in (0, 1]",
        column,
        lambda f: f[column].isna() | ((f[column] > 0) & (f[column] <= 1)),
    )


def _one_of(column: str, *legal: str) -> RowRule:
    return RowRule(
        f"{column} is one of {', '.join(legal)}", column, lambda f: f[column].isna() | f[column].isin(legal)
    )


def _not_before(column: str, earlier: str) -> RowRule:
    return RowRule(
        f"{column} is not before {earlier}",
        column,
        lambda f: f[column].isna() | f[earlier].isna() | (f[column] >= f[earlier]),
    )


def _filled(column: str) -> RowRule:
    return RowRule(f"{column} is not empty", column, lambda f: f[column].isna() | (f[column].str.len() > 0))


def _json(column: str, kind: type) -> RowRule:
    word = "object" if kind is dict else "list"
    return RowRule(f"{column} is a JSON {word}", column, lambda f: f[column].map(lambda t: _is_json(t, kind)))


def _is_json(text: Any, kind: type) -> bool:
    if not isinstance(text, str):
        return True
    try:
        return isinstance(json.loads(text), kind)
    except ValueError:
        return False


def _currency() -> RowRule:
    return RowRule(
        "a row with an amount has a currency of three capitals",
        "currency",
        lambda f: (
            f[_amount_column(f)].isna()
            | (f[_amount_column(f)] == 0)
            | f["currency"].str.fullmatch("[A-Z]{3}").eq(True)
        ),
    )


def _amount_column(frame: pd.DataFrame) -> str:
    return "price_minor" if "price_minor" in frame.columns else "amount_minor"


RULES: Mapping[str, tuple[RowRule, ...]] = {
    "events": (
        _filled("user"),
        _filled("item"),
        _filled("kind"),
        _above("quantity", 0),
        _not_before("known_at", "time"),
        _currency(),
        RowRule(
            "a return is not positive, anything else is not negative",
            "amount_minor",
            lambda f: (
                f["amount_minor"].isna()
                | np.where(f["kind"] == "return", f["amount_minor"] <= 0, f["amount_minor"] >= 0)
            ),
        ),
        RowRule(
            "only a return has an origin",
            "origin",
            lambda f: f["origin"].isna() | (f["kind"] == "return"),
        ),
    ),
    "items": (
        _filled("title"),
        _at_least("price_minor", 0),
        _at_least("min_age", 0),
        _not_before("available_until", "available_from"),
        _currency(),
        _json("attributes", dict),
    ),
    "users": (_at_least("age", 0), _json("attributes", dict)),
    "consents": (_filled("purpose"),),
    "requests": (_json("context", dict),),
    "impressions": (
        _at_least("position", 1),
        _probability("propensity"),
        _one_of("propensity_kind", "item-position", "slate"),
        RowRule(
            "a propensity says of which kind it is",
            "propensity_kind",
            lambda f: f["propensity"].isna() | f["propensity_kind"].notna(),
        ),
    ),
    "outcomes": (_filled("kind"),),
    "treatments": (_probability("propensity"), _filled("arm")),
    "judgments": (_at_least("grade", 0),),
    "payments": (
        _above("amount_minor", 0),
        _currency(),
        RowRule(
            "a label has a time at which it could be known, not before the payment",
            "label_known_at",
            lambda f: f["label"].isna() | (f["label_known_at"] >= f["time"]),
        ),
        RowRule(
            "instrument is a token, never 12 to 19 digits",
            "instrument",
            lambda f: ~f["instrument"].str.fullmatch(r"[0-9 -]{12,23}").eq(True),
        ),
    ),
    "examples": (RowRule("label is a finite number", "label", lambda f: np.isfinite(f["label"])),),
    "cases": (
        _not_before("closed", "opened"),
        _json("reasons", list),
        RowRule(
            "a closed case has a disposition and a role, an open one has neither",
            "disposition",
            lambda f: (
                (f["disposition"].notna() == f["closed"].notna())
                & (f["reviewer_role"].notna() == f["closed"].notna())
            ),
        ),
    ),
}


def check_table(name: str, table: pa.Table) -> pa.Table:
    """Check schema, key and every row rule; returns the conformed table.

    Raises DataError naming what is wrong and where (row numbers from 0), NotFoundError for an unknown name.
    """
    if name not in TABLES:
        raise NotFoundError(f"No canonical table is called {name!r}.", remedy=nearest(name, TABLES))
    schema = TABLES[name]
    conformed = schema.conform(table)
    frame = conformed.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}.get)
    if schema.key:
        _report(
            name, f"{' + '.join(schema.key)} is unique", schema.key[0], ~frame.duplicated(list(schema.key))
        )
    for rule in RULES[name]:
        _report(name, rule.sentence, rule.column, rule.holds(frame))
    return conformed


def _report(name: str, sentence: str, column: str, holds: Any) -> None:
    """Raise DataError for the first row where `holds` is not true."""
    broken = np.flatnonzero(~pd.Series(holds).fillna(False).to_numpy(bool))
    if len(broken):
        raise DataError(
            f"Table {name!r}, column {column!r}: rule '{sentence}' broken in {len(broken)} rows, "
            f"first in row {broken[0]}.",
            remedy="Mend the source, or quarantine these rows.",
        )
