"""How good the models are: leaderboards and gains by slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from mercer.evaluation import Row, metric_name
from mercer.evaluation.leaderboard import number
from mercer.reporting.charts import dot_plot, gain_plot
from mercer.reporting.figure import Figure, make_figure
from mercer.reporting.run_files import RunFiles
from mercer.reporting.words import money, signed, slice_label
from mercer.reporting.worth import currency_of

NESTED = "nested-selection"
"""The row of the selection over folds, as the pipeline calls it."""

MONEY = ("mae", "rmse", "bias")
"""Metrics that are amounts of money."""


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
    currency = currency_of(files) if metric in MONEY else ""
    scale = 0.01 if metric in MONEY else 1.0

    def said(value: float) -> str:
        return money(value, currency) if metric in MONEY else number(value)

    frame = pd.DataFrame(
        [
            {
                "model": row.model,
                "value": row.value * scale,
                "low": (row.value if row.low is None else row.low) * scale,
                "high": (row.value if row.high is None else row.high) * scale,
                "role": roles.get(row.model, "other"),
                "text": said(row.value),
            }
            for _, row in found
        ]
    )
    first = found[0][1]
    known = metric_name(metric)
    caption = f"{metric} is the {known.meaning.replace(' k', f' {known.k}') if known.k else known.meaning}"
    caption += f". {first.n:,} {_plural(first.unit)} of the test set"
    caption += ", bars are 95 % intervals. " if first.low is not None else ". "
    caption += "Green is the selected model" + (", orange the opponent." if against in names else ".")
    tested = _tested(files, target, metric, [row.model for _, row in found])
    caption += "".join(f" {sentence}" for sentence, _ in tested)
    refits = [pair for pair in _refits(files, target, metric) if pair not in found]
    if refits:
        again = ", ".join(f"{row.model} {said(row.value)} {_ends(row, said)}".strip() for _, row in refits)
        caption += (
            f" Fitted again on train and validation, as a row of its own that is compared with none: {again}."
        )
    caption += tuned_alike([row for _, row in found])
    caption += _until_now([row for _, row in found]) + _picked([row for _, row in found])
    return make_figure(
        f"board-{target}", f"{target}: {'higher' if higher else 'lower'} is better", caption,
        dot_plot(frame, f"{metric}, {currency}" if currency else metric),
        ("model", metric, "95 % interval", "fitted on", "seeds", "tuning"),
        [
            (row.model, said(row.value), _ends(row, said), row.fit_on, _seeds(row), row.protocol.get("tuning", "–"))
            for _, row in [*found, *refits]
        ],
        [f"leaderboard.rows[{at}]" for at, _ in [*found, *refits]] + [cited for _, cited in tested],
    )  # fmt: skip


def _refits(files: RunFiles, target: str, metric: str) -> list[tuple[int, Row]]:
    """Rows of rankers that were fitted again on train and validation."""
    wanted = {"split": "test", "slice": "all", "origin": "all", "fit_on": "train+validation"}
    return files.rows(target=target, metric=metric, **wanted) if files.fit_on(target) == "train" else []


def _seeds(row: Row) -> str:
    return ", ".join(map(str, row.seeds)) if row.seeds else "–"


def tuned_alike(rows: Sequence[Row]) -> str:
    """A sentence on how the models of a target were tuned, or none where nothing was.

    Alike means the same budget of trials and of seconds, of which the first reached ends a search. Models that have
    nothing to search, and systems from outside, are left aside.
    """
    searched = [row for row in rows if row.protocol.get("tuning", "nothing to search") != "nothing to search"]
    if not any(row.trials for row in searched):
        return ""
    budgets = {str(row.protocol.get("tuning_budget", "none")) for row in searched}
    cut = any(
        word in str(row.protocol["tuning"])
        for row in searched
        for word in ("interrupted", "given up", "other")
    )
    if len(budgets) == 1 and not cut:
        return f" Every model that has options to search had {budgets.pop()} for it, on validation."
    each = "; ".join(f"{row.model}: {row.protocol['tuning']}" for row in searched)
    return f" Not tuned alike ({each}), so a better model may only be the better tuned one."


def _until_now(rows: Sequence[Row]) -> str:
    """What the incumbent is, and what its file lacked."""
    found = next((row for row in rows if row.model == "incumbent"), None)
    if found is None:
        return ""
    what = "the scores" if found.task == "behavior" else "the lists"
    return (
        f" The incumbent is {what} that the business used until now{_comma(found.protocol.get('incumbent'))}."
    )


def _picked(rows: Sequence[Row]) -> str:
    """Over folds: how often the selected model was picked, what the row of the procedure means, and what ships."""
    chosen = next((row for row in rows if row.selected and row.protocol.get("picked")), None)
    if chosen is None:
        return ""
    said = f" {chosen.model} was picked in {chosen.protocol['picked']}, each on its own validation part."
    if any(row.model == NESTED for row in rows):
        said += f" The row {NESTED} is what picking in every fold achieves: the honest value of the choice."
    return said + " What ships is fitted on everything and has no test score of its own."


def _comma(text: object) -> str:
    return f" ({text})" if text else ""


def _tested(files: RunFiles, target: str, metric: str, models: Sequence[str]) -> list[tuple[str, str]]:
    """What the paired test of the selected model against each other one found, and where it stands."""
    words = {
        "better": "{a} is better than {b} in a paired test.",
        "worse": "{a} is worse than {b} in a paired test.",
        "no-difference": "A paired test finds no difference between {a} and {b}.",
        "not-tested": "{a} and {b} were not tested.",
    }
    pairs = [found for model in models if (found := files.comparison(target, metric, model)) is not None]
    return [(words[c.verdict].format(a=c.a, b=c.b), f"leaderboard.comparisons[{at}]") for at, c in pairs]


def _ends(row: Row, said: Callable[[float], str]) -> str:
    if row.low is None or row.high is None:
        return "no interval"
    return f"[{said(row.low)}, {said(row.high)}]"


def _plural(unit: str) -> str:
    return {
        "user": "users",
        "query": "queries",
        "entity × cut-off": "predictions",
        "example": "examples",
    }.get(unit, unit)


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
    return make_figure(
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
