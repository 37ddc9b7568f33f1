from __future__ import annotations

from pathlib import Path

import pytest

from mercer.reporting.accounting import _label, accounting_tables, waterfall_figure
from mercer.reporting.run_files import RunFiles
from reporting.small_run import write_json


def test_the_waterfall_ends_where_the_rows_were_kept(whole_run: Path) -> None:
    figure = waterfall_figure(RunFiles.load(whole_run))
    assert figure is not None
    # A relabelled row is no row that was taken away.
    assert [row[0] for row in figure.body] == ["read", "missing-user", "duplicate-event", "non-product",
                                               "zero-price", "kept"]  # fmt: skip
    amounts = [int(row[1].replace(",", "").replace("−", "-")) for row in figure.body]
    assert amounts[0] + sum(amounts[1:-1]) == amounts[-1]


def test_merged_rows_are_taken_away_too_and_labels_have_room(run: Path) -> None:
    write_json(run / "data" / "accounting.json", {"tables": {"items": {
        "read": 1000, "kept": 10, "quarantined": 5, "merged": 985,
        "rules": [{"rule": "repeated-item", "sentence": "", "action": "merge", "count": 985},
                  {"rule": "item-without-title", "sentence": "", "action": "quarantine", "count": 5}]}}})  # fmt: skip
    figure = waterfall_figure(RunFiles.load(run))
    assert figure is not None
    assert [row[:2] for row in figure.body] == [
        ("read", "1,000"), ("repeated-item", "−985"), ("item-without-title", "−5"), ("kept", "10"),
    ]  # fmt: skip
    assert [_label(0.0, 1.0), _label(0.5, 0.55), _label(0.01, 0.015)] == ["inside", "before", "after"]


@pytest.mark.parametrize("content", [None, {}, {"schema": 1}, {"tables": []}])
def test_no_accounting_gives_no_tables(content: dict[str, object] | None) -> None:
    assert accounting_tables(content) == {}
