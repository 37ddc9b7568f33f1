"""The twelve canonical tables: an example of each conforms, every claim about a row has been seen broken."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercer.contracts import TABLES
from mercer.errors import DataError, NotFoundError
from mercer.testing.table_examples import example
from mercer.testing.tables import RULES, check_table

EARLY = datetime(2020, 1, 1)  # noqa: DTZ001 - times at rest carry no zone
NAMES = sorted(TABLES)

CLOSED = "a closed case has a disposition and a role, an open one has neither"
LABELLED = "a label has a time at which it could be known, not before the payment"
BROKEN: list[tuple[str, int, dict[str, Any], str]] = [
    ("events", 0, {"user": ""}, "user is not empty"),
    ("events", 0, {"item": ""}, "item is not empty"),
    ("events", 0, {"kind": ""}, "kind is not empty"),
    ("events", 0, {"quantity": 0.0}, "quantity is above 0"),
    ("events", 0, {"known_at": EARLY}, "known_at is not before time"),
    ("events", 0, {"currency": "eur"}, "a row with an amount has a currency of three capitals"),
    ("events", 0, {"amount_minor": -1}, "a return is not positive, anything else is not negative"),
    ("events", 2, {"amount_minor": 1}, "a return is not positive, anything else is not negative"),
    ("events", 0, {"origin": "e0"}, "only a return has an origin"),
    ("items", 0, {"title": ""}, "title is not empty"),
    ("items", 0, {"price_minor": -1}, "price_minor is at least 0"),
    ("items", 1, {"min_age": -1}, "min_age is at least 0"),
    ("items", 0, {"available_until": EARLY}, "available_until is not before available_from"),
    ("items", 1, {"currency": None}, "a row with an amount has a currency of three capitals"),
    ("items", 0, {"attributes": "[1]"}, "attributes is a JSON object"),
    ("users", 0, {"age": -3}, "age is at least 0"),
    ("users", 1, {"attributes": "{"}, "attributes is a JSON object"),
    ("consents", 0, {"purpose": ""}, "purpose is not empty"),
    ("requests", 1, {"context": "[]"}, "context is a JSON object"),
    ("impressions", 0, {"position": 0}, "position is at least 1"),
    ("impressions", 0, {"propensity": 0.0}, "propensity lies in (0, 1]"),
    ("impressions", 0, {"propensity": 1.1}, "propensity lies in (0, 1]"),
    ("impressions", 0, {"propensity_kind": "guess"}, "propensity_kind is one of item-position, slate"),
    ("impressions", 1, {"propensity": 0.5}, "a propensity says of which kind it is"),
    ("outcomes", 0, {"kind": ""}, "kind is not empty"),
    ("treatments", 0, {"propensity": 0.0}, "propensity lies in (0, 1]"),
    ("treatments", 0, {"arm": ""}, "arm is not empty"),
    ("judgments", 1, {"grade": -1.0}, "grade is at least 0"),
    ("payments", 0, {"amount_minor": 0}, "amount_minor is above 0"),
    ("payments", 0, {"currency": None}, "a row with an amount has a currency of three capitals"),
    ("payments", 0, {"label_known_at": None}, LABELLED),
    ("payments", 0, {"label_known_at": EARLY}, LABELLED),
    ("payments", 0, {"instrument": "0000 0000 0000 0000"}, "instrument is a token, never 12 to 19 digits"),
    ("examples", 0, {"label": float("inf")}, "label is a finite number"),
    ("cases", 0, {"closed": EARLY}, "closed is not before opened"),
    ("cases", 0, {"reasons": "amount"}, "reasons is a JSON list"),
    ("cases", 1, {"disposition": "waved"}, CLOSED),
    ("cases", 0, {"reviewer_role": None}, CLOSED),
]


def with_cells(table: pa.Table, row: int, cells: dict[str, Any]) -> pa.Table:
    for column, value in cells.items():
        values = table.column(column).to_pylist()
        values[row] = value
        place = table.schema.get_field_index(column)
        field = table.schema.field(column)
        table = table.set_column(place, pa.field(column, field.type), pa.array(values, field.type))
    return table


def test_there_are_twelve_tables_and_each_has_rules() -> None:
    assert len(TABLES) == 12
    assert set(RULES) == set(TABLES)
    assert all(RULES.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_example_conforms_and_fills_every_column(name: str) -> None:
    table = check_table(name, example(name))
    assert table.column_names == list(TABLES[name].column_names)
    for column in TABLES[name].columns:
        assert table.column(column.name).null_count < table.num_rows, f"{column.name} is never shown"


@pytest.mark.parametrize("name", NAMES)
def test_parquet_keeps_the_schema(name: str, tmp_path: Path) -> None:
    pq.write_table(example(name), tmp_path / "t.parquet")
    back = pq.read_table(tmp_path / "t.parquet")
    assert back.schema.equals(TABLES[name].arrow())
    check_table(name, back)


@pytest.mark.parametrize("name", NAMES)
def test_required_columns_alone_suffice_and_each_is_missed(name: str) -> None:
    schema = TABLES[name]
    required = [column.name for column in schema.columns if column.required]
    assert required
    whole = schema.conform(example(name).select(required))
    assert whole.column_names == list(schema.column_names)
    for column in required:
        with pytest.raises(DataError, match=f"no column '{column}'"):
            schema.conform(example(name).drop_columns([column]))


@pytest.mark.parametrize("name", NAMES)
def test_nulls_are_refused_where_forbidden(name: str) -> None:
    for column in TABLES[name].columns:
        if column.nullable:
            continue
        with pytest.raises(DataError, match=f"'{column.name}': 1 nulls"):
            TABLES[name].conform(with_cells(example(name), 0, {column.name: None}))


@pytest.mark.parametrize("name", [name for name in NAMES if TABLES[name].key])
def test_a_key_names_one_row(name: str) -> None:
    twice = pa.concat_tables([example(name), example(name).slice(0, 1)])
    with pytest.raises(DataError, match=r"is unique' broken in 1 rows, first in row [23]"):
        check_table(name, twice)


@pytest.mark.parametrize(("name", "row", "cells", "sentence"), BROKEN)
def test_a_broken_row_is_named(name: str, row: int, cells: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        check_table(name, with_cells(example(name), row, cells))
    assert f"rule '{sentence}' broken in 1 rows, first in row {row}." in str(caught.value)


def test_every_rule_has_been_seen_broken() -> None:
    seen = {(name, sentence) for name, _, _, sentence in BROKEN}
    assert seen == {(name, rule.sentence) for name, rules in RULES.items() for rule in rules}


def test_other_types_are_cast_and_impossible_ones_named() -> None:
    table = example("judgments").set_column(2, "grade", pa.array(["2", "0"]))
    assert TABLES["judgments"].conform(table).column("grade").to_pylist() == [2.0, 0.0]
    with pytest.raises(DataError, match="'grade': string can't be read as double"):
        TABLES["judgments"].conform(table.set_column(2, "grade", pa.array(["two", "0"])))


def test_a_zoned_time_becomes_utc_without_zone() -> None:
    zoned = pa.array(
        [datetime.fromisoformat("2026-03-01T10:00+01:00")] * 2, pa.timestamp("us", "Europe/Berlin")
    )
    table = example("examples").set_column(1, "as_of", zoned)
    times = TABLES["examples"].conform(table).column("as_of")
    assert times.type == pa.timestamp("us")
    assert times.to_pylist()[0] == datetime(2026, 3, 1, 9)  # noqa: DTZ001


def test_extra_columns_follow_the_declared_ones() -> None:
    table = (
        example("events")
        .append_column("merchant", pa.array(["m", "m", "m"]))
        .select(["merchant", *TABLES["events"].column_names])
    )
    assert TABLES["events"].conform(table).column_names[-1] == "merchant"


def test_a_column_named_twice_is_refused() -> None:
    table = example("users").append_column("user", pa.array(["a", "b"]))
    with pytest.raises(DataError, match="'user' twice"):
        TABLES["users"].conform(table)


def test_a_misspelt_column_is_guessed() -> None:
    table = example("events").rename_columns({"user": "usr"})
    with pytest.raises(DataError, match="Did you mean 'usr'"):
        TABLES["events"].conform(table)


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(NotFoundError, match="'events'"):
        check_table("event", example("events"))


def test_empty_tables_have_every_column() -> None:
    for schema in TABLES.values():
        assert schema.empty().num_rows == 0
        check_table(schema.name, schema.empty())


def test_personal_columns_are_declared() -> None:
    personal = {f"{t.name}.{c.name}" for t in TABLES.values() for c in t.columns if c.personal}
    assert {"events.user", "requests.query", "payments.instrument", "cases.subject"} <= personal
