"""Scored rows of a predictor: value, interval and outcome of every entity and cut-off."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Labelled, Predictions
from mercer.errors import DataError
from mercer.evaluation.scored import SLICE, Scored
from mercer.evaluation.slices import Slices


def score_predictions(
    labelled: Labelled,
    predictions: Predictions,
    *,
    kind: Literal["probability", "amount"],
    slices: Slices | None = None,
    weight: npt.NDArray[np.float64] | None = None,
) -> Scored:
    """Put predictions beside their outcomes.

    weight: how much each row counts, shape (n,), default 1. Intervals resample entities, over all their
    cut-offs together. Raises DataError for a value that is missing, not finite, or no probability, naming
    how many and the first row.
    """
    n = len(labelled)
    if len(predictions.value) != n:
        raise DataError(f"{len(predictions.value)} predictions for {n} labelled rows.")
    value = np.asarray(predictions.value, np.float64)
    _check(value, kind)
    slices = slices or Slices()
    slices.check(n, 0)
    entities = np.array(labelled.snapshots.entities, object).astype(str)
    rows = pd.DataFrame(
        {
            "unit": entities,
            "cluster": entities,
            "as_of": np.asarray(labelled.snapshots.as_of, np.int64),
            "value": value,
            "low": np.asarray(predictions.low, np.float64),
            "high": np.asarray(predictions.high, np.float64),
            "outcome": np.asarray(labelled.outcome, np.float64),
            "weight": np.ones(n) if weight is None else np.asarray(weight, np.float64),
        }
    )
    for name, values in slices.unit.items():
        rows[SLICE + name] = np.array(values, object).astype(str)
    return Scored(kind=kind, rows=rows)


def _check(value: npt.NDArray[np.float64], kind: str) -> None:
    bad = ~np.isfinite(value)
    legal = "a finite number"
    if kind == "probability":
        bad |= (value < 0) | (value > 1)
        legal = "a probability in [0, 1]"
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise DataError(f"{int(bad.sum())} predictions are not {legal} (first: row {first}).")
