"""Two runs beside each other, paired on the units that both scored."""

from __future__ import annotations

from pathlib import Path

from mercer.brief import Brief
from mercer.errors import NotFoundError, UsageError, nearest
from mercer.evaluation import Comparison, Scored
from mercer.evaluation import compare as compare_scored
from mercer.pipeline.board import released_fit
from mercer.pipeline.result import Run


def compare_runs(
    first: Path, second: Path, *, target: str | None = None, metric: str | None = None
) -> Comparison:
    """The selected model of `first` against that of `second` on the test set of a target.

    Raises UsageError when the runs were judged on different test sets: their numbers can't be paired.
    """
    briefs = [Brief.load(path / "brief.yaml") for path in (first, second)]
    name = target or briefs[0].decision.target
    measured = metric or briefs[0].decision.metric
    sides = [_side(path, brief, name) for path, brief in zip((first, second), briefs, strict=True)]
    (left, label), (right, other) = sides
    if set(left.rows["unit"]) != set(right.rows["unit"]):
        raise UsageError(
            f"The runs scored different test sets of {name!r}, so they can't be paired.",
            remedy="Run both briefs on the same data and split.",
        )
    brief = briefs[0].targets[name]
    labels = (f"{label} ({first.name})", f"{other} ({second.name})")
    return compare_scored(
        left, right, measured, names=labels, task=brief.task, target=name, fit_on=released_fit(brief)
    )


def _side(path: Path, brief: Brief, target: str) -> tuple[Scored, str]:
    if target not in brief.targets:
        raise NotFoundError(f"{path} has no target {target!r}.", remedy=nearest(target, brief.targets))
    model = Run(path).manifest["selected"][target]["model"]
    fit_on = released_fit(brief.targets[target]).replace("+", "-")
    return Scored.load(path / "scores" / target / f"{model}.test.{fit_on}.parquet"), model
