"""The page's figures: a chart, its caption, its numbers as a table, and the evidence they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mercer.brief import BehaviorTarget
from mercer.evaluation import Scored, metric_name
from mercer.evaluation.leaderboard import number
from mercer.reporting.charts import (
    Chart,
    Draw,
    calibration_plot,
    chart,
    dot_plot,
    exposure_plot,
    gain_plot,
    waterfall_plot,
)
from mercer.reporting.run_files import RunFiles
from mercer.reporting.words import signed, slice_label, spread

_MOST_RULES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with everything around it. head, body: the table of its numbers."""

    name: str
    title: str
    caption: str
    chart: Chart
    head: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]
    evidence: tuple[str, ...]


def _figure(
    name: str, title: str, caption: str, draw: Draw, head: Sequence[str], body: Sequence[Sequence[str]],
    evidence: Sequence[str],
) -> Figure:  # fmt: skip
    return Figure(
        name=name, title=title, caption=caption, chart=chart(draw, f"{title}. {caption}"), head=tuple(head),
        body=tuple(tuple(row) for row in body), evidence=tuple(evidence),
    )  # fmt: skip


def leaderboard_figure(files: RunFiles, target: str, metric: str) -> Figure | None:
    """Every model of a target on one metric of the test set."""
    names = {row.model for _, row in files.rows(target=target, split="test", metric=metric)}
    found = [pair for name in names if (pair := files.row(target, name, metric)) is not None]
    if not found:
        return None
    higher = metric_name(metric).higher_is_better is not False
    found.sort(key=lambda pair: (-pair[1].value if higher else pair[1].value, pair[1].model))
    against = files.brief.decision.against if target == files.brief.decision.target else None
    roles = {files.selected(target): "new", against: "old"}
    frame = pd.DataFrame(
        [
            {
                "model": row.model,
                "value": row.value,
                "low": row.value if row.low is None else row.low,
                "high": row.value if row.high is None else row.high,
                "role": roles.get(row.model, "other"),
                "text": number(row.value),
            }
            for _, row in found
        ]
    )
    first = found[0][1]
    known = metric_name(metric)
    caption = f"{metric} is the {known.meaning.replace(' k', f' {known.k}') if known.k else known.meaning}"
    caption += " (minor units of money). " if metric in ("mae", "rmse", "bias") else ". "
    caption += f"{first.n:,} {_plural(first.unit)} of the test set"
    caption += ", bars are 95 % intervals. " if first.low is not None else ". "
    caption += "Green is the selected model" + (", orange the opponent." if against in names else ".")
    return _figure(
        f"board-{target}", f"{target}: {'higher' if higher else 'lower'} is better", caption,
        dot_plot(frame, metric),
        ("model", metric, "95 % interval", "fitted on"),
        [(row.model, number(row.value), spread(row), row.fit_on) for _, row in found],
        [f"leaderboard.rows[{at}]" for at, _ in found],
    )  # fmt: skip


def _plural(unit: str) -> str:
    return {"user": "users", "query": "queries"}.get(unit, unit)


def slices_figure(files: RunFiles) -> Figure | None:
    """The gain over the opponent within every slice."""
    decision = files.brief.decision
    whole = files.comparison(decision.target, decision.metric, decision.against)
    if whole is None or files.board is None:
        return None
    wanted = (whole[1].a, whole[1].b, decision.metric, decision.target, whole[1].fit_on)
    found = [
        (at, c)
        for at, c in enumerate(files.board.comparisons)
        if (c.a, c.b, c.metric, c.target, c.fit_on) == wanted and c.origin == "all"
    ]
    if len(found) < 2:
        return None
    sign = 1 if metric_name(decision.metric).higher_is_better is not False else -1
    frame = pd.DataFrame(
        [
            {
                "slice": slice_label(c.slice),
                "gain": sign * c.difference,
                "low": sign * (c.difference if c.low is None else c.low),
                "high": sign * (c.difference if c.high is None else c.high),
                "verdict": c.verdict,
            }
            for _, c in found
        ]
    )
    return _figure(
        "slices", "Who gains, and who does not",
        f"{whole[1].a} less {whole[1].b}, {decision.metric}, with 95 % intervals. Slices are searched, so "
        "their verdicts control the false discovery rate.",
        gain_plot(frame, decision.metric), ("slice", "gain", "95 % interval", "verdict"),
        [
            (row["slice"], signed(row["gain"]), f"[{signed(row['low'])}, {signed(row['high'])}]", row["verdict"])
            for row in frame.to_dict("records")
        ],
        [f"leaderboard.comparisons[{at}]" for at, _ in found],
    )  # fmt: skip


