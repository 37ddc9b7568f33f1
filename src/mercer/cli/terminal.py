"""The terminal: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """One JSON document on standard output, for machines."""
    sys.stdout.write(json.dumps(value, indent=1, default=str, ensure_ascii=False) + "\n")


class _Bar:
    """Progress of one step, shown as a bar."""

    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Show `done` of `total`."""
        self._bars.update(self._task, completed=done, total=total, note=note)


class TerminalProgress:
    """A line for every finished step and a moving bar for the one at work.

    Without a terminal (a log file, CI) only the finished lines are printed.
    """

    def __init__(self) -> None:
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=err,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> TerminalProgress:
        if err.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if err.is_terminal:
            self._bars.stop()

    def begin(self, step: str) -> _Bar:
        """Show a bar for the step."""
        self._tasks[step] = self._bars.add_task(step, total=None, note="")
        return _Bar(self._bars, self._tasks[step])

    def end(self, step: str, *, seconds: float, cached: bool) -> None:
        """Replace the bar by a line."""
        self._bars.remove_task(self._tasks.pop(step))
        took = "[dim]from an earlier run[/]" if cached else f"{seconds:6.1f} s"
        err.print(f"  [green]✓[/] {step:<44} {took}")

    def note(self, text: str) -> None:
        """Print a line."""
        err.print(f"    [yellow]{text}[/]")
