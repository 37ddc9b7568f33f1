"""`mercer tune`: search the options of models on validation rows, with the same budget for every model alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mercer.brief import Brief, Tuned, Tuning
from mercer.contracts import Progress, Range, search_space
from mercer.errors import BriefError, NotFoundError, nearest
from mercer.evaluation import compare, metric_name
from mercer.pipeline.audit import audit
from mercer.pipeline.cache import write_text
from mercer.pipeline.flow import Flow, locked
from mercer.pipeline.ingest import clean_data, raw_data
from mercer.pipeline.material import Material
from mercer.pipeline.models import Entry, entries, entry_of
from mercer.pipeline.progress import Quiet, RunProgress
from mercer.pipeline.rewrite import with_options, write_options
from mercer.pipeline.search import Search
from mercer.pipeline.sources import DataArgument, opened
from mercer.pipeline.supported import check_supported
from mercer.pipeline.trials import Bench, Trial

SCHEMA = 1
FOLDER = "tuning"
"""Where a run folder keeps what was tuned: tuning/TARGET/MODEL.json, and tuning/index.html."""

Stopped = Literal["trials", "seconds", "exhausted", "nothing-to-search", "failing", "interrupted"]
"""What ended a search: the budget's first limit, no options left to try, none declared, all fail, or the keyboard."""

GIVE_UP = 5
"""A model of which so many trials failed and none was done is left as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How much better the best trial is than the defaults, on the same validation rows; positive is better.

    low, high: a 95 % interval, paired by unit. It holds for two trials named beforehand; the best of many is picked
    for its value here, so some of the gain is luck. within_noise: the interval reaches 0, or there is none.
    """

    value: float
    low: float | None
    high: float | None
    p: float | None

    @property
    def within_noise(self) -> bool:
        """Whether chance alone could have made it."""
        return self.low is None or self.low <= 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "value": self.value, "low": self.low, "high": self.high, "p": self.p, "within_noise": self.within_noise,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedModel:
    """One model's search. options: what the brief now stores for it, none for its defaults.

    trials[0] has the defaults. gain: None where the defaults or all trials failed, or the defaults are best.
    """

    target: str
    model: str
    metric: str
    higher_is_better: bool
    trials: tuple[Trial, ...]
    stopped: Stopped
    options: Mapping[str, Any]
    cost: Tuned
    gain: Gain | None

    @property
    def default(self) -> Trial:
        """Trial 0."""
        return self.trials[0]

    @property
    def best(self) -> Trial | None:
        """The trial with the best value, of equals the first; None where all failed."""
        return _best(self.trials, higher=self.higher_is_better)

    @property
    def warning(self) -> str:
        """A sentence where the result must not be taken at its word; else empty."""
        if self.best is None:
            return "every trial failed; its options stay as they were"
        if self.gain is not None and self.gain.within_noise:
            return "the gain is within noise: the validation rows could not tell it from nothing"
        return ""

    def to_json(self) -> dict[str, Any]:
        """What tuning/TARGET/MODEL.json holds."""
        best = self.best
        return {
            "schema": SCHEMA,
            "target": self.target,
            "model": self.model,
            "metric": self.metric,
            "higher_is_better": self.higher_is_better,
            "stopped": self.stopped,
            "default_value": self.default.value,
            "best": None if best is None else best.number,
            "best_value": None if best is None else best.value,
            "gain": None if self.gain is None else self.gain.to_json(),
            "warning": self.warning,
            "options": dict(self.options),
            "cost": self.cost.model_dump(),
            "trials": [trial.to_json() for trial in self.trials],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningResult:
    """What `tune` found. brief: with the options stored. path: the brief's file, if they were written into it.

    budget: what each model was allowed.
    page: tuning/index.html of the run folder. interrupted: the keyboard ended it; what is here was done before.
    Stability: callers stable.
    """

    brief: Brief
    budget: Tuning
    models: tuple[TunedModel, ...]
    interrupted: bool
    path: Path | None
    page: Path

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema": SCHEMA,
            "brief": self.brief.name,
            "budget": self.budget.model_dump(),
            "interrupted": self.interrupted,
            "written": None if self.path is None else str(self.path),
            "page": str(self.page),
            "models": [one.to_json() for one in self.models],
        }


