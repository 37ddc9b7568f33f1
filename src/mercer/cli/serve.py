"""`mercer serve`: the HTTP API of a release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.cases import StateOption


def serve(
    run: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run folder or a release folder.", show_default=False)
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    state: StateOption = None,
    dev: Annotated[bool, typer.Option("--dev", help="Print a key for trying it out; loopback only.")] = False,
    understand_deadline_ms: Annotated[
        int,
        typer.Option(
            min=1,
            max=60_000,
            help="Milliseconds that understanding a query may take before the plain query is used.",
        ),
    ] = 300,
    answer_deadline_ms: Annotated[
        int,
        typer.Option(
            min=1,
            max=60_000,
            help="Milliseconds that a ranker may take before the fallback that the brief names answers.",
        ),
    ] = 200,
) -> None:
    """Serve a release: /v1/recommend, /v1/search, /v1/predict, /v1/events, /v1/items, /v1/cases and a console.

    A damaged release is refused with what differs. Every call needs a key: make one with `mercer keys create`, or
    try it out with --dev.
    """
    from mercer.serving import serve as serve_release

    serve_release(
        run,
        host=host,
        port=port,
        state_url=state,
        dev=dev,
        understand_deadline_ms=understand_deadline_ms,
        answer_deadline_ms=answer_deadline_ms,
    )
