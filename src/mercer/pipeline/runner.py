"""The flow, from a brief to a gated release."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mercer import __version__
from mercer.brief import Brief
from mercer.compliance import check_acceptances
from mercer.contracts import Progress, Runtime
from mercer.data import folds_of
from mercer.errors import NotFoundError, nearest
from mercer.evaluation import TestLooks
from mercer.pipeline import board, folds, judge, people
from mercer.pipeline.audit import audit
from mercer.pipeline.board import (
    Judged,
    check_opponent,
    check_refits,
    choose,
    look,
    look_key,
    released_fit,
    selected,
    tested_fits,
)
from mercer.pipeline.cache import Step, file_hash, publish, write_text
from mercer.pipeline.flow import STAGES, Flow, locked, machine
from mercer.pipeline.ingest import clean_data, raw_data
from mercer.pipeline.manifest import code_hash, hardware, packages
from mercer.pipeline.material import Material
from mercer.pipeline.models import Entry, FitOn, Fits, entries, fit, score
from mercer.pipeline.progress import Quiet, RunProgress
from mercer.pipeline.result import Run
from mercer.pipeline.segments import segments
from mercer.pipeline.sources import DataArgument, opened
from mercer.pipeline.supported import check_supported
from mercer.training import RECORD_FILE


def run(
    brief: Brief | Path | str,
    out: Path | str | None = None,
    *,
    data: DataArgument = None,
    until: str = "release",
    fault: str | None = None,
    progress: RunProgress | None = None,
    runtime: Runtime | None = None,
) -> Run:
    """Walk a brief from its data to a gated release.

    brief: a Brief, or the path of a YAML file. out: the run folder (default: runs/NAME).
    data: folder of the data files (default: beside the brief, or data/ there), or frames by canonical table, such as
    {"events": frame}. until: the stage to stop after (STAGES). fault: a rule whose violation is planted before the
    gates (see `mercer.compliance.FAULTS`). runtime: device and precision of neural models, threads, price per hour;
    left out, what the environment says (`mercer.environment`).
    Returns the run; its `exit_code` is 1 when a rule failed or is neither assessed nor accepted.
    Raises BriefError, DataError and OutputError for what the caller can mend, LeakageError when a training row
    lies after its cut.
    """
    if until not in STAGES:
        raise NotFoundError(f"No stage is called {until!r}.", remedy=nearest(until, STAGES))
    with opened(brief, data) as (loaded, folders):
        folder = Path(out) if out is not None else Path("runs") / loaded.name
        flow = Flow(
            brief=loaded,
            out=folder,
            data_folders=folders,
            fault=_known_fault(fault),
            progress=progress or Quiet(),
            machine=runtime or machine(),
        )
        check_supported(loaded)
        check_acceptances(loaded)
        plan = {name: entries(name, target) for name, target in loaded.targets.items()}
        check_opponent(flow, plan)
        check_refits(flow, plan)
        with locked(folder):
            judge.settle_evidence(flow)
            walk(flow, plan, until)
        return Run(folder)


def _known_fault(fault: str | None) -> str | None:
    if fault is None:
        return None
    from mercer.compliance import FAULTS

    if fault in FAULTS:
        return fault
    by_rule = {planted.rule: name for name, planted in FAULTS.items()}
    if fault in by_rule:
        return by_rule[fault]
    raise NotFoundError(f"No fault is called {fault!r}.", remedy=nearest(fault, {*FAULTS, *by_rule}))


def walk(flow: Flow, plan: Mapping[str, list[Entry]], until: str) -> None:
    """Do the steps up to a stage and publish them into the run folder."""
    write_text(flow.out / "brief.yaml", flow.brief.dump())
    clear_stale(flow, until)
    cleaned = clean_data(flow, raw_data(flow))
    publish(cleaned.folder, flow.out / "data")
    record(flow, {})
    if until == "data":
        return

    material = Material(cleaned.folder, flow.brief)
    audit(flow, material)
    board.check_incumbents(flow, material)
    divided = segments(flow, material)
    if divided is not None:
        publish(divided.folder / "segments.json", flow.out / "data" / "segments.json")
    named = people.leaks(flow, material)
    if named is not None:
        publish(named.folder / people.LEAKS, flow.out / people.LEAKS)
    upstream = {"data": cleaned.key}
    fits = fit_all(flow, material, plan, upstream)
    whole = fit_whole(flow, material, plan, upstream)
    if until == "fit":
        record(flow, {})
        return

    judged, chosen = judge_all(flow, material, plan, fits, upstream)
    rivals = board.incumbents(flow, material)
    for name, rival in rivals.items():
        for file in rival.folder.glob("rows*.parquet"):
            ending = file.name.removeprefix("rows")
            publish(file, flow.out / "scores" / name / f"{board.INCUMBENT}.test.none{ending}")
    standing = board.leaderboard(flow, material, judged, chosen, rivals)
    publish(standing.folder / "leaderboard.json", flow.out / "leaderboard.json")
    audited = people.groups(flow, material, judged, chosen)
    if audited is not None:
        publish(audited.folder / people.GROUPS, flow.out / people.GROUPS)
    record(flow, chosen)
    if until == "evaluate":
        return

    won = judge.winners(flow, judged, chosen)
    best = folds.shipped(flow, won, whole)
    spare = folds.shipped(flow, judge.fallbacks(flow, judged, won), whole)
    built = judge.candidate(flow, material, best, spare)
    checked = judge.gates(flow, material, best, built)
    publish(checked.folder / "gates.json", flow.out / "gates.json")
    judge.open_cases(flow, checked)
    record(flow, chosen)
    if until == "gate":
        return

    write_report(flow)
    record(flow, chosen)
    if until == "report":
        return
    finish(flow, built)
    record(flow, chosen)


def clear_stale(flow: Flow, until: str) -> None:
    """Take away what an earlier run left of later stages: nothing in a run folder may contradict the rest."""
    later = {
        "data": (
            "models",
            "scores",
            "leaks.json",
            "groups.json",
            "leaderboard.json",
            "gates.json",
            "report.html",
            "release",
        ),
        "fit": ("scores", "groups.json", "leaderboard.json", "gates.json", "report.html", "release"),
        "evaluate": ("gates.json", "report.html", "release"),
        "gate": ("report.html", "release"),
        "report": ("release",),
        "release": (),
    }[until]
    for name in later:
        place = flow.out / name
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


def fit_all(
    flow: Flow, material: Material, plan: Mapping[str, list[Entry]], upstream: dict[str, str]
) -> dict[tuple[str, str], Fits]:
    """Fit every model on its training part (over folds: on each fold's), and publish what is fitted once."""
    fits = {}
    for name, models in plan.items():
        for entry in models:
            fitted = fit(flow, material, entry, "train", upstream)
            fits[name, entry.model] = fitted
            if fitted.is_whole:
                publish_model(flow, entry, fitted, "train")
    return fits


def fit_whole(
    flow: Flow, material: Material, plan: Mapping[str, list[Entry]], upstream: dict[str, str]
) -> dict[tuple[str, str], Fits]:
    """Where folds test, fit every model on everything as well, and publish it: one of these ships."""
    fits = {}
    for name, models in plan.items():
        for entry in models if folds_of(flow.brief.targets[name].split) else ():
            fits[name, entry.model] = fit(flow, material, entry, "all", upstream)
            publish_model(flow, entry, fits[name, entry.model], "all")
    return fits


def publish_model(flow: Flow, entry: Entry, fitted: Fits, fit_on: FitOn) -> None:
    """Put a fitted model, its options and its card into the run folder."""
    from mercer.pipeline.card import model_card

    suffix = ".refit" if fit_on == "train+validation" else ""
    folder = flow.out / "models" / entry.target / f"{entry.model}{suffix}"
    publish(fitted.folder, folder)
    for seed, steps in zip(fitted.seeds[1:], fitted.by_seed[1:], strict=False):
        record = steps[0].folder / RECORD_FILE
        if record.is_file():
            publish(record, folder / f"training.seed-{seed}.json")
    write_text(folder / "card.md", model_card(flow.brief, entry, fitted, fit_on))


def judge_all(
    flow: Flow,
    material: Material,
    plan: Mapping[str, list[Entry]],
    fits: Mapping[tuple[str, str], Fits],
    upstream: dict[str, str],
) -> tuple[list[Judged], dict[str, Step]]:
    """Score validation, select, write the selection down, and only then score the test sets."""
    judged: list[Judged] = []
    chosen: dict[str, Step] = {}
    for name, models in plan.items():
        on_validation = [
            Judged(
                entry=entry,
                fit_on="train",
                part="validation",
                fitted=fits[name, entry.model],
                scored=score(flow, material, entry, fits[name, entry.model], "validation", "train"),
            )
            for entry in models
        ]
        divided = folds_of(flow.brief.targets[name].split)
        # What keeps people can't ship: it has its rows, and is chosen only where nothing else competes.
        able = [one for one in on_validation if not one.entry.holds_users] or on_validation
        chosen[name] = (folds.choose if divided else choose)(flow, name, able)
        judged += on_validation
    record(flow, chosen)
    for name, models in plan.items():
        ships = released_fit(flow.brief.targets[name])
        for entry in models:
            for fit_on in tested_fits(flow.brief, entry, selected(chosen[name])["model"]):
                fitted = fits[name, entry.model]
                if fit_on == "train+validation":
                    fitted = fit(flow, material, entry, fit_on, upstream)
                    if fitted.is_whole:
                        publish_model(flow, entry, fitted, fit_on)
                scored = score(
                    flow, material, entry, fitted, "test", fit_on, before=look(flow, name, entry.model)
                )
                judged.append(Judged(entry=entry, fit_on=fit_on, part="test", fitted=fitted, scored=scored))
        if folds_of(flow.brief.targets[name].split) and len(models) > 1:
            tested = [
                one for one in judged if (one.entry.target, one.part, one.fit_on) == (name, "test", ships)
            ]
            judged.append(folds.nested(flow, name, chosen[name], tested))
    for one in judged:
        for file in one.scored.folder.glob("rows*.parquet"):
            name = one.file.removesuffix(".parquet") + file.name.removeprefix("rows")
            publish(file, flow.out / "scores" / one.entry.target / name)
    return judged, chosen


def record(flow: Flow, chosen: Mapping[str, Step]) -> None:
    """Write manifest.json: what was used, what it cost, what was selected."""
    looks = TestLooks(flow.cache / "test-looks.jsonl")
    data = flow.steps["data"]
    audits = {
        name: json.loads((step.folder / "audit.json").read_text("utf-8"))
        for name in flow.brief.targets
        if (step := flow.steps.get(f"audit:{name}")) is not None
    }
    content: dict[str, Any] = {
        "schema": 1,
        "run": flow.run_id,
        "mercer": __version__,
        "brief_hash": flow.brief.hash,
        "data_hash": data.key,
        "sources": flow.source_hashes,
        "code_hash": code_hash("data", "features", "evaluation", "recommend", "search", "behavior"),
        "packages": packages(),
        "hardware": hardware(),
        "seeds": flow.brief.fit.seeds,
        "steps": [
            {"name": step.name, "key": step.key, **asdict(step.cost), "cached": step.cached}
            for step in flow.steps.values()
        ],
        "selected": {name: selected(step) for name, step in chosen.items()},
        "test_looks": {name: looks.count(look_key(flow, name)) for name in flow.brief.targets},
        "audit": audits,
        "fault": flow.fault,
        "files": {
            str(path.relative_to(flow.out)): file_hash(path)
            for part in ("data", "scores", "models")
            for path in sorted((flow.out / part).rglob("*"))
            if path.is_file()
        },
    }
    write_text(flow.out / "manifest.json", json.dumps(content, indent=1, default=str))


def write_report(flow: Flow) -> None:
    """The decision page; made anew only when what it shows has changed."""
    from mercer.reporting import write_page

    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - a few seconds
        page = write_page(flow.out)
        shutil.copyfile(page, folder / "report.html")

    shown = ("leaderboard.json", "gates.json", "data/accounting.json", "brief.yaml")
    facts = {
        "files": {name: file_hash(flow.out / name) for name in shown},
        "steps": {name: step.key for name, step in flow.steps.items()},
        "looks": json.loads((flow.out / "manifest.json").read_text("utf-8"))["test_looks"],
        "code": code_hash("reporting"),
    }
    step = flow.step("report", facts, make)
    publish(step.folder / "report.html", flow.out / "report.html")


def finish(flow: Flow, built: Step) -> None:
    """Bind the evidence into the release, if the gates let it pass, and sign what was done."""
    judge.sign(flow)
    report = json.loads((flow.out / "gates.json").read_text("utf-8"))
    if report["verdict"] != "pass":
        shutil.rmtree(flow.out / "release", ignore_errors=True)
        flow.progress.note("No release: a rule failed, or is not assessed and not accepted.")
        return
    judge.release(flow, built)
