"""Checks on labelled rows before a fit, and the canonical order that makes fits independent of row order."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from mercer.behavior.options import Kind
from mercer.contracts import Labelled
from mercer.errors import DataError

Floats = npt.NDArray[np.float64]


def checked(train: Labelled, kind: Literal["auto", "probability", "amount"]) -> Kind:
    """The kind of outcome that `train` holds.

    Raises DataError when there is no row, an outcome is not finite, a probability's outcome is neither 0 nor
    1, or an amount is negative.
    """
    outcome = train.outcome
    if not len(outcome):
        raise DataError(
            "There is no labelled row to learn from.", remedy="Give an earlier origin or more data."
        )
    if not bool(np.isfinite(outcome).all()):
        wrong = int((~np.isfinite(outcome)).sum())
        raise DataError(
            f"{wrong} of {len(outcome)} outcomes are not finite.", remedy="Remove or mend these labels."
        )
    binary = bool(np.isin(outcome, (0.0, 1.0)).all())
    if kind == "probability" and not binary:
        raise DataError(
            "The outcomes of a probability must be 0 or 1.", remedy="Set the target's kind to amount."
        )
    resolved: Kind = "probability" if kind == "probability" or (kind == "auto" and binary) else "amount"
    if resolved == "amount" and float(outcome.min()) < 0:
        wrong = int((outcome < 0).sum())
        raise DataError(
            f"{wrong} of {len(outcome)} amounts are negative.",
            remedy="Predict an amount that can't be negative, such as net spend floored at 0.",
        )
    return resolved


def in_order(train: Labelled) -> Labelled:
    """The rows sorted by entity, cut and outcome, so that a fit sees any permutation of them alike."""
    entities = np.array(train.snapshots.entities, dtype=object).astype(str)
    return train.take(np.lexsort((train.outcome, train.snapshots.as_of, entities)).astype(np.int64))
