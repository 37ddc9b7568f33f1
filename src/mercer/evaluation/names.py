"""The names of the metrics: which exist, for which scored rows, and which way is better.

Each is defined, with its formula, in docs/reference/metrics.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mercer.brief import BehaviorTarget, Target
from mercer.errors import UnsupportedError, nearest
from mercer.evaluation.scored import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricName:
    """What is known of a metric before any row is seen.

    k: the cut-off of names such as `ndcg@10`, else 0. higher_is_better: None where neither way is (bias).
    per_unit: whether it is a mean of values per unit, so that a comparison is a paired permutation test.
    centred: whether resampling shifts it (distinct items, bins), so that its interval is re-centred.
    """

    name: str
    kind: Kind
    k: int = 0
    higher_is_better: bool | None = True
    per_unit: bool = True
    centred: bool = False
    meaning: str = ""


def _name(name: str, kind: Kind, meaning: str, *, higher: bool | None = True, pooled: bool = False,
          centred: bool = False) -> MetricName:  # fmt: skip
    return MetricName(
        name=name, kind=kind, higher_is_better=higher, per_unit=not pooled, centred=centred, meaning=meaning
    )


_KNOWN: Mapping[str, MetricName] = {
    metric.name: metric
    for metric in (
        _name("recall@k", "ranking", "share of the relevant items among the first k"),
        _name("ndcg@k", "ranking", "gain of the first k, discounted by place, over that of the best order"),
        _name("mrr@k", "ranking", "one over the place of the first relevant item, 0 after place k"),
        _name("condensed-ndcg@k", "ranking", "ndcg@k with the unjudged items left out of the order"),
        _name("judged@k", "ranking", "share of the first k that anybody judged"),
        _name("novelty@k", "ranking", "mean self-information of the first k, in bits", higher=None),
        _name("coverage@k", "ranking", "share of the catalogue shown to anybody in the first k", pooled=True,
              centred=True),
        _name("exposure-gini", "ranking", "inequality of the places in the lists among items", higher=False,
              pooled=True, centred=True),
        _name("auc", "probability", "chance that a positive is scored above a negative", pooled=True),
        _name("average-precision", "probability", "precision averaged over the recall it is reached at",
              pooled=True),
        _name("brier", "probability", "mean squared error of the probability", higher=False),
        _name("brier-skill", "probability", "share of the base rate's Brier score removed", pooled=True),
        _name("calibration-slope", "probability", "slope of observed on predicted log-odds, 1 is right",
              higher=None, pooled=True),
        _name("ece", "probability", "mean gap of predicted and observed share in ten bins", higher=False,
              pooled=True, centred=True),
        _name("mae", "amount", "mean absolute error", higher=False),
        _name("rmse", "amount", "root of the mean squared error", higher=False, pooled=True),
        _name("bias", "amount", "mean of prediction less outcome", higher=None),
        _name("spend-gini", "amount", "how well the order finds spend, 1 is the perfect order", pooled=True),
    )
}  # fmt: skip

_OF_LISTS = ("judged", "novelty", "coverage", "exposure-gini")

_AT = re.compile(r"^(?P<base>[a-z-]+)@(?P<k>[1-9]\d{0,5})$")

TASK_METRICS: Mapping[str, tuple[str, ...]] = {
    "recommend": (
        "ndcg@10", "recall@10", "mrr@10", "recall@100", "coverage@10", "novelty@10", "exposure-gini",
    ),
    "search": (
        "ndcg@10", "condensed-ndcg@10", "judged@10", "mrr@10", "recall@10", "recall@100", "coverage@10",
    ),
    "probability": ("auc", "average-precision", "brier", "brier-skill", "calibration-slope", "ece"),
    "amount": ("mae", "rmse", "bias", "spend-gini"),
}  # fmt: skip
"""What a leaderboard shows, by task (and for behavior by kind)."""

SLICE_METRICS: Mapping[str, tuple[str, ...]] = {
    "recommend": ("ndcg@10", "recall@10"),
    "search": ("ndcg@10", "recall@100"),
    "probability": ("auc", "brier", "calibration-slope"),
    "amount": ("mae", "bias"),
}
"""What is broken down by slice."""

SELECTION: Mapping[str, str] = {
    "recommend": "ndcg@10", "search": "ndcg@10", "probability": "brier", "amount": "rmse",
}  # fmt: skip
"""What a model is selected on where the target names no metric: proper scores for predictions."""


def metric_name(name: str) -> MetricName:
    """The metric called `name`, such as `recall@100` or `brier`.

    Raises UnsupportedError naming the nearest metric that exists.
    """
    match = _AT.match(name)
    base = f"{match['base']}@k" if match else name
    if base not in _KNOWN or base.endswith("@k") != bool(match):
        valid = [known.replace("@k", "@10") for known in _KNOWN]
        raise UnsupportedError(f"No metric is called {name!r}.", remedy=nearest(name, valid))
    return replace(_KNOWN[base], name=name, k=int(match["k"]) if match else 0)


def needs_lists(name: str) -> bool:
    """Whether the metric looks at the lists shown, and not at the ranks of judged items alone."""
    return name.split("@")[0] in _OF_LISTS


def all_metrics() -> tuple[MetricName, ...]:
    """Every metric, with `@k` standing for a cut-off."""
    return tuple(_KNOWN.values())


def table_of(target: Target) -> Literal["recommend", "search", "probability", "amount"]:
    """The key of TASK_METRICS, SLICE_METRICS and SELECTION for a target."""
    return target.kind if isinstance(target, BehaviorTarget) else target.task


def selection_metric(target: Target) -> str:
    """The metric on which a target's model is selected: the brief's, else the default of its task.

    Raises UnsupportedError where the metric does not exist or is not one of the task's.
    """
    name = target.metric or SELECTION[table_of(target)]
    known = metric_name(name)
    kind = table_of(target) if isinstance(target, BehaviorTarget) else "ranking"
    if known.kind != kind or known.higher_is_better is None:
        raise UnsupportedError(
            f"{name} can't select a model of a {kind} target.",
            remedy=f"Choose among: {', '.join(TASK_METRICS[table_of(target)])}.",
        )
    return name
