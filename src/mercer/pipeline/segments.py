"""Segments of customers as a step of its own: what was known before the first test, by people whose data may train."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mercer.brief import BehaviorTarget, RecommendTarget
from mercer.contracts import Interactions, Progress
from mercer.pipeline.cache import Step
from mercer.pipeline.flow import Flow
from mercer.pipeline.manifest import code_hash
from mercer.pipeline.material import Material
from mercer.pipeline.models import target_facts

FILE = "segments.json"


def segments(flow: Flow, material: Material) -> Step | None:
    """Divide the customers and write segments.json; None where no target has a history of customers."""
    cut = {
        name: target
        for name, target in flow.brief.targets.items()
        if isinstance(target, RecommendTarget)
        or (isinstance(target, BehaviorTarget) and target.label == "events")
    }
    if not cut or "events" not in material.tables.names:
        return None

    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - seconds
        from mercer.data.segments import find_segments

        log, as_of = _known(material, tuple(cut))
        found = find_segments(log, material.items, as_of)
        (folder / FILE).write_text(json.dumps(found.to_dict(), indent=1), "utf-8")

    facts = {
        "data": flow.steps["data"].key,
        "targets": {name: target_facts(flow, name) for name in cut},
        "code": code_hash("data"),
    }
    return flow.step("segments", facts, make)


def _known(material: Material, names: tuple[str, ...]) -> tuple[Interactions, int]:
    """The log, and the last instant before every test. Where the test cuts by place and not by time
    (leave-last-out), the log is the one that trains."""
    log, cuts = material.interactions, []
    for name in names:
        split = material.split(name)
        if not isinstance(material.brief.targets[name], RecommendTarget):
            cuts.append(int(split.test.snapshots.as_of.min()))
        elif material.brief.targets[name].split.kind == "leave-last-out":
            log = split.train.interactions
            cuts.append(int(np.max(log.known_at, initial=0)))
        else:
            cuts.append(int(split.test.requests.time.min()) - 1)
    return log, min(cuts)
