"""SQLite and PostgreSQL: the same rows as from any file, read once, read only, and no password told."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import ROOT
from postgres_server import server

from mercer.brief import Brief, Source
from mercer.data import read_frame
from mercer.data.databases import copy_rows, expanded, shown
from mercer.errors import BriefError, DataError, UsageError
from mercer.pipeline.flow import Flow
from mercer.pipeline.ingest import clean_data
from mercer.pipeline.sources import opened

from .made import brief_of, clean

SECRET = "s:e/c@r%e t"
"""A password with every character that a URL gives a meaning to."""

URL = "postgresql://mercer:${SHOP_PASSWORD}@/postgres?host=${SHOP_SOCKET}"

MAP = {"event": "id", "user": "customer", "item": "sku", "time": "at", "quantity": "qty", "amount": "paid"}

ROWS: list[tuple[Any, ...]] = [
    (1, "ann", "mug", "2026-03-01 10:20:30.123456+00", 2, "12.50", 'say "hi"'),
    (2, "béa", "lamp, red", "2026-03-02 23:59:59+00", 1, "0.30", "two\nlines"),
    (3, "ann", "mug", "2026-03-03 00:00:00+00", -1, "-6.25", ""),
    (4, None, "vase", "2026-03-04 08:00:00+00", 1, "7.00", None),
    (9_007_199_254_740_993, "Ωmega", "vase", "2026-03-05 08:00:00+00", 1000, "7000.00", "\\N"),
]


@pytest.fixture(scope="module")
def socket() -> Iterator[str]:
    """The folder of the socket of a server that asks for SECRET."""
    with server(SECRET) as url:
        yield url.partition("host=")[2]


@pytest.fixture
def shop(socket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A connection with a table `sales` of ROWS, and the variables that URL names."""
    import psycopg

    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    monkeypatch.setenv("SHOP_SOCKET", socket)
    with psycopg.connect(host=socket, user="mercer", dbname="postgres", password=SECRET) as connection:
        connection.execute("DROP TABLE IF EXISTS sales")
        connection.execute(
            "CREATE TABLE sales (id bigint, customer text, sku text, at timestamptz, qty integer, paid numeric(12, 2), "
            "note text)"
        )
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO sales VALUES (%s, %s, %s, %s, %s, %s, %s)", ROWS)
        connection.commit()
        yield connection


def as_csv(folder: Path) -> dict[str, Any]:
    frame().to_csv(folder / "sales.csv", index=False)
    return {"source": "sales.csv"}


def as_parquet(folder: Path) -> dict[str, Any]:
    typed = frame().assign(at=lambda f: pd.to_datetime(f["at"], format="ISO8601"))
    typed.to_parquet(folder / "sales.parquet", index=False)
    return {"source": "sales.parquet"}


def as_sqlite(folder: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(folder / "shop.db")) as database, database:
        database.execute("CREATE TABLE sales (id INTEGER, customer, sku, at, qty REAL, paid, note)")
        database.executemany("INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?, ?)", ROWS)
    return {"source": "sqlite:///shop.db", "query": "SELECT * FROM sales;"}


def as_postgres(folder: Path) -> dict[str, Any]:
    return {"source": URL, "query": "SELECT * FROM sales -- all of it"}


def frame() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=["id", "customer", "sku", "at", "qty", "paid", "note"])


def brief_on(source: dict[str, Any]) -> Brief:
    return brief_of({"events": {"map": MAP, "currency": "EUR", **source}}, columns={"note": {}})


SOURCES = [as_csv, as_parquet, as_sqlite, pytest.param(as_postgres, marks=pytest.mark.postgres)]


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Callable[[Path], dict[str, Any]]:
    if request.param is as_postgres:
        request.getfixturevalue("shop")
    made: Callable[[Path], dict[str, Any]] = request.param
    return made


