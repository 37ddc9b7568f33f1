from __future__ import annotations

from pathlib import Path

from mercer.reporting.figures import leaderboard_figure, slices_figure
from mercer.reporting.run_files import RunFiles


def test_models_stand_in_order_of_merit(whole_run: Path) -> None:
    files = RunFiles.load(whole_run)
    best = leaderboard_figure(files, "next-item", "ndcg@10")
    lowest = leaderboard_figure(files, "repurchase", "brier")
    assert best is not None
    assert lowest is not None
    assert best.body[0][0] == "item-knn"
    assert [row[0] for row in lowest.body] == ["lightgbm", "past-rate"]


def test_amounts_are_money_and_the_paired_test_is_told(whole_run: Path) -> None:
    figure = leaderboard_figure(RunFiles.load(whole_run), "spend", "rmse")
    assert figure is not None
    assert all(row[1].startswith("£") for row in figure.body)
    assert "between lightgbm and past-rate" in figure.caption or "than past-rate" in figure.caption
    assert any(name.startswith("leaderboard.comparisons") for name in figure.evidence)


def test_slices_say_everybody_first(whole_run: Path) -> None:
    figure = slices_figure(RunFiles.load(whole_run))
    assert figure is not None
    assert [row[0] for row in figure.body] == [
        "everybody", "new customers", "old customers", "head items", "tail items", "France", "United Kingdom",
    ]  # fmt: skip
