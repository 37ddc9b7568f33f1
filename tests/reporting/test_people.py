"""How groups fare and which columns know the answer, on the page."""

from __future__ import annotations

import json
from pathlib import Path

from mercer.reporting import write_page


def _bounded(value: float, low: float | None = None, high: float | None = None) -> dict[str, float | None]:
    return {"value": value, "low": low, "high": high}


def _group(name: str, gap: tuple[float, float]) -> dict[str, object]:
    names = ("selected", "base_rate", "true_positive_rate", "false_positive_rate", "calibration_gap", "auc")
    return {
        "attribute": "sex", "group": name, "n": 1200, "reference": "men",
        "rates": {one: _bounded(0.25, 0.2, 0.3) for one in names},
        "gaps": {one: _bounded(sum(gap) / 2, *gap) for one in names},
        "ratio": _bounded(1.4, 1.1, 1.7),
    }  # fmt: skip


def test_the_page_says_who_is_selected_more_often(run: Path) -> None:
    audit = {
        "model": "lightgbm",
        "share": 0.3,
        "groups": [_group("men", (0, 0)), _group("<women>", (0.05, 0.15))],
    }
    (run / "groups.json").write_text(json.dumps({"repurchase": audit}), "utf-8")
    page = write_page(run).read_text("utf-8")
    assert "Selected, against men: &lt;women&gt; 1.40 times as often [1.10, 1.70]." in page
    assert "<strong>0.250 [0.200, 0.300]</strong>" in page
    assert "1,200" in page


def test_without_a_difference_the_page_says_so_and_without_files_nothing(run: Path) -> None:
    assert "Groups at the decision" not in write_page(run).read_text("utf-8")
    audit = {
        "model": "lightgbm",
        "share": 0.3,
        "groups": [_group("men", (0, 0)), _group("women", (-0.1, 0.1))],
    }
    (run / "groups.json").write_text(json.dumps({"repurchase": audit}), "utf-8")
    assert "beyond chance" in write_page(run).read_text("utf-8")


def test_columns_that_may_know_the_answer_are_named(run: Path) -> None:
    (run / "leaks.json").write_text(
        json.dumps({"buys": [{"sentence": "paid may know the answer: it does."}]}), "utf-8"
    )
    page = write_page(run).read_text("utf-8")
    assert "Columns that may know the answer: buys" in page
    assert "paid may know the answer: it does." in page
