"""`mercer run`: the whole flow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mercer.contracts import Runtime

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


DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="Where neural models are trained: cpu, cuda, cuda:1 or auto. Left out: MERCER_DEVICE, or cpu.",
    ),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision", help="How exactly: fp32, or bf16 for a GPU. Left out: MERCER_PRECISION, or fp32."
    ),
]


def run(
    brief: BriefArgument,
    out: OutOption = None,
    data: DataOption = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Walk a brief from its data to a gated release, and print leaderboard and decision.

    Steps that an earlier run did are found in the cache; an interrupted run goes on where it stopped.
    The run folder then holds brief.yaml, manifest.json, data/, models/, scores/, leaderboard.json, gates.json,
    report.html and release/.

    Example: mercer run briefs/online-retail.yaml --out runs/retail
    """
    walk(brief, out, data, as_json=as_json, runtime=runtime_of(device, precision))


def runtime_of(
    device: str | None = None, precision: str | None = None, price_per_hour: float | None = None
) -> Runtime:
    """What the environment says, with what was typed in its place. Raises UsageError for a precision that is none."""
    from dataclasses import replace

    from mercer.errors import UsageError
    from mercer.pipeline import machine

    if precision not in (None, "fp32", "bf16"):
        raise UsageError(f"No precision is called {precision!r}.", remedy="Use fp32 or bf16.")
    typed = {"device": device, "precision": precision, "price_per_hour": price_per_hour}
    given: dict[str, Any] = {name: value for name, value in typed.items() if value is not None}
    return replace(machine(), **given)


def walk(
    brief: Path,
    out: Path | None,
    data: Path | None,
    *,
    as_json: bool,
    until: str = "release",
    fault: str | None = None,
    runtime: Runtime | None = None,
) -> None:
    """Run the flow up to a stage, print what it found, and exit with its code."""
    from mercer.cli.terminal import TerminalProgress, print_json
    from mercer.cli.terminal import out as console
    from mercer.pipeline import run as run_flow

    with TerminalProgress() as progress:
        result = run_flow(brief, out, data=data, until=until, fault=fault, progress=progress, runtime=runtime)
    if as_json:
        print_json(result.summary())
    else:
        for part in result.renderables():
            console.print(part)
    raise typer.Exit(result.exit_code)
