from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mercer.errors import DamagedError, NotFoundError, UnsupportedError
from mercer.evaluation import Comparison, Leaderboard, Row, select
from mercer.evaluation.leaderboard import number


def row(model: str, value: float, **changes: Any) -> Row:
    facts: dict[str, Any] = {
        "task": "recommend", "target": "next", "model": model, "split": "test", "metric": "ndcg@10",
        "value": value, "low": value - 0.01, "high": value + 0.01, "interval": "bootstrap by user",
        "unit": "user", "n": 100,
    }  # fmt: skip
    return Row(**{**facts, **changes})


def board() -> Leaderboard:
    comparison = Comparison(
        task="recommend",
        target="next",
        metric="ndcg@10",
        a="a",
        b="b",
        difference=0.1,
        low=0.05,
        high=0.15,
        p=0.01,
    )
    return Leaderboard(
        run="r1",
        dataset="d1",
        rows=(row("a", 0.3), row("b", 0.2, low=None, high=None)),
        comparisons=(comparison,),
    )


def test_the_file_has_exactly_the_keys_of_schema_1(tmp_path: Path) -> None:
    path = tmp_path / "leaderboard.json"
    board().adjusted().save(path)
    content = json.loads(path.read_text("utf-8"))
    assert list(content) == ["schema", "run", "dataset", "rows", "comparisons"]
    assert list(content["rows"][0]) == [
        "task", "target", "model", "composition", "parts", "selected", "split", "fit_on", "origin", "slice",
        "metric", "value", "low", "high", "level", "interval", "unit", "n", "seeds", "trials", "options_hash",
        "protocol", "fit_seconds", "peak_mib", "predict_ms_per_request",
    ]  # fmt: skip
    assert list(content["comparisons"][0]) == [
        "task", "target", "metric", "fit_on", "origin", "slice", "a", "b", "difference", "low", "high", "p",
        "p_adjusted", "verdict",
    ]  # fmt: skip
    assert content["comparisons"][0]["verdict"] == "better"


def test_a_leaderboard_comes_back_as_saved(tmp_path: Path) -> None:
    path = tmp_path / "leaderboard.json"
    board().save(path)
    assert Leaderboard.load(path) == board()
    assert [p.name for p in tmp_path.iterdir()] == ["leaderboard.json"]


def test_absent_damaged_and_foreign_files_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "leaderboard.json"
    with pytest.raises(NotFoundError, match="no such file"):
        Leaderboard.load(path)
    path.write_text("{")
    with pytest.raises(DamagedError, match="not JSON"):
        Leaderboard.load(path)
    path.write_text('{"schema": 2}')
    with pytest.raises(DamagedError, match="schema 1"):
        Leaderboard.load(path)
    path.write_text('{"schema": 1, "rows": [{"task": "recommend"}]}')
    with pytest.raises(DamagedError, match="row is incomplete"):
        Leaderboard.load(path)


def test_the_frame_is_made_to_be_read() -> None:
    frame = board().mark_selected({"next": "a"}).to_frame()
    assert frame.loc[("next", "★ a", "train"), "ndcg@10"] == "0.3000 [0.2900, 0.3100]"
    assert frame.loc[("next", "b", "train"), "ndcg@10"] == "0.2000"
    assert Leaderboard(run="", dataset="").to_frame().empty


def test_find_and_mark_selected() -> None:
    marked = board().mark_selected({"next": "b"})
    assert [r.model for r in marked.find(selected=True)] == ["b"]


def test_selection_reads_validation_rows_only() -> None:
    rows = [
        row("tested", 0.9),
        row("refit", 0.9, split="validation", fit_on="train+validation"),
        row("sliced", 0.9, split="validation", slice="history=new"),
        row("first", 0.4, split="validation"),
        row("second", 0.4, split="validation"),
        row("third", 0.1, split="validation"),
    ]
    assert select(rows, "next", "ndcg@10").model == "first"
    lower = [
        row("a", 0.4, split="validation", metric="brier"),
        row("b", 0.1, split="validation", metric="brier"),
    ]
    assert select(lower, "next", "brier").model == "b"


def test_nothing_to_select_from_is_said() -> None:
    with pytest.raises(NotFoundError, match="no validation row of ndcg@10"):
        select([row("a", 0.3)], "next", "ndcg@10")
    with pytest.raises(UnsupportedError, match="no better way"):
        select([], "next", "bias")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.05312, "0.0531"), (12.3456, "12.35"), (123456.7, "123,457"), (0.0, "0"), (-0.5, "-0.5000")],
)
def test_numbers_get_the_digits_they_need(value: float, text: str) -> None:
    assert number(value) == text
