"""`mercer data`: look at a file, clean a brief's data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.run import BriefArgument, DataOption, JsonOption, OutOption, walk

app = typer.Typer(help="Look at data and clean them.", no_args_is_help=True)


@app.command("profile")
def profile(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or Parquet.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("profile.html"),
) -> None:
    """Write a page that shows what a good analyst would look at first in a file."""
    from mercer.cli.terminal import out as console
    from mercer.data import profile_file

    profile_file(file, out)
    console.print(f"Profile: {out}")


@app.command("clean")
def clean(
    brief: BriefArgument, out: OutOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Ingest and clean a brief's data: canonical tables, quarantine with reasons, accounting and profile."""
    walk(brief, out, data, as_json=as_json, until="data")
