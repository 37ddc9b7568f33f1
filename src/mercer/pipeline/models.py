"""Fit and score the models of a target: each fit and each scoring is a cached step.

Over folds a model is fitted once a fold, and a stochastic model once a seed, each a step of its own; what they scored
is one set of rows.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mercer.brief import BehaviorTarget, RecommendTarget, Target
from mercer.contracts import Budget, Estimate, Holdout, Labelled, Options, Progress, Silent, plugins
from mercer.data import Fold, folds_of
from mercer.errors import BriefError, nearest
from mercer.evaluation import (
    Composition,
    FoldScored,
    Scored,
    Slices,
    join_folds,
    join_seeds,
    prediction_slices,
    ranking_slices,
    score_predictions,
    score_ranking,
)
from mercer.pipeline.cache import Cost, Step, key_of
from mercer.pipeline.flow import Flow
from mercer.pipeline.manifest import code_hash, version_of
from mercer.pipeline.material import Material
from mercer.training import RECORD_FILE, TrainingOptions, TrainingRecord
from mercer.training.checkpoints import ForeignCheckpointError

log = logging.getLogger(__name__)

FitOn = Literal["train", "train+validation", "all"]
"""What a fit has seen; `all` is what ships where folds tested: it has no test score of its own."""

ROOMS = {
    "recommend": ("data", "recommend", "language"),
    "search": ("data", "search", "language"),
    "behavior": ("data", "features", "behavior"),
}
"""Whose code decides what a fit of a task yields."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model that competes for a target.

    composition, parts: what the model says of itself when it joins others' lists (`fusion`, `rerank`).
    holds_users: it keeps something of single people, so a release refuses it.
    trained: it is a neural model that `mercer.training` trains (its options are TrainingOptions and more), or one that
    has such members (it says `trains`).
    from_catalogue: its fit reads the catalogue alone, so that every fold has the same one.
    """

    target: str
    model: str
    options: Options
    stochastic: bool
    composition: Composition = "single"
    parts: tuple[str, ...] = ()
    holds_users: bool = False
    trained: bool = False
    from_catalogue: bool = False

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
    found = [entry_of(name, target, model) for model in chosen]
    if isinstance(target, RecommendTarget) and target.fallback is not None:
        _check_fallback(name, target.fallback, found)
    return found


def _check_fallback(name: str, fallback: str, found: Sequence[Entry]) -> None:
    """Raises BriefError for a fallback that does not compete, or that keeps people, which no release takes."""
    by_model = {entry.model: entry for entry in found}
    if fallback not in by_model:
        raise BriefError(
            f"targets.{name}.fallback: {fallback!r} is not among the target's models.",
            remedy=nearest(fallback, by_model),
        )
    if by_model[fallback].holds_users:
        raise BriefError(
            f"targets.{name}.fallback: {fallback!r} keeps something of single people, and no release takes it.",
            remedy="Name a model that reads histories from the request.",
        )


def defaults(target: Target) -> tuple[str, ...]:
    """What `models: auto` means for a task."""
    from mercer import behavior, recommend, search

    if isinstance(target, BehaviorTarget):
        names = behavior.FLAT_DEFAULTS if target.label == "examples" else behavior.DEFAULTS
        return tuple(name for name in names if _serves(plugins.load(plugins.PREDICTORS, name), target))
    return tuple({"recommend": recommend, "search": search}[target.task].DEFAULTS)


def entry_of(name: str, target: Target, model: str, given: Mapping[str, Any] | None = None) -> Entry:
    """One model of a target with its resolved options; given: left out, the options that the target stores for it.

    Raises BriefError as `entries` does.
    """
    if model not in plugins.names(group_of(target)):
        raise BriefError(
            f"targets.{name}.models: no model is called {model!r}.",
            remedy=nearest(model, plugins.names(group_of(target))),
        )
    cls = plugins.load(group_of(target), model)
    if not _serves(cls, target):
        raise BriefError(f"targets.{name}.models: {model!r} does not serve this target ({target.task}).")
    given = dict(target.options.get(model, {}) if given is None else given)
    if isinstance(target, BehaviorTarget):
        # What a predictor may want to know of its target, where its options have a place for it.
        for key in ("kind", "horizon_days"):
            if key in cls.Options.model_fields:
                given.setdefault(key, getattr(target, key))
    try:
        options = cls.Options(**given)
    except ValueError as fault:
        raise BriefError(f"targets.{name}.options.{model}: {fault}") from None
    # A model is asked, not its class: what joins others' lists is what its members are.
    made = cls(options)
    composition: Composition = getattr(made, "composition", "single")
    # Only what joins others' lists says which; elsewhere the name `parts` is free.
    parts = tuple(made.parts) if composition != "single" else ()
    holds_users = bool(getattr(made, "holds_users", False))
    trained = isinstance(options, TrainingOptions) or bool(getattr(made, "trains", False))
    from_catalogue = bool(getattr(made, "from_catalogue", False))
    return Entry(
        name, model, options, made.stochastic, composition, parts, holds_users, trained, from_catalogue
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


@dataclass(frozen=True, slots=True)
class Fits:
    """A model's fits on one part of the data: one, or one a fold (in the order of `folds_of`), for each seed in turn.

    seeds: those it was fitted with; empty where the seed changes nothing.
    """

    steps: tuple[Step, ...]
    seeds: tuple[int, ...] = ()

    @property
    def by_seed(self) -> tuple[tuple[Step, ...], ...]:
        """The steps of each seed; the first ships."""
        size = len(self.steps) // max(1, len(self.seeds))
        return tuple(self.steps[at : at + size] for at in range(0, len(self.steps), size))

    @property
    def is_whole(self) -> bool:
        """Whether each seed's fit is one, and not one a fold."""
        return len(self.by_seed[0]) == 1

    @property
    def key(self) -> str:
        """What stands for all of them in the facts of later steps."""
        return self.steps[0].key if len(self.steps) == 1 else key_of({"fits": [s.key for s in self.steps]})

    @property
    def folder(self) -> Path:
        """Where the fit of the first seed is. Only what is fitted as a whole has such a place."""
        [step] = self.by_seed[0]
        return step.folder

    @property
    def cost(self) -> Cost:
        """Seconds that one seed's fits take together, the mean over the seeds, and the peak of the largest."""
        costs = [step.cost for step in {step.key: step for step in self.steps}.values()]
        n_seeds = max(1, len(self.seeds))
        return Cost(
            seconds=round(sum(cost.seconds for cost in costs) / n_seeds, 3),
            cpu_seconds=round(sum(cost.cpu_seconds for cost in costs) / n_seeds, 3),
            peak_mib=max(cost.peak_mib for cost in costs),
        )


