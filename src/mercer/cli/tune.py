"""`mercer tune`: the options of models, searched on validation rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mercer.cli.run import BriefArgument, DataOption, JsonOption, OutOption

if TYPE_CHECKING:
    from rich.table import Table

    from mercer.pipeline import TunedModel, TuningResult


def tune(
    brief: BriefArgument,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target", help="A target to tune; may be given again. Left out: all.", show_default=False
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model", help="A model to tune; may be given again. Left out: all.", show_default=False
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, help="Trials of each model. Left out: the brief's tuning.trials."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds", min=0.001, help="Seconds of each model. Left out: the brief's tuning.seconds."
        ),
    ] = None,
    out: OutOption = None,
    data: DataOption = None,
    write: Annotated[
        bool,
        typer.Option("--write/--dry-run", help="Store options and cost in the brief's file, or leave it."),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Search the models' options on validation rows, and store the best in the brief.

    Every model gets the same budget: trials and seconds, and the first that is reached ends it. Trial 0 has the
    defaults. The test set is never touched, and `run` never tunes: it uses the options that the brief stores.
    A trial is done once: what was interrupted goes on where it stopped, and Ctrl-C keeps the best so far.
    The run folder gets tuning/TARGET/MODEL.json and the page tuning/index.html.

    Example: mercer tune briefs/online-retail.yaml --target next-item --trials 20
    """
    from mercer.cli.terminal import TerminalProgress, print_json
    from mercer.cli.terminal import out as console
    from mercer.pipeline import tune as tune_brief

    with TerminalProgress() as progress:
        result = tune_brief(
            brief,
            out,
            data=data,
            targets=target or (),
            models=model or (),
            trials=trials,
            seconds=seconds,
            write=write,
            progress=progress,
        )
    if as_json:
        print_json(result.to_json())
    else:
        for name in dict.fromkeys(one.target for one in result.models):
            console.print(target_table(name, [one for one in result.models if one.target == name]))
        console.print(_where(result), soft_wrap=True)
    raise typer.Exit(130 if result.interrupted else 0)


def target_table(name: str, models: list[TunedModel]) -> Table:
    """What each model of a target gained over its defaults, and what that cost."""
    from rich.table import Table

    title = f"{name}, {models[0].metric} on validation"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in (
        "model",
        "defaults",
        "best",
        "gain over the defaults",
        "trials",
        "time",
        "options stored",
    ):
        table.add_column(
            heading, justify="right" if heading in ("defaults", "best", "trials", "time") else "left"
        )
    for one in models:
        failed = sum(trial.state == "failed" for trial in one.trials)
        table.add_row(
            one.model,
            _value(one.default.value),
            _value(None if one.best is None else one.best.value),
            _gain(one),
            f"{len(one.trials)}" + (f" ({failed} failed)" if failed else ""),
            f"{one.cost.seconds:,.1f} s",
            ", ".join(f"{key}: {value}" for key, value in one.options.items()) or "defaults",
        )
    return table


def _value(value: float | None) -> str:
    from mercer.evaluation.leaderboard import number

    return "–" if value is None else number(value)


def _gain(one: TunedModel) -> str:
    if one.best is None or one.gain is None:
        if one.warning:
            return f"[yellow]{one.warning}[/]"
        return "nothing to search" if one.stopped == "nothing-to-search" else "none"
    from mercer.reporting.words import signed

    gain = one.gain
    interval = "" if gain.low is None or gain.high is None else f" [{signed(gain.low)}, {signed(gain.high)}]"
    text = f"{signed(gain.value)}{interval}"
    return f"[yellow]{text}, within noise[/]" if gain.within_noise else text


def _where(result: TuningResult) -> str:
    said = "Interrupted; what was done is kept. " if result.interrupted else ""
    if result.path is not None:
        said += f"Options and their cost are in {result.path}. "
    else:
        said += "The brief's file was left as it is. "
    return f"{said}What was tried: {result.page}"
