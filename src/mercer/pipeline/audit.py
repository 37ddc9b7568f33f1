"""The leakage audit as a step of its own."""

from __future__ import annotations

import json
from pathlib import Path

from mercer.contracts import Progress
from mercer.pipeline.flow import Flow
from mercer.pipeline.manifest import code_hash
from mercer.pipeline.material import Material
from mercer.pipeline.models import target_facts


def audit(flow: Flow, material: Material) -> None:
    """Check every target's split for rows that lie after their cut. Raises LeakageError."""
    for name in flow.brief.targets:

        def make(folder: Path, bar: Progress, name: str = name) -> None:  # noqa: ARG001 - quick
            from mercer.data import audit_leakage

            split = material.split(name)
            examined = audit_leakage(split)
            content = {"status": "PASS", "examined": examined, "protocol": split.protocol}
            (folder / "audit.json").write_text(json.dumps(content, indent=1, default=str), "utf-8")

        facts = {"data": flow.steps["data"].key, **target_facts(flow, name), "code": code_hash("data")}
        flow.step(f"audit:{name}", facts, make)
