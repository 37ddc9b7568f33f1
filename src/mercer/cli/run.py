"""`mercer run`: the whole flow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BriefArgument = Annotated[
    Path, typer.Argument(metavar="BRIEF", help="The brief, a YAML file.", show_default=False)
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="The run folder. Left out: runs/NAME-OF-THE-BRIEF.", show_default=False),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the data files. Left out: beside the brief, or data/ there."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def run(
    brief: BriefArgument, out: OutOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Walk a brief from its data to a gated release, and print leaderboard and decision.

    Steps that an earlier run did are found in the cache; an interrupted run goes on where it stopped.
    The run folder then holds brief.yaml, manifest.json, data/, models/, scores/, leaderboard.json, gates.json,
    report.html and release/.

    Example: mercer run briefs/online-retail.yaml --out runs/retail
    """
    walk(brief, out, data, as_json=as_json)


def walk(
    brief: Path,
    out: Path | None,
    data: Path | None,
    *,
    as_json: bool,
    until: str = "release",
    fault: str | None = None,
) -> None:
    """Run the flow up to a stage, print what it found, and exit with its code."""
    from mercer.cli.terminal import TerminalProgress, print_json
    from mercer.cli.terminal import out as console
    from mercer.pipeline import run as run_flow

    with TerminalProgress() as progress:
        result = run_flow(brief, out, data=data, until=until, fault=fault, progress=progress)
    if as_json:
        print_json(result.summary())
    else:
        for part in result.renderables():
            console.print(part)
    raise typer.Exit(result.exit_code)
