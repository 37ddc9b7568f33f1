"""How a probability that decides about people treats groups of them.

At a decision, the units with the highest (or lowest) values are selected: declined, reviewed, alerted. For each group
of a protected attribute, kept for audits alone: how often it is selected, how often rightly and wrongly, and whether
its probabilities are right. Each number has a bootstrap interval, drawn jointly over all groups, so the gap to the
largest group is paired.
Sources: Hardt, Price and Srebro, NIPS 2016 (equal opportunity, equalised odds); Kleinberg, Mullainathan and Raghavan,
ITCS 2017 (why calibration and equal error rates can't all be had); Feldman et al., KDD 2015 (the ratio of rates).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.errors import DataError
from mercer.evaluation.bootstrap import LEVEL, REPLICATES
from mercer.evaluation.measure import Floats
from mercer.evaluation.scored import SLICE, Scored

LEAST_MEMBERS = 50
"""Smaller groups are left out: an interval on so few says nothing, and a rate might tell who they are."""

MEASURES = ("selected", "base_rate", "true_positive_rate", "false_positive_rate", "calibration_gap", "auc")


@dataclass(frozen=True, slots=True)
class Bounded:
    """A number with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAudit:
    """One group at the decision.

    rates: by name of MEASURES. selected: share of the group that is selected; base_rate: share with the outcome;
    true_positive_rate, false_positive_rate: share selected of those with and without the outcome; calibration_gap:
    mean probability less base_rate; auc: within the group. gaps: the same less the reference group's, paired.
    ratio: its selected share over the reference group's. reference: the largest group.
    """

    attribute: str
    group: str
    n: int
    reference: str
    rates: dict[str, Bounded]
    gaps: dict[str, Bounded]
    ratio: Bounded

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def audit_groups(
    scored: Scored, attribute: str, *, share: float, high: bool = True, n: int = REPLICATES, seed: int = 0
) -> list[GroupAudit]:
    """The groups of slice column `attribute`, the largest first.

    scored: probability rows; where a unit has several (repeats of folds) its values are averaged. share: how much of
    all units is selected, 0 < share < 1. high: whether the highest values are selected, else the lowest.
    Raises DataError where the rows have no such slice, or fewer than two groups of LEAST_MEMBERS units.
    """
    column = f"{SLICE}{attribute}"
    if scored.kind != "probability" or column not in scored.rows:
        raise DataError(f"The scored rows have no slice {attribute!r} of a probability.")
    if not 0 < share < 1:
        raise DataError(f"The share selected is {share}; it must lie between 0 and 1.")
    rows = scored.rows.groupby("unit", sort=True).agg(
        value=("value", "mean"), outcome=("outcome", "first"), group=(column, "first")
    )
    counts = rows["group"].astype(str).value_counts()
    groups = sorted(
        (str(g) for g in counts.index if g and counts[g] >= LEAST_MEMBERS), key=lambda g: -counts[g]
    )
    if len(groups) < 2:
        raise DataError(
            f"Slice {attribute!r} has fewer than two groups of {LEAST_MEMBERS} units.",
            remedy="Merge its values into larger groups.",
        )
    return _audit(
        rows, attribute, groups, _selected(rows["value"].to_numpy(np.float64), share, high), n, seed
    )


def _selected(value: Floats, share: float, high: bool) -> Floats:
    """1 for the units that are selected, 0 for the others; at a tie on the border, the same part of each."""
    signed = value if high else -value
    wanted = share * len(signed)
    border = np.sort(signed)[::-1][max(0, int(np.ceil(wanted)) - 1)]
    above, tied = signed > border, signed == border
    part = (wanted - above.sum()) / tied.sum()
    return np.where(above, 1.0, np.where(tied, part, 0.0))


