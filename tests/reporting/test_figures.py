from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mercer.evaluation import Scored
from mercer.reporting.figures import (
    accounting_tables,
    calibration_table,
    exposure_curve,
    leaderboard_figure,
    slices_figure,
    waterfall_figure,
)
from mercer.reporting.run_files import RunFiles
from mercer.reporting.words import memory, money, seconds, slice_label


def probabilities(value: list[float], outcome: list[float]) -> Scored:
    n = len(value)
    rows = pd.DataFrame(
        {"unit": [str(i) for i in range(n)], "cluster": "", "as_of": 0, "value": value, "low": value,
         "high": value, "outcome": outcome, "weight": 1.0}
    )  # fmt: skip
    return Scored(kind="probability", rows=rows)


def test_calibration_bins_hold_equal_counts_and_all_rows() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(500)
    table = calibration_table(probabilities(p.tolist(), (rng.random(500) < p).astype(float).tolist()))
    assert table["n"].tolist() == [50] * 10
    assert (table["low"] <= table["observed"]).all()
    assert (table["observed"] <= table["high"]).all()
    assert np.abs(table["predicted"] - table["observed"]).max() < 0.2


def test_equal_predictions_share_one_bin() -> None:
    table = calibration_table(probabilities([0.3] * 20, [0, 1] * 10))
    assert table["n"].tolist() == [20]
    assert table["observed"].tolist() == [0.5]


def test_the_exposure_curve_counts_what_is_never_shown() -> None:
    lists = pd.DataFrame(
        {"unit": "u", "position": 1, "item": ["a", "a", "a", "b"], "score": 0.0, "bits": 0.0}
    )
    rows = pd.DataFrame({"unit": ["u"], "cluster": ["u"], "item": ["a"], "grade": [1.0], "rank": [1.0]})
    curve = exposure_curve(Scored(kind="ranking", rows=rows, lists=lists, n_items=4), points=5)
    assert curve["places"].tolist() == pytest.approx([0, 0, 0, 0.25, 1])


def test_the_waterfall_ends_where_the_rows_were_kept(whole_run: Path) -> None:
    figure = waterfall_figure(RunFiles.load(whole_run))
    assert figure is not None
    # A relabelled row is no row that was taken away.
    assert [row[0] for row in figure.body] == ["read", "missing-user", "duplicate-event", "non-product",
                                               "zero-price", "kept"]  # fmt: skip
    amounts = [int(row[1].replace(",", "").replace("−", "-")) for row in figure.body]
    assert amounts[0] + sum(amounts[1:-1]) == amounts[-1]


def test_models_stand_in_order_of_merit(whole_run: Path) -> None:
    files = RunFiles.load(whole_run)
    best = leaderboard_figure(files, "next-item", "ndcg@10")
    lowest = leaderboard_figure(files, "repurchase", "brier")
    assert best is not None
    assert lowest is not None
    assert best.body[0][0] == "item-knn"
    assert [row[0] for row in lowest.body] == ["lightgbm", "past-rate"]


def test_slices_say_everybody_first(whole_run: Path) -> None:
    figure = slices_figure(RunFiles.load(whole_run))
    assert figure is not None
    assert [row[0] for row in figure.body] == [
        "everybody", "new customers", "old customers", "head items", "tail items", "France", "United Kingdom",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [None, {}, {"schema": 1}, {"tables": []}])
def test_no_accounting_gives_no_tables(content: dict[str, object] | None) -> None:
    assert accounting_tables(content) == {}


def test_numbers_as_people_say_them() -> None:
    assert money(1_230_000, "GBP") == "£12,300"
    assert money(-150, "CHF") == "−CHF 1.50"
    assert [seconds(s) for s in (0.42, 38, 700, 11000)] == ["0.4 s", "38 s", "12 min", "3.1 h"]
    assert [memory(m) for m in (350, 1946)] == ["350 MiB", "1.9 GiB"]
    assert [slice_label(s) for s in ("all", "history=new", "country=UK", "tier=gold")] == [
        "everybody", "new customers", "UK", "tier: gold",
    ]  # fmt: skip
