"""The helpers of the engine: worked examples on DuckDB, and the same rows on Spark (marker `spark`)."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercer.data import engine as e
from mercer.data.casts import to_number
from mercer.data.engine import Engine
from mercer.data.zones import find_zone, pieces

INF, NAN = math.inf, math.nan


@pytest.fixture(scope="module")
def spark_session() -> Iterator[Any]:
    """One session for the module; the test is skipped where pyspark is not installed."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed: pip install 'mercer[spark]'")
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    session = (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.timestampType", "TIMESTAMP_NTZ")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "spark":
        yield Engine.spark(request.getfixturevalue("spark_session"), tmp_path)
    else:
        with Engine.duckdb(tmp_path) as made:
            yield made


def rows(engine: Engine, expr: Any) -> list[dict[str, Any]]:
    return engine.arrow(expr).to_pylist()


def column(engine: Engine, expr: Any, name: str = "got") -> list[Any]:
    """A column in the order of the rows' numbers."""
    found = rows(engine, expr)
    return [row[name] for row in sorted(found, key=lambda row: row["row"])]


def numbered(engine: Engine, **columns: list[Any]) -> Any:
    n = len(next(iter(columns.values())))
    return engine.tabulate(pa.table({"row": list(range(n)), **{k: _array(v) for k, v in columns.items()}}))


def _array(values: list[Any]) -> pa.Array:
    return pa.array(values, pa.int64() if all(isinstance(v, int) for v in values) else None)


TEXTS = [
    "12", " 3.50 ", ".5", "7.", "-4", "+4", "1e3", "2.5E-1", "1e400", "inf", "-Infinity", "nan", "", "  ", None,
    "1_000", "1.5f", "0x1F", "1,5", "1,234", "1.234,5", "1.234", "12.34,5", "twelve", "٣", "3.7",
    "9007199254740993", "-0",
]  # fmt: skip


@pytest.mark.parametrize("decimal", [".", ","])
def test_a_number_is_what_the_casts_of_the_room_read(engine: Engine, decimal: str) -> None:
    table = numbered(engine, said=TEXTS)
    got = column(engine, table.mutate(got=e.number(table["said"], decimal)))
    value, _ = to_number(pd.Series(TEXTS, dtype="string"), decimal)
    expected = [None if math.isnan(number) else number for number in value]
    assert got == expected


def test_whole_numbers_and_rounding(engine: Engine) -> None:
    said = ["3", "3.0", "3.7", "1e3", "9e15", "9.1e15", "inf", None]
    table = numbered(engine, said=said, x=[0.5, 1.5, -0.5, -2.5, 2.4, 1e17, INF, None])
    whole = column(engine, table.mutate(got=e.whole(table["said"])))
    assert whole == [3, 3, None, 1000, 9 * 10**15, None, None, None]
    assert column(engine, table.mutate(got=e.rounded(table["x"]))) == [1, 2, -1, -3, 2, None, None, None]


def test_text_and_flags(engine: Engine) -> None:
    table = numbered(
        engine,
        code=[" 17850.0", "A1 ", "", None],
        real=[17850.0, 1.5, NAN, None],
        said=["Yes", "0.0", "maybe", None],
    )
    assert column(engine, table.mutate(got=e.text(table["code"], integral=True))) == [
        "17850",
        "A1",
        None,
        None,
    ]
    assert column(engine, table.mutate(got=e.text(table["real"]))) == ["17850", None, None, None]
    assert column(engine, table.mutate(got=e.flag(table["said"]))) == [True, False, None, None]


def test_times(engine: Engine) -> None:
    said = ["2026-03-01 10:20:30", "1969-12-31T23:59:59.999999", "2026-02-30 00:00:00", "2026-03-01", None]
    table = numbered(engine, said=said)
    got = column(engine, table.mutate(got=e.parsed(table["said"])))
    assert got == [1_772_360_430_000_000, -1, None, None, None]


def test_local_times_become_utc_by_the_pieces_of_a_zone(engine: Engine) -> None:
    second = 1_000_000
    hour = 3_600 * second
    # 27 March 2011 00:59:59, 01:00 (skipped) and 02:00; 30 October 01:30 (twice) and 02:00.
    local = [s * second for s in (1_301_187_599, 1_301_187_600, 1_301_191_200, 1_319_938_200, 1_319_940_000)]
    table = numbered(engine, local=local)
    parts = pieces(find_zone("Europe/London", "test"), min(local), max(local))
    expected = [local[0], local[1], local[2] - hour, local[3] - hour, local[4]]
    assert column(engine, table.mutate(got=e.to_utc(table["local"], parts))) == expected


def test_the_first_condition_that_is_true_names_the_row(engine: Engine) -> None:
    table = numbered(engine, x=[-1, 5, 50, None])
    name = e.first_true(
        [("negative", table["x"] < 0), ("small", table["x"] < 10), ("missing", table["x"].isnull())]
    )
    assert column(engine, table.mutate(got=name)) == ["negative", "small", None, "missing"]
    assert column(engine, table.mutate(got=e.first_true([]))) == [None] * 4


def test_first_by_keeps_one_row_a_key(engine: Engine) -> None:
    table = numbered(engine, key=["a", "b", "a", "b", None], at=[2, 1, 1, 2, 1])
    first = e.first_by(table, ["key"], ["at", "row"])
    assert sorted(row["row"] for row in rows(engine, first)) == [1, 2, 4]


def test_buckets_depend_on_the_text_alone(engine: Engine) -> None:
    texts = ["", "ann", "Zoë", "漢字", "a" * 1_000]
    table = numbered(engine, said=texts)
    expected = [int(hashlib.md5(t.encode(), usedforsecurity=False).hexdigest()[:8], 16) % 7 for t in texts]
    assert column(engine, table.mutate(got=e.md5_bucket(table["said"], 7))) == expected


def test_digests_tell_nulls_from_empty_texts(engine: Engine) -> None:
    table = numbered(engine, a=["x", "x", "xy", None, ""], b=["y", None, "", "x", "x"])
    got = column(engine, table.mutate(got=e.digest(e.joined([table["a"], table["b"]]))))
    assert len(set(got)) == 5


def test_erasing_leaves_the_others(engine: Engine) -> None:
    table = numbered(engine, user=["ann", "bob", "ann1", None])
    people = engine.tabulate(pa.table({"user": ["ann"]}))
    assert sorted(row["row"] for row in rows(engine, e.erase(table, people, "user"))) == [1, 2, 3]


def test_as_of_takes_the_newest_feature_at_or_before(engine: Engine) -> None:
    labels = numbered(engine, card=["a", "a", "a", "b", "c"], t=[5, 10, 15, 10, 10])
    features = engine.tabulate(
        pa.table({"card": ["a", "a", "b"], "t": [6, 10, 11], "spend": [60.0, 100.0, 110.0]})
    )
    joined = e.asof(labels, features, key="card", time="t")
    assert column(engine, joined, "spend") == [None, 100.0, 100.0, None, None]


def test_sequences_are_in_order(engine: Engine) -> None:
    table = numbered(engine, user=["a", "b", "a", "a"], t=[3, 1, 1, 2], item=["x", "y", "z", "w"])
    found = rows(engine, e.sequences(table, user="user", order=["t", "row"], columns=["item"]))
    assert {row["user"]: row["item"] for row in found} == {"a": ["z", "w", "x"], "b": ["y"]}


def test_ranges_look_back_over_a_delay(engine: Engine) -> None:
    table = numbered(engine, key=["a"] * 4 + ["b"], t=[0, 5, 10, 20, 10], x=[1, 2, 4, 8, 16])
    found = e.range_aggregate(table, key="key", time="t", reach=(10, 5), aggregates={"got": table["x"].sum()})
    assert column(engine, found) == [None, 1, 3, 4, None]


def test_quantiles_are_observed_values(engine: Engine) -> None:
    table = numbered(engine, x=[3.0, 1.0, None, 2.0, 4.0])
    (found,) = rows(engine, e.quantiles(table, "x", [0.0, 0.25, 0.5, 1.0]))
    assert found == {"q00": 1.0, "q25": 1.0, "q50": 2.0, "q100": 4.0}


def test_sums_of_whole_numbers_stay_whole_in_the_file(engine: Engine, tmp_path: Path) -> None:
    table = numbered(engine, x=[1, 2, 3])
    assert engine.sink(table.aggregate(total=table["x"].sum()), tmp_path / "out.parquet", lambda t: t) == 1
    written = pq.read_table(tmp_path / "out.parquet")
    assert written.schema.field("total").type == pa.int64()
    assert written.to_pylist() == [{"total": 6}]


def test_a_sorted_sink_is_sorted_with_nulls_last_and_whole_or_absent(engine: Engine, tmp_path: Path) -> None:
    table = numbered(engine, x=["b", None, "a", "é", "B"])
    engine.sink(
        table.order_by([table["x"].isnull(), "x"]), tmp_path / "out.parquet", lambda t: t.select(["x"])
    )
    assert pq.read_table(tmp_path / "out.parquet")["x"].to_pylist() == ["B", "a", "b", "é", None]

    def fails(piece: pa.Table) -> pa.Table:
        if piece.num_rows:
            raise ZeroDivisionError
        return piece

    with pytest.raises(ZeroDivisionError):
        engine.sink(table, tmp_path / "never.parquet", fails)
    assert sorted(file.name for file in tmp_path.glob("*never*")) == []


def test_a_checkpoint_holds_what_was_computed(engine: Engine) -> None:
    table = numbered(engine, x=[1, 2, 3])
    kept = engine.checkpoint(table.filter(table["x"] > 1))
    assert sorted(row["x"] for row in rows(engine, kept)) == [2, 3]
    engine.drop(kept)


def test_csv_values_are_text(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text('user;text\n007;"a; ""b"""\n;x\n')
    found = rows(engine, engine.read_csv(tmp_path / "log.csv", 2, ";"))
    assert found == [{"c0": "007", "c1": 'a; "b"'}, {"c0": None, "c1": "x"}]


def test_memory_stays_within_its_limit(tmp_path: Path) -> None:
    n = 400_000
    table = pa.table(
        {"x": pa.array(range(n), pa.int64()), "text": pa.array([f"{at:032d}" for at in range(n, 0, -1)])}
    )
    with Engine.duckdb(tmp_path, memory_mib=64) as engine:
        assert (
            engine.sink(engine.tabulate(table).order_by("text"), tmp_path / "out.parquet", lambda t: t) == n
        )
    assert pq.read_table(tmp_path / "out.parquet")["x"][0].as_py() == n - 1


def test_a_scratch_engine_leaves_nothing_behind() -> None:
    with Engine.scratch() as engine:
        folder = engine.folder
        engine.tabulate(pa.table({"x": [1]}))
        assert any(folder.iterdir())
    assert not folder.exists()


def test_nothing_else_imports_the_engine_s_libraries() -> None:
    package = Path(e.__file__).parent.parent
    imports = re.compile(r"^\s*(?:import|from) (?:ibis|duckdb)\b", re.MULTILINE)
    found = [file for file in package.rglob("*.py") if imports.search(file.read_text("utf-8"))]
    assert [str(file.relative_to(package)) for file in found] == ["data/engine.py"]
