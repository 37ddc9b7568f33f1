"""`mercer data`: bring a public data set, look at a file, clean a brief's data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.run import BriefArgument, DataOption, JsonOption, OutOption, walk

app = typer.Typer(help="Bring data, look at them and clean them.", no_args_is_help=True)


@app.command("get")
def get(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The data set. Left out: say which there are.")
    ] = None,
    to: Annotated[Path, typer.Option("--to", help="The folder to put the files into.")] = Path("data"),
    from_folder: Annotated[
        Path | None,
        typer.Option("--from", help="Copy from this folder instead of the web.", show_default=False),
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option("--mirror", help="Another folder on the web that has the files.", show_default=False),
    ] = None,
) -> None:
    """Bring a public data set, by its checksum.

    A file gets its name only when its SHA-256 is the one that mercer knows, wherever it came from. A download that
    breaks off goes on from there when the command runs again.

    Example: mercer data get online-retail --to briefs/data
    """
    from mercer.cli.terminal import TerminalProgress
    from mercer.cli.terminal import out as console
    from mercer.data.download import get_public
    from mercer.data.public_sets import PUBLIC_SETS, find_set

    if name is None:
        for one in PUBLIC_SETS.values():
            console.print(f"{one.name}  {one.title}; {one.size / 1e6:,.1f} MB; {one.licence.split(',')[0]}")
        return
    wanted = find_set(name)
    with TerminalProgress() as progress:
        bar = progress.begin(wanted.name)
        places = get_public(wanted, to, from_folder=from_folder, mirror=mirror, progress=bar)
    for place in places:
        console.print(f"File:        {place}")
    console.print(f"Source:      {wanted.origin}\nChanged:     {wanted.changed}")
    console.print(f"Licence:     {wanted.licence}\nAttribution: {wanted.attribution}")


@app.command("profile")
def profile(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, Parquet or SQLite.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("profile.html"),
    label: Annotated[
        str, typer.Option("--label", help="The column that holds the outcome, yes or no. Left out: guessed.")
    ] = "",
    table: Annotated[str, typer.Option("--table", help="Which table of a SQLite file.")] = "",
) -> None:
    """Write a page that shows what a good analyst would look at first in a file."""
    from mercer.cli.terminal import out as console
    from mercer.data import profile_file

    profile_file(file, out, label=label, table=table)
    console.print(f"Profile: {out}")


@app.command("clean")
def clean(
    brief: BriefArgument, out: OutOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Ingest and clean a brief's data: canonical tables, quarantine with reasons, accounting and profile."""
    walk(brief, out, data, as_json=as_json, until="data")
