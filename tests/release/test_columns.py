"""Flat columns of a release: typed as at the fit, in the source's spelling, and read back whole."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mercer.contracts import FlatColumn
from mercer.errors import DamagedError, DataError
from mercer.release.columns import meanings, read_columns, typed_frame, unseen, write_columns

PAGES = FlatColumn(name="pages", type="number", means="pages seen")
MONTH = FlatColumn(name="month", type="category", values=("May", "Nov"))
WEEKEND = FlatColumn(name="weekend", type="boolean")
COLUMNS = (PAGES, MONTH, WEEKEND)


def test_columns_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    assert read_columns(tmp_path) == {}
    write_columns(tmp_path, "buys", COLUMNS)
    write_columns(tmp_path, "stays", COLUMNS[:1])
    assert read_columns(tmp_path) == {"buys": COLUMNS, "stays": COLUMNS[:1]}


@pytest.mark.parametrize("text", ["", "[{}]", "[1]", "{", '[{"name": "a"}]'])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    write_columns(tmp_path, "buys", COLUMNS)
    (tmp_path / "columns" / "buys.json").write_text(text, "utf-8")
    with pytest.raises(DamagedError, match=r"columns/buys\.json"):
        read_columns(tmp_path)


def test_a_frame_is_typed_in_the_order_of_the_fit_and_keeps_to_it() -> None:
    frame = pd.DataFrame({"label": ["x"], "weekend": ["TRUE"], "month": ["Nov"], "pages": ["1,5"]}, index=[7])
    typed = typed_frame(frame, COLUMNS, decimal=",")
    assert list(typed) == ["pages", "month", "weekend"]
    assert typed.iloc[0].tolist() == [1.5, "Nov", 1.0]
    assert typed.index.tolist() == [0]


def test_missing_values_are_missing() -> None:
    typed = typed_frame(pd.DataFrame({"pages": [None], "month": ["?"], "weekend": [None]}), COLUMNS)
    assert typed.isna().all(axis=None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pages": "many"}, "'pages', row 0: the value is no number"),
        ({"weekend": "maybe"}, "'weekend', row 0: the value is no boolean"),
        ({"month": None, "pages": "inf"}, "'pages', row 0"),
    ],
)
def test_a_value_of_another_type_is_named(changes: dict[str, str | None], says: str) -> None:
    frame = pd.DataFrame([{"pages": "1", "month": "May", "weekend": "no", **changes}])
    with pytest.raises(DataError, match=says):
        typed_frame(frame, COLUMNS)


def test_a_missing_column_is_named_with_its_neighbour() -> None:
    with pytest.raises(DataError, match="no column 'month'") as caught:
        typed_frame(pd.DataFrame({"pages": [1], "months": ["May"], "weekend": [True]}), COLUMNS)
    assert "months" in caught.value.remedy


def test_unseen_categories_are_named() -> None:
    frame = typed_frame(pd.DataFrame({"pages": [1], "month": ["July"], "weekend": [True]}), COLUMNS)
    assert unseen(frame, COLUMNS) == ["month"]
    assert unseen(frame.assign(month="May"), COLUMNS) == []
    assert unseen(frame.assign(month=None), COLUMNS) == []


def test_meanings_are_those_of_the_data_dictionary() -> None:
    assert meanings(COLUMNS) == {"pages": "pages seen"}
