"""`mercer fit --estimate`: what the fits of a brief will take, before any of them.

A neural model is measured in a few steps of its own training, on the data and the machine at hand; the others say it by
a rule of thumb.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mercer.brief import Brief
from mercer.contracts import Estimate, Runtime
from mercer.data import folds_of
from mercer.pipeline.checking import prepared
from mercer.pipeline.flow import Flow, machine
from mercer.pipeline.material import Material
from mercer.pipeline.models import Entry, entries, new_model, training_of
from mercer.pipeline.progress import Quiet, RunProgress
from mercer.pipeline.sources import DataArgument, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What the fits of one model are expected to take.

    fits: how many the stage `fit` makes: one a fold and seed, and where folds test one more on everything. seconds: of
    all of them, in one process. peak_mib: of the largest. money: for these seconds; None where the price of an hour is
    not known. measured: in steps of its own; else by a rule of thumb.
    """

    target: str
    model: str
    fits: int
    seconds: float
    peak_mib: float
    money: float | None
    measured: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def price(
    brief: Brief | Path | str,
    *,
    data: DataArgument = None,
    progress: RunProgress | None = None,
    runtime: Runtime | None = None,
) -> list[Price]:
    """Clean the data and say what fitting each model of each target will take; nothing is fitted.

    Arguments and errors as for `run`.
    """
    with opened(brief, data) as (loaded, folders):
        flow = Flow(
            brief=loaded,
            out=Path(),
            data_folders=folders,
            progress=progress or Quiet(),
            machine=runtime or machine(),
        )
        material = prepared(flow)
        return [
            _price(flow, material, name, entry)
            for name, target in loaded.targets.items()
            for entry in entries(name, target)
        ]


def _price(flow: Flow, material: Material, name: str, entry: Entry) -> Price:
    target = flow.brief.targets[name]
    folds = folds_of(target.split)
    fits = max(1, len(folds)) * (len(flow.brief.fit.seeds) if entry.stochastic else 1) + bool(folds)
    split = material.split(name)
    train, validation = training_of(split, "train", folds[0] if folds else None)
    model = new_model(target, entry)
    measured = entry.trained and hasattr(model, "measure")
    found: Estimate = _measured(flow, model, train, validation) if measured else model.estimate(train)
    hour = flow.machine.price_per_hour
    seconds = min(found.seconds, flow.fit_seconds) * fits
    return Price(
        target=name,
        model=entry.model,
        fits=fits,
        seconds=round(seconds, 1),
        peak_mib=round(found.peak_mib, 1),
        money=None if hour is None else round(seconds / 3600 * hour, 4),
        measured=measured,
    )


def _measured(flow: Flow, model: Any, train: Any, validation: Any) -> Estimate:
    """A few steps, with evaluations and checkpoints as the fit would have them."""
    place = flow.cache / "checkpoints"
    place.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    bar = flow.progress.begin(f"measure:{model.name}")
    work = Path(tempfile.mkdtemp(prefix=".measure-", dir=place))
    try:
        found: Estimate = model.measure(
            train, validation=validation, seed=flow.brief.fit.seeds[0], runtime=flow.runtime(bar, work)
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    flow.progress.end(f"measure:{model.name}", seconds=time.perf_counter() - begun, cached=False)
    return found