def _audit(
    rows: pd.DataFrame, attribute: str, groups: Sequence[str], selected: Floats, n: int, seed: int
) -> list[GroupAudit]:
    value, outcome = (rows[name].to_numpy(np.float64) for name in ("value", "outcome"))
    code = pd.Index(groups).get_indexer(pd.Index(rows["group"].astype(str)))
    rng = np.random.default_rng(seed)
    draws: list[npt.NDArray[Any]] = [np.ones(len(rows))]
    draws += [np.bincount(rng.integers(0, len(rows), len(rows)), minlength=len(rows)) for _ in range(n)]
    found = np.full((len(draws), len(groups), len(MEASURES)), np.nan)
    members = [np.flatnonzero(code == at) for at in range(len(groups))]
    orders = [rows_of[np.argsort(value[rows_of], kind="stable")] for rows_of in members]
    for place, weight in enumerate(draws):
        for at, order in enumerate(orders):
            found[place, at] = _rates(
                value[order], outcome[order], selected[order], weight[order].astype(np.float64)
            )
    audits = []
    for at, group in enumerate(groups):
        own, other = found[:, at], found[:, 0]
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = own[:, 0] / other[:, 0]
        audits.append(
            GroupAudit(
                attribute=attribute,
                group=group,
                n=len(members[at]),
                reference=groups[0],
                rates={name: _bounded(own[:, place]) for place, name in enumerate(MEASURES)},
                gaps={name: _bounded(own[:, place] - other[:, place]) for place, name in enumerate(MEASURES)},
                ratio=_bounded(ratio),
            )
        )
    return audits


def _rates(value: Floats, outcome: Floats, selected: Floats, weight: Floats) -> Floats:
    """MEASURES of one group in ascending order of value, shape (6,)."""
    total, positive = weight.sum(), weight @ outcome
    negative = total - positive
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array(
            [
                weight @ selected / total,
                positive / total,
                (weight * outcome) @ selected / positive,
                (weight * (1 - outcome)) @ selected / negative,
                (weight @ value - positive) / total,
                _area(value, outcome, weight) / (positive * negative),
            ]
        )


def _area(value: Floats, outcome: Floats, weight: Floats) -> float:
    """Weighted pairs (negative below positive, ties half) of values in ascending order."""
    lead = np.concatenate([[True], value[1:] != value[:-1]])
    tie = np.cumsum(lead) - 1
    negative = np.bincount(tie, weight * (1 - outcome))
    below = np.cumsum(negative) - negative
    return float((weight * outcome) @ (below + negative / 2)[tie])


def _bounded(samples: npt.NDArray[np.float64]) -> Bounded:
    """The first sample is the value, the others its resamples."""
    value, rest = samples[0], samples[1:][np.isfinite(samples[1:])]
    if not np.isfinite(value):
        return Bounded(None, None, None)
    if len(rest) < 0.95 * (len(samples) - 1):
        return Bounded(float(value), None, None)
    low, high = np.quantile(rest, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Bounded(float(value), float(low), float(high))


_AGES = ((25, "under 25"), (40, "25 to 39"), (62, "40 to 61"), (np.inf, "62 and over"))
"""From 62 on the US Equal Credit Opportunity Act (Regulation B, 1002.2(o)) calls an applicant elderly."""


def group_names(name: str, column: Sequence[Any]) -> list[str]:
    """The group of each value of a protected column: text as it is, ages in bands, other numbers of more than eight
    values in quarters; "" where missing."""
    values = pd.Series(list(column), dtype=object)
    numbers = pd.to_numeric(values, errors="coerce")
    is_number = numbers.notna() | values.isna()
    if not is_number.all() or (numbers.nunique() <= 8 and name.casefold() != "age"):
        return ["" if pd.isna(one) else _plain(one) for one in values]
    if name.casefold() == "age":
        names, places = (
            [label for _, label in _AGES],
            np.searchsorted([a for a, _ in _AGES], numbers, side="right"),
        )
    else:
        edges = np.unique(numbers.quantile([0.25, 0.5, 0.75]).to_numpy())
        names = [f"up to {edge:g}" for edge in edges] + [f"over {edges[-1]:g}"]
        places = np.searchsorted(edges, numbers, side="left")
    return ["" if np.isnan(v) else names[p] for v, p in zip(numbers, places, strict=True)]


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