def fit(flow: Flow, material: Material, entry: Entry, fit_on: FitOn, upstream: Mapping[str, str]) -> Fits:
    """Fit one model (or find the fit), once or once a fold, and for each seed if it is stochastic. What reads the
    catalogue alone is fitted once for all folds.

    What has seen everything (`all`) is scored by nobody and only ships: the first seed is enough. The folders hold what
    the model saves and `fit.json`.
    """
    target = flow.brief.targets[entry.target]
    folds = folds_of(target.split) if fit_on != "all" else ()
    seeds = flow.brief.fit.seeds if entry.stochastic and fit_on != "all" else flow.brief.fit.seeds[:1]
    if folds and entry.from_catalogue:
        # Folds divide judged rows, which it does not read: one fit serves every fold, and ships.
        made = [_fit(flow, material, entry, "all", upstream, None, seed) for seed in seeds]
        steps = tuple(step for step in made for _ in folds)
    else:
        steps = tuple(
            _fit(flow, material, entry, fit_on, upstream, fold, seed)
            for seed in seeds
            for fold in folds or (None,)
        )
    return Fits(steps, tuple(seeds) if entry.stochastic else ())


def _fit(
    flow: Flow,
    material: Material,
    entry: Entry,
    fit_on: FitOn,
    upstream: Mapping[str, str],
    fold: Fold | None,
    seed: int,
) -> Step:
    target = flow.brief.targets[entry.target]
    budget = Budget(flow.fit_seconds)

    def make(folder: Path, bar: Progress) -> None:
        train, validation = training_of(material.split(entry.target), fit_on, fold)
        if entry.from_catalogue:
            train = replace(train, judgments=None)
        model = new_model(target, entry)
        # A training is priced by its own first steps.
        alone = isinstance(entry.options, TrainingOptions)
        estimate = Estimate(0.0, 0.0) if alone else model.estimate(train)
        runtime = flow.runtime(bar, checkpoints)
        fitting = partial(model.fit, train, validation=validation, budget=budget, seed=seed, runtime=runtime)
        try:
            fitting()
        except ForeignCheckpointError as fault:
            assert checkpoints is not None
            # Of fewer texts than there is time for now, say: all that time does not decide is in the folder's name.
            log.warning("%s begins anew: %s", name, fault.message)
            shutil.rmtree(checkpoints)
            fitting()
        model.save(folder)
        record: TrainingRecord | None = getattr(model, "training", None)
        if record is not None:
            record.save(folder)
            estimate = (record.estimate if alone else None) or estimate
        facts = {
            "model": entry.model,
            "options": entry.options.model_dump(mode="json"),
            "seed": seed,
            "fit_on": fit_on,
            "fold": fold.name if fold is not None else None,
            "notes": list(getattr(model, "notes", ())),
            "estimate": {"seconds": estimate.seconds, "peak_mib": estimate.peak_mib},
        }
        (folder / "fit.json").write_text(json.dumps(facts, indent=1, sort_keys=True), "utf-8")

    name = f"fit:{entry.target}:{entry.model}" + _SUFFIX[fit_on]
    facts = {
        **upstream,
        **target_facts(flow, entry.target),
        "model": entry.model,
        "options": entry.options.model_dump(mode="json"),
        "seed": seed,
        "fit_on": fit_on,
        "seconds": budget.seconds,
        "code": code_hash(*ROOMS[target.task]),
        **training_facts(flow, entry),
    }
    if fold is not None:
        name, facts = f"{name}:fold-{fold.name}", {**facts, "fold": fold.name}
    if seed != flow.brief.fit.seeds[0]:
        name = f"{name}:seed-{seed}"
    # What keeps people keeps them in the run alone, where `forget` finds them.
    keeps = entry.trained and not entry.holds_users
    lasting = {key: value for key, value in facts.items() if key != "seconds"}
    checkpoints = flow.checkpoints(name, lasting) if keeps else None
    step = flow.step(name, facts, make)
    if checkpoints is not None and not _out_of_time(step):
        shutil.rmtree(checkpoints, ignore_errors=True)
    return step


