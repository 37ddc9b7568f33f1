"""Selection inside folds: each outer fold picks on its own validation part, and what ships has seen everything."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from mercer.contracts import Options, Progress
from mercer.data import folds_of
from mercer.evaluation import FoldScored, Scored, join_folds, metric_name, selection_metric, value
from mercer.pipeline.board import NESTED, Judged, selected
from mercer.pipeline.cache import Step
from mercer.pipeline.flow import Flow
from mercer.pipeline.manifest import code_hash
from mercer.pipeline.models import Entry, Fits


def choose(flow: Flow, name: str, judged: Sequence[Judged]) -> Step:
    """Select a target's model from the validation rows of its folds; the folder holds `selected.json`.

    Every fold picks the model that is best on its own inner validation part (ties: the first, so the simpler). The
    target's model is the one picked in most folds (ties: the best over all validation rows, in which each unit is once
    a repeat). Written before any test.
    """
    target = flow.brief.targets[name]
    metric = selection_metric(target)
    better = 1.0 if metric_name(metric).higher_is_better else -1.0

    def make(folder: Path, bar: Progress) -> None:
        folds = folds_of(target.split)
        values = np.empty((len(judged), len(folds)))
        whole = {}
        for row, one in enumerate(judged):
            scored = Scored.load(one.scored.folder / "rows.parquet")
            values[row] = [value(scored.fold(fold.name), metric) for fold in folds]
            whole[one.entry.model] = value(scored, metric)
            bar.advance(row + 1, len(judged), one.entry.model)
        # A fold whose validation part leaves the metric undefined says nothing for or against a model.
        signed = np.where(np.isfinite(values), better * values, -np.inf)
        models = [one.entry.model for one in judged]
        picks = {fold.name: models[int(signed[:, at].argmax())] for at, fold in enumerate(folds)}
        best = most_picked(list(picks.values()), {model: better * found for model, found in whole.items()})
        chosen = {
            "model": best,
            "metric": metric,
            "value": whole[best],
            "fit_on": "train",
            "chosen_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "picks": picks,
            "validation": whole,
        }
        (folder / "selected.json").write_text(json.dumps(chosen, indent=1), "utf-8")

    facts = {
        "scored": [one.scored.key for one in judged],
        "metric": metric,
        "code": code_hash("evaluation", "pipeline/folds.py"),
    }
    return flow.step(f"select:{name}", facts, make)


def most_picked(picks: Sequence[str], goodness: Mapping[str, float]) -> str:
    """The model picked most often; of equals the one whose validation value is best, then the first named."""
    counts = Counter(picks)
    return max(goodness, key=lambda model: (counts[model], goodness[model]))


def nested(flow: Flow, name: str, chosen: Step, tested: Sequence[Judged]) -> Judged:
    """The selection procedure itself on the test: in every fold the rows of the model that the fold picked.

    Its value is honest where that of the model picked most often is a little flattered, for that choice has seen the
    validation rows of all folds. tested: the test scorings of the target's models in the fit that decides.
    """
    target = flow.brief.targets[name]
    of = {one.entry.model: one for one in tested}

    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - a few files are read
        picks = selected(chosen)["picks"]
        rows = {model: Scored.load(of[model].scored.folder / "rows.parquet") for model in set(picks.values())}
        parts = [
            FoldScored(fold.repeat, fold.name, rows[picks[fold.name]].fold(fold.name))
            for fold in folds_of(target.split)
        ]
        units = list(dict.fromkeys(next(iter(rows.values())).repeats[0].rows["unit"]))
        join_folds(parts, units).save(folder / "rows.parquet")
        timing = {"predict_ms_per_request": None}
        (folder / "timing.json").write_text(json.dumps(timing), "utf-8")

    facts = {
        "chosen": chosen.key,
        "scored": {model: one.scored.key for model, one in of.items()},
        "code": code_hash("evaluation", "pipeline/folds.py"),
    }
    step = flow.step(f"score:{name}:{NESTED}", facts, make)
    return Judged(
        entry=Entry(name, NESTED, Options(), stochastic=False),
        fit_on=tested[0].fit_on,
        part="test",
        fitted=Fits(tuple(step_ for one in tested for step_ in one.fitted.steps)),
        scored=step,
    )


def shipped(
    flow: Flow, best: Mapping[str, Judged], whole: Mapping[tuple[str, str], Fits]
) -> dict[str, Judged]:
    """The winners with the fit that ships: over folds the one on everything, which no test has scored."""
    return {
        name: replace(one, fitted=whole[name, one.entry.model], fit_on="all")
        if folds_of(flow.brief.targets[name].split)
        else one
        for name, one in best.items()
    }
