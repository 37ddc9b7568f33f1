"""Fit and score the models of a target: each fit and each scoring is a cached step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mercer.brief import BehaviorTarget, Target
from mercer.contracts import Budget, Holdout, Labelled, Options, Progress, plugins
from mercer.errors import BriefError, nearest
from mercer.evaluation import (
    Composition,
    Scored,
    prediction_slices,
    ranking_slices,
    score_predictions,
    score_ranking,
)
from mercer.pipeline.cache import Step, key_of
from mercer.pipeline.flow import Flow
from mercer.pipeline.manifest import code_hash
from mercer.pipeline.material import Material

FitOn = Literal["train", "train+validation"]

ROOMS = {
    "recommend": ("data", "recommend"),
    "search": ("data", "search", "language"),
    "behavior": ("data", "features", "behavior"),
}
"""Whose code decides what a fit of a task yields."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model that competes for a target.

    composition, parts: what the class says of itself when it joins others' lists (`fusion`, `rerank`).
    """

    target: str
    model: str
    options: Options
    stochastic: bool
    composition: Composition = "single"
    parts: tuple[str, ...] = ()

    @property
    def options_hash(self) -> str:
        """Hash of the resolved options."""
        return key_of(self.options.model_dump(mode="json"))[:16]


def group_of(target: Target) -> str:
    """The entry-point group whose plug-ins serve the target's task."""
    return plugins.PREDICTORS if isinstance(target, BehaviorTarget) else plugins.RANKERS


def entries(name: str, target: Target) -> list[Entry]:
    """The models of a target with their resolved options.

    Raises BriefError for a model that does not exist or does not serve the task, and for wrong options.
    """
    chosen = defaults(target) if target.models == "auto" else tuple(target.models)
    unused = set(target.options) - set(chosen)
    if unused:
        first = min(unused)
        raise BriefError(
            f"targets.{name}.options: {first!r} is not among the target's models.",
            remedy=nearest(first, chosen),
        )
    return [_entry(name, target, model) for model in chosen]


def defaults(target: Target) -> tuple[str, ...]:
    """What `models: auto` means for a task."""
    from mercer import behavior, recommend, search

    return tuple({"recommend": recommend, "search": search, "behavior": behavior}[target.task].DEFAULTS)


def _entry(name: str, target: Target, model: str) -> Entry:
    if model not in plugins.names(group_of(target)):
        raise BriefError(
            f"targets.{name}.models: no model is called {model!r}.",
            remedy=nearest(model, plugins.names(group_of(target))),
        )
    cls = plugins.load(group_of(target), model)
    if not _serves(cls, target):
        raise BriefError(f"targets.{name}.models: {model!r} does not serve this target ({target.task}).")
    given = dict(target.options.get(model, {}))
    if isinstance(target, BehaviorTarget) and "kind" in cls.Options.model_fields:
        given.setdefault("kind", target.kind)
    try:
        options = cls.Options(**given)
    except ValueError as fault:
        raise BriefError(f"targets.{name}.options.{model}: {fault}") from None
    return Entry(
        name,
        model,
        options,
        cls.stochastic,
        getattr(cls, "composition", "single"),
        tuple(getattr(cls, "parts", ())),
    )


def _serves(cls: Any, target: Target) -> bool:
    if isinstance(target, BehaviorTarget):
        return target.kind in cls.kinds
    return bool(cls.task == target.task)


def new_model(target: Target, entry: Entry) -> Any:
    """An unfitted model."""
    cls = plugins.load(group_of(target), entry.model)
    return cls(entry.options)


def load_model(target: Target, model: str, folder: Path) -> Any:
    """A fitted model from the folder of its fit."""
    return plugins.load(group_of(target), model).load(folder)


def fit(flow: Flow, material: Material, entry: Entry, fit_on: FitOn, upstream: Mapping[str, str]) -> Step:
    """Fit one model (or find the fit); its folder holds what the model saves and `fit.json`."""
    target = flow.brief.targets[entry.target]
    seed = flow.brief.fit.seeds[0]
    budget = Budget(flow.brief.fit.seconds)

    def make(folder: Path, bar: Progress) -> None:
        split = material.split(entry.target)
        if isinstance(target, BehaviorTarget):
            train: Any = split.refit if fit_on == "train+validation" else split.train
            validation = None if fit_on == "train+validation" else split.validation
        else:
            train, validation = split.train, split.validation
        model = new_model(target, entry)
        estimate = model.estimate(train)
        model.fit(train, validation=validation, budget=budget, seed=seed, runtime=flow.runtime(bar))
        model.save(folder)
        facts = {
            "model": entry.model,
            "options": entry.options.model_dump(mode="json"),
            "seed": seed,
            "fit_on": fit_on,
            "notes": list(getattr(model, "notes", ())),
            "estimate": {"seconds": estimate.seconds, "peak_mib": estimate.peak_mib},
        }
        (folder / "fit.json").write_text(json.dumps(facts, indent=1, sort_keys=True), "utf-8")

    name = f"fit:{entry.target}:{entry.model}" + (":refit" if fit_on == "train+validation" else "")
    facts = {
        **upstream,
        **target_facts(flow, entry.target),
        "model": entry.model,
        "options": entry.options.model_dump(mode="json"),
        "seed": seed,
        "fit_on": fit_on,
        "seconds": budget.seconds,
        "code": code_hash(*ROOMS[target.task]),
    }
    return flow.step(name, facts, make)


def target_facts(flow: Flow, name: str) -> dict[str, Any]:
    """What of the brief decides a target's data: the target less its list of models, and the decision day."""
    target = flow.brief.targets[name].model_dump(mode="json", exclude={"models", "options", "metric"})
    return {"target": target, "decision_day": str(flow.brief.decision.day), "purposes": flow.brief.purposes}


def score(
    flow: Flow,
    material: Material,
    entry: Entry,
    fitted: Step,
    part: Literal["validation", "test"],
    fit_on: FitOn,
    *,
    before: Callable[[], None] | None = None,
) -> Step:
    """Score one fitted model on a held-out part; the folder holds the scored rows and `timing.json`.

    before: called just before a part is really scored, and not when the scoring is found in the cache.
    """
    target = flow.brief.targets[entry.target]

    def make(folder: Path, bar: Progress) -> None:
        if before is not None:
            before()
        held = getattr(material.split(entry.target), part)
        model = load_model(target, entry.model, fitted.folder)
        start = time.perf_counter()
        scored = score_model(target, model, held, bar)
        took = time.perf_counter() - start
        scored.save(folder / "rows.parquet")
        (folder / "timing.json").write_text(
            json.dumps({"predict_ms_per_request": round(1000 * took / max(1, len(held)), 4)}), "utf-8"
        )

    suffix = ":refit" if fit_on == "train+validation" else ""
    facts = {"fit": fitted.key, "part": part, "code": code_hash("evaluation", *ROOMS[target.task])}
    return flow.step(f"score:{entry.target}:{entry.model}:{part}{suffix}", facts, make)


def score_model(target: Target, model: Any, held: Holdout | Labelled, bar: Progress) -> Scored:
    """The scored rows of one model on a held-out part."""
    if isinstance(held, Labelled):
        assert isinstance(target, BehaviorTarget)
        predicted = model.predict(held.snapshots)
        return score_predictions(held, predicted, kind=target.kind, slices=prediction_slices(held))
    catalogue = np.arange(len(held.requests.items), dtype=np.int32)
    exact = (lambda requests: model.score(requests, catalogue)) if model.has_scores else None
    return score_ranking(held, score=exact, rank=model.rank, slices=ranking_slices(held), advance=bar.advance)
