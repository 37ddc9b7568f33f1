"""`mercer runs`, `mercer compare`: how runs stand beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mercer.cli.run import JsonOption


def runs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where run folders are.")] = Path("runs"),
    training: Annotated[
        bool,
        typer.Option(
            "--training", help="List the trainings of neural models instead, and draw their curves."
        ),
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option("--page", help="With --training: the page of curves. Left out: FOLDER/training.html."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List run folders: what they selected, what the gates said, what they cost.

    With --training, FOLDER may also be one run: how each neural model learned, in which run and under which seed, what
    it took and what had been expected, what differs between them, and a page with the curves of loss, metric and
    learning rate.
    """
    if training:
        _trainings(folder, page or folder / "training.html", as_json=as_json)
        return
    from rich.table import Table

    from mercer.cli.terminal import out, print_json
    from mercer.errors import NotFoundError
    from mercer.pipeline import Run

    found = sorted(path.parent for path in folder.glob("*/manifest.json"))
    if not found:
        raise NotFoundError(f"No run folders in {folder}.", remedy="Make one with: mercer run BRIEF")
    rows: list[dict[str, Any]] = []
    for path in found:
        run = Run(path)
        manifest = run.manifest
        rows.append(
            {
                "run": str(path),
                "id": manifest["run"],
                "selected": {target: one["model"] for target, one in manifest["selected"].items()},
                "gates": run.gates["verdict"] if run.gates else None,
                "release": run.release is not None,
                "seconds": round(sum(step["seconds"] for step in manifest["steps"]), 1),
            }
        )
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("run", "selected", "gates", "release", "cost"):
        table.add_column(heading)
    for row in rows:
        picked = ", ".join(f"{target}: {model}" for target, model in row["selected"].items())
        table.add_row(
            row["run"],
            picked,
            row["gates"] or "–",
            "yes" if row["release"] else "no",
            f"{row['seconds']:,.0f} s",
        )
    out.print(table)


def _trainings(folder: Path, page: Path, *, as_json: bool) -> None:
    from rich.table import Table

    from mercer.cli.terminal import out, print_json
    from mercer.errors import NotFoundError
    from mercer.reporting import find_trainings, words, write_trainings_page
    from mercer.reporting.trainings import ENDS

    found = find_trainings(folder) if folder.is_dir() else []
    if not found:
        raise NotFoundError(
            f"No training of a neural model is recorded in {folder}.",
            remedy="Name one in the brief's models, and run it: mercer run BRIEF",
        )
    write_trainings_page(found, page)
    if as_json:
        print_json([one.to_json() for one in found])
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    texts = ("run", "target", "model", "ended by")
    for heading in ("run", "target", "model", "seed", "epochs", "loss", "best", "took", "expected", "tokens/s",
                    "ended by"):  # fmt: skip
        table.add_column(heading, justify="left" if heading in texts else "right")
    for one in found:
        record, best, error = one.record, one.record.best, one.record.estimate_error
        table.add_row(
            one.run, one.target, one.model, f"{record.seed}", f"{record.epochs:.1f}", f"{record.losses[-1]:.4f}",
            "–" if best is None else f"{best.value:.4f}", words.seconds(record.seconds),
            "–" if error is None else words.signed_share(error), f"{record.tokens_per_second:,.0f}",
            ENDS[record.stopped_because],
        )  # fmt: skip
    out.print(table)
    out.print(f"Curves: {page}", soft_wrap=True)


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN RUN...", help="Two run folders, or more of two systems.", show_default=False
        ),
    ],
    target: Annotated[
        str | None, typer.Option("--target", help="Left out: the first run's decision target.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="Left out: the first run's decision metric.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the selected models of two runs on the units that both scored, paired, with an interval.

    Of more than two runs, those with equal data, model and options are one system under several seeds: their values
    are averaged by unit before the two systems are paired.
    """
    from mercer.cli.terminal import out, print_json
    from mercer.pipeline.across import compare_runs

    found = compare_runs(*runs, target=target, metric=metric)
    if as_json:
        print_json(found.to_dict())
        return
    interval = "" if found.low is None else f" [{found.low:+.4f}, {found.high:+.4f}]"
    p = "" if found.p is None else f", p {found.p:.4f}"
    out.print(
        f"{found.target}, {found.metric}: {found.a} minus {found.b} = {found.difference:+.4f}{interval}{p}"
    )
    out.print(f"Verdict: [bold]{found.verdict}[/]")
