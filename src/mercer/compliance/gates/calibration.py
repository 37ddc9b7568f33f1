"""Calibration of the released predictions, and who owns and validates the model.

An interval decides, never a point: a small test set can't fail a model by chance, and one too small to say
anything is not assessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import Measured, RuleGate

Floats = npt.NDArray[np.float64]

BINS = 10
_DRAWS = 400
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


class Calibration(RuleGate):
    """Probabilities mean what they say, and somebody other than the owner validates the model."""

    name = "calibration"
    stage = "evaluate"

    def inapplicable(self, evidence: Evidence) -> str:
        """Rankings carry no probability."""
        return (
            "" if evidence.behavior_targets else "no target of the brief predicts a probability or an amount"
        )

    def measure(self, evidence: Evidence) -> Measured:
        """Slope and expected calibration error of each probability target, then the brief's governance."""
        examined, notes, missing = 0, [], []
        offending: list[Mapping[str, Any]] = []
        for name, target in evidence.behavior_targets.items():
            if target.kind != "probability":
                continue
            rows = evidence.predictions.get(name)
            too_few = self._too_few(rows)
            if too_few or rows is None:
                missing.append(f"{name}: {too_few}")
                continue
            examined += len(rows)
            slope, error = _measure(rows)
            notes.append(f"{name}: slope {slope}, ECE {error}")
            offending += [{"target": name, **row} for row in self._miscalibrated(slope, error)]
        wrong, absent = _governance(evidence)
        governance = evidence.brief.governance
        notes.append(
            f"tier {governance.tier}, owner {governance.owner_role or 'not named'}, "
            f"validator {governance.validator_role or 'not named'}"
        )
        offending += wrong
        missing += absent
        return Measured(
            examined=examined + 3,
            violations=len(offending),
            measured="; ".join(notes),
            offending=offending,
            missing="; ".join(missing),
            target=str(offending[0].get("target", "")) if offending else "",
        )

    def _too_few(self, rows: pd.DataFrame | None) -> str:
        if rows is None or rows.empty:
            return "no scored predictions"
        least, each = int(self.number("least_rows", 200)), int(self.number("least_each", 20))
        happened = int((rows["outcome"] > 0.5).sum())
        if len(rows) < least or min(happened, len(rows) - happened) < each:
            return (
                f"{len(rows)} test rows, {happened} with the outcome; {least} and {each} of each are needed"
            )
        return ""

    def _miscalibrated(self, slope: Interval, error: Interval) -> list[Mapping[str, Any]]:
        most = self.number("most_ece", 0.10)
        low, high = self.number("least_slope", 0.5), self.number("most_slope", 2.0)
        rows: list[Mapping[str, Any]] = []
        if error.low > most:
            rows.append({"metric": "ece", "value": round(error.value, 4), "interval_low": round(error.low, 4),
                         "why": f"surely over {most:g}"})  # fmt: skip
        if slope.low > high or slope.high < low:
            rows.append({"metric": "calibration-slope", "value": round(slope.value, 4),
                         "why": f"surely outside {low:g} to {high:g}"})  # fmt: skip
        return rows


def _governance(evidence: Evidence) -> tuple[list[Mapping[str, Any]], list[str]]:
    governance = evidence.brief.governance
    if not governance.owner_role or not governance.validator_role:
        return [], ["governance names no owner_role or no validator_role"]
    if governance.owner_role.strip().casefold() == governance.validator_role.strip().casefold():
        return [{"role": governance.owner_role, "why": "owner and validator are the same role"}], []
    return [], []


def _measure(rows: pd.DataFrame) -> tuple[Interval, Interval]:
    value, outcome = rows["value"].to_numpy(np.float64), rows["outcome"].to_numpy(np.float64)
    cluster = pd.factorize(rows["cluster"])[0].astype(np.int64)
    return slope(value, outcome, cluster), expected_error(value, outcome, cluster)


def slope(value: Floats, outcome: Floats, cluster: npt.NDArray[np.int64]) -> Interval:
    """Slope of a logistic regression of the outcome on the log-odds of the prediction; 1 is calibrated.

    The interval uses standard errors clustered by `cluster`. Source: Cox, Biometrika 1958.
    """
    odds = np.clip(value, 1e-6, 1 - 1e-6)
    design = np.column_stack([np.ones_like(odds), np.log(odds / (1 - odds))])
    if np.ptp(design[:, 1]) < 1e-9:
        return Interval(0.0, 0.0, 0.0)
    beta = np.array([0.0, 1.0])
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        information = (design * (fitted * (1 - fitted))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(information, design.T @ (outcome - fitted))
        # Newton's step is held back: on separable data it would run away.
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    inverse = np.linalg.inv(information)
    scores = np.zeros((int(cluster.max()) + 1, 2))
    np.add.at(scores, cluster, design * (outcome - fitted)[:, None])
    error = float(np.sqrt((inverse @ (scores.T @ scores) @ inverse)[1, 1]))
    return Interval(float(beta[1]), float(beta[1] - _Z * error), float(beta[1] + _Z * error))


def expected_error(value: Floats, outcome: Floats, cluster: npt.NDArray[np.int64]) -> Interval:
    """Expected calibration error over 10 bins of equal size, with a bootstrap interval by cluster.

    The error of a perfect model is not 0 on a finite sample, so the low end errs towards zero: it is the
    basic (reflected) interval, floored at 0. Draws are seeded: the same rows give the same interval.
    """
    order = np.argsort(value, kind="stable")
    bins = np.empty(len(value), np.int64)
    bins[order] = np.arange(len(value)) * BINS // len(value)
    n_clusters = int(cluster.max()) + 1
    gaps, sizes = np.zeros((n_clusters, BINS)), np.zeros(n_clusters)
    np.add.at(gaps, (cluster, bins), outcome - value)
    np.add.at(sizes, cluster, 1.0)
    point = float(np.abs(gaps.sum(0)).sum() / len(value))
    rng = np.random.default_rng(0)
    weights = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=_DRAWS)
    drawn = np.abs(weights @ gaps).sum(1) / (weights @ sizes)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(point, max(0.0, 2 * point - float(high)), max(point, 2 * point - float(low)))
