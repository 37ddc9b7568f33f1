"""Flat labelled examples: a label in any two spellings, one type a column, a name for every row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.brief import Brief, ColumnNote, Source
from mercer.data import ingest
from mercer.data.examples import to_column, to_label
from mercer.errors import BriefError, DataError


def label(values: list[Any], positive: str | None = None) -> tuple[list[float], list[bool]]:
    source = Source(source="file.csv", positive=positive)
    found, bad = to_label(pd.Series(values), source, "outcome")
    return [float("nan") if pd.isna(v) else v for v in found], bad.tolist()


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (["TRUE", "FALSE", "true", " False "], None),
        (["1", "0", "1.0", "0"], None),
        (["yes", "no", "Yes", "NO"], None),
        ([True, False, True, False], None),
        ([1, 0, 1, 0], None),
        (["2", "1", "2", "1"], "2"),
        ([2, 1, 2, 1], "2"),
        (["bad", "good", " Bad", "GOOD"], "bad"),
        ([">50K", "<=50K", ">50K", "<=50K"], ">50k"),
    ],
)
def test_two_spellings_are_yes_and_no(values: list[Any], positive: str | None) -> None:
    assert label(values, positive) == ([1.0, 0.0, 1.0, 0.0], [False] * 4)


@pytest.mark.parametrize("values", [["good", "bad"], ["1", "2"], ["1", "1"], ["a", "b", "c"]])
def test_without_a_positive_label_other_spellings_are_not_guessed(values: list[str]) -> None:
    with pytest.raises(DataError, match="which one is positive") as caught:
        label(values)
    assert "positive" in caught.value.remedy


def test_a_positive_label_that_never_occurs_is_named_with_its_neighbours() -> None:
    with pytest.raises(DataError, match="never holds the positive label 'godo'") as caught:
        label(["good", "bad"], "godo")
    assert "good" in caught.value.remedy


def test_a_rare_third_spelling_is_an_error_of_entry() -> None:
    found, bad = label(["good", "bad"] * 200 + ["goood", None], "good")
    assert bad == [False] * 400 + [True, False]
    assert np.isnan(found[-2:]).all()
    found, bad = label(["yes", "no"] * 200 + ["perhaps"])
    assert bad[-1]
    assert sum(bad) == 1


def test_three_common_spellings_are_no_label() -> None:
    with pytest.raises(DataError, match="two spellings"):
        label(["good", "bad", "ugly"] * 10, "good")


def test_yaml_spells_a_positive_label_its_own_way() -> None:
    assert Source(source="a", positive=1).positive == "1"  # type: ignore[arg-type]
    assert Source(source="a", positive=True).positive == "True"  # type: ignore[arg-type]
    assert label(["TRUE", "FALSE"], "True")[0] == [1.0, 0.0]


def column(values: list[Any], kind: str | None = None, **marks: str) -> tuple[pd.Series[Any], list[bool]]:
    found, bad = to_column(pd.Series(values), ColumnNote(type=kind), **marks)  # type: ignore[arg-type]
    return found, bad.tolist()


def test_a_column_of_numbers_is_numeric_and_a_stray_word_is_missing() -> None:
    found, bad = column(["1", "2.5", "?", "", None, *["3"] * 30, "many"])
    assert found.dtype == np.float64
    assert found.isna().sum() == 4
    assert [at for at, wrong in enumerate(bad) if wrong] == [35]


def test_true_and_false_are_flags_but_zero_and_one_are_numbers() -> None:
    assert column(["TRUE", "FALSE", "?"])[0].dtype == "boolean"
    assert column(["0", "1", "1"])[0].dtype == np.float64
    assert column(["0", "1", "1"], "boolean")[0].tolist() == [False, True, True]


def test_everything_else_is_categories_with_missing_ones_told_by_their_spelling() -> None:
    found, bad = column(["Nov", "May ", "?", "N/A", None])
    assert found.tolist() == ["Nov", "May", None, None, None]
    assert not any(bad)
    assert column(["1", "2", "3"], "category")[0].tolist() == ["1", "2", "3"]
    assert column([1.0, 2.0, None], "category")[0].tolist() == ["1", "2", None]


def test_a_declared_type_holds_and_other_values_are_unreadable() -> None:
    found, bad = column(["Nov", "3", "4"], "number")
    assert bad == [True, False, False]
    assert found.isna().tolist() == [True, False, False]
    assert column(["Nov", "true"], "boolean")[1] == [True, False]


def test_marks_of_the_source_are_read_and_stored_numbers_have_none() -> None:
    assert column(["1,5", "1.234,5"], decimal=",", thousands=".")[0].tolist() == [1.5, 1234.5]
    assert column([1.5, 2.5], decimal=",")[0].tolist() == [1.5, 2.5]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_text_of_a_number_is_that_number(values: list[float]) -> None:
    assert column([repr(value) for value in values])[0].tolist() == values


BRIEF = """
name: flat
question: Who?
decision: {{date: 2026-01-31, target: buys}}
data: {{examples: {{source: file.csv, label: outcome{more}}}}}
targets: {{buys: {{task: behavior, label: examples, split: {{kind: folds}}}}}}
"""


def taken(folder: Path, text: str, more: str = "") -> pd.DataFrame:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file.csv").write_text(text, "utf-8")
    brief = Brief.parse(BRIEF.format(more=more))
    ingest(brief, data_folders=(folder,), out=folder / "out")
    return pq.read_table(folder / "out" / "examples.parquet").to_pandas()


def test_rows_without_a_name_are_named_by_their_content(tmp_path: Path) -> None:
    lines = ["1,Nov,yes", "2,May,no", "1,Nov,yes"]
    one = taken(tmp_path / "a", "\n".join(["pages,month,outcome", *lines]))
    two = taken(tmp_path / "b", "\n".join(["pages,month,outcome", *lines[::-1]]))
    assert one["unit"].is_unique
    pd.testing.assert_frame_equal(one, two)


def test_a_mapped_unit_names_the_row(tmp_path: Path) -> None:
    table = taken(tmp_path, "id,pages,outcome\na,1,yes\nb,2,no\n", ", map: {unit: id}")
    assert table["unit"].tolist() == ["a", "b"]
    assert "id" not in table


def test_columns_may_be_called_like_money(tmp_path: Path) -> None:
    table = taken(tmp_path, "amount,price,derived,outcome\n1,2,3,yes\n2,3,4,no\n")
    assert {"amount", "price", "derived"} <= set(table.columns)


def test_a_label_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'outcome'") as caught:
        taken(tmp_path, "pages,outcomes\n1,yes\n")
    assert "outcomes" in caught.value.remedy


def test_a_column_of_a_canonical_name_that_another_fills_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'label' has the name that 'outcome' is mapped to"):
        taken(tmp_path, "label,outcome\n1,yes\n2,no\n")


def test_an_unknown_type_of_a_column_is_a_fault_of_the_brief() -> None:
    with pytest.raises(BriefError, match=r"columns\.age\.type"):
        Brief.parse(BRIEF.format(more="") + "columns: {age: {type: whole}}")
