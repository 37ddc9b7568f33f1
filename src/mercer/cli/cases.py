"""`mercer cases`: what a person must settle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.run import JsonOption

app = typer.Typer(
    help="Alerts, adverse decisions and failed gates that wait for a person. "
    "A disposition is kept and becomes a label.",
    no_args_is_help=True,
)

RunOption = Annotated[Path, typer.Option("--run", help="The run folder.", show_default=False)]
StateOption = Annotated[
    str | None,
    typer.Option("--state", help="Database URL. Left out: the run's state/mercer.db.", show_default=False),
]


@app.command("list")
def list_cases(
    run: RunOption,
    state: StateOption = None,
    open_only: Annotated[bool, typer.Option("--open", help="Open cases only.")] = False,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only one kind, such as alert or failed-gate.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List cases, newest first."""
    from mercer.cli.terminal import out, print_json
    from mercer.pipeline import case_store

    cases = case_store(run, state).list(status="open" if open_only else None, kind=kind)
    if as_json:
        print_json([case.to_json() for case in cases])
        return
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("case", "kind", "opened", "subject", "score", "rule", "disposition"):
        table.add_column(heading)
    for case in cases:
        score = "" if case.score is None else f"{case.score:.3f}"
        table.add_row(
            case.case,
            case.kind,
            str(case.opened)[:16],
            case.subject,
            score,
            case.rule,
            case.disposition or "open",
        )
    out.print(table if cases else "No cases.")


@app.command("show")
def show(
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case id.", show_default=False)],
    run: RunOption,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one case: subject, score, reasons, the rule it rests on, and its history."""
    from mercer.cli.terminal import out, print_json
    from mercer.pipeline import case_store
    from mercer.reporting.narratives import case_facts, narrate

    found = case_store(run, state).show(case)
    if as_json:
        print_json(found.to_json())
        return
    content = found.to_json()
    reasons, history = content.pop("reasons"), content.pop("history")
    for name, value in content.items():
        out.print(f"[bold]{name}[/]: {'–' if value is None else value}", markup=True)
    for reason in reasons:
        out.print(f"  because {_reason(reason)}", markup=False)
    out.print(narrate(case_facts(found)).text, markup=False)
    for step in history:
        said = " ".join(str(step[key]) for key in ("disposition", "reviewer_role", "note") if step.get(key))
        out.print(f"  {str(step['at'])[:16]} {step['action']} {said}".rstrip(), markup=False)


@app.command("close")
def close(
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case id.", show_default=False)],
    disposition: Annotated[str, typer.Option("--as", help="What was found, such as confirmed or dismissed.")],
    role: Annotated[str, typer.Option("--role", help="The role that decides; never a person's name.")],
    run: RunOption,
    state: StateOption = None,
    note: Annotated[str, typer.Option("--note", help="Why, in a sentence.")] = "",
) -> None:
    """Dispose of a case. The disposition is final, kept with role and time, and returns as a label."""
    from datetime import UTC, datetime

    from mercer.cli.terminal import out
    from mercer.pipeline import case_store

    case_store(run, state).close(
        case, disposition=disposition, reviewer_role=role, at=datetime.now(UTC), note=note
    )
    out.print(f"Case {case} closed as {disposition} by {role}.")


def _reason(reason: object) -> str:
    """A reason in words: what it means, its value, and which way it moved the score."""
    if not isinstance(reason, dict):
        return str(reason)
    meaning = reason.get("meaning") or reason.get("feature", "")
    value, push = reason.get("value"), reason.get("contribution")
    said = f"{meaning}: {value:.4g}" if isinstance(value, float) else f"{meaning}: {value}"
    return f"{said} ({'raises' if push > 0 else 'lowers'} the score)" if isinstance(push, float) else said
