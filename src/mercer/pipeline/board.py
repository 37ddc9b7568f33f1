"""Judge the fitted models: score on validation, select, and only then score the test set and compare."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mercer.brief import BehaviorTarget, Brief, Source, Target
from mercer.contracts import Labelled, Progress, search_space
from mercer.errors import BriefError, nearest
from mercer.evaluation import (
    SLICE_METRICS,
    TASK_METRICS,
    Coverage,
    Leaderboard,
    Row,
    RowInfo,
    Scored,
    TestLooks,
    compare_with,
    rows_for,
    score_lists,
    score_scores,
    select,
    selection_metric,
    table_of,
)
from mercer.pipeline.cache import Step, key_of
from mercer.pipeline.flow import Flow, rival_name
from mercer.pipeline.manifest import code_hash
from mercer.pipeline.material import Material
from mercer.pipeline.models import Entry, FitOn, Fits, slices_of, target_facts

INCUMBENT = "incumbent"
NESTED = "nested-selection"
"""The row of the selection procedure itself, where folds test: in every fold the model that the fold picked."""

Part = Literal["validation", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One model on one part: what was fitted, what was scored."""

    entry: Entry
    fit_on: FitOn
    part: Part
    fitted: Fits
    scored: Step

    @property
    def file(self) -> str:
        """Name of its scored rows in a run folder."""
        return f"{self.entry.model}.{self.part}.{self.fit_on.replace('+', '-')}.parquet"


def released_fit(target: Target) -> FitOn:
    """Which fit of a selected model decides and ships: behavior models are refitted on all known labels, for a
    model that ends a horizon before the cut has not seen the latest; rankers ship as they were judged."""
    return "train+validation" if isinstance(target, BehaviorTarget) else "train"


def tested_fits(brief: Brief, entry: Entry, selected: str) -> tuple[FitOn, ...]:
    """Which fits of a model are scored on the test set, given the selected model of its target.

    A ranker's refit is a row of its own, asked for by `fit.refit`: it has seen what papers leave out, so it is
    compared with nothing.
    """
    if released_fit(brief.targets[entry.target]) == "train+validation":
        return ("train", "train+validation")
    asked = brief.fit.refit
    if asked is False:
        return ("train",)
    named = [] if asked is True else asked
    return ("train", "train+validation") if entry.model in {selected, *named} else ("train",)


def check_refits(flow: Flow, plan: Mapping[str, list[Entry]]) -> None:
    """Raises BriefError when `fit.refit` names a model that competes nowhere, before anything is fitted."""
    asked = flow.brief.fit.refit
    names = [entry.model for models in plan.values() for entry in models]
    for model in [] if isinstance(asked, bool) else asked:
        if model not in names:
            raise BriefError(f"fit.refit: {model!r} competes nowhere.", remedy=nearest(model, names))


def look_key(flow: Flow, name: str) -> str:
    """What a test set is called in the ledger: its data and its split, and nothing of where the run is kept."""
    raw = flow.steps.get("simulate")
    # What an incumbent's file holds does not make another test set of the same data.
    tables = {name: key for name, key in flow.source_hashes.items() if name in flow.brief.data.sources}
    sources = flow.brief.data.simulate if raw is not None else tables
    return key_of({"sources": sources, **target_facts(flow, name)})[:32]


def look(flow: Flow, name: str, model: str) -> Callable[[], None]:
    """A function that writes one look at a target's test set into the ledger."""

    def write() -> None:
        TestLooks(flow.cache / "test-looks.jsonl").add(
            look_key(flow, name), at=datetime.now(UTC), target=name, model=model, brief=flow.brief.name
        )

    return write


