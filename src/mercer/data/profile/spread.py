"""How values spread: bins for a histogram, in equal steps or equal factors as the values ask."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

N_BINS = 24
_WIDE = 30
"""Greatest over least value from which equal factors say more than equal steps."""


def bins(values: npt.NDArray[Any], n_bins: int = N_BINS) -> tuple[pd.DataFrame, bool]:
    """Histogram of finite values between their 0.5 % and 99.5 % quantiles; the rest count in the outer bins.

    Returns columns low, high, value (share of the finite values), and whether the bins are equal factors, as they are
    for positive values of which the greatest is over 30 times the least. No finite value: an empty frame.
    """
    values = values[np.isfinite(values)].astype(np.float64)
    if not len(values):
        return pd.DataFrame({"low": [], "high": [], "value": []}), False
    low, high = np.quantile(values, [0.005, 0.995])
    if low == high:
        low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    log = bool(low > 0 and high / low > _WIDE and (values <= 0).mean() < 0.005)
    whole = bool((values == np.floor(values)).all()) and not log
    if whole:
        # As many whole numbers in one bin as in the next, or the bars alternate for no reason.
        step = max(1, int(np.ceil((np.ceil(high) - np.floor(low) + 1) / n_bins)))
        edges = np.arange(np.floor(low), np.ceil(high) + 1 + step, step) - 0.5
    elif log:
        edges = np.geomspace(low, high, n_bins + 1)
    else:
        edges = np.linspace(low, high, n_bins + 1)
    at = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    share = np.bincount(at, minlength=len(edges) - 1) / len(values)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "value": share}), log
