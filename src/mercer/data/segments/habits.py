"""Recency, frequency and money: how customers buy, as of a cut."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Interactions

Floats = npt.NDArray[np.float64]

_DAY = 86_400_000_000


def habits(log: Interactions, as_of: int) -> pd.DataFrame:
    """A row a customer with a purchase known at `as_of` (microseconds): row (its number in `log`), recency (days since
    the last purchase), frequency (days with a purchase) and money (net minor units, 0 at least).

    A log without a clock has no recency: the column is left out, and frequency counts purchases.
    """
    known = log.as_of(as_of)
    bought = known.only(["purchase"])
    user = bought.user_of
    day = bought.time // _DAY if log.has_clock else np.arange(bought.n_events)
    pairs = np.unique(np.stack([user, day], axis=1), axis=0)
    frequency = np.bincount(pairs[:, 0], minlength=log.n_users)
    net = np.bincount(known.user_of, known.amount_minor * _counts(known), minlength=log.n_users)
    rows = np.flatnonzero(frequency)
    frame = pd.DataFrame({"row": rows, "frequency": frequency[rows], "money": np.maximum(net[rows], 0.0)})
    if log.has_clock:
        last = np.zeros(log.n_users, np.int64)
        np.maximum.at(last, user, bought.time)
        frame.insert(1, "recency", (as_of - last[rows]) / _DAY)
    return frame


def _counts(log: Interactions) -> npt.NDArray[np.bool_]:
    """Events whose amount is money that came or went: views and carts have none."""
    return np.isin(log.kind, log.kind_codes([k for k in ("purchase", "return") if k in log.kinds]))


def standardised(frame: pd.DataFrame) -> Floats:
    """log(1 + x) of every column but `row`, each to mean 0 and spread 1, shape (n, D); constant columns left out."""
    values = np.log1p(frame.drop(columns="row").to_numpy(np.float64))
    spread = values.std(axis=0)
    kept = spread > 1e-9
    return np.asarray((values[:, kept] - values[:, kept].mean(axis=0)) / spread[kept])