def tune(
    brief: Brief | Path | str,
    out: Path | str | None = None,
    *,
    data: DataArgument = None,
    targets: Sequence[str] = (),
    models: Sequence[str] = (),
    trials: int | None = None,
    seconds: float | None = None,
    write: bool = True,
    progress: RunProgress | None = None,
) -> TuningResult:
    """Search the options of models and store the best in the brief.

    brief, out, data, progress: as for `run`. targets, models: which; left out, all of the brief. trials, seconds: the
    budget of each model, left out the brief's; the first that is reached ends a model's search, and time counts what
    trials took, whether in this call or in one that was interrupted. write: store options and cost in the brief's
    file (a Brief that came from no file is only returned).
    Trial 0 has the model's defaults, trial 1 the brief's options where they differ. Values are the target's selection
    metric on validation rows; a test set is never touched. Options that fail are recorded and passed over.
    KeyboardInterrupt ends the search and keeps what was done. The run folder gets tuning/TARGET/MODEL.json and
    tuning/index.html.
    Raises NotFoundError for an unknown target or model, and what `run` raises for a brief or data that can't be used.
    """
    with opened(brief, data) as (loaded, folders):
        budget = {"trials": trials, "seconds": seconds}
        changed = {name: value for name, value in budget.items() if value is not None}
        allowed = loaded.model_copy(update={"tuning": loaded.tuning.model_copy(update=changed)})
        folder = Path(out) if out is not None else Path("runs") / loaded.name
        flow = Flow(brief=allowed, out=folder, data_folders=folders, progress=progress or Quiet())
        check_supported(loaded)
        plan = _plan(loaded, targets, models)
        with locked(folder):
            done, interrupted = _walk(flow, plan)
            path = None if isinstance(brief, Brief) or not write else Path(brief)
            return _kept(flow, loaded, path, done, interrupted=interrupted)


def _plan(brief: Brief, targets: Sequence[str], models: Sequence[str]) -> list[Entry]:
    """The models to tune, target by target."""
    for name in targets:
        if name not in brief.targets:
            raise NotFoundError(f"The brief has no target {name!r}.", remedy=nearest(name, brief.targets))
    found = [
        entry
        for name, target in brief.targets.items()
        if not targets or name in targets
        for entry in entries(name, target)
    ]
    for model in models:
        known = [entry.model for entry in found]
        if model not in known:
            raise NotFoundError(f"No model {model!r} competes there.", remedy=nearest(model, known))
    return [entry for entry in found if not models or entry.model in models]


def _walk(flow: Flow, plan: Sequence[Entry]) -> tuple[list[TunedModel], bool]:
    """Tune model after model; whether the keyboard ended it."""
    done: list[TunedModel] = []
    try:
        cleaned = clean_data(flow, raw_data(flow))
        material = Material(cleaned.folder, flow.brief)
        audit(flow, material)
        benches: dict[str, Bench] = {}
        for entry in plan:
            if entry.target not in benches:
                benches.clear()  # the parts of one target are enough to hold
                benches[entry.target] = Bench(flow, material, entry.target, {"data": cleaned.key})
            one = _tune(flow, benches[entry.target], entry)
            if one is not None:
                done.append(one)
                place = flow.out / FOLDER / one.target / f"{one.model}.json"
                write_text(place, json.dumps(one.to_json(), indent=1))
            if one is None or one.stopped == "interrupted":
                return done, True
    except KeyboardInterrupt:
        return done, True
    return done, False


def _tune(flow: Flow, bench: Bench, entry: Entry) -> TunedModel | None:
    """Search one model's options; None where the keyboard came before the first trial was done."""
    name = f"tune:{entry.target}:{entry.model}"
    bar = flow.progress.begin(name)
    space = search_space(type(entry.options))
    given = bench.target.options.get(entry.model, {})
    fixed = {key: value for key, value in given.items() if key not in space}
    higher = metric_name(bench.metric).higher_is_better is not False
    trials: list[Trial] = []
    stopped: Stopped = "interrupted"
    try:
        stopped = _search(flow, bench, entry, space, fixed, trials, bar)
    except KeyboardInterrupt:
        if not trials:
            return None
    spent = round(sum(trial.seconds for trial in trials), 3)
    best = _best(trials, higher=higher)
    options = dict(given)
    if best is not None:
        options = fixed if best.number == 0 else {**fixed, **best.options}
    resolved = entry_of(entry.target, bench.target, entry.model, options)
    tuned = TunedModel(
        target=entry.target,
        model=entry.model,
        metric=bench.metric,
        higher_is_better=higher,
        trials=tuple(trials),
        stopped=stopped,
        options=options,
        cost=Tuned(
            trials=len(trials),
            seconds=spent,
            budget=flow.brief.tuning,
            ended="exhausted" if stopped == "nothing-to-search" else stopped,
            data=flow.steps["data"].tables_hash[:16],
            options=resolved.options_hash,
        ),
        gain=_gain(bench, entry, trials[0], best, higher=higher),
    )
    flow.progress.end(name, seconds=spent, cached=all(trial.cached for trial in trials))
    return tuned


