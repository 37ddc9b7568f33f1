"""What a finished run says in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from mercer.pipeline.result import Run


def announce(run: Run) -> list[Any]:
    """Leaderboard and decision, the rules that block, where things are, and the next two commands.

    A run that ended with the gates says what each of them measured.
    """
    parts: list[Any] = []
    if run.leaderboard is not None:
        from mercer.reporting import terminal

        parts.append(
            terminal.render(run.path) if run.page is not None else terminal.leaderboard(run.leaderboard)
        )
    findings = (run.gates or {}).get("findings", [])
    if findings and run.page is None:
        parts.append(measured(findings))
    blocking = [finding for finding in findings if finding["blocks"]]
    if blocking:
        parts.append(rules(blocking))
    parts.append(places(run))
    return parts


def measured(findings: list[dict[str, Any]]) -> Table:
    """The rules in force that apply: what was measured, or the role that accepted what was not."""
    table = Table(title="Rules in force", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("rule", "status", "measured"):
        table.add_column(heading, overflow="fold")
    apply = [finding for finding in findings if finding["status"] != "NOT_APPLICABLE"]
    for finding in apply:
        accepted = f"accepted by {finding['accepted']['role']}" if finding["accepted"] else ""
        table.add_row(finding["rule"], _in_words(finding), accepted or str(finding["measured"]))
    if len(apply) < len(findings):
        table.caption, table.caption_justify = f"{len(findings) - len(apply)} more do not apply.", "left"
    return table


def _in_words(finding: dict[str, Any]) -> str:
    return str(finding["status"]).replace("_", " ").lower()


def rules(blocking: list[dict[str, Any]]) -> Table:
    """The rules that keep a release from shipping: what was measured, on how much, and the remedy."""
    table = Table(title="Rules that block", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("rule", "status", "measured", "examined", "remedy"):
        table.add_column(heading, overflow="fold")
    for finding in blocking:
        measured = finding["because"] if finding["status"] == "NOT_ASSESSED" else finding["measured"]
        table.add_row(
            f"{finding['rule']}\n{finding['citation']}",
            _in_words(finding),
            str(measured),
            f"{finding['examined']:,}",
            finding["remedy"],
        )
    return table


def places(run: Run) -> Text:
    """Where the page is, and what to do next."""
    lines = []
    if run.page is not None:
        lines.append(f"Page:     {run.page}")
    if run.release is not None:
        lines += [f"Release:  {run.release}", "", "Next:     mercer serve " + str(run.path) + " --dev"]
        if run.manifest["run"].startswith("demo-shop"):
            lines.append(
                "          mercer run briefs/online-retail.yaml --out runs/retail   (a real merchant's log)"
            )
        else:
            lines.append(f"          mercer cases list --run {run.path}")
    elif run.gates is not None and run.exit_code:
        lines.append("Release:  none, for a rule blocks it")
    else:
        lines.append(f"Run:      {run.path}")
    return Text("\n".join(lines))
