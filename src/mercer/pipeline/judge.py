"""Bind the selected models into a candidate release, and check data, models and candidate against the law."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mercer.brief import BehaviorTarget, RecommendTarget
from mercer.contracts import Progress
from mercer.errors import NotFoundError
from mercer.evaluation import Scored
from mercer.pipeline.board import Judged, released_fit, selected
from mercer.pipeline.cache import Step, file_hash, publish
from mercer.pipeline.flow import Flow
from mercer.pipeline.manifest import code_hash
from mercer.pipeline.material import Material
from mercer.pipeline.models import group_of

if TYPE_CHECKING:
    from mercer.compliance import Evidence

CANDIDATE = "release"
EVIDENCE = "evidence.jsonl"


def winners(flow: Flow, judged: list[Judged], chosen: Mapping[str, Step]) -> dict[str, Judged]:
    """The test scoring of each target's selected model, in the fit that ships."""
    return {name: _tested(flow, judged, name, selected(step)["model"]) for name, step in chosen.items()}


def fallbacks(flow: Flow, judged: list[Judged], best: Mapping[str, Judged]) -> dict[str, Judged]:
    """The test scoring of each target's fallback, where the brief names one that was not selected."""
    found = {}
    for name, one in best.items():
        target = flow.brief.targets[name]
        wanted = target.fallback if isinstance(target, RecommendTarget) else None
        if wanted is not None and wanted != one.entry.model:
            found[name] = _tested(flow, judged, name, wanted)
    return found


def _tested(flow: Flow, judged: list[Judged], name: str, model: str) -> Judged:
    fit_on = released_fit(flow.brief.targets[name])
    return next(
        one
        for one in judged
        if (one.entry.target, one.entry.model, one.part, one.fit_on) == (name, model, "test", fit_on)
    )


def candidate(
    flow: Flow, material: Material, best: Mapping[str, Judged], spare: Mapping[str, Judged]
) -> Step:
    """A release without its evidence, as the gates judge it; the folder `release` holds it.

    spare: by target, the fallback that is released beside the best.
    """

    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - copying takes a moment
        from mercer.features import definitions_hash
        from mercer.release import ReleasedModel, build

        def released(name: str, one: Judged) -> ReleasedModel:
            return ReleasedModel(
                model_name=one.entry.model,
                group=group_of(flow.brief.targets[name]),
                model_folder=one.fitted.folder,
                options=one.entry.options.model_dump(mode="json"),
                seed=flow.brief.fit.seeds[0],
                fit_on=one.fit_on,
                columns=material.columns(name),
            )

        behaves = any(isinstance(flow.brief.targets[name], BehaviorTarget) for name in best)
        build(
            folder / CANDIDATE,
            brief=flow.brief,
            targets={name: released(name, one) for name, one in best.items()},
            fallbacks={name: released(name, one) for name, one in spare.items()},
            vocabulary=material.vocabulary,
            items=material.items,
            features_hash=definitions_hash() if behaves else "",
            evidence={},
            created=datetime.now(UTC),
        )

    facts = {
        "brief": flow.brief.hash,
        "fits": {name: one.fitted.key for name, one in best.items()},
        "data": flow.steps["data"].key,
        "code": code_hash("release", "features"),
    }
    if spare:
        facts["fallbacks"] = {name: one.fitted.key for name, one in spare.items()}
    return flow.step("candidate", facts, make)


def gates(flow: Flow, material: Material, best: Mapping[str, Judged], built: Step) -> Step:
    """Run every rule in force; the folder holds `gates.json`, `cases.json` and `audit.json`."""

    def make(folder: Path, bar: Progress) -> None:
        from mercer.compliance import FAULTS, cases_from_findings, cases_from_predictions, check
        from mercer.release import load

        found = evidence(flow, material, best, load(built.folder / CANDIDATE))
        if flow.fault is not None:
            found = FAULTS[flow.fault].plant(found)
        bar.advance(1, 3, "checking")
        report = check(found)
        report.save(folder / "gates.json")
        bar.advance(2, 3, "opening cases")
        opened = cases_from_findings(report, now=_end_of(flow))
        for name, target in found.behavior_targets.items():
            if target.capacity_per_day and found.candidate is not None:
                opened += cases_from_predictions(
                    name,
                    found.predictions[name],
                    found.candidate.explain(name, found.snapshots[name]),
                    capacity=target.capacity_per_day,
                    now=_end_of(flow),
                    adverse=target.adverse,
                    effect=target.effect,
                )
        content = [case.to_json() for case in opened]
        (folder / "cases.json").write_text(json.dumps(content, indent=1, default=str), "utf-8")

    facts = {
        "brief": flow.brief.hash,
        "candidate": built.key,
        "scores": {name: one.scored.key for name, one in best.items()},
        "fault": flow.fault,
        "code": code_hash("compliance", "release"),
    }
    return flow.step("gates", facts, make)


