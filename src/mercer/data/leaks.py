"""Columns that know the answer: of a flat labelled table, which features can only be had after the label.

Two witnesses, neither of which needs a model of the table. The data dictionary: what a column is said to mean speaks
of the outcome. And behaviour: one column alone tells the label nearly as well as anybody could hope of all of them
together, and far better than any other (Kaufman et al., ACM TKDD 2012, call such features "too good to be true").
A suspicion is no proof: a person says in the brief whether the column is excluded or known in time.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

ALONE = 0.85
"""Area under the curve of one column alone from which it is suspected whatever the others do."""
STRONG, LEAD = 0.72, 0.10
"""... and from which it is when it also leads the next best column by so much."""

_AFTERWARDS = re.compile(
    r"(?:computed|calculated|derived|known|recorded|measured|set|filled|assigned)\s+(?:only\s+)?"
    r"(?:from|after|by|on|with|at|when)\s+(?:the\s+|a\s+|all\s+)?"
    r"(?:completed|completion|closed|final|finished|settled|outcome|result|label|target|purchases?|transactions?|"
    r"orders?|payments?|decision|default|fraud|chargeback)"
    r"|\b(?:outcome|result) of\b|\bafter the (?:fact|event|outcome|purchase|order|default|decision)\b|\bhindsight\b",
    re.IGNORECASE,
)
_BINS, _FOLDS, _PRIOR = 20, 5, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A column that may know the answer.

    witness: what speaks against it. alone: area under the curve of the column alone, out of fold; next_best: of the
    best other column that nothing speaks against. sentence: for the page.
    """

    column: str
    witness: Literal["dictionary", "behaviour", "both"]
    alone: float
    next_best: float
    sentence: str


def suspects(features: pd.DataFrame, label: npt.ArrayLike, means: Mapping[str, str]) -> tuple[Suspect, ...]:
    """The suspected columns of `features`, strongest first.

    features: a row a unit, columns numeric, boolean or text. label: 0 or 1 a row. means: column -> what the data
    dictionary says of it. A column is suspected when its meaning speaks of the outcome or of what comes after it, or
    when alone it reaches ALONE, or STRONG with LEAD over the next best that nothing speaks against.
    """
    outcome = np.asarray(label, np.float64)
    alone = {str(name): strength(features[name], outcome) for name in features.columns}
    said = {name for name in alone if _AFTERWARDS.search(means.get(name, ""))}
    behaves: set[str] = set()
    for name, value in sorted(alone.items(), key=lambda pair: -pair[1]):
        rest = _best(alone, said | behaves | {name})
        if value >= ALONE or (value >= STRONG and value - rest >= LEAD):
            behaves.add(name)
    next_best = _best(alone, said | behaves)
    found = [
        _suspect(name, name in said, name in behaves, alone[name], next_best, means.get(name, ""))
        for name in said | behaves
    ]
    return tuple(sorted(found, key=lambda one: (-one.alone, one.column)))


def strength(column: pd.Series[Any], outcome: Floats) -> float:
    """Area under the curve of one column alone: rows are told apart by the label's mean in their bin or category,
    taken from other rows (five folds by row number, shrunk to the overall mean by ten rows)."""
    codes = _binned(column)
    fold = np.array([zlib.crc32(b"%d" % row) % _FOLDS for row in range(len(codes))])
    said = np.empty(len(codes))
    n_codes = int(codes.max(initial=-1)) + 1
    for held in range(_FOLDS):
        here, others = fold == held, fold != held
        if not here.any() or not others.any():
            continue
        mean = outcome[others].mean()
        seen = np.bincount(codes[others], minlength=n_codes)
        hits = np.bincount(codes[others], outcome[others], minlength=n_codes)
        said[here] = ((hits + _PRIOR * mean) / (seen + _PRIOR))[codes[here]]
    return _area(said, outcome)


def _binned(column: pd.Series[Any]) -> npt.NDArray[np.int64]:
    """A number a row: twenty bins by rank, equal values together, or the category; missing is one of its own."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        known = np.isfinite(values)
        codes = np.zeros(len(values), np.int64)
        if known.any():
            edges = np.unique(np.quantile(values[known], np.linspace(0, 1, _BINS + 1)[1:-1]))
            codes[known] = 1 + np.searchsorted(edges, values[known], side="left")
        return codes
    return pd.factorize(column.astype("string").fillna(""))[0].astype(np.int64)


def _area(said: Floats, outcome: Floats) -> float:
    """Area under the ROC curve, ties counted half; 0.5 where only one label occurs."""
    positive = outcome > 0
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return 0.5
    ranks = pd.Series(said).rank().to_numpy()
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def _best(alone: Mapping[str, float], without: set[str]) -> float:
    return max((value for name, value in alone.items() if name not in without), default=0.5)


def _suspect(name: str, is_said: bool, behaves: bool, alone: float, next_best: float, means: str) -> Suspect:
    reasons = []
    if is_said:
        reasons.append(f"the data dictionary says of it: “{means}”")
    if behaves:
        reasons.append(
            f"alone it tells the label with an area of {alone:.2f}, the next best column {next_best:.2f}"
        )
    witness: Literal["dictionary", "behaviour", "both"] = (
        "both" if is_said and behaves else "dictionary" if is_said else "behaviour"
    )
    sentence = f"{name} may know the answer: {' and '.join(reasons)}."
    return Suspect(column=name, witness=witness, alone=alone, next_best=next_best, sentence=sentence)
