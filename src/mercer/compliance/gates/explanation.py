"""Reasons of adverse predictions: present, in step with the prediction, and read by a person.

Faithful is measured, not claimed: the contributions of a prediction must add up to something that rises and
falls with the prediction, and the value that a reason names must be the value that the model read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.brief import BehaviorTarget
from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import Measured, RuleGate
from mercer.contracts import Candidate, Reason

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

ADVERSE = 150
OTHERS = 50
ALL_REASONS = 10_000
"""More reasons than any model has features: the whole sum is wanted."""


@dataclass(slots=True)
class _Seen:
    examined: int = 0
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    offending: list[Mapping[str, Any]] = field(default_factory=list)


class Explanation(RuleGate):
    """Each adverse prediction has reasons that fit it, and becomes a case for a person."""

    name = "explanation"
    stage = "serve"

    def measure(self, evidence: Evidence) -> Measured:
        """Explain the most adverse predictions of every target with such an effect."""
        if evidence.candidate is None:
            return Measured(
                examined=0, violations=0, measured="none",
                missing="There is no candidate release that could give reasons.",
            )  # fmt: skip
        seen = _Seen()
        for name, target in evidence.behavior_targets.items():
            if target.effect not in self.rule.only_effects:
                continue
            if name not in evidence.predictions or name not in evidence.snapshots:
                seen.missing.append(f"{name}: no scored predictions to explain")
                continue
            self._target(evidence, evidence.candidate, name, target, seen)
        return Measured(
            examined=seen.examined,
            violations=len(seen.offending),
            measured="; ".join(seen.notes) or "none",
            offending=seen.offending,
            missing="; ".join(seen.missing),
            target=str(seen.offending[0]["target"]) if seen.offending else "",
        )

    def _target(
        self, evidence: Evidence, candidate: Candidate, name: str, target: BehaviorTarget, seen: _Seen
    ) -> None:
        frame = evidence.predictions[name]
        rows, n_adverse = _chosen(frame["value"].to_numpy(np.float64), target.adverse)
        snapshots = evidence.snapshots[name].take(rows)
        value = candidate.predict(name, snapshots).value
        reasons = candidate.explain(name, snapshots, ALL_REASONS)
        people = [evidence.pseudonyms.of(entity) for entity in snapshots.entities]
        bare = [row for row in range(n_adverse) if not _says_something(reasons[row])]
        false = _false_values(evidence, name, rows, reasons)
        agreement = concordance(np.array([sum(r.contribution for r in row) for row in reasons]), value)
        least = self.number("least_concordance", 0.95)
        seen.examined += n_adverse
        seen.notes.append(f"{name}: {n_adverse - len(bare)} of {n_adverse} adverse predictions have reasons, "
                          f"contributions follow the prediction in {_share(agreement)} of pairs, "
                          f"{len(false)} name a false value")  # fmt: skip
        wrong = [(people[row], "no reason is given") for row in bare]
        wrong += [(people[row], f"{feature} is not the value read") for row, feature in false]
        if np.isnan(agreement) and len(bare) < n_adverse:
            seen.missing.append(
                f"{name}: all predictions are equal, so whether reasons follow them can't be told"
            )
        if agreement < least and len(bare) < n_adverse:
            wrong.append(("", f"contributions follow the prediction in only {agreement:.1%} of pairs"))
        if target.capacity_per_day == 0:
            wrong.append(("", "no adverse prediction reaches a person: capacity_per_day is 0"))
        seen.offending += [{"target": name, "user": user, "why": why} for user, why in wrong]


def _share(agreement: float) -> str:
    return "none" if np.isnan(agreement) else f"{agreement:.1%}"


def _chosen(value: Floats, adverse: str) -> tuple[Rows, int]:
    """The most adverse rows first, then others spread over the rest; and how many are adverse."""
    order = np.argsort(value if adverse == "low" else -value, kind="stable").astype(np.int64)
    n_adverse = min(ADVERSE, max(1, len(order) // 2)) if len(order) else 0
    rest = order[n_adverse:]
    if len(rest) > OTHERS:
        rest = rest[np.linspace(0, len(rest) - 1, OTHERS).astype(np.int64)]
    return np.concatenate([order[:n_adverse], rest]), n_adverse


def _says_something(reasons: Sequence[Reason]) -> bool:
    return any(
        reason.feature and reason.meaning and np.isfinite(reason.contribution) and reason.contribution != 0
        for reason in reasons
    )


def _false_values(
    evidence: Evidence, name: str, rows: Rows, reasons: Sequence[Sequence[Reason]]
) -> list[tuple[int, str]]:
    """(row, feature) of reasons that name another value than the feature list holds."""
    features = evidence.features.get(name)
    if features is None or len(features) != len(evidence.predictions[name]):
        return []
    wrong = []
    for number, row in enumerate(rows):
        read = features.iloc[int(row)]
        for reason in reasons[number]:
            if reason.feature not in read.index:
                continue
            value = read[reason.feature]
            if isinstance(value, int | float | np.number) and not _same(float(value), reason.value):
                wrong.append((number, reason.feature))
                break
    return wrong


def _same(a: float, b: float) -> bool:
    return bool(np.isclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True))


def concordance(a: Floats, b: Floats) -> float:
    """Share of pairs ordered alike by both, among pairs that differ in both; NaN where there is none.

    A calibration step may flatten scores, so ties in the prediction say nothing against the reasons.
    """
    da, db = np.subtract.outer(a, a), np.subtract.outer(b, b)
    scale = max(1.0, float(np.abs(a).max(initial=0.0)))
    told = (np.abs(da) > 1e-6 * scale) & (np.abs(db) > 1e-9)
    if not told.any():
        return float("nan")
    return float((da[told] * db[told] > 0).mean())
