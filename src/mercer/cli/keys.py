"""`mercer keys`: who may call the API of a run."""

from __future__ import annotations

from typing import Annotated

import typer

from mercer.cli.cases import RunOption, StateOption

app = typer.Typer(help="API keys of a run's state: stored hashed, shown once.", no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What the key is for, such as web-shop.", show_default=False)
    ],
    run: RunOption,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="What it may do; repeat for several. Left out: everything."),
    ] = None,
    state: StateOption = None,
) -> None:
    """Make a key and print it, this once."""
    from mercer.cli.terminal import out
    from mercer.serving import create_key, state_url_of
    from mercer.serving.state import SCOPES

    out.print(create_key(state or state_url_of(run), name, tuple(scope) if scope else tuple(SCOPES)))
