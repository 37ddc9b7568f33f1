from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from mercer.evaluation import Leaderboard
from mercer.reporting import terminal


def printed(renderable: object) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
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
