"""What became of the rows of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mercer.reporting.charts import waterfall_plot
from mercer.reporting.figure import Figure, make_figure
from mercer.reporting.run_files import RunFiles

REMOVES = ("quarantine", "merge")
"""Actions of cleaning rules after which a row does not stand by itself any more."""

_MOST_RULES = 10


def waterfall_figure(files: RunFiles) -> Figure | None:
    """What became of the rows of the table that models learn from, rule by rule."""
    tables = accounting_tables(files.accounting)
    if not tables:
        return None
    name = next(
        (n for n in ("events", "payments", "examples", "judgments") if n in tables), next(iter(tables))
    )
    facts = tables[name]
    read, kept = int(facts.get("read") or 0), int(facts.get("kept") or 0)
    rules = [r for r in facts.get("rules") or [] if r.get("action") in REMOVES and int(r.get("count") or 0)]
    rules.sort(key=lambda r: -int(r["count"]))
    shown = [(str(r["rule"]), int(r["count"])) for r in rules[:_MOST_RULES]]
    rest = read - kept - sum(count for _, count in shown)
    if rest > 0:
        shown.append(("other rules", rest))
    steps, level = [("read", 0, read, "total", f"{read:,}")], read
    for rule, count in shown:
        steps.append((rule, level - count, level, "removed", f"−{count:,}"))
        level -= count
    steps.append(("kept", 0, kept, "total", f"{kept:,}"))
    frame = pd.DataFrame(steps, columns=["step", "start", "end", "kind", "text"])
    frame["label"] = [_label(start / max(read, 1), end / max(read, 1)) for _, start, end, _, _ in steps]
    sentences = {str(r.get("rule")): str(r.get("sentence") or "") for r in facts.get("rules") or []}
    return make_figure(
        "accounting", f"Every row of {name} accounted for",
        f"{read:,} rows read, {kept:,} kept, {read - kept:,} in quarantine or merged, each with its reason. "
        "A row is counted under the first rule that stopped it.",
        waterfall_plot(frame), ("rule", "rows", "meaning"),
        [(step, text, sentences.get(step, "")) for step, _, _, _, text in steps], [f"accounting.{name}"],
    )  # fmt: skip


def _label(start: float, end: float) -> str:
    """Where a bar's number has room: inside a long bar, else before it, else after it."""
    if end - start > 0.2:
        return "inside"
    return "before" if start >= 0.15 else "after"


def accounting_tables(accounting: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """The tables of accounting.json by name."""
    if accounting is None:
        return {}
    found = accounting.get("tables", accounting)
    pairs = ((t.get("table"), t) for t in found) if isinstance(found, list) else found.items()
    return {str(name): facts for name, facts in pairs if isinstance(facts, dict) and "read" in facts}
