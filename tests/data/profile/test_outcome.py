"""The outcome of a flat table, and SQLite files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mercer.data.profile import outcome, profile_file
from mercer.data.profile.columns import ColumnFacts, facts_of
from mercer.errors import DataError


def _facts(**columns: object) -> list[ColumnFacts]:
    frame = pd.DataFrame(columns)
    return [facts_of(str(name), frame[name]) for name in frame.columns]


def _visits(n: int = 600) -> list[ColumnFacts]:
    rng = np.random.default_rng(3)
    bought = np.arange(n) % 4 == 0
    return _facts(
        knows=np.where(bought, 5.0, 0.0) + rng.uniform(0, 1, n),
        noise=rng.integers(0, 3, n).astype(str),
        Revenue=np.where(bought, "TRUE", "FALSE"),
    )


def test_a_column_that_knows_the_outcome_comes_first_and_is_doubted() -> None:
    found = outcome.section(_visits())
    assert found is not None
    assert (
        "Revenue is TRUE in 150 of 600 rows (25 %): knowing nothing, one is right 75 % of the time."
        in found.finding
    )
    assert [row[0] for row in found.grids[0].rows] == ["knows", "noise"]
    assert found.watch == "knows tells Revenue apart: was it known before?"
    assert float(str(found.grids[0].rows[1][1])) < 0.15


def test_a_rare_outcome_is_said_to_be_rare() -> None:
    rare = np.where(np.arange(1000) % 50 == 0, 1, 0)
    found = outcome.section(_facts(x=np.arange(1000.0) % 7, label=rare))
    assert found is not None
    assert "label is 1 in 2.0 % of the rows only" in found.watch


def test_a_table_without_an_outcome_has_no_section() -> None:
    assert outcome.section(_facts(a=range(100), b=[str(n) for n in range(100)])) is None


def test_a_value_of_two_rows_makes_no_outcome() -> None:
    assert outcome.section(_facts(x=range(100), label=["yes"] * 98 + ["Hiddenville"] * 2)) is None


@pytest.mark.parametrize(("label", "said"), [("Revnue", "Revnue"), ("noise", "3 values")])
def test_a_label_that_is_none_is_an_error(label: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        outcome.section(_visits(), label)


def _database(place: Path, *tables: str) -> Path:
    with closing(sqlite3.connect(place)) as database:
        for table in tables:
            database.execute(f'CREATE TABLE "{table}" (item TEXT, price REAL)')
            database.executemany(f'INSERT INTO "{table}" VALUES (?, ?)', [(f"i{n}", n) for n in range(20)])
        database.commit()
    return place


def test_the_only_table_of_a_sqlite_file_is_profiled(tmp_path: Path) -> None:
    profile_file(_database(tmp_path / "shop.db", "sold here"), tmp_path / "page.html")
    assert "20 rows in 2 columns" in (tmp_path / "page.html").read_text("utf-8")


def test_of_several_tables_one_must_be_named(tmp_path: Path) -> None:
    place = _database(tmp_path / "shop.sqlite", "a", "b")
    with pytest.raises(DataError, match="2 tables"):
        profile_file(place, tmp_path / "page.html")
    with pytest.raises(DataError, match="no table 'c'"):
        profile_file(place, tmp_path / "page.html", table="c")
    profile_file(place, tmp_path / "page.html", table="b")
    assert (tmp_path / "page.html").is_file()


def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_text("no database at all, but long enough to be read as one", "utf-8")
    with pytest.raises(DataError, match="no SQLite file"):
        profile_file(tmp_path / "shop.db", tmp_path / "page.html")
    with pytest.raises(DataError, match="is not there"):
        profile_file(tmp_path / "none.db", tmp_path / "page.html")
