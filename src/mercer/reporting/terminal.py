"""Leaderboard and decision for the terminal, as Rich renderables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mercer.evaluation import SELECTION, Leaderboard, Row
from mercer.evaluation.leaderboard import cell, number
from mercer.reporting.decision import decide_files
from mercer.reporting.page import advice
from mercer.reporting.run_files import RunFiles

if TYPE_CHECKING:
    from mercer.reporting.decision import Decision

_STYLES = {
    "ship": "bold white on green",
    "do-not-ship": "bold white on red",
    "need-more-data": "bold black on yellow",
}
_SIGNS = {"for": ("✓", "green"), "against": ("✕", "red"), "open": ("?", "yellow")}
_COLUMNS = 78


def render(run: Path) -> RenderableType:
    """Leaderboard, then decision with its reasons, of a run folder. Raises as `decide` does."""
    files = RunFiles.load(run)
    parts: list[RenderableType] = []
    if files.board is not None:
        parts.append(leaderboard(files.board))
    parts.append(decision(decide_files(files)))
    return Group(*parts)


def leaderboard(board: Leaderboard) -> RenderableType:
    """One small table a target: test rows over all units; ★ is the model selected on validation."""
    targets = dict.fromkeys(row.target for row in board.rows if _shown(row))
    tables: list[RenderableType] = []
    for target in targets:
        tables += [
            _table(target, [row for row in board.rows if row.target == target and _shown(row)]),
            Text(),
        ]
    return Group(*tables)


def _shown(row: Row) -> bool:
    return (row.split, row.slice, row.origin) == ("test", "all", "all")


def _table(target: str, rows: list[Row]) -> Table:
    """The first metric with its interval, the others as values, so that the table fits 80 columns."""
    models = list(dict.fromkeys((row.model, row.fit_on, row.selected) for row in rows))
    several = len({fit_on for _, fit_on, _ in models} - {"none"}) > 1
    names = [f"★ {model}" + (", refit" if several and "+" in fit_on else "") for model, fit_on, _ in models]
    metrics = _metrics(rows, _COLUMNS - max(map(len, names)))
    table = Table(title=f"{target}, n = {rows[0].n:,}", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("model", no_wrap=True)
    for at, metric in enumerate(metrics):
        table.add_column(metric, justify="left" if at == 0 else "right", no_wrap=True)
    for model, fit_on, selected in models:
        name = Text(("★ " if selected else "  ") + model, style="bold" if selected else "")
        if several and fit_on == "train+validation":
            name.append(", refit", style="dim")
        mine = {row.metric: row for row in rows if (row.model, row.fit_on) == (model, fit_on)}
        first, *rest = metrics
        cells = [cell(mine[first]) if first in mine else "–"]
        cells += [number(mine[metric].value) if metric in mine else "–" for metric in rest]
        table.add_row(name, *cells)
    return table


def _metrics(rows: list[Row], room: int) -> list[str]:
    """The metric that selects, then the others in the file's order, as far as they fit into `room` columns."""
    names = list(dict.fromkeys(row.metric for row in rows))
    first = next((name for name in SELECTION.values() if name in names), names[0])
    shown = [first]
    room -= 2 + max(len(cell(row)) for row in rows if row.metric == first)
    for name in names:
        values = [len(number(row.value)) for row in rows if row.metric == name]
        width = 2 + max(len(name), *values)
        if name != first and width <= room:
            shown.append(name)
            room -= width
    return shown


def decision(found: Decision) -> RenderableType:
    """The verdict, what to do, and a line for every reason; those against come first."""
    head = Text.assemble((f" {found.headline.upper()} ", _STYLES[found.verdict]), "  ", advice(found))
    lines: list[RenderableType] = [head]
    order = {"against": 0, "open": 1, "for": 2}
    for reason in sorted(found.reasons, key=lambda r: order[r.side]):
        sign, style = _SIGNS[reason.side]
        line = Text.assemble(("  " + sign + " ", style), reason.text)
        if reason.side != "for" and reason.change:
            line.append(f" → {reason.change}", style="dim")
        lines.append(line)
    return Group(*lines)