def evidence(flow: Flow, material: Material, best: Mapping[str, Judged], release: Any) -> Evidence:
    """One run as the gates see it."""
    from mercer.compliance import Evidence, Pseudonyms
    from mercer.data import SuppressionList
    from mercer.features import compute
    from mercer.pipeline.models import load_model

    behavior = {n: o for n, o in best.items() if isinstance(flow.brief.targets[n], BehaviorTarget)}
    snapshots = {name: material.split(name).test.snapshots for name in behavior}
    return Evidence(
        brief=flow.brief,
        now=int(_end_of(flow).timestamp() * 1_000_000),
        pseudonyms=Pseudonyms.load(flow.cache / "keys"),
        tables=material.frames(),
        training_events=material.training_events(),
        interactions=material.everything,
        vocabulary=material.vocabulary,
        items=material.items,
        features={
            name: compute(snapshot).set_index(pd.Index(snapshot.entities))
            for name, snapshot in snapshots.items()
        },
        predictions={
            # Over repeated folds one division of the units is enough, and keeps each unit one row.
            name: Scored.load(one.scored.folder / "rows.parquet").repeats[0].rows
            for name, one in behavior.items()
        },
        snapshots=snapshots,
        parameters={
            name: load_model(flow.brief.targets[name], one.entry.model, one.fitted.folder).parameters()
            for name, one in best.items()
            if name not in behavior
        },
        suppression=SuppressionList(flow.cache),
        candidate=release,
    )


def _end_of(flow: Flow) -> datetime:
    """The end of the decision day."""
    return datetime.combine(flow.brief.decision.day, time(tzinfo=UTC)) + timedelta(days=1, microseconds=-1)


def case_url(run: Path, state: str | None = None) -> str:
    """The database of a run's cases and online state: the one given, else state/mercer.db in the run folder."""
    return state or f"sqlite:///{run / 'state' / 'mercer.db'}"


def case_store(run: Path, state: str | None = None) -> Any:
    """The cases of a run (a `mercer.compliance.CaseStore`). Raises NotFoundError for a folder that is no run."""
    from mercer.compliance import CaseStore

    if state is None and not (run / "manifest.json").is_file():
        raise NotFoundError(f"{run} is not a run folder.", remedy="Give a folder that `mercer run` wrote.")
    (run / "state").mkdir(exist_ok=True)
    return CaseStore(case_url(run, state))


def open_cases(flow: Flow, checked: Step) -> None:
    """Open the cases that the gates and the predictions call for; a case that is open already stays as it is."""
    from mercer.compliance import NewCase

    (flow.out / "state").mkdir(exist_ok=True)
    store = case_store(flow.out)
    store.open(
        [NewCase.from_json(one) for one in json.loads((checked.folder / "cases.json").read_text("utf-8"))]
    )


def settle_evidence(flow: Flow) -> None:
    """Before any work: the run folder's evidence log is whole and can be continued.

    A log signed with another key (made with another cache) is kept under a name of its own, and a new one begins.
    Raises DamagedError when a line was changed, taken away or put in.
    """
    from mercer.compliance import EvidenceLog

    place = flow.out / EVIDENCE
    if not place.is_file():
        return
    log = EvidenceLog(place, flow.cache / "keys")
    other = log.foreign_key()
    if other is None:
        log.verify()
        return
    kept = place.with_name(f"evidence.{other[:8]}.jsonl")
    place.rename(kept)
    flow.progress.note(
        f"The evidence log was signed with another key: kept as {kept.name}, a new one begins."
    )


def sign(flow: Flow) -> None:
    """Add what this run did to the signed evidence log, unless its last entry says the same already."""
    from mercer.compliance import EvidenceLog

    files = ("brief.yaml", "leaderboard.json", "gates.json", "report.html", "data/accounting.json")
    facts = {
        "run": flow.run_id,
        "files": {name: file_hash(flow.out / name) for name in files},
        "steps": {step.name: step.key for step in flow.steps.values()},
    }
    log = EvidenceLog(flow.out / EVIDENCE, flow.cache / "keys")
    if log.last_facts() != facts:
        log.append(facts, at=datetime.now(UTC))


def release(flow: Flow, built: Step) -> None:
    """Publish the candidate with evidence and decision bound into it."""
    from mercer.release import finalize
    from mercer.reporting import decide

    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - copying takes a moment
        shutil.copytree(built.folder / CANDIDATE, folder / CANDIDATE)
        files = {name: flow.out / name for name in ("leaderboard.json", "gates.json", "report.html")}
        finalize(folder / CANDIDATE, files, decision=decide(flow.out).verdict)

    facts = {
        "candidate": built.key,
        "report": flow.steps["report"].key,
        "gates": flow.steps["gates"].key,
        "code": code_hash("release", "reporting"),
    }
    done = flow.step("release", facts, make)
    publish(done.folder / CANDIDATE, flow.out / "release")
