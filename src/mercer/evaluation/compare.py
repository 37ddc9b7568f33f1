"""Is model a better than model b: paired on the same units, with an interval, a p-value and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self

import numpy as np

from mercer.errors import DamagedError, DataError
from mercer.evaluation.bootstrap import LEAST_CLUSTERS, Interval, interval, replicates, two_sided_p
from mercer.evaluation.measure import Floats, Measure
from mercer.evaluation.metrics import ALL, measure
from mercer.evaluation.names import metric_name, needs_lists
from mercer.evaluation.scored import Scored
from mercer.evaluation.significance import benjamini_hochberg, holm, sign_flip_p

Verdict = Literal["better", "worse", "no-difference", "not-tested"]

ALPHA = 0.05
REPLICATES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One comparison of leaderboard.json, its fields in the file's order; schema 1.

    difference: metric of a less metric of b, on the metric's scale; low, high: its 95% interval.
    p: None where it was not tested. p_adjusted: corrected over the page (see `adjust`).
    verdict: whether a is better, the metric's direction taken into account. Stability: stable.
    """

    task: str
    target: str
    metric: str
    fit_on: str = "train"
    origin: str = ALL
    slice: str = ALL
    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None = None
    verdict: Verdict = "not-tested"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave; unknown keys are ignored. Raises DamagedError for a missing one."""
        names = {spec.name for spec in fields(cls)}
        try:
            return cls(**{key: value for key, value in content.items() if key in names})
        except TypeError as fault:
            raise DamagedError(f"A comparison is incomplete: {fault}.") from fault


def compare(
    a: Scored,
    b: Scored,
    metric: str,
    *,
    names: tuple[str, str],
    task: str,
    target: str,
    fit_on: str = "train",
    origin: str = ALL,
    slice_name: str = ALL,
    seed: int = 0,
) -> Comparison:
    """Compare two models on the same held-out units.

    Where the metric has a value per unit: a sign-flip permutation test over clusters; else a paired cluster
    bootstrap. The interval is a paired cluster bootstrap in both cases. The verdict rests on the unadjusted
    p until `adjust` corrects it over the page. Raises DataError when the units differ.
    """
    where = {"task": task, "target": target, "fit_on": fit_on, "origin": origin}
    return _compare_places(a, b, metric, [slice_name], names=names, where=where, seed=seed)[0]


def _compare_places(
    a: Scored,
    b: Scored,
    metric: str,
    places: Sequence[str],
    *,
    names: tuple[str, str],
    where: Mapping[str, str],
    seed: int,
) -> list[Comparison]:
    """One comparison a slice, all from the same draws."""
    pairs = []
    for place in places:
        left, right = (measure(s, metric, slice_name=place, origin=where["origin"]) for s in (a, b))
        if not left.keys.equals(right.keys) or not left.clusters.equals(right.clusters):
            raise DataError(
                f"{names[0]} and {names[1]} were scored on different units: {len(left.keys)}, {len(right.keys)}.",
                remedy="Score both on the same held-out set.",
            )
        pairs.append(_on_shared_units(left, right))
    resampled = replicates([measured for pair in pairs for measured in pair], n=REPLICATES, seed=seed)
    return [
        _comparison(
            pair,
            resampled[:, 2 * at] - resampled[:, 2 * at + 1],
            metric,
            place,
            names=names,
            where=where,
            seed=seed,
        )
        for at, (place, pair) in enumerate(zip(places, pairs, strict=True))
    ]


def _comparison(
    pair: tuple[Measure, Measure],
    gaps: Floats,
    metric: str,
    place: str,
    *,
    names: tuple[str, str],
    where: Mapping[str, str],
    seed: int,
) -> Comparison:
    left, right = pair
    known = metric_name(metric)
    difference = left.value - right.value
    p: float | None = None
    ends = Interval(None, None)
    if np.isfinite(difference) and min(left.n_clusters, right.n_clusters) >= LEAST_CLUSTERS:
        ends = interval(gaps, difference, centred=known.centred)
        if known.higher_is_better is not None:
            per_cluster = _cluster_differences(left, right)
            if per_cluster is not None:
                p = sign_flip_p(per_cluster, seed=seed)
            else:
                p = two_sided_p(gaps, difference, centred=known.centred)
    compared = Comparison(
        task=where["task"],
        target=where["target"],
        fit_on=where["fit_on"],
        origin=where["origin"],
        metric=metric,
        slice=place,
        a=names[0],
        b=names[1],
        difference=difference if np.isfinite(difference) else 0.0,
        low=ends.low,
        high=ends.high,
        p=p,
    )
    return judged(compared, p)


def compare_with(
    subject: str,
    scored: Mapping[str, Scored],
    metric: str,
    *,
    task: str,
    target: str,
    fit_on: str = "train",
    slices: bool = False,
    seed: int = 0,
) -> list[Comparison]:
    """`subject` against every other model of `scored`, over all units and, if asked, within every slice."""
    found = []
    by_slice = slices and not needs_lists(metric)
    own = _places(scored[subject]) if by_slice else []
    for name, other in scored.items():
        if name == subject:
            continue
        # An outside system may have been scored without slices: then only the whole is compared.
        shared = set(_places(other)) if own else set()
        places = [ALL, *(slice_name for slice_name in own if slice_name in shared)]
        where = {"task": task, "target": target, "fit_on": fit_on, "origin": ALL}
        found += _compare_places(
            scored[subject], other, metric, places, names=(subject, name), where=where, seed=seed
        )
    return found


def _places(scored: Scored) -> list[str]:
    return [f"{key}={value}" for key, values in scored.slices.items() for value in values]


def adjust(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Correct the p-values of one page and judge anew.

    Holm over the claims about all units (slice "all", origin "all"), Benjamini and Hochberg over the rest,
    which search for where a difference lies.
    """
    claims = [at for at, c in enumerate(comparisons) if c.slice == ALL and c.origin == ALL]
    searches = [at for at, c in enumerate(comparisons) if not (c.slice == ALL and c.origin == ALL)]
    adjusted: dict[int, float | None] = {}
    for places, correct in ((claims, holm), (searches, benjamini_hochberg)):
        adjusted |= dict(zip(places, correct([comparisons[at].p for at in places]), strict=True))
    return [judged(c, adjusted[at]) for at, c in enumerate(comparisons)]


def judged(comparison: Comparison, p: float | None) -> Comparison:
    """The comparison with its adjusted p-value and the verdict that follows at alpha 0.05."""
    higher = metric_name(comparison.metric).higher_is_better
    verdict: Verdict
    if p is None or higher is None:
        verdict = "not-tested"
    elif p >= ALPHA or comparison.difference == 0:
        verdict = "no-difference"
    else:
        verdict = "better" if (comparison.difference > 0) == higher else "worse"
    return replace(comparison, p_adjusted=p, verdict=verdict)


def _on_shared_units(left: Measure, right: Measure) -> tuple[Measure, Measure]:
    """Both measures over the units that count in both; only lists of different length make a difference."""
    if left.values is None or right.values is None:
        return left, right
    weight = np.where((left.weight > 0) & (right.weight > 0), left.weight, 0.0)
    return replace(left, weight=weight), replace(right, weight=weight)


def _cluster_differences(left: Measure, right: Measure) -> Floats | None:
    if left.values is None or right.values is None:
        return None
    return left.sums()[0] - right.sums()[0]
