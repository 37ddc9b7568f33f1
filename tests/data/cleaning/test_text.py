from __future__ import annotations

from pathlib import Path

import pytest

from mercer.data.personal import redact

from ..made import table

ASKED = {"user": "u1", "time": "2026-03-01T10:00:00Z"}


def test_personal_data_in_queries_is_replaced_and_the_query_stays(tmp_path: Path) -> None:
    queries = [
        "blue mug",
        "mail ann.b+c@shop.example now",
        "ring 020 7946 0018",
        "mug 4111111111111111",
        "12 mugs",
    ]
    rows = [{**ASKED, "request": str(at), "query": query} for at, query in enumerate(queries)]
    cleaned = table(tmp_path, "requests", *rows, {**rows[1], "request": "9", "time": "2031-01-01T00:00:00Z"})
    assert cleaned.rules("requests") == {
        "future-time": 1, "card-number-in-text": 1, "email-in-text": 1, "phone-in-text": 1,
    }  # fmt: skip
    assert cleaned.kept("requests")["query"].tolist() == [
        "blue mug",
        "mail ‹email› now",
        "ring ‹phone›",
        "12 mugs",
    ]
    for file in cleaned.out.rglob("requests.parquet"):
        content = file.read_bytes()
        assert b"ann.b" not in content
        assert b"4111111111111111" not in content


@pytest.mark.parametrize("text", ["size 10-12", "mug at 5", "a@b", "@mention", "2026-03-01", ""])
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redact(text, "email") == text
    assert redact(text, "phone") == text


def test_a_reader_of_a_million_characters_is_not_held_up(tmp_path: Path) -> None:
    long = {**ASKED, "request": "2", "query": "1 " * 500_000}
    cleaned = table(tmp_path, "requests", {**ASKED, "request": "1", "query": "mug"}, long)
    assert cleaned.reasons("requests") == {1: "text-too-long"}
    assert len(cleaned.quarantined("requests")["content"][0]) < 3_000
