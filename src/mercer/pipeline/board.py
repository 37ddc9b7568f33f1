"""Judge the fitted models: score on validation, select, and only then score the test set and compare."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mercer.brief import BehaviorTarget, Brief, Target
from mercer.contracts import Holdout, Progress, search_space
from mercer.errors import BriefError, nearest
from mercer.evaluation import (
    Leaderboard,
    Row,
    RowInfo,
    Scored,
    TestLooks,
    compare_with,
    rows_for,
    score_rankings_frame,
    select,
    selection_metric,
)
from mercer.pipeline.cache import Step, key_of
from mercer.pipeline.flow import Flow
from mercer.pipeline.manifest import code_hash
from mercer.pipeline.material import Material
from mercer.pipeline.models import Entry, FitOn, Fits, target_facts

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
    sources = flow.brief.data.simulate if raw is not None else flow.source_hashes
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
        if flow.brief.data.incumbent is None:
            raise BriefError("decision.against is the incumbent, but data.incumbent names no rankings.")
        return
    names = [entry.model for entry in plan[decision.target]]
    if decision.against not in names:
        raise BriefError(
            f"decision.against: {decision.against!r} is not among the models of target {decision.target!r}.",
            remedy=nearest(decision.against, names),
        )


def incumbent(flow: Flow, material: Material) -> Step | None:
    """Score the rankings the business used until now on the decision's test set, if the brief brings them."""
    source = flow.brief.data.incumbent
    if source is None:
        return None
    name = flow.brief.decision.target

    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - a file is read at once
        from mercer.data import read_frame

        look(flow, name, INCUMBENT)()
        held = material.split(name).test
        if not isinstance(held, Holdout):
            raise BriefError("data.incumbent: rankings answer a recommend or search target only.")
        frame = read_frame(source, flow.data_folders).rename(columns={v: k for k, v in source.map.items()})
        frame = frame.rename(columns={"user": "unit", "query": "unit"})
        score_rankings_frame(frame, held).save(folder / "rows.parquet")

    facts = {
        "data": flow.steps["data"].key,
        "source": source.model_dump(mode="json"),
        "file": flow.source_hashes.get(INCUMBENT, ""),
        **target_facts(flow, name),
        "code": code_hash("evaluation", "data"),
    }
    return flow.step(f"score:{name}:{INCUMBENT}:test", facts, make)


def leaderboard(
    flow: Flow,
    material: Material,
    judged: list[Judged],
    chosen: Mapping[str, Step],
    rival: Step | None,
    extra: Mapping[str, Step] | None = None,
    extra_target: str | None = None,
) -> Step:
    """Rows and comparisons of everything that was scored; the folder holds `leaderboard.json`.

    rival: scored rows of the incumbent, on the decision's test set. extra: scored rows of outside systems, on the
    test set of `extra_target`.
    """
    decision = flow.brief.decision.target
    outside: dict[str, dict[str, Step]] = {decision: {INCUMBENT: rival} if rival is not None else {}}
    outside.setdefault(extra_target or decision, {}).update(extra or {})

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
                info = RowInfo(
                    task=flow.brief.targets[name].task, target=name, model=model, split="test",
                    fit_on="none", protocol=protocol_of(material, name),
                )  # fmt: skip
                rows += rows_for(Scored.load(step.folder / "rows.parquet"), info)
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
    if not flow.steps["data"].key.startswith(found.data):
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
    scored |= {model: Scored.load(step.folder / "rows.parquet") for model, step in outside.items()}
    metrics = [selection_metric(target)]
    if name == flow.brief.decision.target and flow.brief.decision.metric not in metrics:
        metrics.append(flow.brief.decision.metric)
    return [
        comparison
        for metric in metrics
        for comparison in compare_with(
            pick, scored, metric, task=target.task, target=name, fit_on=fit_on, slices=True
        )
    ]
