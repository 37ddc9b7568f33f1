"""Files that can't be read as they are: each fault names the file, where it is, and what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercer.brief import Source
from mercer.data import find_source, read_frame
from mercer.data.engine import Engine
from mercer.data.sources import RawRows
from mercer.errors import DataError, UnsupportedError

GOOD = b"user,item\nu1,mug\nu2,lamp\n"


def read(folder: Path, content: bytes, name: str = "log.csv", **source: Any) -> pd.DataFrame:
    (folder / name).write_bytes(content)
    return read_frame(Source(source=name, **source), (folder,))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r"log\.csv is empty\. Export it again"),
        (b"user,item\n", r"log\.csv has a header but no row\. Export"),
        (
            b"user,item\nu1,mug\nu2,lamp,3\n",
            r"log\.csv can't be read as CSV, line 3: 3 values where the header has 2\. Mend",
        ),
        (b"user,item\nu1,mug\nu2\n", r"line 3: 1 values where the header has 2"),
        (b'user,item\nu1,"mug\nu2,lamp\n', r"a quote is never closed"),
        (b"user,item,user\nu1,mug,u1\n", r"log\.csv: column 'user' is there twice\. Rename"),
    ],
)
def test_a_csv_file_that_cannot_be_read(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says) as raised:
        read(tmp_path, content)
    assert "u2" not in str(raised.value), "a message told what a row holds"


@pytest.mark.parametrize(
    ("content", "source"),
    [
        (GOOD, {}),
        (GOOD.replace(b"\n", b"\r\n"), {}),
        (b"\xef\xbb\xbf" + GOOD, {}),
        (GOOD.replace(b",", b";"), {}),
        (GOOD.replace(b",", b"\t"), {}),
        (GOOD.replace(b",", b"~"), {"delimiter": "~"}),
        (GOOD.decode().encode("utf-16"), {"encoding": "utf-16"}),
        (GOOD.decode().encode("cp1252"), {"encoding": "cp1252"}),
        (b'"user","item"\n"u1","mug"\n"u2","lamp"\n', {}),
    ],
)
def test_the_ways_to_write_a_csv_file(tmp_path: Path, content: bytes, source: dict[str, str]) -> None:
    assert read(tmp_path, content, **source).to_dict("list") == {
        "user": ["u1", "u2"],
        "item": ["mug", "lamp"],
    }


def test_csv_values_stay_as_they_are_written(tmp_path: Path) -> None:
    frame = read(tmp_path, b'id,Id,text\n007,1e3,"a, ""b""\nc"\n,NULL, x \n')
    assert frame["id"].fillna("").tolist() == ["007", ""]
    assert frame["Id"].tolist() == ["1e3", "NULL"]
    assert frame["text"].tolist() == ['a, "b"\nc', " x "]


def test_a_csv_text_of_a_million_characters_and_nul_bytes_are_read(tmp_path: Path) -> None:
    frame = read(tmp_path, b"user,item\nu1," + b"x" * 1_000_000 + b"\nu2,la\0mp\n")
    assert len(frame["item"][0]) == 1_000_000
    assert frame["item"][1] == "la\0mp"


def test_a_wrong_encoding_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"log\.csv is not written in utf-16"):
        read(tmp_path, GOOD + b"x", encoding="utf-16")
    with pytest.raises(DataError, match="no encoding is called 'klingon'"):
        read(tmp_path, GOOD, encoding="klingon")


def test_a_truncated_parquet_file_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user": [str(n) for n in range(10_000)]}), tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    hollow = whole[:400] + b"\0" * 2_000 + whole[2_400:]
    for content in (whole[: len(whole) // 2], whole[:-9], b"PAR1", b"not parquet at all", hollow):
        with pytest.raises(DataError, match=r"log\.parquet is no whole Parquet file\. It may be truncated"):
            read(tmp_path, content, "log.parquet")


def test_parquet_text_that_is_no_utf8_is_named_and_not_shown(tmp_path: Path) -> None:
    _, offsets, content = pa.array([b"caf\xe9", b"mug"], pa.binary()).buffers()
    text = pa.StringArray.from_buffers(2, offsets, content)
    pq.write_table(pa.table({"item": ["i1", "i2"], "title": text}), tmp_path / "items.parquet")
    with pytest.raises(DataError, match=r"items\.parquet holds text that is not UTF-8") as refused:
        read_frame(Source(source="items.parquet"), (tmp_path,))
    assert "as UTF-8" in refused.value.remedy
    assert "caf" not in str(refused.value)


def test_two_parquet_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    pq.write_table(
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["user", "user"]), tmp_path / "log.parquet"
    )
    with pytest.raises(DataError, match=r"log\.parquet: column 'user' is there twice"):
        read_frame(Source(source="log.parquet"), (tmp_path,))


def test_parquet_columns_arrive_whole(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": ["u1", "u2"], "Item": ["a", "b"], "item": ["c", "d"]}).set_index("user")
    frame.to_parquet(tmp_path / "log.parquet")
    read_back = read_frame(Source(source="log.parquet"), (tmp_path,))
    assert read_back["user"].tolist() == ["u1", "u2"]
    assert read_back["Item"].tolist() == ["a", "b"]
    assert read_back["item"].tolist() == ["c", "d"]


def test_long_ids_beside_nulls_and_text_in_bytes_keep_their_value(tmp_path: Path) -> None:
    long = 2**53 + 1
    pq.write_table(pa.table({"user": [long, None], "item": [b"mug", b"lamp"]}), tmp_path / "log.parquet")
    frame = read_frame(Source(source="log.parquet"), (tmp_path,))
    assert int(frame["user"][0]) == long
    assert frame["item"].tolist() == ["mug", "lamp"]
    pq.write_table(pa.table({"photo": [b"\xff\xfe\xfa"]}), tmp_path / "log.parquet")
    with pytest.raises(DataError, match="'photo' holds bytes that are no text"):
        read_frame(Source(source="log.parquet"), (tmp_path,))


def test_the_first_folder_that_has_the_file_wins_and_a_missing_one_names_the_nearest(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        (folder / "log.csv").write_bytes(GOOD)
    assert find_source(Source(source="log.csv"), (first, second)) == first / "log.csv"
    with pytest.raises(DataError, match=r"lgo\.csv: no such file in .*Did you mean 'log\.csv'"):
        find_source(Source(source="lgo.csv"), (first,))
    with pytest.raises(DataError, match="Give the folder with --data"):
        find_source(Source(source="log.csv"), ())


def test_other_kinds_of_file_and_database_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=r"log\.xlsx: \.xlsx can't be read\. Give one of: \.csv"):
        read(tmp_path, GOOD, "log.xlsx")
    with pytest.raises(UnsupportedError, match=r"of the kind mysql can't be read\. Give sqlite:///FILE or"):
        read_frame(Source(source="mysql://shop/log", query="SELECT 1"), (tmp_path,))


def test_a_sqlite_file_is_read_by_its_query_and_never_written(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE log (user TEXT, item TEXT)")
        database.executemany("INSERT INTO log VALUES (?, ?)", [("u1", "mug"), ("u2", None)])
    source = {"source": "sqlite:///shop.db", "query": "SELECT user, item FROM log ORDER BY user"}
    frame = read_frame(Source(**source), (tmp_path,))
    assert frame["user"].tolist() == ["u1", "u2"]
    with pytest.raises(DataError, match="readonly"):
        read_frame(Source(**{**source, "query": "DELETE FROM log"}), (tmp_path,))
    with pytest.raises(DataError, match="no such table: orders"):
        read_frame(Source(**{**source, "query": "SELECT * FROM orders"}), (tmp_path,))
    with pytest.raises(DataError, match="Give `query`"):
        read_frame(Source(source="sqlite:///shop.db"), (tmp_path,))
    with pytest.raises(DataError, match="has a header but no row"):
        read_frame(Source(**{**source, "query": "SELECT * FROM log WHERE 0"}), (tmp_path,))


def test_a_source_of_several_tables_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes("user,item\nu1,café\n".encode("cp1252"))
    source = Source(source="log.csv")
    rows = RawRows(["items", "events"], {"items": source, "events": source}, (tmp_path,))
    with Engine.scratch() as engine:
        first, notes = rows.read("items", engine)
        (tmp_path / "log.csv").unlink()
        again, same = rows.read("events", engine)
        assert again is first
        assert notes == same
        assert "latin-1" in notes[0]
        with pytest.raises(DataError, match="no such file"):
            rows.read("events", engine)
