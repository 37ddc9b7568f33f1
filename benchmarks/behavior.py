"""How the predictors do on Online Retail, what the cancellation rule does to them, and the published BG/NBD fit.

    .venv/bin/python benchmarks/behavior.py [--models] [--target NAME] [--rule] [--cdnow FILE]
        [--brief FILE] [--data FOLDER]

Without a part named, all but the last are run. --models: every model of the brief's three behavior targets, fitted on
train, and on train and validation, each scored on the test cut-off; what validation selects; paired differences to it,
Holm over each table. Where the brief stores tuned options, a second row has the defaults. --rule: the same predictions
held against net and gross spend, and everything again with the rule `cancellation` off. --cdnow: the file
cdnow_customers_summary.csv, which mercer does not include.
95 % intervals: bootstrap over customers, 1,000 resamples (differences 2,000), seed 0; fits have seed 1.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mercer.behavior.bg_nbd import BgNbd
from mercer.brief import BehaviorTarget, Brief
from mercer.contracts import Budget, Labelled, Runtime
from mercer.data import Tables, build_interactions, ingest, split_behavior, training_rows
from mercer.evaluation import (
    RowInfo,
    Scored,
    adjust,
    compare,
    compare_with,
    metric_name,
    rows_for,
    score_predictions,
    selection_metric,
    value,
)
from mercer.pipeline.models import entries, entry_of, new_model

METRICS = {
    "probability": ("auc", "average-precision", "brier", "calibration-slope", "ece"),
    "amount": ("spend-gini", "mae", "bias"),
}
MONEY = ("mae", "rmse", "bias")
HEAD = {"probability": "auc", "amount": "spend-gini"}
CANCELLED_MINOR = 16_846_960
"""The order of 2011-12-09, cancelled twelve minutes later."""

Split = Any


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--brief", type=Path, default=Path("briefs/online-retail.yaml"))
    parser.add_argument("--data", type=Path, default=Path("briefs/data"))
    parser.add_argument("--models", action="store_true")
    parser.add_argument(
        "--target", action="append", help="one of the targets; may be given again; left out: all"
    )
    parser.add_argument("--rule", action="store_true")
    parser.add_argument("--cdnow", type=Path)
    args = parser.parse_args()
    everything = not (args.models or args.rule or args.cdnow)
    brief = Brief.load(args.brief)
    if args.cdnow:
        cdnow(args.cdnow)
    if args.models or everything:
        splits = splits_of(brief, args.data)
        for name in args.target or splits:
            split = splits[name]
            models(name, brief.targets[name], split)
    if args.rule or everything:
        rule(brief, args.data)


def splits_of(brief: Brief, data: Path, off: Sequence[str] = ()) -> dict[str, Split]:
    """The behavior targets' parts, after cleaning with some rules off."""
    brief = brief.model_copy(update={"data": brief.data.model_copy(update={"rules_off": list(off)})})
    with tempfile.TemporaryDirectory() as folder:
        ingest(brief, data_folders=(data,), out=Path(folder))
        tables = Tables.load(Path(folder))
        log = build_interactions(tables, brief, mask=training_rows(tables, brief))
    return {
        name: split_behavior(log, target, brief.decision.day)
        for name, target in brief.targets.items()
        if isinstance(target, BehaviorTarget)
    }


def models(name: str, target: BehaviorTarget, split: Split) -> None:
    """One table a target: a row a model and fit; the selected one in bold."""
    day = split.protocol["origins"]["test"][0]
    print(
        f"\n## {name}: {len(split.test)} customers at {day}; rows of validation {len(split.validation)},",
        end=" ",
    )
    print(f"train {len(split.train)}, train and validation {len(split.refit)}\n")
    variants = _variants(name, target)
    selects, head = selection_metric(target), HEAD[target.kind]
    validated = {
        label: _scored(target, entry, split.train, split.validation) for label, entry in variants.items()
    }
    best = _best({label: value(scored, selects) for label, scored in validated.items()}, selects)
    print("| model | validation | " + " | ".join(METRICS[target.kind]) + " | inside |")
    print("|---" * (3 + len(METRICS[target.kind])) + "|")
    lines = []
    for fit_on, train in (("train", split.train), ("train+validation", split.refit)):
        tested = {label: _scored(target, entry, train, split.test) for label, entry in variants.items()}
        for label, scored in tested.items():
            shown = f"**{label}**" if label == best else label
            shown += "" if fit_on == "train" else ", refit"
            before = _number(selects, value(validated[label], selects)) if fit_on == "train" else ""
            print(f"| {shown} | {before} | " + " | ".join(_cells(target, scored)) + " |")
        found = adjust(compare_with(best, tested, head, task="behavior", target=name, fit_on=fit_on))
        lines += [f"\n{best} less another, {head}, fitted on {fit_on}, p by Holm:"]
        lines += [
            f"- {c.b}: {c.difference:+.3f} [{c.low:+.3f}, {c.high:+.3f}], p {c.p_adjusted:.3f}" for c in found
        ]
    print(f"\nvalidation: {selects}. inside: share of outcomes inside their 95 % interval.", *lines, sep="\n")


