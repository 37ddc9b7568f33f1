"""The canonical tables at rest: names, columns, types, keys. Other programs read these: extend, never rename.

Times are timestamp[us] in UTC without zone. Money is int64 minor units with a currency code. Extra columns
(named typed extras) may follow the declared ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from mercer.errors import DataError, nearest

TEXT = pa.string()
TIME = pa.timestamp("us")
INT = pa.int64()
REAL = pa.float64()
FLAG = pa.bool_()


@dataclass(frozen=True, slots=True)
class Column:
    """One column. required: must be present; nullable: may hold nulls; personal: identifies a person."""

    name: str
    type: pa.DataType
    meaning: str
    required: bool = False
    nullable: bool = True
    personal: bool = False


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table's name, columns and the columns that make a row unique (empty: no key)."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Declared columns in order."""
        return tuple(column.name for column in self.columns)

    def arrow(self) -> pa.Schema:
        """The Arrow schema of all declared columns."""
        return pa.schema([pa.field(c.name, c.type, c.nullable) for c in self.columns])

    def empty(self) -> pa.Table:
        """No rows, every declared column."""
        return self.arrow().empty_table()

    def conform(self, table: pa.Table) -> pa.Table:
        """Declared columns in order (absent optional ones as nulls), then the extras; types cast safely.

        Raises DataError naming the column when one is missing, comes twice, can't be cast, or holds a
        forbidden null.
        """
        for name in table.column_names:
            if table.column_names.count(name) > 1:
                raise DataError(
                    f"Table {self.name!r} has the column {name!r} twice.",
                    remedy="Rename or drop one of them.",
                )
        columns: dict[str, pa.ChunkedArray] = {}
        for column in self.columns:
            if column.name not in table.column_names:
                if column.required:
                    raise DataError(
                        f"Table {self.name!r} has no column {column.name!r}.",
                        remedy=nearest(column.name, table.column_names or ["(none)"]),
                    )
                columns[column.name] = pa.chunked_array([pa.nulls(table.num_rows, column.type)])
                continue
            try:
                columns[column.name] = table.column(column.name).cast(column.type)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as fault:
                raise DataError(
                    f"Table {self.name!r}, column {column.name!r}: {table.schema.field(column.name).type} "
                    f"can't be read as {column.type}.",
                    remedy="Map another column or clean this one.",
                ) from fault
            if not column.nullable and columns[column.name].null_count:
                raise DataError(
                    f"Table {self.name!r}, column {column.name!r}: {columns[column.name].null_count} nulls.",
                    remedy="Every row needs a value here; quarantine the others.",
                )
        extras = {name: table.column(name) for name in table.column_names if name not in columns}
        return pa.table({**columns, **extras})


def _key(name: str, meaning: str, *, personal: bool = False) -> Column:
    return Column(name, TEXT, meaning, required=True, nullable=False, personal=personal)


def _time(name: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, TIME, meaning, required=required, nullable=not required)


_USER = _key("user", "the account that acts", personal=True)
_ITEM = _key("item", "the thing that can be shown")
_CURRENCY = Column("currency", TEXT, "ISO 4217 code")
_AMOUNT = Column("amount_minor", INT, "signed amount in minor units")
_KNOWN = _time("known_at", "when the shop could know it", required=False)
_REQUEST = _key("request", "request id")

