"""The least difference that the data could detect, so that a question is not asked of too few users."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from mercer.errors import UsageError

CORRELATION = 0.5
"""Assumed correlation of two models' values on a unit where only one of them is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectable:
    """absolute: the difference of means, on the metric's scale. relative: over `mean`; None where unknown.

    n: clusters. sd: of a cluster's difference.
    """

    absolute: float
    relative: float | None
    n: int
    sd: float
    power: float
    alpha: float


def least_detectable(
    *,
    values: npt.ArrayLike | None = None,
    n: int | None = None,
    sd: float | None = None,
    mean: float | None = None,
    paired: bool = False,
    power: float = 0.8,
    alpha: float = 0.05,
) -> Detectable:
    """(z_{1 - alpha/2} + z_power) sd / sqrt(n): the difference of a paired test found with the given power.

    Give `values` per unit of a pilot model, or `n` and `sd` (and `mean`, for the relative difference).
    paired: whether these already are differences between two models; if not, two models' values on a unit
    are taken to have this sd each and correlation 0.5, so that their difference has the same sd.
    Raises UsageError for fewer than two units or missing numbers.
    """
    if values is not None:
        known = np.asarray(values, np.float64)
        known = known[np.isfinite(known)]
        n = len(known)
        if n >= 2:
            sd = float(known.std(ddof=1))
            mean = mean if mean is not None or paired else float(known.mean())
    if n is None or sd is None or n < 2 or sd < 0 or not (0 < power < 1 and 0 < alpha < 1):
        raise UsageError(
            "The least detectable difference needs at least two units.",
            remedy="Give values per unit, or n and sd.",
        )
    spread = sd if paired else sd * math.sqrt(2 * (1 - CORRELATION))
    normal = NormalDist()
    absolute = (normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)) * spread / math.sqrt(n)
    relative = absolute / abs(mean) if mean else None
    return Detectable(absolute=absolute, relative=relative, n=n, sd=spread, power=power, alpha=alpha)


def widest_sd(mean: float) -> float:
    """The largest sd that values in [0, 1] with this mean can have; for planning without a pilot."""
    if not 0 <= mean <= 1:
        raise UsageError(f"A mean of {mean} is not in [0, 1].")
    return math.sqrt(mean * (1 - mean))
