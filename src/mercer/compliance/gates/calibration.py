"""Calibration of the released predictions, and who owns and validates the model.

An interval decides, never a point: a small test set can't fail a model by chance, and one too small to say
anything is not assessed. Both metrics are those of the leaderboard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import Measured, RuleGate
from mercer.evaluation.measure import Pooled
from mercer.evaluation.prediction_metrics import calibration_slope, ece

Floats = npt.NDArray[np.float64]

_DRAWS = 400
_MOST_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "none, all predictions are equal"
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
    return slope(rows), expected_error(rows)


def slope(rows: pd.DataFrame) -> Interval:
    """The metric `calibration-slope` of scored rows, with a percentile interval by cluster; 1 is calibrated.

    NaN where all predictions are equal.
    """
    point, drawn = _resampled(calibration_slope, rows)
    usable = drawn[np.isfinite(drawn)]
    if not np.isfinite(point) or not len(usable):
        return Interval(np.nan, np.nan, np.nan)
    low, high = np.quantile(usable, [0.025, 0.975])
    return Interval(point, float(low), float(high))


def expected_error(rows: pd.DataFrame) -> Interval:
    """The metric `ece` of scored rows, with a reflected (basic) bootstrap interval by cluster, floored at 0.

    The error of perfect predictions is not 0 on a finite sample and grows under resampling; reflection turns
    that against the finding, so that the low end errs towards zero.
    """
    point, drawn = _resampled(ece, rows)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(point, max(0.0, 2 * point - float(high)), max(point, 2 * point - float(low)))


def _resampled(metric: Callable[[Floats, Floats], Pooled], rows: pd.DataFrame) -> tuple[float, Floats]:
    """A metric's value, and its values over resampled clusters; the same rows give the same draws."""
    at = metric(rows["value"].to_numpy(np.float64), rows["outcome"].to_numpy(np.float64))
    weight = rows["weight"].to_numpy(np.float64) if "weight" in rows else np.ones(len(rows))
    cluster = pd.factorize(rows["cluster"])[0]
    n_clusters = int(cluster.max()) + 1
    rng = np.random.default_rng(0)
    block = max(1, min(_DRAWS, _MOST_CELLS // len(rows)))
    drawn: list[Floats] = []
    for start in range(0, _DRAWS, block):
        size = min(block, _DRAWS - start)
        counts = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=size)
        drawn.append(at(counts[:, cluster] * weight))
    return float(at(weight[None])[0]), np.concatenate(drawn)
