"""The cases that wait for a person, counted; who they are about stays in the case store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mercer.errors import MercerError
from mercer.reporting.narratives import case_facts, narrate

STORE = "state/mercer.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCount:
    """Cases of one kind that rest on one rule or target.

    told: the newest open one in words, of failed gates alone: the narrative of any other names a person.
    """

    kind: str
    rule: str
    waiting: int
    closed: int
    told: str = ""


def cases_of(run: Path) -> list[CaseCount]:
    """Counts by kind and rule, empty where the run keeps no case store that can be read."""
    place = run / STORE
    if not place.is_file():
        return []
    from mercer.compliance import CaseStore

    try:
        store = CaseStore(f"sqlite:///{place}")
    except MercerError:
        return []
    try:
        found = store.list()
    finally:
        store.dispose()
    told = {
        (case.kind, case.rule): narrate(case_facts(case)).text
        for case in reversed(found)
        if case.kind == "failed-gate" and case.status == "open"
    }
    counts = Counter((case.kind, case.rule, case.status) for case in found)
    return [
        CaseCount(
            kind=kind,
            rule=rule,
            waiting=counts[kind, rule, "open"],
            closed=counts[kind, rule, "closed"],
            told=told.get((kind, rule), ""),
        )
        for kind, rule in sorted({(kind, rule) for kind, rule, _ in counts})
    ]
