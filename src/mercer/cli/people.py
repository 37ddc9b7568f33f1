"""`mercer forget` and `mercer export`: what a person may ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.cases import StateOption
from mercer.cli.run import JsonOption

UserArgument = Annotated[str, typer.Argument(metavar="USER", help="The user's id.", show_default=False)]
RunOption = Annotated[
    list[Path],
    typer.Option(
        "--run", help="A run folder that may hold the user; repeat for several.", show_default=False
    ),
]


def forget(
    user: UserArgument, run: RunOption, state: StateOption = None, as_json: JsonOption = False
) -> None:
    """Erase a person from every store: run folders, cache, online state, exposure log, cases.

    Names the releases that the person's data had trained, leaves a tombstone so that altered manifests still
    verify, and keeps a keyed hash of the id, so that a later run on the same source leaves the person out.
    """
    from datetime import UTC, datetime

    from mercer.cli.terminal import out, print_json
    from mercer.environment import cache_folder
    from mercer.serving.erasure import forget as forget_everywhere

    report = forget_everywhere(user, runs=run, cache=cache_folder(), state_url=state, at=datetime.now(UTC))
    if as_json:
        print_json(report.to_json())
        return
    for line in report.lines():
        out.print(line)


def export(user: UserArgument, run: RunOption, state: StateOption = None) -> None:
    """Print as JSON what is held of a person, what was shown, why, and under which policy."""
    from mercer.cli.terminal import print_json
    from mercer.environment import cache_folder
    from mercer.serving.erasure import export as export_everything

    print_json(export_everything(user, runs=run, cache=cache_folder(), state_url=state))
