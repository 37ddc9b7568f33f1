"""`mercer check`: before any training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mercer.cli.run import BriefArgument, DataOption, JsonOption

if TYPE_CHECKING:
    from rich.table import Table

    from mercer.pipeline import CheckReport


def check(brief: BriefArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Say, before any training, what the data are good for.

    Rows kept and quarantined by rule, the units each target would be judged on, the least difference they could
    detect, and the time and memory the fits are expected to take.
    """
    from mercer.cli.terminal import TerminalProgress, out, print_json
    from mercer.pipeline import check as check_brief

    with TerminalProgress() as progress:
        report = check_brief(brief, data=data, progress=progress)
    if as_json:
        print_json(report.to_json())
        return
    out.print(rows_table(report))
    out.print(targets_table(report))


def rows_table(report: CheckReport) -> Table:
    """Rows read, kept and quarantined by table, with the rules that acted."""
    from rich.table import Table

    table = Table(title="Rows", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("table", "read", "kept", "quarantined", "rules that acted"):
        table.add_column(heading, justify="right" if heading in ("read", "kept", "quarantined") else "left")
    for name, counts in report.accounting["tables"].items():
        acted = [f"{rule['rule']} {rule['count']:,}" for rule in counts["rules"] if rule["count"]]
        table.add_row(
            name, f"{counts['read']:,}", f"{counts['kept']:,}", f"{counts['quarantined']:,}", ", ".join(acted)
        )
    return table


def targets_table(report: CheckReport) -> Table:
    """What each target would be judged on, and what it is expected to cost."""
    from rich.table import Table

    table = Table(title="Targets", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("target", "validation", "test", "least difference the test could show", "fits", "memory"):
        table.add_column(heading)
    for one in report.targets:
        least = "too few units"
        if one.detectable is not None:
            relative = f", {one.detectable.relative:.1%} of it" if one.detectable.relative else ""
            least = f"{one.metric} ± {one.detectable.absolute:.4g}{relative} (spread from {one.pilot})"
        table.add_row(
            one.target,
            f"{one.validation_units:,}",
            f"{one.test_units:,}",
            least,
            f"{one.seconds:,.0f} s",
            f"{one.peak_mib:,.0f} MiB",
        )
    return table
