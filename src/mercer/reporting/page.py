"""The decision page: one self-contained HTML file, written from the files of a run alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from mercer.evaluation import selection_metric
from mercer.evaluation.leaderboard import number
from mercer.reporting import words
from mercer.reporting.accounting import accounting_tables, waterfall_figure
from mercer.reporting.case_view import cases_of
from mercer.reporting.decision import Decision, Reason, decide_files
from mercer.reporting.evidence import EvidenceList
from mercer.reporting.figure import Figure
from mercer.reporting.figures import leaderboard_figure, slices_figure
from mercer.reporting.gate_view import gate_view
from mercer.reporting.histories import Histories, histories_of
from mercer.reporting.people import people_view
from mercer.reporting.quality import calibration_figure, exposure_figure
from mercer.reporting.run_files import RunFiles
from mercer.reporting.segments import segments_view
from mercer.reporting.worth import Worth, worth_of

NOTICE = (
    "The rules are engineering readings of law and governance, measured against this run. "
    "Nothing here is legal advice."
)


OF_ONE_MODEL = ("tuning", "tuning_budget", "picked", "incumbent")
"""What a row's protocol says of its model and not of how the target is judged."""


def write_page(run: Path) -> Path:
    """Write `report.html` into a run folder, whole or not at all, and return its path.

    The page holds everything it shows and asks nothing of a network. A part that the run lacks is named.
    Raises NotFoundError for a folder without a brief, DamagedError for a file that can't be read.
    """
    page = render_page(RunFiles.load(run))
    place = run / "report.html"
    draft = run / f".report.html.{os.getpid()}.part"
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(page)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(place)
    return place


def render_page(files: RunFiles) -> str:
    """The page as HTML text."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("mercer.reporting", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": words.seconds, "memory": words.memory, "signed": words.signed}
    cited = EvidenceList()
    template = environment.get_template("page.html")
    styles = (Path(__file__).parent / "templates" / "page.css").read_text("utf-8")
    return template.render(
        cite=cited.cite, cited=cited, styles=_trusted(styles), svg=_trusted, **_content(files)
    )


def _trusted(text: str) -> Markup:
    """Text that this package itself made: its style sheet and its charts."""
    return Markup(text)  # noqa: S704 - never text from data; vl-convert escapes what charts show


def _content(files: RunFiles) -> dict[str, Any]:
    decision = decide_files(files)
    histories, worth = histories_of(files), worth_of(files)
    lists = histories if isinstance(histories, Histories) else None
    return {
        "files": files,
        "brief": files.brief,
        "decision": decision,
        "advice": advice(decision),
        "leading": leading(decision),
        "tiles": _tiles(files, decision),
        "board": leaderboard_figure(files, decision.target, decision.metric),
        "slices": slices_figure(files),
        "calibration": calibration_figure(files),
        "exposure": exposure_figure(files, lists.target, lists.new_model, lists.old_model) if lists else None,
        "waterfall": waterfall_figure(files),
        "accounting": accounting_tables(files.accounting),
        "segments": segments_view(files),
        "people": people_view(files),
        "others": _others(files),
        "gates": gate_view(files.gates),
        "cases": cases_of(files.path),
        "histories": lists,
        "no_histories": None if lists else histories,
        "worth": worth if isinstance(worth, Worth) else None,
        "no_money": None if isinstance(worth, Worth) else worth,
        "money": words.money,
        "protocol": _protocol(files, decision.target),
        "steps": _steps(files.manifest),
        "notice": NOTICE,
    }


def advice(decision: Decision) -> str:
    """The decision as a sentence that a person can act on."""
    new = decision.model or "the selected model"
    old = "the incumbent" if decision.against == "incumbent" else decision.against
    if decision.verdict == "ship":
        return f"Put {new} in place of {old} for {decision.target}."
    if decision.model == decision.against:
        return f"Stay with {old} for {decision.target}; nothing better was found."
    if decision.verdict == "do-not-ship":
        return f"Stay with {old} for {decision.target}; {new} does not go live."
    missing = "once the open questions below are answered"
    return f"Stay with {old} for {decision.target} for now; decide on {new} {missing}."


def leading(decision: Decision) -> Reason | None:
    """The reason that decided: the first against, else the first open one, else the first for."""
    for side in ("against", "open", "for"):
        for reason in decision.reasons:
            if reason.side == side:
                return reason
    return None


def _tiles(files: RunFiles, decision: Decision) -> list[dict[str, Any]]:
    """The few numbers a reader wants first, each with its evidence."""
    tiles: list[dict[str, Any]] = []
    gain = decision.gain
    if gain is not None:
        value = words.signed(gain.value) if gain.relative is None else words.signed_share(gain.relative)
        span = words.signed(gain.value)
        if gain.low is not None and gain.high is not None:
            span += f" [{words.signed(gain.low)}, {words.signed(gain.high)}]"
        tiles.append(
            {"label": f"gain in {decision.metric}", "value": value, "note": span, "ids": [gain.evidence]}
        )
    for label, model in ((decision.model or "new", decision.model), (decision.against, decision.against)):
        found = files.row(decision.target, model, decision.metric)
        if found is not None:
            at, row = found
            tiles.append(
                {
                    "label": label,
                    "value": number(row.value),
                    "note": f"{words.spread(row)}, n = {row.n:,}",
                    "ids": [f"leaderboard.rows[{at}]"],
                }
            )
    view = gate_view(files.gates)
    if view is not None:
        tiles.append(
            {
                "label": "rules satisfied",
                "value": f"{view.satisfied} of {view.total}",
                "note": f"{view.examined:,} things examined",
                "ids": ["gates.verdict"],
            }
        )
    looks = ((files.manifest or {}).get("test_looks") or {}).get(decision.target)
    if looks is not None:
        note = "one a scored model"
        ids = [f"manifest.test_looks.{decision.target}"]
        tiles.append({"label": "looks at this test set", "value": f"{looks}", "note": note, "ids": ids})
    return tiles


def _others(files: RunFiles) -> list[Figure]:
    """A leaderboard for every other target, on the metric its model was selected on."""
    found = []
    for name, target in files.brief.targets.items():
        if name != files.brief.decision.target:
            figure = leaderboard_figure(files, name, selection_metric(target))
            if figure is not None:
                found.append(figure)
    return found


def _protocol(files: RunFiles, target: str) -> list[tuple[str, str]]:
    rows = files.rows(target=target, split="test")
    shown = rows[0][1].protocol.items() if rows else ()
    return [(str(key), str(value)) for key, value in shown if key not in OF_ONE_MODEL]


def _steps(manifest: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Steps, the costliest first, with totals and each one's share of the wall time."""
    steps = list((manifest or {}).get("steps") or [])
    if not steps:
        return None
    total = sum(float(step.get("seconds") or 0) for step in steps)
    longest = max(float(step.get("seconds") or 0) for step in steps) or 1.0
    numbered = [
        {**step, "at": at, "share": float(step.get("seconds") or 0) / longest}
        for at, step in enumerate(steps)
    ]
    return {
        "all": sorted(numbered, key=lambda step: -float(step.get("seconds") or 0)),
        "seconds": total,
        "cpu": sum(float(step.get("cpu_seconds") or 0) for step in steps),
        "peak": max(float(step.get("peak_mib") or 0) for step in steps),
        "cached": sum(bool(step.get("cached")) for step in steps),
    }
