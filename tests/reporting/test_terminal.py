from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from mercer.evaluation import Leaderboard
from mercer.reporting import terminal


def printed(renderable: object, width: int = 160) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def test_leaderboard_and_decision_are_printed(whole_run: Path) -> None:
    text = printed(terminal.render(whole_run))
    assert "★ item-knn" in text
    assert "SHIP" in text
    assert "Put item-knn in place of most-popular for next-item." in text
    assert text.index("ndcg@10") < text.index("SHIP")


def test_what_is_against_comes_first_with_its_remedy(run: Path) -> None:
    (run / "gates.json").unlink()
    lines = printed(terminal.render(run)).splitlines()
    at = next(n for n, line in enumerate(lines) if "NEED MORE DATA" in line)
    assert "The rules were not checked. → Run the gates" in lines[at + 1]


def test_an_empty_leaderboard_prints_nothing(tmp_path: Path) -> None:
    assert printed(terminal.leaderboard(Leaderboard(run="", dataset=""))).strip() == ""


def test_tables_fit_eighty_columns(whole_run: Path) -> None:
    board = Leaderboard.load(whole_run / "leaderboard.json")
    lines = printed(terminal.leaderboard(board), width=80).splitlines()
    row = next(line for line in lines if "★ lightgbm" in line)
    assert "…" not in "".join(lines)
    assert len(row.split("]")) == 2
    assert sum("lightgbm" in line for line in lines) == 2