def choose(flow: Flow, name: str, judged: list[Judged]) -> Step:
    """Select a target's model on validation rows; the folder holds `selected.json`, written before any test."""
    target = flow.brief.targets[name]
    metric = selection_metric(target)

    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - instant
        rows = [row for one in judged for row in _rows(one, target, metrics=[metric])]
        best = select(rows, name, metric)
        chosen = {
            "model": best.model,
            "metric": metric,
            "value": best.value,
            "fit_on": best.fit_on,
            "chosen_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        (folder / "selected.json").write_text(json.dumps(chosen, indent=1), "utf-8")

    facts = {"scored": [one.scored.key for one in judged], "metric": metric, "code": code_hash("evaluation")}
    return flow.step(f"select:{name}", facts, make)


def selected(step: Step) -> dict[str, Any]:
    """What `choose` wrote."""
    content: dict[str, Any] = json.loads((step.folder / "selected.json").read_text("utf-8"))
    return content


def picked(content: Mapping[str, Any]) -> Callable[[Judged], dict[str, str]]:
    """What a test row's protocol says of a selection over folds: "picked": "4 of 5 folds"; nothing for others."""
    counts = Counter(content.get("picks", {}).values())
    n = sum(counts.values())

    def of(one: Judged) -> dict[str, str]:
        if not n or one.part != "test":
            return {}
        if one.entry.model == NESTED:
            return {
                "picked": ", ".join(f"{model} in {k}" for model, k in counts.most_common()) + f" of {n} folds"
            }
        return {"picked": f"{counts[one.entry.model]} of {n} folds"}

    return of


def check_opponent(flow: Flow, plan: Mapping[str, list[Entry]]) -> None:
    """Raises BriefError when the brief's opponent competes nowhere, before anything is fitted."""
    decision = flow.brief.decision
    if decision.against == INCUMBENT:
        if decision.target not in flow.brief.rivals:
            raise BriefError(
                "decision.against is the incumbent, but data.incumbent names no rankings and no scores."
            )
        return
    names = [entry.model for entry in plan[decision.target]]
    if decision.against not in names:
        raise BriefError(
            f"decision.against: {decision.against!r} is not among the models of target {decision.target!r}.",
            remedy=nearest(decision.against, names),
        )


def check_incumbents(flow: Flow, material: Material) -> dict[str, Coverage]:
    """Read what the business used until now before anything is fitted, and say what it covers; nothing is measured.

    Raises DataError for a file that can't be an answer, BriefError where the decision's metric can't judge it.
    """
    found = {}
    for name, source in flow.brief.rivals.items():

        def make(folder: Path, bar: Progress, name: str = name, source: Source = source) -> None:  # noqa: ARG001
            _answers(flow, material, name, source)[1].save(folder)

        step = flow.step(f"incumbent:{name}", _incumbent_facts(flow, name, source), make)
        coverage = found[name] = Coverage.load(step.folder)
        decision = flow.brief.decision
        if (decision.target, decision.against) == (name, INCUMBENT) and not coverage.measures(
            decision.metric
        ):
            raise BriefError(
                f"decision.metric: {decision.metric} needs probabilities, and the incumbent's scores only order.",
                remedy="Decide on auc or average-precision, or bring probabilities.",
            )
        if coverage.said:
            flow.progress.note(f"The incumbent of {name}: {coverage.said}.")
    return found


def incumbents(flow: Flow, material: Material) -> dict[str, Step]:
    """Score what the business used until now on the test set of each target for which the brief brings it."""
    done = {}
    for name, source in flow.brief.rivals.items():

        def make(folder: Path, bar: Progress, name: str = name, source: Source = source) -> None:  # noqa: ARG001
            scored, coverage = _answers(flow, material, name, source)
            look(flow, name, INCUMBENT)()
            scored.save(folder / "rows.parquet")
            coverage.save(folder)

        done[name] = flow.step(f"score:{name}:{INCUMBENT}:test", _incumbent_facts(flow, name, source), make)
    return done


def _answers(flow: Flow, material: Material, name: str, source: Source) -> tuple[Scored, Coverage]:
    """The incumbent's answers to a test set, and what its file covers."""
    from mercer.data import read_frame

    target, held = flow.brief.targets[name], material.split(name).test
    frame, called = read_frame(source, flow.data_folders), f"The incumbent of {name}"
    if not isinstance(target, BehaviorTarget):
        return score_lists(frame, held, source, name=called, slices=slices_of(held))
    assert isinstance(held, Labelled)
    return score_scores(
        frame, held, source, name=called, kind=target.kind, currency=_currency(flow), slices=slices_of(held)
    )


def _currency(flow: Flow) -> str | None:
    events = flow.brief.data.events
    return None if events is None else events.currency


def _incumbent_facts(flow: Flow, name: str, source: Source) -> dict[str, Any]:
    return {
        "data": flow.steps["data"].key,
        "source": source.model_dump(mode="json"),
        "file": flow.source_hashes.get(rival_name(name), ""),
        "currency": _currency(flow),
        **target_facts(flow, name),
        "code": code_hash("evaluation", "data"),
    }


def outside_rows(flow: Flow, material: Material, name: str, model: str, step: Step) -> list[Row]:
    """Rows of a system that mercer did not fit, on the metrics that its answers allow."""
    target = flow.brief.targets[name]
    protocol = protocol_of(material, name)
    scored = Scored.load(step.folder / "rows.parquet")
    metrics = None
    if model == INCUMBENT:
        coverage = Coverage.load(step.folder)
        protocol |= {"incumbent": coverage.said} if coverage.said else {}
        metrics = [one for one in TASK_METRICS[table_of(target)] if coverage.measures(one)]
    info = RowInfo(task=target.task, target=name, model=model, split="test", fit_on="none", protocol=protocol)
    slices = None if metrics is None else [one for one in SLICE_METRICS[table_of(target)] if one in metrics]
    return rows_for(scored, info, metrics=metrics, slice_metrics=slices)


def leaderboard(
    flow: Flow,
    material: Material,
    judged: list[Judged],
    chosen: Mapping[str, Step],
    rivals: Mapping[str, Step],
    extra: Mapping[str, Step] | None = None,
    extra_target: str | None = None,
) -> Step:
    """Rows and comparisons of everything that was scored; the folder holds `leaderboard.json`.

    rivals: scored rows of the incumbents, by target. extra: scored rows of outside systems, on the
    test set of `extra_target`.
    """
    outside: dict[str, dict[str, Step]] = {name: {INCUMBENT: step} for name, step in rivals.items()}
    outside.setdefault(extra_target or flow.brief.decision.target, {}).update(extra or {})

    def make(folder: Path, bar: Progress) -> None:
        picks = {name: selected(step)["model"] for name, step in chosen.items()}
        chances = {name: picked(selected(step)) for name, step in chosen.items()}
        rows: list[Row] = []
        for number, one in enumerate(judged):
            target = flow.brief.targets[one.entry.target]
            trials, tuning = tuned(flow, one.entry)
            protocol = protocol_of(material, one.entry.target) | chances[one.entry.target](one) | tuning
            rows += _rows(one, target, protocol=protocol, trials=trials)
            bar.advance(number + 1, len(judged) + len(chosen), one.entry.model)
        for name, systems in outside.items():
            for model, step in systems.items():
                rows += outside_rows(flow, material, name, model, step)
        comparisons = []
        for number, name in enumerate(chosen):
            comparisons += _comparisons(flow, name, picks[name], judged, outside.get(name, {}))
            bar.advance(len(judged) + number + 1, len(judged) + len(chosen), name)
        board = Leaderboard(
            run=flow.run_id,
            dataset=flow.steps["data"].key[:16],
            rows=tuple(rows),
            comparisons=tuple(comparisons),
        )
        fits = {name: released_fit(flow.brief.targets[name]) for name in picks}
        board.mark_selected(picks, fits).adjusted().save(folder / "leaderboard.json")

    facts = {
        "scored": [one.scored.key for one in judged],
        "selected": {name: step.key for name, step in chosen.items()},
        "outside": {
            name: {model: step.key for model, step in systems.items()} for name, systems in outside.items()
        },
        "decision": flow.brief.decision.model_dump(mode="json"),
        "run": flow.run_id,
        "code": code_hash("evaluation", "pipeline"),
    }
    return flow.step("leaderboard" + (":outside" if extra else ""), facts, make)


def protocol_of(material: Material, name: str) -> dict[str, Any]:
    """How a target is judged, as every row says it."""
    task = material.brief.targets[name].task
    protocol = dict(material.split(name).protocol)
    if task != "behavior":
        protocol |= {"candidates": "full", "ties": "mid-rank"}
    return protocol


def tuned(flow: Flow, entry: Entry) -> tuple[int, dict[str, str]]:
    """How many option sets `tune` tried before a model had its options, and what a row's protocol says of it.

    A record counts for the options that it ended with and for no others; what was searched on other data is said.
    """
    if entry.model == NESTED:
        return 0, {}
    if not search_space(type(entry.options)):
        return 0, {"tuning": "nothing to search"}
    found = flow.brief.targets[entry.target].tuned.get(entry.model)
    if found is None:
        return 0, {"tuning": "none"}
    if found.options != entry.options_hash:
        return 0, {"tuning": "none: the options were changed since"}
    said = f"{found.trials} trials in {found.seconds:.0f} s"
    if found.ended in ("failing", "interrupted"):
        said += {"failing": ", given up", "interrupted": ", interrupted"}[found.ended]
    if not flow.steps["data"].tables_hash.startswith(found.data):
        said += ", on other data"
    budget = f"{found.budget.trials} trials or {found.budget.seconds:g} s"
    return found.trials, {"tuning": said, "tuning_budget": budget}


def _rows(one: Judged, target: Target, **options: Any) -> list[Row]:
    protocol = options.pop("protocol", {})
    trials = options.pop("trials", 0)
    timing = json.loads((one.scored.folder / "timing.json").read_text("utf-8"))
    info = RowInfo(
        task=target.task,
        target=one.entry.target,
        model=one.entry.model,
        split=one.part,
        fit_on=one.fit_on,
        seeds=one.fitted.seeds,
        trials=trials,
        options_hash=one.entry.options_hash,
        composition=one.entry.composition,
        parts=one.entry.parts,
        protocol=protocol,
        fit_seconds=one.fitted.cost.seconds,
        peak_mib=one.fitted.cost.peak_mib,
        predict_ms_per_request=timing["predict_ms_per_request"],
    )
    return rows_for(Scored.load(one.scored.folder / "rows.parquet"), info, **options)


def _comparisons(
    flow: Flow, name: str, pick: str, judged: list[Judged], outside: Mapping[str, Step]
) -> list[Any]:
    """The selected model against every other on the test set, on the target's and the decision's metric."""
    target = flow.brief.targets[name]
    fit_on = released_fit(target)
    scored = {
        one.entry.model: Scored.load(one.scored.folder / "rows.parquet")
        for one in judged
        if one.entry.target == name
        and one.part == "test"
        and one.fit_on == fit_on
        and one.entry.model != NESTED
    }
    brought = {model: Scored.load(step.folder / "rows.parquet") for model, step in outside.items()}
    covered = Coverage.load(outside[INCUMBENT].folder) if INCUMBENT in outside else None

    def opponents(metric: str) -> dict[str, Scored]:
        silent = covered is not None and not covered.measures(metric)
        return scored | {model: rows for model, rows in brought.items() if model != INCUMBENT or not silent}

    metrics = [selection_metric(target)]
    if name == flow.brief.decision.target and flow.brief.decision.metric not in metrics:
        metrics.append(flow.brief.decision.metric)
    return [
        comparison
        for metric in metrics
        for comparison in compare_with(
            pick, opponents(metric), metric, task=target.task, target=name, fit_on=fit_on, slices=True
        )
    ]
