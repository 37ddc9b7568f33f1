"""`mercer init`: a first brief from a data file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mercer.pipeline.draft import Answers


def init(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV or Parquet with your events.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The brief to write. Left out: beside the file, named after it."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take every guess without asking.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a brief that is there.")] = False,
) -> None:
    """Look at a data file, guess what its columns mean, ask what no file tells, and write a commented brief."""
    from mercer.cli.terminal import err
    from mercer.cli.terminal import out as console
    from mercer.errors import OutputError
    from mercer.pipeline.draft import Answers, draft_brief, guesses

    place = out or file.with_suffix(".brief.yaml")
    if place.exists() and not force:
        raise OutputError(
            f"{place} is there already.", remedy="Choose another with --out, or replace it with --force."
        )
    found = guesses(file)
    err.print(
        f"{file.name}: {found.n_rows:,} rows" + (f", {found.first} to {found.last}" if found.first else "")
    )
    for canonical, own in found.map.items():
        err.print(f"  {canonical:<10} ← {own}  ({found.confidence[canonical]:.0%} sure)")
    answers = Answers()
    if not yes:
        answers = _ask(found.unknown, answers)
    place.write_text(draft_brief(file, found, answers), "utf-8")
    console.print(f"Brief: {place}")
    console.print(f"Next:  mercer check {place}")


def _ask(unknown: tuple[str, ...], answers: Answers) -> Answers:
    from dataclasses import replace

    questions = {
        "timezone": "In which time zone are the times",
        "currency": "In which currency are the amounts",
        "jurisdictions": "Whose law protects your customers (EU, UK, US, US-CA; separated by commas)",
    }
    given = {
        name: typer.prompt(text, default=getattr(answers, name))
        for name, text in questions.items()
        if name in unknown
    }
    return replace(answers, **given)
