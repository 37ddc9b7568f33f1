"""A log that has an order and no clock: `order` in the map instead of `time`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.brief import Brief
from mercer.data import Tables, build_interactions
from mercer.errors import BriefError, DataError

from .made import Cleaned, brief_of, clean, events, table, written

_MAP = {name: name for name in ("user", "item", "order")}


def _cleaned(folder: Path, *places: object, **changes: object) -> tuple[Cleaned, Brief]:
    rows = [{"user": "u1", "item": f"i{n}", "order": place, **changes} for n, place in enumerate(places)]
    brief = brief_of({"events": {"source": written(folder, "log", rows), "map": _MAP}})
    return clean(brief, folder), brief


def test_places_become_an_order_and_the_log_says_that_it_has_no_clock(tmp_path: Path) -> None:
    found, brief = _cleaned(tmp_path, 2, 0, 1)
    log = build_interactions(Tables.load(found.out), brief)
    assert not log.has_clock
    assert [log.items.ids[code] for code in log.item] == ["i1", "i2", "i0"]
    assert log.time.tolist() == [0, 1, 2]


def test_a_log_may_not_name_both(tmp_path: Path) -> None:
    with pytest.raises(BriefError, match="both order and time"):
        events(tmp_path, {"order": 7}, map={**_MAP, "time": "time"})


def test_a_row_without_a_place_is_quarantined(tmp_path: Path) -> None:
    found, _ = _cleaned(tmp_path, "0", "x", "2", "1.5")
    assert len(found.kept()) == 2
    assert found.reasons() == {1: "unreadable-time", 3: "unreadable-time"}


def test_no_place_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="number"):
        _cleaned(tmp_path, "x", "y")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ('[["Beauty", "Makeup"], ["Beauty", "Makeup", "Face"]]', "Beauty > Makeup > Face"),
        ('["Garden", " Pots "]', "Garden > Pots"),
        ("Garden > Pots", "Garden > Pots"),
        ("[half a list", "[half a list"),
        ("[]", ""),
    ],
)
def test_paths_written_as_json_are_read(tmp_path: Path, given: str, path: str) -> None:
    found = table(tmp_path, "items", {"item": "mug", "title": "Mug", "category": given})
    value = found.kept("items")["category"].fillna("")[0]
    assert value == path