def calibration_figure(files: RunFiles) -> Figure | None:
    """Predicted against observed share of the first probability target, in ten bins of equal count."""
    targets = files.brief.targets
    names = [n for n, t in targets.items() if isinstance(t, BehaviorTarget) and t.kind == "probability"]
    for name in names:
        model = files.selected(name)
        found = files.scored(name, model) if model else None
        if model is None or found is None or not len(found[1].rows):
            continue
        frame = calibration_table(found[1])
        rows = [files.row(name, model, metric) for metric in ("calibration-slope", "ece")]
        cited = [f"leaderboard.rows[{pair[0]}]" for pair in rows if pair is not None]
        told = [
            f"{pair[1].metric} {number(pair[1].value)} {spread(pair[1])}" for pair in rows if pair is not None
        ]
        return _figure(
            "calibration", f"{name}: do the probabilities mean what they say?",
            f"{model}, {len(found[1].rows):,} test rows in ten bins of equal count; on the dashed line a "
            f"prediction of 30 % comes true 30 times in 100. {'; '.join(told)}.",
            calibration_plot(frame), ("predicted", "observed", "95 % interval", "rows"),
            [
                (f"{p:.1%}", f"{observed:.1%}", f"[{low:.1%}, {high:.1%}]", f"{int(n):,}")
                for p, observed, low, high, n in frame.itertuples(index=False)
            ],
            [found[0], *cited],
        )  # fmt: skip
    return None


def calibration_table(scored: Scored, bins: int = 10) -> pd.DataFrame:
    """Columns predicted, observed, low, high (Wilson's 95 % interval), n; one row a bin that holds rows."""
    value = scored.rows["value"].to_numpy(np.float64)
    edges = np.quantile(value, np.linspace(0, 1, bins + 1)[1:-1])
    bin_of = np.searchsorted(edges, value, "left")
    grouped = scored.rows.assign(bin=bin_of).groupby("bin")
    n = grouped.size().to_numpy(np.float64)
    p = grouped["outcome"].mean().to_numpy(np.float64)
    z = 1.959964
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return pd.DataFrame(
        {
            "predicted": grouped["value"].mean().to_numpy(np.float64),
            "observed": p,
            "low": np.maximum(centre - half, 0.0),
            "high": np.minimum(centre + half, 1.0),
            "n": n,
        }
    )


def exposure_figure(files: RunFiles, target: str, new: str, old: str) -> Figure | None:
    """How evenly the places of the lists are spread over the catalogue, new against old."""
    curves, body, cited = [], [], []
    for model in (new, old):
        found = files.scored(target, model)
        if found is None or found[1].lists is None or not len(found[1].lists):
            return None
        curves.append(exposure_curve(found[1]).assign(model=model))
        rows = [files.row(target, model, metric) for metric in ("coverage@10", "exposure-gini")]
        body.append((model, *(f"{number(r[1].value)} {spread(r[1])}" if r else "not measured" for r in rows)))
        cited += [found[0].replace(".parquet", ".lists.parquet")]
        cited += [f"leaderboard.rows[{r[0]}]" for r in rows if r]
    return _figure(
        "exposure", "Who is shown: the spread over the catalogue",
        "Lorenz curves of the places in all lists of ten. The nearer to the dashed line, the more evenly "
        "items are shown; what lies flat on the ground is never shown.",
        exposure_plot(pd.concat(curves), (new, old)), ("model", "coverage@10", "exposure-gini"), body, cited,
    )  # fmt: skip


def exposure_curve(scored: Scored, points: int = 101) -> pd.DataFrame:
    """Columns items, places: cumulative shares, least shown items first, over the whole catalogue."""
    lists = scored.lists if scored.lists is not None else pd.DataFrame({"item": []})
    counts = np.sort(lists["item"].value_counts().to_numpy(np.float64))
    shown = np.r_[np.zeros(max(0, scored.n_items - len(counts))), counts]
    reached = np.r_[0.0, np.cumsum(shown)] / max(shown.sum(), 1.0)
    at = np.linspace(0, 1, points)
    return pd.DataFrame({"items": at, "places": np.interp(at, np.linspace(0, 1, len(reached)), reached)})


def waterfall_figure(files: RunFiles) -> Figure | None:
    """What became of the rows of the largest table, rule by rule."""
    tables = accounting_tables(files.accounting)
    if not tables:
        return None
    name, facts = max(tables.items(), key=lambda pair: int(pair[1].get("read") or 0))
    read, kept = int(facts.get("read") or 0), int(facts.get("kept") or 0)
    rules = [
        r for r in facts.get("rules") or [] if r.get("action") == "quarantine" and int(r.get("count") or 0)
    ]
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
    frame = pd.DataFrame(steps, columns=["step", "start", "end", "kind", "text"]).assign(zero=0)
    sentences = {str(r.get("rule")): str(r.get("sentence") or "") for r in facts.get("rules") or []}
    return _figure(
        "accounting", f"Every row of {name} accounted for",
        f"{read:,} rows read, {kept:,} kept, {read - kept:,} in quarantine, each with its reason. A row is "
        "counted under the first rule that stopped it.",
        waterfall_plot(frame), ("rule", "rows", "meaning"),
        [(step, text, sentences.get(step, "")) for step, _, _, _, text in steps], [f"accounting.{name}"],
    )  # fmt: skip


def accounting_tables(accounting: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """The tables of accounting.json by name."""
    if accounting is None:
        return {}
    found = accounting.get("tables", accounting)
    pairs = ((t.get("table"), t) for t in found) if isinstance(found, list) else found.items()
    return {str(name): facts for name, facts in pairs if isinstance(facts, dict) and "read" in facts}