def _search(
    flow: Flow,
    bench: Bench,
    entry: Entry,
    space: Mapping[str, Range],
    fixed: Mapping[str, Any],
    trials: list[Trial],
    bar: Progress,
) -> Stopped:
    """Add trials until the budget is spent; what ended it."""
    budget = flow.brief.tuning
    higher = metric_name(bench.metric).higher_is_better is not False
    search = Search(space, higher_is_better=higher, seed=bench.seed, first=_first(entry, space))
    for options in search:
        try:
            tried = entry_of(entry.target, bench.target, entry.model, {**fixed, **options})
            trial = bench.run(tried, len(trials), options)
        except BriefError as fault:  # options that exclude each other
            trial = Trial(number=len(trials), options=options, state="failed", why=fault.message)
        trials.append(trial)
        search.tell(trial.value)
        bar.advance(len(trials), budget.trials, _standing(trials, higher=higher))
        if not space:
            return "nothing-to-search"
        if len(trials) >= budget.trials:
            return "trials"
        if sum(one.seconds for one in trials) >= budget.seconds:
            return "seconds"
        if len(trials) >= GIVE_UP and all(one.state == "failed" for one in trials):
            return "failing"
    return "exhausted"


def _first(entry: Entry, space: Mapping[str, Range]) -> Iterator[dict[str, Any]]:
    """The defaults, then the brief's options where they differ: the searched ones of each."""
    fields = type(entry.options).model_fields
    defaults = {name: fields[name].default for name in space}
    current = {name: getattr(entry.options, name) for name in space}
    yield defaults
    if current != defaults:
        yield current


def _best(trials: Sequence[Trial], *, higher: bool) -> Trial | None:
    done = [(trial.value, trial) for trial in trials if trial.value is not None]
    if not done:
        return None
    return max(done, key=lambda pair: pair[0] if higher else -pair[0])[1]


def _standing(trials: Sequence[Trial], *, higher: bool) -> str:
    best = _best(trials, higher=higher)
    return "no value yet" if best is None else f"best {best.value:.4g} (trial {best.number})"


def _gain(bench: Bench, entry: Entry, default: Trial, best: Trial | None, *, higher: bool) -> Gain | None:
    """The best trial against the defaults, paired."""
    if best is None or default.value is None or best.number == 0:
        return None
    found = compare(
        best.scored(),
        default.scored(),
        bench.metric,
        names=("best", "defaults"),
        task=bench.target.task,
        target=entry.target,
    )
    sign = 1 if higher else -1
    low, high = sorted(sign * end for end in (found.low, found.high) if end is not None) or (None, None)
    return Gain(value=sign * found.difference, low=low, high=high, p=found.p)


def _kept(
    flow: Flow, brief: Brief, path: Path | None, done: Sequence[TunedModel], *, interrupted: bool
) -> TuningResult:
    """Write what was found, as a page and into the brief's file, if there is one to write into.

    The page comes first: a file that can't be edited any more must not take it away.
    """
    from mercer.reporting import write_tuning_page

    found: dict[str, dict[str, tuple[Mapping[str, Any], Tuned]]] = {}
    for one in done:
        if one.best is not None and one.stopped != "nothing-to-search":
            found.setdefault(one.target, {})[one.model] = (one.options, one.cost)
    page = write_tuning_page(flow.out / FOLDER, flow.brief)
    written = path if found else None
    if written is not None:
        write_options(written, found)
    return TuningResult(
        brief=with_options(brief, found),
        budget=flow.brief.tuning,
        models=tuple(done),
        interrupted=interrupted,
        path=written,
        page=page,
    )