def _best(values: dict[str, float], metric: str) -> str:
    """What the brief's own options reach; the rows with defaults only stand beside."""
    sign = 1 if metric_name(metric).higher_is_better else -1
    own = [label for label in values if not label.endswith(", defaults")]
    return max(own, key=lambda label: sign * values[label])


def _variants(name: str, target: BehaviorTarget) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries(name, target):
        found[entry.model] = entry
        if target.options.get(entry.model):
            found[f"{entry.model}, defaults"] = entry_of(name, target, entry.model, {})
    return found


def _fit(target: BehaviorTarget, entry: Any, train: Labelled) -> Any:
    return new_model(target, entry).fit(
        train, validation=None, budget=Budget(600), seed=1, runtime=Runtime(threads=1)
    )


def _scored(target: BehaviorTarget, entry: Any, train: Labelled, held: Labelled) -> Scored:
    return score_predictions(held, _fit(target, entry, train).predict(held.snapshots), kind=target.kind)


def _cells(target: BehaviorTarget, scored: Scored) -> list[str]:
    info = RowInfo(task="behavior", target="", model="", split="test")
    rows = {
        row.metric: row
        for row in rows_for(scored, info, metrics=METRICS[target.kind], slice_metrics=())
        if row.origin == "all"
    }
    table = scored.rows
    inside = ((table["low"] <= table["outcome"]) & (table["outcome"] <= table["high"])).mean()
    cells = [_cell(rows[metric]) if metric in rows else "" for metric in METRICS[target.kind]]
    return [*cells, f"{inside:.3f}" if target.kind == "amount" else "–"]


def _cell(row: Any) -> str:
    found, low, high = (_number(row.metric, number) for number in (row.value, row.low, row.high))
    return f"{found} [{low}, {high}]"


def _number(metric: str, number: float) -> str:
    return f"{number / 100:.0f}" if metric in MONEY else f"{number:.3f}"


def rule(brief: Brief, data: Path) -> None:
    """Predictions for net and gross spend with the rule on, and with it off, where both are gross."""
    on, off = splits_of(brief, data), splits_of(brief, data, off=["cancellation"])
    net, gross, unruled = on["spend"].test, on["spend-gross"].test, off["spend"].test
    print("\n## the cancellation rule\n")
    for label, held in (("net", net), ("gross", gross), ("rule off", unruled)):
        largest = float(held.outcome.max())
        print(f"{label}: {len(held)} customers, {held.outcome.sum() / 100:,.0f} pounds, the largest customer "
              f"{largest / 100:,.0f} ({largest / held.outcome.sum():.1%})")  # fmt: skip
    print(
        "\n| model | rule on, net | rule on, gross | rule off | net less rule off | rule off without one order |"
    )
    print("|---|---|---|---|---|---|")
    target = brief.targets["spend"]
    assert isinstance(target, BehaviorTarget)
    for entry in entries("spend", target):
        clean = _fit(target, entry, on["spend"].refit).predict(net.snapshots)
        dirty = _fit(target, entry, off["spend"].refit).predict(unruled.snapshots)
        of_net, of_gross = (score_predictions(held, clean, kind="amount") for held in (net, gross))
        of_unruled = score_predictions(unruled, dirty, kind="amount")
        without = unruled.outcome - np.where(unruled.outcome == unruled.outcome.max(), CANCELLED_MINOR, 0.0)
        kept = Labelled(
            snapshots=unruled.snapshots,
            outcome=np.maximum(without, 0.0),
            label_known_at=unruled.label_known_at,
        )
        of_kept = score_predictions(kept, dirty, kind="amount")
        gap = compare(
            of_net, of_unruled, "spend-gini", names=("net", "rule off"), task="behavior", target="spend"
        )
        cells = [_gini(one) for one in (of_net, of_gross, of_unruled)]
        cells += [
            f"{gap.difference:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]",
            f"{value(of_kept, 'spend-gini'):.3f}",
        ]
        print(f"| {entry.model} | " + " | ".join(cells) + " |")


def _gini(scored: Scored) -> str:
    info = RowInfo(task="behavior", target="", model="", split="test")
    rows = rows_for(scored, info, metrics=("spend-gini",), slice_metrics=())
    return _cell(next(row for row in rows if row.origin == "all"))


def cdnow(file: Path) -> None:
    """Parameters and log-likelihood of the summary, beside the published ones."""
    frame = pd.read_csv(file)
    x, t_x, t = (frame[name].to_numpy(np.float64) for name in ("frequency", "recency", "T"))
    found = BgNbd.fit(x, t_x, t)
    published = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
    print(f"\n## CDNOW, {len(frame)} customers, weeks\n")
    for label, one in (("found", found), ("published", published)):
        likely, repeats = one.log_likelihood(x, t_x, t), one.expected(x, t_x, t, 39.0).sum()
        print(f"{label}: r {one.r:.4f}, alpha {one.alpha:.4f}, a {one.a:.4f}, b {one.b:.4f}")
        print(f"  log-likelihood {likely:.3f}; repeats expected in the 39 weeks that follow: {repeats:.1f}")


if __name__ == "__main__":
    main()
