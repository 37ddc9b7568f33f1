from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mercer.errors import DamagedError
from mercer.reporting import write_page

FOUND = {
    "as_of": 1,
    "views": [
        {
            "by": "how they buy",
            "customers": 500,
            "sentence": "2 groups by recency: halves agree to 0.91.",
            "segments": [
                {
                    "name": "quiet",
                    "customers": 380,
                    "share": 0.76,
                    "spend_share": 0.2,
                    "recency": 88.4,
                    "frequency": 1.0,
                    "money": 24986.0,
                    "typical": [],
                    "sentence": "Quiet for long: 76 % of customers, 20 % of net spend.",
                },
                {
                    "name": "large",
                    "customers": 120,
                    "share": 0.24,
                    "spend_share": 0.8,
                    "recency": None,
                    "frequency": 9.0,
                    "money": 0.0,
                    "typical": ["<b>mug"],
                    "sentence": "Buyers of <b>mug: 24 % of customers, 80 % of net spend.",
                },
            ],
        },
        {"by": "what they buy", "customers": 300, "sentence": "No division is found again.", "segments": []},
    ],
}


def test_the_page_shows_groups_in_words_and_says_where_there_are_none(run: Path) -> None:
    (run / "data" / "segments.json").write_text(json.dumps(FOUND), "utf-8")
    page = write_page(run).read_text("utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "Quiet for long 380 76 % 20 % 88 days 1 £250" in text
    assert "No division is found again." in text
    assert "<b>mug" not in page


def test_a_run_without_segments_says_nothing_of_them(run: Path) -> None:
    assert 'id="segments"' not in write_page(run).read_text("utf-8")


def test_a_damaged_file_is_named(run: Path) -> None:
    (run / "data" / "segments.json").write_text("{", "utf-8")
    with pytest.raises(DamagedError, match=r"segments\.json"):
        write_page(run)
