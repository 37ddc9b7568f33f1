"""`mercer check`: what can be said before any training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.brief import BehaviorTarget, Brief, Target
from mercer.compliance import check_acceptances
from mercer.contracts import Budget, Holdout, Labelled, Runtime, Silent
from mercer.data import folds_of
from mercer.errors import NotFoundError, nearest
from mercer.evaluation import Detectable, least_detectable, selection_metric, unit_values
from mercer.pipeline.audit import audit
from mercer.pipeline.board import check_incumbents, check_opponent
from mercer.pipeline.flow import Flow
from mercer.pipeline.ingest import clean_data, raw_data
from mercer.pipeline.material import Material
from mercer.pipeline.models import entries, new_model, score_model
from mercer.pipeline.progress import Quiet, RunProgress
from mercer.pipeline.sources import DataArgument, opened
from mercer.pipeline.supported import check_supported


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCheck:
    """What a target has to judge with.

    detectable: the least difference of `metric` found with power 0.8 at alpha 0.05 on the test set; None where
    fewer than two units are left. pilot: what its spread was taken from.
    seconds, peak_mib: what all its fits together (over folds: one a fold; of stochastic models: one a seed), and the
    largest, are expected to take.
    """

    target: str
    metric: str
    validation_units: int
    test_units: int
    detectable: Detectable | None
    pilot: str
    seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Rows kept and quarantined by table, and a TargetCheck a target."""

    accounting: dict[str, Any]
    targets: tuple[TargetCheck, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"accounting": self.accounting, "targets": [asdict(one) for one in self.targets]}


def check(
    brief: Brief | Path | str,
    *,
    data: DataArgument = None,
    targets: Sequence[str] = (),
    progress: RunProgress | None = None,
) -> CheckReport:
    """Clean the data and divide it, fit nothing but a pilot, and say what to expect of the targets named, or of all.

    The pilot is the target's first and simplest model: the spread of its metric between units of the validation part
    (of a predictor: of its errors less those of a constant) tells how small a difference the test part could show.
    Raises NotFoundError for an unknown target, and what `run` would raise for a brief or data that can't be used.
    """
    with opened(brief, data) as (loaded, folders):
        flow = Flow(brief=loaded, out=Path(), data_folders=folders, progress=progress or Quiet())
        material = prepared(flow)
        check_incumbents(flow, material)
        accounting = json.loads((material.folder / "accounting.json").read_text("utf-8"))
        for name in targets:
            if name not in loaded.targets:
                raise NotFoundError(
                    f"The brief has no target {name!r}.", remedy=nearest(name, loaded.targets)
                )
        wanted = [name for name in loaded.targets if not targets or name in targets]
        return CheckReport(
            accounting=accounting, targets=tuple(_target(flow, material, name) for name in wanted)
        )


def prepared(flow: Flow) -> Material:
    """The data of a brief, cleaned, divided and audited, after the brief was found to be one that can be run."""
    check_supported(flow.brief)
    check_opponent(flow, {name: entries(name, target) for name, target in flow.brief.targets.items()})
    check_acceptances(flow.brief)
    cleaned = clean_data(flow, raw_data(flow))
    material = Material(cleaned.folder, flow.brief)
    audit(flow, material)
    return material


def _target(flow: Flow, material: Material, name: str) -> TargetCheck:
    target = flow.brief.targets[name]
    split = material.split(name)
    pilot = _pilot(flow, target, name, split)
    seeds, folds = len(flow.brief.fit.seeds), max(1, len(folds_of(target.split)))
    estimates = [
        (folds * (seeds if entry.stochastic else 1), new_model(target, entry).estimate(split.train))
        for entry in entries(name, target)
    ]
    n_test = len(split.test)
    found = None
    if n_test >= 2 and len(pilot.values) >= 2:
        spread = float(pilot.values.std(ddof=1))
        found = least_detectable(n=n_test, sd=spread, mean=pilot.mean, paired=pilot.paired)
    return TargetCheck(
        target=name,
        metric=pilot.metric,
        validation_units=len(split.validation),
        test_units=n_test,
        detectable=found,
        pilot=pilot.name,
        seconds=round(sum(times * e.seconds for times, e in estimates), 1),
        peak_mib=round(max(e.peak_mib for _, e in estimates), 1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pilot:
    """values: of a metric on every validation unit; paired: they are differences between two models already."""

    name: str
    metric: str
    values: npt.NDArray[np.float64]
    mean: float
    paired: bool


def _pilot(flow: Flow, target: Target, name: str, split: Any) -> _Pilot:
    held: Holdout | Labelled = split.validation
    entry = entries(name, target)[0]
    model = new_model(target, entry)
    runtime = Runtime(cache_folder=flow.cache)
    model.fit(split.train, validation=None, budget=Budget(flow.brief.fit.seconds), seed=1, runtime=runtime)
    if isinstance(held, Labelled):
        assert isinstance(target, BehaviorTarget)
        # Errors of one model say little: their differences to a constant are what a paired test sees.
        predicted, outcome = model.predict(held.snapshots).value, held.outcome
        if target.kind == "probability":
            errors, plain = (predicted - outcome) ** 2, (outcome.mean() - outcome) ** 2
            metric, constant = "brier", "the base rate"
        else:
            errors, plain = np.abs(predicted - outcome), np.abs(np.median(outcome) - outcome)
            metric, constant = "mae", "the median"
        return _Pilot(
            name=f"{entry.model} against {constant}",
            metric=metric,
            values=errors - plain,
            mean=float(errors.mean()),
            paired=True,
        )
    decides = name == flow.brief.decision.target
    metric = flow.brief.decision.metric if decides else selection_metric(target)
    values = np.asarray(unit_values(score_model(target, model, held, Silent()), metric), np.float64)
    values = values[np.isfinite(values)]
    mean = float(values.mean()) if len(values) else 0.0
    return _Pilot(name=entry.model, metric=metric, values=values, mean=mean, paired=False)