def test_every_source_of_the_same_rows_gives_the_same_table(
    source: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    cleaned = clean(brief_on(source(tmp_path)), tmp_path)
    kept = cleaned.kept().set_index("event")
    assert cleaned.reasons() == {3: "missing-user"}
    assert kept.index.tolist() == ["1", "2", "3", "9007199254740993"]
    assert kept["user"].tolist() == ["ann", "béa", "ann", "Ωmega"]
    assert kept["item"].tolist() == ["mug", "lamp, red", "mug", "vase"]
    assert kept["amount_minor"].tolist() == [1250, 30, -625, 700_000]
    assert kept["quantity"].tolist() == [2, 1, 1, 1000]
    assert kept["kind"].tolist() == ["purchase", "purchase", "return", "purchase"]
    assert str(kept.loc["1", "time"]) == "2026-03-01 10:20:30.123456"
    assert kept["note"].fillna("").tolist() == ['say "hi"', "two\nlines", "", "\\N"]


def test_a_frame_gives_the_same_table_as_a_file(tmp_path: Path) -> None:
    brief = brief_on({"source": "sales.csv"})
    typed = frame().assign(at=lambda f: pd.to_datetime(f["at"], format="ISO8601"))
    with opened(brief, {"events": typed}) as (loaded, folders):
        framed = clean(loaded, folders[0], tmp_path / "framed").kept()
    as_csv(tmp_path)
    filed = clean(brief, tmp_path, tmp_path / "file").kept()
    assert filed["note"].isna().sum() == 1, "an empty field of a file is no text"
    pd.testing.assert_frame_equal(framed, filed.fillna({"note": ""}))


def insert(kind: Callable[[Path], dict[str, Any]], folder: Path, shop: Any) -> None:
    """One more sale."""
    row = (10, "cy", "mug", "2026-03-06 08:00:00+00", 1, "6.25", None)
    if kind is as_sqlite:
        with closing(sqlite3.connect(folder / "shop.db")) as database, database:
            database.execute("INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return
    shop.execute("INSERT INTO sales VALUES (%s, %s, %s, %s, %s, %s, %s)", row)
    shop.commit()


@pytest.mark.parametrize("kind", SOURCES[2:])
def test_a_step_is_found_again_while_the_rows_are_the_same_and_made_anew_when_they_are_not(
    kind: Callable[[Path], dict[str, Any]], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shop = request.getfixturevalue("shop") if kind is as_postgres else None
    brief = brief_on(kind(tmp_path))

    def step() -> tuple[bool, int, str]:
        with opened(brief, tmp_path) as (loaded, folders):
            flow = Flow(brief=loaded, out=tmp_path / "run", data_folders=folders)
            made = clean_data(flow, None)
            return (
                made.cached,
                len(pd.read_parquet(made.folder / "events.parquet")),
                flow.source_hashes["events"],
            )

    first, again = step(), step()
    assert (first[0], again[0]) == (False, True)
    assert first[1:] == again[1:]
    insert(kind, tmp_path, shop)
    after = step()
    assert after[:2] == (False, first[1] + 1)
    assert after[2] != first[2]


def test_rows_that_change_during_a_run_are_not_seen_by_it(tmp_path: Path) -> None:
    brief = brief_on(as_sqlite(tmp_path))
    with opened(brief, tmp_path) as (loaded, folders):
        events = loaded.data.sources["events"]
        before = len(read_frame(events, folders))
        insert(as_sqlite, tmp_path, None)
        assert len(read_frame(events, folders)) == before
    assert len(read_frame(events, (tmp_path,))) == before + 1


@pytest.mark.postgres
@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM sales RETURNING id",
        "SELECT 1) TO STDOUT; DELETE FROM sales; COPY (SELECT 1",
        "SELECT 1) TO STDOUT; COMMIT; DELETE FROM sales; COPY (SELECT 1",
        "WITH gone AS (DELETE FROM sales RETURNING id) SELECT * FROM gone",
        "SELECT setval('counter', 7)",
    ],
)
def test_a_query_can_only_read(shop: Any, tmp_path: Path, query: str) -> None:
    shop.execute("CREATE SEQUENCE IF NOT EXISTS counter")
    shop.commit()
    with pytest.raises(DataError, match="PostgreSQL says"):
        read_frame(Source(source=URL, query=query), (tmp_path,))
    assert shop.execute("SELECT count(*) FROM sales").fetchone()[0] == len(ROWS)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT nope FROM sales", r'PostgreSQL says: column "nope" does not exist\. Check the query'),
        ("SELECT * FROM orders", 'relation "orders" does not exist'),
        ("SELEC 1", "syntax error"),
        ("SELECT id, customer AS id FROM sales", "the query gives two columns 'id'"),
        ("SELECT customer::integer FROM sales", "PostgreSQL says: error 22P02"),
        ("SELECT 1 AS a WHERE false", "has a header but no row"),
    ],
)
def test_what_a_query_does_wrong_is_told_without_what_rows_hold(
    shop: Any, tmp_path: Path, query: str, says: str
) -> None:
    with pytest.raises(DataError, match=says) as raised:
        read_frame(Source(source=URL, query=query), (tmp_path,))
    assert "ann" not in str(raised.value)


@pytest.mark.postgres
def test_the_same_table_is_copied_to_the_same_bytes(shop: Any, tmp_path: Path) -> None:
    shop.execute(
        "CREATE TABLE IF NOT EXISTS many AS SELECT n, n * 0.1 AS tenth FROM generate_series(1, 50000) n"
    )
    shop.commit()
    source = Source(source=URL, query="SELECT * FROM many")
    first = copy_rows(source, (), tmp_path).read_bytes()
    assert copy_rows(source, (), tmp_path).read_bytes() == first
    assert first.count(b"\n") == 50_001


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("url", "variables", "says"),
    [
        (URL, {"SHOP_PASSWORD": "wr@ng:guess"}, "user or password is refused"),
        (URL.replace("/postgres", "/nowhere"), {}, "there is no such database or user"),
        (URL.replace(":${SHOP_PASSWORD}", ""), {}, "a password is needed"),
        (URL, {"SHOP_SOCKET": "/nowhere"}, "nobody listens there"),
        ("postgresql://mercer:${SHOP_PASSWORD}@127.0.0.1:1/postgres", {}, "nobody listens there"),
        ("postgresql://mercer:${SHOP_PASSWORD}@shop.invalid/postgres", {}, "there is no such host"),
        (
            "${SHOP_URL}",
            {"SHOP_URL": f"postgresql://mercer:{SECRET}@nowhere/x"},
            "can't be reached|no such host",
        ),
    ],
)
def test_a_server_that_does_not_let_in_is_told_without_the_password(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, variables: dict[str, str], says: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DataError, match=says) as raised:
        read_frame(Source(source=url, query="SELECT 1"), (tmp_path,))
    fault: BaseException | None = raised.value
    told = ""
    while fault is not None:
        told += f"{fault}"
        fault = fault.__cause__
    for word in ("wr@ng", "guess", *re.split(r"[:/@ ]", SECRET)):
        assert len(word) < 2 or word not in told


