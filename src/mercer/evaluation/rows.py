"""Rows of the leaderboard: one metric of one model on one split, slice and origin, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

import numpy as np

from mercer.errors import DamagedError
from mercer.evaluation.bootstrap import LEAST_CLUSTERS, LEVEL, REPLICATES, Interval, interval, replicates
from mercer.evaluation.measure import Measure
from mercer.evaluation.metrics import ALL, measure, origins
from mercer.evaluation.names import SLICE_METRICS, TASK_METRICS, metric_name, needs_lists
from mercer.evaluation.scored import FOLD, Scored

Composition = Literal["single", "fusion", "rerank"]

UNITS: Mapping[str, tuple[str, str]] = {
    "recommend": ("user", "user"),
    "search": ("query", "query"),
    "behavior": ("entity × cut-off", "entity"),
}
"""What one unit, and one cluster, is called, by task."""

EXAMPLE = ("example", "example")
"""The same where a prediction has no cut-off: flat examples, tested over folds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowInfo:
    """What a leaderboard row says besides the number; fields as in `Row`."""

    task: str
    target: str
    model: str
    split: str
    fit_on: str = "train"
    selected: bool = False
    composition: Composition = "single"
    parts: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    trials: int = 0
    options_hash: str = ""
    protocol: Mapping[str, Any] = field(default_factory=dict)
    fit_seconds: float | None = None
    peak_mib: float | None = None
    predict_ms_per_request: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of leaderboard.json, its fields in the file's order; schema 1.

    low and high are None where too few clusters or an undefined metric allow no interval. Stability: stable.
    """

    task: str
    target: str
    model: str
    composition: Composition = "single"
    parts: tuple[str, ...] = ()
    selected: bool = False
    split: str
    fit_on: str = "train"
    origin: str = ALL
    slice: str = ALL
    metric: str
    value: float
    low: float | None
    high: float | None
    level: float = LEVEL
    interval: str
    unit: str
    n: int
    seeds: tuple[int, ...] = ()
    trials: int = 0
    options_hash: str = ""
    protocol: Mapping[str, Any] = field(default_factory=dict)
    fit_seconds: float | None = None
    peak_mib: float | None = None
    predict_ms_per_request: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        content = asdict(self)
        return {
            **content,
            "parts": list(self.parts),
            "seeds": list(self.seeds),
            "protocol": dict(self.protocol),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave; unknown keys, of a later mercer, are ignored. Raises DamagedError."""
        names = {spec.name for spec in fields(cls)}
        known = {key: value for key, value in content.items() if key in names}
        for key in ("parts", "seeds"):
            known[key] = tuple(known.get(key, ()))
        try:
            return cls(**known)
        except TypeError as fault:
            raise DamagedError(f"A leaderboard row is incomplete: {fault}.") from fault


def rows_for(
    scored: Scored,
    info: RowInfo,
    *,
    metrics: Sequence[str] | None = None,
    slice_metrics: Sequence[str] | None = None,
    seed: int = 0,
    n_replicates: int = REPLICATES,
) -> list[Row]:
    """The rows of one model: every metric over all units, then by cut-off and by slice.

    metrics, slice_metrics: left out, TASK_METRICS, and on the test split SLICE_METRICS, of the task. A metric
    that is undefined on the rows (one class only, no relevant item) gives no row.
    """
    table = info.task if scored.kind == "ranking" else scored.kind
    wanted = list(TASK_METRICS[table] if metrics is None else metrics)
    by_slice = slice_metrics
    if by_slice is None:
        # Validation rows only select, and no selection looks at slices.
        by_slice = SLICE_METRICS[table] if info.split == "test" else ()
    places = [(name, ALL, ALL) for name in wanted if _has_lists(scored, name)]
    places += [(name, origin, ALL) for origin in origins(scored) for name in wanted]
    places += [
        (name, ALL, f"{key}={value}")
        for key, values in scored.slices.items()
        for value in values
        for name in by_slice
    ]
    measured = [(place, measure(scored, place[0], origin=place[1], slice_name=place[2])) for place in places]
    values = [m.value for _, m in measured]
    samples = replicates([m for _, m in measured], n=n_replicates, seed=seed)
    named = EXAMPLE if scored.kind != "ranking" and FOLD in scored.rows else UNITS[info.task]
    return [
        _row(info, place, m, value, samples[:, column], named)
        for column, ((place, m), value) in enumerate(zip(measured, values, strict=True))
        if np.isfinite(value)
    ]


def _has_lists(scored: Scored, name: str) -> bool:
    return scored.lists is not None or not needs_lists(name)


def _row(
    info: RowInfo,
    place: tuple[str, str, str],
    measured: Measure,
    value: float,
    samples: Any,
    named: tuple[str, str],
) -> Row:
    name, origin, slice_name = place
    centred = metric_name(name).centred
    ends = Interval(None, None)
    if measured.n_clusters >= LEAST_CLUSTERS:
        ends = interval(samples, value, centred=centred)
    unit, cluster = named
    shared = {spec.name: getattr(info, spec.name) for spec in fields(RowInfo)}
    return Row(
        **shared,
        metric=name,
        origin=origin,
        slice=slice_name,
        value=value,
        low=ends.low,
        high=ends.high,
        interval=interval_label(cluster, centred=centred, seeds=len(info.seeds))
        if ends.low is not None
        else "none",
        unit=unit,
        n=measured.n,
    )


def interval_label(cluster: str, *, centred: bool, seeds: int = 1) -> str:
    """How an interval was made, as the leaderboard says it.

    With several seeds it is that of their mean: it resamples units and holds the fits, so it does not say how far the
    next seed may be.
    """
    return f"{'centred ' if centred else ''}bootstrap by {cluster}" + (
        f", mean of {seeds} seeds" if seeds > 1 else ""
    )
