"""What flat examples about people are asked besides quality: which columns know the answer, and how groups fare."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from mercer.brief import BehaviorTarget
from mercer.contracts import Labelled, Progress
from mercer.errors import DataError
from mercer.evaluation import Scored
from mercer.evaluation.fairness import audit_groups, group_names
from mercer.evaluation.scored import SLICE
from mercer.pipeline.board import Judged, released_fit, selected
from mercer.pipeline.cache import Step
from mercer.pipeline.flow import Flow
from mercer.pipeline.manifest import code_hash
from mercer.pipeline.material import Material
from mercer.pipeline.models import target_facts

LEAKS, GROUPS = "leaks.json", "groups.json"


def leaks(flow: Flow, material: Material) -> Step | None:
    """Name the columns of flat examples that may know the answer, in leaks.json; None without such a target."""
    targets = _flat(flow)
    if not targets:
        return None

    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - seconds
        from mercer.data.leaks import suspects

        means = {name: note.means for name, note in flow.brief.columns.items()}
        found = {}
        for name in targets:
            labelled: Labelled = material.split(name).test
            columns = labelled.snapshots.columns
            assert columns is not None
            found[name] = [asdict(one) for one in suspects(columns, labelled.outcome, means)]
        (folder / LEAKS).write_text(json.dumps(found, indent=1), "utf-8")

    facts = {
        "data": flow.steps["data"].key,
        "targets": {name: target_facts(flow, name) for name in targets},
        "columns": {name: note.model_dump(mode="json") for name, note in flow.brief.columns.items()},
        "code": code_hash("data"),
    }
    step = flow.step("leaks", facts, make)
    for name, named in json.loads((step.folder / LEAKS).read_text("utf-8")).items():
        for one in named:
            flow.progress.note(f"{name}: {one['sentence']} Exclude it, or say why it is known in time.")
    return step


def groups(
    flow: Flow, material: Material, judged: Sequence[Judged], chosen: Mapping[str, Step]
) -> Step | None:
    """Audit the selected models of flat examples by protected columns, in groups.json; None without any of these.

    At the decision as many units are selected as have the outcome, from the adverse end of the score.
    """
    protected = sorted(name for name, note in flow.brief.columns.items() if note.protected)
    told = {name: _released(flow, name, judged, chosen) for name in _flat(flow)}
    if not protected or not told:
        return None

    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - seconds
        examples = material.tables.get("examples")
        assert examples is not None
        found = {}
        for name, one in told.items():
            target = flow.brief.targets[name]
            assert isinstance(target, BehaviorTarget)
            scored = Scored.load(one.scored.folder / "rows.parquet")
            share = float(scored.rows.groupby("unit")["outcome"].first().mean())
            audits = []
            for column in (column for column in protected if column in examples):
                named = _with_groups(scored, column, examples)
                try:
                    audits += audit_groups(named, column, share=share, high=target.adverse == "high")
                except DataError:
                    continue  # one group alone can't be compared with another
            found[name] = {"model": one.entry.model, "share": share, "groups": [a.to_dict() for a in audits]}
        (folder / GROUPS).write_text(json.dumps(found, indent=1), "utf-8")

    facts = {
        "data": flow.steps["data"].key,
        "scored": {name: one.scored.key for name, one in told.items()},
        "protected": protected,
        "adverse": {name: getattr(flow.brief.targets[name], "adverse", "") for name in told},
        "code": code_hash("evaluation", "pipeline"),
    }
    return flow.step("groups", facts, make)


def _flat(flow: Flow) -> list[str]:
    return [
        name
        for name, target in flow.brief.targets.items()
        if isinstance(target, BehaviorTarget) and target.label == "examples"
    ]


def _released(flow: Flow, name: str, judged: Sequence[Judged], chosen: Mapping[str, Step]) -> Judged:
    """The selected model's test rows, of the fit that decides."""
    model, fit_on = selected(chosen[name])["model"], released_fit(flow.brief.targets[name])
    return next(
        one
        for one in judged
        if (one.entry.target, one.entry.model, one.part, one.fit_on) == (name, model, "test", fit_on)
    )


def _with_groups(scored: Scored, column: str, examples: pd.DataFrame) -> Scored:
    of_unit = dict(
        zip(examples["unit"].astype(str), group_names(column, examples[column].tolist()), strict=True)
    )
    named = scored.rows["unit"].astype(str).map(of_unit).fillna("")
    return replace(scored, rows=scored.rows.assign(**{f"{SLICE}{column}": named.to_numpy(object)}))
