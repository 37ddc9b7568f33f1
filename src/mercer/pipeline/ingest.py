"""The first steps: make the simulated shop if the brief asks for it, then ingest and clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mercer.contracts import Progress
from mercer.data import SuppressionList, ingest
from mercer.pipeline.cache import Step
from mercer.pipeline.flow import Flow
from mercer.pipeline.manifest import code_hash


def raw_data(flow: Flow) -> Step | None:
    """The raw files of the simulated shop, or None when the brief reads files."""
    options = flow.brief.data.simulate
    if options is None:
        return None
    from mercer.simulate import ShopOptions, write_shop

    chosen = ShopOptions(**options)

    def make(folder: Path, bar: Progress) -> None:  # noqa: ARG001 - a few seconds, no bar to move
        write_shop(folder, chosen)

    facts = {"options": chosen.model_dump(mode="json"), "code": code_hash("simulate")}
    return flow.step("simulate", facts, make)


def clean_data(flow: Flow, raw: Step | None) -> Step:
    """Ingest, clean and profile; the folder holds the canonical tables, quarantine, accounting and profile."""
    brief = flow.brief
    folders = flow.data_folders if raw is None else (raw.folder,)
    suppressed = SuppressionList(flow.cache)

    def make(out: Path, bar: Progress) -> None:
        ingest(brief, data_folders=folders, out=out, suppressed=suppressed, progress=bar)

    facts: dict[str, Any] = {
        "sources": {raw.name: raw.key} if raw is not None else flow.source_hashes,
        "data": brief.data.model_dump(mode="json"),
        "columns": {name: note.model_dump(mode="json") for name, note in brief.columns.items()},
        "decision_day": str(brief.decision.day),
        "suppressed": suppressed.state(),
        "code": code_hash("data"),
    }
    done = flow.step("data", facts, make)
    accounting = json.loads((done.folder / "accounting.json").read_text("utf-8"))
    for table, count in accounting["tables"].items():
        for note in count["notes"]:
            flow.progress.note(f"{table}: {note}")
    return done