EVENTS = TableSchema(
    "events",
    (
        _key("event", "event id; makes ingest idempotent"),
        _USER,
        _ITEM,
        _time("time", "when it happened"),
        _time("known_at", "when the shop could know it"),
        _key("kind", "view, cart, purchase, return, ..."),
        Column("quantity", REAL, "units, positive"),
        _AMOUNT,
        _CURRENCY,
        Column("basket", TEXT, "order or receipt id"),
        Column("session", TEXT, "visit id"),
        Column("channel", TEXT, "web, app, store, ..."),
        Column("country", TEXT, "country of the sale"),
        Column("origin", TEXT, "for a return: the event that it undoes"),
    ),
    key=("event",),
)
ITEMS = TableSchema(
    "items",
    (
        _ITEM,
        Column("title", TEXT, "what a person reads", required=True, nullable=False),
        Column("text", TEXT, "longer description"),
        Column("category", TEXT, "path, levels joined by ' > '"),
        Column("brand", TEXT, "maker or supplier"),
        Column("price_minor", INT, "price in minor units"),
        _CURRENCY,
        _time("available_from", "first instant it may be shown", required=False),
        _time("available_until", "last instant it may be shown", required=False),
        Column("min_age", INT, "least age in years of a person it may be shown to; 0 or null: none"),
        Column("attributes", TEXT, "JSON object of further attributes"),
    ),
    key=("item",),
)
USERS = TableSchema(
    "users",
    (
        _USER,
        Column("jurisdiction", TEXT, "whose law protects the person"),
        Column("age", INT, "years, null where unknown", personal=True),
        Column("attributes", TEXT, "JSON object; protected attributes are for audits only", personal=True),
    ),
    key=("user",),
)
CONSENTS = TableSchema(
    "consents",
    (
        _USER,
        _key(
            "purpose",
            "recommendation, analytics, ...; 'objection' and 'opt-out' are withdrawals of all profiling",
        ),
        Column("given", FLAG, "true: given, false: withdrawn or refused", required=True, nullable=False),
        _time("time", "from when it holds"),
    ),
)
REQUESTS = TableSchema(
    "requests",
    (
        _REQUEST,
        Column("user", TEXT, "the account that asked, null for a stranger", personal=True),
        _time("time", "when"),
        Column("query", TEXT, "search text", personal=True),
        Column("session", TEXT, "visit id"),
        Column("policy", TEXT, "what chose the answer"),
        Column("release", TEXT, "hash of the release that answered"),
        Column("context", TEXT, "JSON: jurisdiction, age band, signals"),
        Column("eligible", pa.list_(TEXT), "items that could have been shown; null: the whole catalogue"),
    ),
    key=("request",),
)
IMPRESSIONS = TableSchema(
    "impressions",
    (
        _REQUEST,
        _ITEM,
        Column("position", INT, "place, from 1", required=True, nullable=False),
        Column("propensity", REAL, "probability that the policy showed it there, in (0, 1]"),
        Column("propensity_kind", TEXT, "item-position or slate"),
    ),
    key=("request", "position"),
)
OUTCOMES = TableSchema(
    "outcomes",
    (_REQUEST, _ITEM, _key("kind", "click, purchase, ..."), _time("time", "when"), _AMOUNT),
)
TREATMENTS = TableSchema(
    "treatments",
    (
        _USER,
        _key("campaign", "campaign id"),
        _key("arm", "treatment or control arm"),
        Column("propensity", REAL, "probability of this arm, in (0, 1]"),
        _time("time", "when assigned"),
    ),
)
JUDGMENTS = TableSchema(
    "judgments",
    (
        _key("query", "search text"),
        _ITEM,
        Column("grade", REAL, "relevance, 0 is not relevant", required=True, nullable=False),
        Column("judge", TEXT, "who judged"),
    ),
    key=("query", "item", "judge"),
)
PAYMENTS = TableSchema(
    "payments",
    (
        _key("payment", "payment id; makes ingest idempotent"),
        _key("payer", "who pays", personal=True),
        _key("payee", "who is paid"),
        Column("instrument", TEXT, "card or account token, never a card number", personal=True),
        Column("amount_minor", INT, "amount in minor units", required=True, nullable=False),
        _CURRENCY,
        _time("time", "when"),
        Column("status", TEXT, "authorised, declined, settled, disputed, ..."),
        Column("label", FLAG, "true: fraud; null: not known"),
        _time("label_known_at", "when the label could be known", required=False),
    ),
    key=("payment",),
)
EXAMPLES = TableSchema(
    "examples",
    (
        _key("unit", "example id"),
        _time("as_of", "cut-off, null for a flat set", required=False),
        Column("label", REAL, "outcome", required=True, nullable=False),
    ),
    key=("unit",),
)
CASES = TableSchema(
    "cases",
    (
        _key("case", "case id"),
        _key("kind", "alert, adverse-decision, failed-gate, law-change"),
        _key("subject", "entity or rule the case is about", personal=True),
        _time("opened", "when"),
        Column("score", REAL, "the score that opened it"),
        Column("reasons", TEXT, "JSON list"),
        _key("rule", "rule or target it rests on"),
        Column("disposition", TEXT, "null while open"),
        Column("reviewer_role", TEXT, "role that disposed of it"),
        _time("closed", "when disposed of", required=False),
    ),
    key=("case",),
)

TABLES: Mapping[str, TableSchema] = {
    schema.name: schema
    for schema in (
        EVENTS, ITEMS, USERS, CONSENTS, REQUESTS, IMPRESSIONS, OUTCOMES, TREATMENTS, JUDGMENTS, PAYMENTS,
        EXAMPLES, CASES,
    )
}  # fmt: skip
