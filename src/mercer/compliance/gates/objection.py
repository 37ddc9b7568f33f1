"""Objections and browser opt-outs: no row trains, and the served answer ignores the person's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import Measured, RuleGate, first, plural
from mercer.compliance.gates.replay import (
    SAMPLE,
    Rows,
    as_strangers,
    ask,
    differs,
    people_with_history,
    requests_of,
    spread,
)
from mercer.compliance.signals import signals_for
from mercer.contracts import Context

Signal = Literal["objected", "opt_out", "not_profiled"]


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay saw: answers asked, answers that still depend on the person, and how many would have.

    depend: answers of the same people that differ without the signal: what the signal really hides.
    """

    asked: int
    offending: list[Mapping[str, Any]]
    wrong: int
    depend: int
    target: str


def replay(evidence: Evidence, signal: Signal, rows: Rows) -> Replay:
    """Ask every ranking target for these people under the signal, and as strangers under the same signal."""
    asked, wrong, depend, where = 0, 0, 0, ""
    offending: list[Mapping[str, Any]] = []
    for name, target in evidence.ranking_targets.items():
        plain = requests_of(evidence, target, rows)
        if plain is None or not len(plain):
            continue
        marked = replace(plain, context=_with(plain.context, signal))
        answer = ask(evidence, name, target, marked)
        unequal = differs(answer, ask(evidence, name, target, as_strangers(marked)))
        depend += int(differs(answer, ask(evidence, name, target, plain)).sum())
        asked += len(plain)
        wrong += int(unequal.sum())
        where = where or (name if unequal.any() else "")
        offending += first(
            {
                "user": evidence.pseudonyms.of(plain.users[row]),
                "target": name,
                "why": "the answer still depends on the person's history",
            }
            for row in np.flatnonzero(unequal)
        )
    return Replay(asked, offending, wrong, depend, where)


def _with(context: Context, signal: Signal) -> Context:
    flag = np.ones(len(context.age), bool)
    if signal == "objected":
        return replace(context, objected=flag)
    return replace(context, opt_out=flag) if signal == "opt_out" else replace(context, not_profiled=flag)


class Objection(RuleGate):
    """Objectors' rows are absent from training, and their answers equal those of a stranger."""

    name = "objection"
    stage = "serve"

    def measure(self, evidence: Evidence) -> Measured:
        """Count objectors' training rows, then replay objectors (and others, as if they had objected)."""
        rows, examined, wrong = _objectors_in_training(evidence)
        if evidence.candidate is None:
            return Measured(
                examined=examined, violations=wrong, measured=f"{plural(wrong, 'training row')} of objectors",
                offending=rows, missing="There is no candidate release to replay requests against.",
            )  # fmt: skip
        seen = replay(evidence, "objected", _to_replay(evidence))
        text = (
            f"{plural(wrong, 'training row')} of objectors among {examined}; {seen.wrong} of {seen.asked} "
            f"replayed answers depend on the history ({seen.depend} would without the objection)"
        )
        missing = "" if seen.asked or not evidence.ranking_targets else "Nobody has a history to replay."
        return Measured(
            examined=examined + seen.asked,
            violations=wrong + seen.wrong,
            measured=text,
            offending=rows + seen.offending,
            missing=missing,
            target=seen.target,
        )


def _objectors_in_training(evidence: Evidence) -> tuple[list[Mapping[str, Any]], int, int]:
    events, consents = evidence.training_events, evidence.table("consents")
    if events is None or events.empty or consents is None:
        return [], 0, 0
    users = events["user"].to_numpy(object)
    wrong = np.flatnonzero(signals_for(users, consents, evidence.now).objected)
    rows = first(
        {
            "user": evidence.pseudonyms.of(users[row]),
            "event": evidence.pseudonyms.of(events["event"].iloc[row]),
            "why": "a row of a person who objected trained a model",
        }
        for row in wrong[:10]
    )
    return rows, len(events), len(wrong)


def _to_replay(evidence: Evidence) -> Rows:
    """Objectors with a history first, then others up to the sample's size, as if they had objected."""
    rows = people_with_history(evidence)
    if evidence.interactions is None or not len(rows):
        return rows
    ids = np.asarray(evidence.interactions.users.ids, object)[rows]
    objected = signals_for(ids, evidence.table("consents"), evidence.now).objected
    chosen = spread(rows[objected])
    return np.concatenate([chosen, spread(rows[~objected], SAMPLE - len(chosen))])


class OptOut(RuleGate):
    """An answer to a request with the browser's opt-out signal equals that of a stranger."""

    name = "opt-out"
    stage = "serve"
    signal: ClassVar[Signal] = "opt_out"

    def inapplicable(self, evidence: Evidence) -> str:
        """Without a ranking target, or without a log, nothing is personalised."""
        if not evidence.ranking_targets:
            return "no target of the brief ranks items"
        return "" if "events" in evidence.tables else "data.events is absent: nobody has a history"

    def measure(self, evidence: Evidence) -> Measured:
        """Replay people with a history under the signal."""
        if evidence.candidate is None:
            return Measured(
                examined=0, violations=0, measured="none",
                missing="There is no candidate release to replay requests against.",
            )  # fmt: skip
        seen = replay(evidence, self.signal, spread(people_with_history(evidence)))
        return Measured(
            examined=seen.asked,
            violations=seen.wrong,
            measured=f"{seen.wrong} of {seen.asked} replayed answers depend on the history "
            f"({seen.depend} would without the signal)",
            offending=seen.offending,
            target=seen.target,
        )


class NotProfiled(OptOut):
    """An answer asked for without profiling equals that of a stranger."""

    name = "not-profiled"
    signal = "not_profiled"
