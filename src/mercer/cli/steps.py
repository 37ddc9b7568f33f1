"""The flow's steps as commands of their own, so that any orchestrator can call them.

Each walks the flow up to its step; what was done before is found in the cache.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.run import BriefArgument, DataOption, JsonOption, OutOption, walk


def fit(
    brief: BriefArgument, out: OutOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Clean the data and fit every model of every target."""
    walk(brief, out, data, as_json=as_json, until="fit")


def evaluate(
    brief: BriefArgument,
    out: OutOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
    rankings: Annotated[
        Path | None,
        typer.Option(
            "--rankings",
            help="Score the rankings of a system that mercer did not build: CSV or Parquet with unit, item and "
            "rank or score.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="With --rankings: the target they answer. Left out: the decision's."),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help="With --rankings: the system's name on the leaderboard.")
    ] = "external",
) -> None:
    """Fit and score every model, and print the leaderboard.

    With --rankings FILE an outside system is scored under the same protocol and compared with the models.
    Its look at the test set is counted like any other.
    """
    if rankings is None:
        walk(brief, out, data, as_json=as_json, until="evaluate")
        return
    from mercer.cli.terminal import TerminalProgress, print_json
    from mercer.cli.terminal import out as console
    from mercer.pipeline import evaluate_rankings

    with TerminalProgress() as progress:
        board = evaluate_rankings(
            brief, rankings, out=out, data=data, target=target, name=name, progress=progress
        )
    if as_json:
        print_json(board.to_dict())
    else:
        from mercer.reporting import terminal

        console.print(terminal.leaderboard(board))


def gate(
    brief: BriefArgument, out: OutOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Check data, models and candidate release against the law in force; exit 1 when a rule fails."""
    walk(brief, out, data, as_json=as_json, until="gate")


def report(
    brief: BriefArgument, out: OutOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Write the decision page."""
    walk(brief, out, data, as_json=as_json, until="report")


def release(
    brief: BriefArgument, out: OutOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Bind models, catalogue, evidence and decision into a release that `mercer serve` loads."""
    walk(brief, out, data, as_json=as_json, until="release")
