from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mercer.brief import Brief
from mercer.data.profile import write_profile
from mercer.data.profile.words import measure, share
from mercer.errors import DamagedError, OutputError

from .corner_shop import events_table


@pytest.fixture
def page(shop: Path, brief: Brief) -> str:
    write_profile(shop, brief)
    return (shop / "profile.html").read_text("utf-8")


def test_the_page_has_every_section_and_asks_nothing_of_a_network(page: str) -> None:
    ids = re.findall(r'<section id="([a-z]+)"', page)
    assert ids == [
        "read", "growth", "seasonality", "baskets", "repeats", "concentration", "prices", "missing", "personal",
    ]  # fmt: skip
    links = re.findall(r'(?:href|src|url)\s*[=(]\s*"?([^")\s>]+)', page)
    assert links
    assert [link for link in links if not link.startswith(("#", "http://www.w3.org/"))] == []
    assert "<script" not in page


def test_same_tables_same_bytes(page: str, shop: Path, brief: Brief) -> None:
    write_profile(shop, brief)
    assert (shop / "profile.html").read_text("utf-8") == page


def test_no_two_parts_share_an_id(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_text_from_data_is_escaped(page: str) -> None:
    assert "Nobody&#39;s &lt;history&gt;." in page
    assert "<b>milk" not in page


def test_no_customer_is_named(page: str) -> None:
    assert not re.search(r"\b(ann|bob)\b", page)


def test_every_rule_that_acted_is_shown_with_its_sentence_and_count(page: str) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "future-time Not known. quarantined 1 10 %" in text
    assert "40 % of the rows of events are not used, 3 of them under missing-user" in text
    assert "1 further rule looked and found nothing." in text


def test_a_folder_without_events_has_a_page_of_what_it_holds(shop: Path, brief: Brief) -> None:
    (shop / "events.parquet").unlink()
    write_profile(shop, brief)
    text = (shop / "profile.html").read_text("utf-8")
    assert re.findall(r'<section id="([a-z]+)"', text) == ["read", "missing", "personal"]


@pytest.mark.parametrize(
    "rows",
    [
        [("ann", "tea", "2026-01-05 23:30", "view", None, None, None)],
        [("ann", "tea", "2026-01-05 23:30", "purchase", 1, 0, None)],
        [("ann", "tea", "2026-01-05 23:30", "return", 1, -100, None)] * 3,
    ],
    ids=["one view", "one free purchase", "returns alone"],
)
def test_a_thin_log_has_a_page(tmp_path: Path, brief: Brief, rows: list[tuple[object, ...]]) -> None:
    pq.write_table(events_table(rows), tmp_path / "events.parquet")
    write_profile(tmp_path, brief)
    text = (tmp_path / "profile.html").read_text("utf-8")
    assert '<section id="growth"' in text
    assert "nan" not in re.sub(r"<[^>]+>", " ", text)


@pytest.mark.parametrize("name", ["events.parquet", "items.parquet", "accounting.json"])
def test_a_damaged_file_is_named(shop: Path, brief: Brief, name: str) -> None:
    (shop / name).write_bytes(b"PAR1 no")
    with pytest.raises(DamagedError, match=name):
        write_profile(shop, brief)


def test_a_page_that_cannot_be_written_leaves_nothing_behind(shop: Path, brief: Brief) -> None:
    (shop / "profile.html").mkdir()
    with pytest.raises(OutputError, match="can't be written"):
        write_profile(shop, brief)
    assert not list(shop.glob(".profile*"))


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.00001, "under 0.01 %"),
        (0.0004, "0.04 %"),
        (0.0996, "10 %"),
        (0.9999, "99.9 %"),
    ],
)
def test_a_share_is_never_nothing_for_something(part: float, said: str) -> None:
    assert share(part) == said


def test_numbers_have_the_digits_they_need() -> None:
    assert [measure(v) for v in (-80995.0, 0.01234, 4.25, 3.0)] == ["−80,995", "0.0123", "4.25", "3"]
