from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mercer.data.profile import profile_file
from mercer.data.profile.columns import facts_of
from mercer.data.profile.spread import bins
from mercer.errors import DataError, OutputError, UnsupportedError

CSV = "customer_id,when,amount,mail,city\n" + "".join(
    f"{100 + n},2026-01-{n + 1:02d},{n * 1.5},p{n}@b.example,{'Ulm' if n % 3 else 'Bonn'}\n"
    for n in range(20)
)


def _page(path: Path, out: Path) -> str:
    profile_file(path, out)
    return out.read_text("utf-8")


def test_a_csv_is_profiled_by_what_its_columns_hold(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(CSV, "utf-8")
    page = _page(tmp_path / "sales.csv", tmp_path / "page.html")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for said in (
        "customer_id text",
        "when time",
        "amount number",
        "the person who acts",
        "20 rows in 5 columns",
    ):
        assert said in text
    assert "Texts hold what looks like personal data: mail (20 e-mail addresses)" in text
    assert "@b.example" not in page
    assert page == _page(tmp_path / "sales.csv", tmp_path / "again.html")


def test_rare_values_and_values_of_persons_are_not_shown(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": ["zoe"] * 20, "place": ["Ulm"] * 18 + ["Hiddenville"] * 2})
    frame.to_parquet(tmp_path / "places.parquet")
    page = _page(tmp_path / "places.parquet", tmp_path / "page.html")
    assert "Ulm" in page
    assert "zoe" not in page
    assert "Hiddenville" not in page


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("x", ["1", "2.5", "-3"], "number"),
        ("zip", ["00123", "04711", "10115"], "text"),
        ("when", ["2026-01-02 10:00", "2026-02-03 11:00"], "time"),
        ("InvoiceNo", ["536365", "536366"], "text"),
        ("flag", [True, False, None], "flag"),
        ("tags", [["a"], ["b", "c"]], "list"),
        ("none", [None, None], "empty"),
    ],
)
def test_kinds_are_read_from_values(name: str, values: list[object], kind: str) -> None:
    assert facts_of(name, pd.Series(values)).kind == kind


@pytest.mark.parametrize(
    ("name", "values", "meaning"),
    [
        ("CustomerID", ["1", "2", "2"], "the person who acts"),
        ("UnitPrice", [1.5, 2.5, 2.5], "the price of a unit"),
        ("Revenue", [True, False, True], "a yes or no"),
        ("VisitorType", ["new", "old", "odd"], "a key: every value comes once"),
        ("age", [20, 30, 30], "an attribute of a person, which may be protected"),
        ("page", ["a", "b", "b"], "a yes or no"),
    ],
)
def test_the_likely_meaning_fits_name_and_values(name: str, values: list[object], meaning: str) -> None:
    assert facts_of(name, pd.Series(values)).meaning == meaning


def test_values_unlike_their_column_are_counted() -> None:
    facts = facts_of("x", pd.Series(["1"] * 30 + ["many", None]))
    assert (facts.n_missing, facts.n_unread, facts.n_distinct) == (1, 1, 1)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("empty.csv", b"", DataError),
        ("header.csv", b"a,b\n", DataError),
        ("cut.parquet", b"PAR1 half", DataError),
        ("book.xlsx", b"PK", UnsupportedError),
    ],
)
def test_an_unusable_file_meets_a_typed_error(
    tmp_path: Path, name: str, content: bytes, error: type[Exception]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=name):
        profile_file(tmp_path / name, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_an_absent_file_and_an_absent_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.csv"):
        profile_file(tmp_path / "no.csv", tmp_path / "page.html")
    (tmp_path / "a.csv").write_text("x\n1\n2\n", "utf-8")
    with pytest.raises(OutputError):
        profile_file(tmp_path / "a.csv", tmp_path / "nowhere" / "page.html")


def test_bins_hold_every_finite_value() -> None:
    values = np.array([*range(100), np.inf, np.nan], float)
    frame, equal_factors = bins(values)
    assert frame["value"].sum() == pytest.approx(1)
    assert not equal_factors


def test_values_over_many_orders_of_magnitude_get_equal_factors() -> None:
    frame, equal_factors = bins(np.geomspace(1, 1e6, 500))
    assert equal_factors
    ratio = frame["high"] / frame["low"]
    assert np.allclose(ratio, ratio.iloc[0])


def test_whole_numbers_of_a_small_range_get_a_bin_each() -> None:
    frame, _ = bins(np.array([1, 1, 2, 4.0]))
    assert frame["value"].tolist() == [0.5, 0.25, 0, 0.25]
