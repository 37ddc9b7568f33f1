from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercer.brief import Brief
from mercer.contracts import TABLES
from mercer.data.profile.log import Log, load_log

from .corner_shop import ACCOUNTS, BRIEF, ROWS, events_table


@pytest.fixture
def brief() -> Brief:
    return Brief.parse(BRIEF)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A corner shop: two customers, two items, three orders, one return."""
    pq.write_table(events_table(ROWS), tmp_path / "events.parquet")
    items = pa.table({"item": ["tea", "jam"], "title": ["Tea & <b>milk</b>", "Jam, call a@b.example"]})
    pq.write_table(TABLES["items"].conform(items), tmp_path / "items.parquet")
    (tmp_path / "accounting.json").write_text(json.dumps(ACCOUNTS), "utf-8")
    return tmp_path


@pytest.fixture
def log(shop: Path) -> Log:
    found = load_log(shop, "Europe/Berlin")
    assert found is not None
    return found
