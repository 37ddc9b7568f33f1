"""The flow's steps as commands of their own, so that any orchestrator can call them.

Each walks the flow up to its step; what was done before is found in the cache.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mercer.cli.run import (
    BriefArgument,
    DataOption,
    DeviceOption,
    JsonOption,
    OutOption,
    PrecisionOption,
    runtime_of,
    walk,
)

if TYPE_CHECKING:
    from rich.table import Table

    from mercer.pipeline import Price


def fit(
    brief: BriefArgument,
    out: OutOption = None,
    data: DataOption = None,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate", help="Only say what the fits will take: time, memory, money. Fits nothing."
        ),
    ] = False,
    price_per_hour: Annotated[
        float | None,
        typer.Option(
            "--price-per-hour",
            min=0,
            help="What an hour of this machine costs, in any unit of money. Left out: MERCER_PRICE_PER_HOUR.",
        ),
    ] = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Clean the data and fit every model of every target.

    An interrupted training goes on from its last checkpoint. With --estimate neural models are measured in a few of
    their own steps and nothing is fitted; what a training really took is in `mercer runs --training`.
    """
    runtime = runtime_of(device, precision, price_per_hour)
    if not estimate:
        walk(brief, out, data, as_json=as_json, until="fit", runtime=runtime)
        return
    from mercer.cli.terminal import TerminalProgress, print_json
    from mercer.cli.terminal import out as console
    from mercer.pipeline import price

    with TerminalProgress() as progress:
        prices = price(brief, data=data, progress=progress, runtime=runtime)
    if as_json:
        print_json([one.to_json() for one in prices])
    else:
        console.print(price_table(prices))


def price_table(prices: list[Price]) -> Table:
    """What the fits of each model will take, and all together."""
    from rich.table import Table

    table = Table(title="Expected cost of the fits", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("target", "model", "fits", "time", "memory", "money", "how it is known"):
        table.add_column(
            heading, justify="left" if heading in ("target", "model", "how it is known") else "right"
        )
    for one in prices:
        known = "measured in a few steps" if one.measured else "rule of thumb"
        table.add_row(
            one.target, one.model, f"{one.fits}", *_cost(one.seconds, one.peak_mib, one.money), known
        )
    amounts = [one.money for one in prices if one.money is not None]
    total = _cost(
        sum(one.seconds for one in prices),
        max((one.peak_mib for one in prices), default=0.0),
        sum(amounts) if amounts else None,
    )
    table.add_row("together", "", f"{sum(one.fits for one in prices)}", *total, "")
    return table


def _cost(seconds: float, peak_mib: float, money: float | None) -> tuple[str, str, str]:
    return f"{seconds:,.1f} s", f"{peak_mib:,.0f} MiB", "–" if money is None else f"{money:,.2f}"


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
