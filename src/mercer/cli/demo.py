"""`mercer demo`: the whole flow on the simulated shop, and one planted fault a rule."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mercer.cli.run import JsonOption, walk


def demo(
    out: Annotated[Path, typer.Option("--out", help="The run folder.")] = Path("runs/demo"),
    fault: Annotated[
        str | None,
        typer.Option(
            "--fault", help="Plant a violation of this rule, to see its gate catch it.", show_default=False
        ),
    ] = None,
    faults: Annotated[
        bool, typer.Option("--faults", help="List the faults that can be planted, and stop.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the whole flow on a simulated shop whose truth is known: about two minutes, no data needed.

    With --fault RULE a violation of that rule is planted; the run must then exit 1, and its page shows the
    rule, the rows and the remedy. It is how one learns to trust a gate.
    """
    if faults:
        from mercer.cli.terminal import out as console
        from mercer.compliance import FAULTS

        for name, planted in sorted(FAULTS.items()):
            console.print(f"[bold]{name:<14}[/] {planted.rule:<16} {planted.sentence}")
        return
    from mercer.simulate import demo_brief

    folder = out if fault is None or out != Path("runs/demo") else Path(f"runs/demo-{fault}")
    walk(demo_brief(), folder, None, as_json=as_json, fault=fault)