def _out_of_time(step: Step) -> bool:
    """Whether its training was ended by the brief's seconds or money: with more it goes on from its checkpoint."""
    record = step.folder / RECORD_FILE
    return record.is_file() and TrainingRecord.load(record).stopped_because == "budget"


def training_facts(flow: Flow, entry: Entry) -> dict[str, Any]:
    """What else decides the fit of a neural model: the loop's code, PyTorch, device and precision."""
    if not entry.trained:
        return {}
    return {
        "training": code_hash("training", "language"),
        "torch": version_of("torch"),
        "device": flow.machine.device,
        "precision": flow.machine.precision,
    }


_SUFFIX: Mapping[FitOn, str] = {"train": "", "train+validation": ":refit", "all": ":all"}


def training_of(split: Any, fit_on: FitOn, fold: Fold | None) -> tuple[Any, Any]:
    """What a fit receives: the rows that train, and those that validate (None where these train, too)."""
    if fit_on == "all":
        return split.everything(), None
    part = split if fold is None else split.part(fold)
    return (part.refit, None) if fit_on == "train+validation" else (part.train, part.validation)


def target_facts(flow: Flow, name: str) -> dict[str, Any]:
    """What of the brief decides a target's data: the target less its list of models, and the decision day."""
    target = flow.brief.targets[name].model_dump(
        mode="json", exclude={"models", "options", "tuned", "metric", "fallback"}
    )
    return {"target": target, "decision_day": str(flow.brief.decision.day), "purposes": flow.brief.purposes}


