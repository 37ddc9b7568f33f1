"""The command tree. Each command's module is imported for its signature only; rooms are imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from mercer.cli import (
    cases,
    check,
    data,
    demo,
    doctor,
    init,
    keys,
    leaderboard,
    models,
    people,
    run,
    serve,
    steps,
    tune,
)

app = typer.Typer(
    name="mercer",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Personalization for commerce and payments that can be proved before it ships.\n\n"
    "Write a brief (a business question, the data, the jurisdictions, what counts as a win); mercer walks "
    "data → models → judgement → gates → decision page → release → serving.\n\n"
    "Start with [bold]mercer demo[/], then [bold]mercer init YOUR-DATA.csv[/].",
    epilog="Exit codes: 0 done · 1 a rule failed or is not assessed and not accepted · 2 wrong usage or input · "
    "3 a fault.",
)

START = "Start"
FLOW = "The flow, step by step"
JUDGE = "Compare and judge"
LIVE = "Run it"

app.command("demo", rich_help_panel=START)(demo.demo)
app.command("init", rich_help_panel=START)(init.init)
app.command("check", rich_help_panel=START)(check.check)
app.command("run", rich_help_panel=START)(run.run)
app.command("doctor", rich_help_panel=START)(doctor.doctor)

app.add_typer(data.app, name="data", rich_help_panel=FLOW)
app.command("tune", rich_help_panel=FLOW)(tune.tune)
app.command("fit", rich_help_panel=FLOW)(steps.fit)
app.command("evaluate", rich_help_panel=FLOW)(steps.evaluate)
app.command("gate", rich_help_panel=FLOW)(steps.gate)
app.command("report", rich_help_panel=FLOW)(steps.report)
app.command("release", rich_help_panel=FLOW)(steps.release)

app.add_typer(models.app, name="models", rich_help_panel=JUDGE)
app.command("runs", rich_help_panel=JUDGE)(leaderboard.runs)
app.command("compare", rich_help_panel=JUDGE)(leaderboard.compare)
app.add_typer(cases.app, name="cases", rich_help_panel=JUDGE)

app.command("serve", rich_help_panel=LIVE)(serve.serve)
app.add_typer(keys.app, name="keys", rich_help_panel=LIVE)
app.command("forget", rich_help_panel=LIVE)(people.forget)
app.command("export", rich_help_panel=LIVE)(people.export)


def _version(asked: bool) -> None:
    if asked:
        from mercer import __version__

        typer.echo(f"mercer {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Hold the options of `mercer` itself."""