@pytest.mark.postgres
def test_a_run_folder_and_its_cache_hold_no_password(shop: Any, tmp_path: Path, own_cache: Path) -> None:
    brief = brief_on(as_postgres(tmp_path))
    with opened(brief, tmp_path) as (loaded, folders):
        clean_data(Flow(brief=loaded, out=tmp_path, data_folders=folders), None)
    (tmp_path / "brief.yaml").write_text(brief.dump(), "utf-8")
    files = [path for folder in (tmp_path, own_cache) for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 4
    for path in files:
        assert b"c@r%e" not in path.read_bytes(), path
        assert b"c%40r%25e" not in path.read_bytes(), path


def test_a_variable_stands_for_a_part_of_the_url_or_for_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    monkeypatch.setenv("SHOP_URL", "postgresql://reader@db/shop")
    assert (
        expanded("postgresql://a:${SHOP_PASSWORD}@db/shop") == "postgresql://a:s%3Ae%2Fc%40r%25e%20t@db/shop"
    )
    assert expanded("${SHOP_URL}") == "postgresql://reader@db/shop"
    monkeypatch.delenv("SHOP_URL")
    with pytest.raises(
        BriefError, match=r"names \$\{SHOP_URL\}, which is not set\. Set the environment variable"
    ):
        expanded("${SHOP_URL}")
    monkeypatch.setenv("SHOP_URL", "hunter2")
    with pytest.raises(BriefError, match=r"\$\{SHOP_URL\} holds no database URL") as raised:
        expanded("${SHOP_URL}")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://reader:${P}@db:5433/shop?sslmode=require&passfile=x", "postgresql://db:5433/shop"),
        ("postgresql://reader@db/shop", "postgresql://db/shop"),
        ("${SHOP_URL}", "${SHOP_URL}"),
        ("sqlite:///shop.db", "sqlite:///shop.db"),
    ],
)
def test_a_message_names_server_and_database_only(url: str, told: str) -> None:
    assert shown(url) == told


def test_without_psycopg_the_command_that_mends_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"pip install 'mercer\[postgres\]'"):
        read_frame(Source(source="postgresql://db/shop", query="SELECT 1"), (tmp_path,))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute("CREATE TABLE photos (user TEXT, photo BLOB)")
        database.execute("INSERT INTO photos VALUES ('ann', x'FFFE')")
    with pytest.raises(DataError, match=r"shop\.db: the query gives bytes that are no text"):
        read_frame(Source(source="sqlite:///shop.db", query="SELECT * FROM photos"), (tmp_path,))


@pytest.mark.postgres
def test_a_real_log_is_the_same_from_postgres_as_from_its_file(shop: Any, tmp_path: Path) -> None:
    """All 541,909 rows of Online Retail, byte for byte."""
    brief = Brief.load(ROOT / "briefs" / "online-retail.yaml")
    place = ROOT / "briefs" / "data" / "online_retail.parquet"
    raw = pd.read_parquet(place)
    shop.execute(
        'CREATE TABLE retail ("InvoiceNo" text, "StockCode" text, "Description" text, "Quantity" integer, '
        '"InvoiceDate" timestamp, "UnitPrice" double precision, "CustomerID" integer, "Country" text)'
    )
    raw = raw.assign(CustomerID=raw["CustomerID"].astype("Int64"))
    with shop.cursor().copy("COPY retail FROM STDIN (FORMAT csv)") as into:
        into.write(raw[RETAIL].to_csv(index=False, header=False))
    shop.commit()
    query = {"source": URL, "query": "SELECT * FROM retail"}
    data = brief.data.model_copy(
        update={name: source.model_copy(update=query) for name, source in brief.data.sources.items()}
    )
    database = clean(brief.model_copy(update={"data": data}), tmp_path, tmp_path / "database")
    file = clean(brief, place.parent, tmp_path / "file")
    for name in ("events", "items"):
        assert database.accounting.tables[name] == file.accounting.tables[name]
        assert (database.out / f"{name}.parquet").read_bytes() == (file.out / f"{name}.parquet").read_bytes()


RETAIL = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
]