def score(
    flow: Flow,
    material: Material,
    entry: Entry,
    fitted: Fits,
    part: Literal["validation", "test"],
    fit_on: FitOn,
    *,
    before: Callable[[], None] | None = None,
) -> Step:
    """Score a fitted model on a held-out part; the folder holds the scored rows and `timing.json`.

    Over folds each fold's model scores its own part, and the rows of all folds are joined; so are those of all seeds.
    before: called just before a part is really scored, and not when the scoring is found in the cache.
    """
    target = flow.brief.targets[entry.target]

    def make(folder: Path, bar: Progress) -> None:
        if before is not None:
            before()
        split = material.split(entry.target)
        parts = [_scored(target, entry.model, split, steps, part, bar) for steps in fitted.by_seed]
        seeds = fitted.seeds or (0,)
        join_seeds({seed: scored for seed, (scored, _) in zip(seeds, parts, strict=True)}).save(
            folder / "rows.parquet"
        )
        ms = sum(took for _, took in parts) / len(parts)
        (folder / "timing.json").write_text(json.dumps({"predict_ms_per_request": round(ms, 4)}), "utf-8")

    facts = {"fit": fitted.key, "part": part, "code": code_hash("evaluation", *ROOMS[target.task])}
    return flow.step(f"score:{entry.target}:{entry.model}:{part}{_SUFFIX[fit_on]}", facts, make)


def _scored(
    target: Target,
    model: str,
    split: Any,
    steps: Sequence[Step],
    part: Literal["validation", "test"],
    bar: Progress,
) -> tuple[Scored, float]:
    """The scored rows of one seed's fits, and milliseconds a request."""
    folds = folds_of(target.split)
    if not folds:
        held = getattr(split, part)
        loaded = load_model(target, model, steps[0].folder)
        start = time.perf_counter()
        scored = score_model(target, loaded, held, bar)
        return scored, 1000 * (time.perf_counter() - start) / max(1, len(held))
    slices = slices_of(split.test)
    parts, took = [], 0.0
    for number, (fold, step) in enumerate(zip(folds, steps, strict=True)):
        divided = split.part(fold)
        held, rows = getattr(divided, part), getattr(divided, f"{part}_rows")
        loaded = load_model(target, model, step.folder)
        start = time.perf_counter()
        scored = score_model(target, loaded, held, Silent(), slices=slices.take(rows))
        took += time.perf_counter() - start
        parts.append(FoldScored(fold.repeat, fold.name, scored))
        bar.advance(number + 1, len(folds), f"fold {fold.name}")
    units = split.test.units if isinstance(split.test, Holdout) else split.test.snapshots.entities
    return join_folds(parts, units), 1000 * took / (len(units) * target.split.repeats)


def slices_of(held: Holdout | Labelled) -> Slices:
    """The standing slices of a held-out part."""
    return prediction_slices(held) if isinstance(held, Labelled) else ranking_slices(held)


def score_model(
    target: Target, model: Any, held: Holdout | Labelled, bar: Progress, *, slices: Slices | None = None
) -> Scored:
    """The scored rows of one model on a held-out part; slices: left out, the part's standing ones."""
    slices = slices_of(held) if slices is None else slices
    if isinstance(held, Labelled):
        assert isinstance(target, BehaviorTarget)
        return score_predictions(held, model.predict(held.snapshots), kind=target.kind, slices=slices)
    catalogue = np.arange(len(held.requests.items), dtype=np.int32)
    exact = (lambda requests: model.score(requests, catalogue)) if model.has_scores else None
    return score_ranking(held, score=exact, rank=model.rank, slices=slices, advance=bar.advance)
