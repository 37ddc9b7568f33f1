"""Any metric of any scored rows, whole or by slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.errors import NotFoundError, UnsupportedError, nearest
from mercer.evaluation.measure import Measure, mean_of
from mercer.evaluation.names import MetricName, metric_name
from mercer.evaluation.prediction_metrics import prediction_measure
from mercer.evaluation.ranking_metrics import ranking_measure
from mercer.evaluation.scored import SLICE, Scored

ALL = "all"


def measure(scored: Scored, name: str, *, slice_name: str = ALL, origin: str = ALL) -> Measure:
    """The metric `name` of scored rows; over several repeats of folds or seeds, its mean over them (see `mean_of`).

    slice_name: "all" or "NAME=VALUE", such as "history=new". origin: "all" or the day (YYYY-MM-DD, UTC) of a
    cut-off. Raises UnsupportedError for a metric of other rows, NotFoundError for an unknown slice.
    """
    metric = metric_name(name)
    if metric.kind != scored.kind:
        raise UnsupportedError(f"{name} is a metric of {metric.kind} rows; these are {scored.kind} rows.")
    return mean_of([_measure(part, metric, slice_name, origin) for part in scored.repeats])


def _measure(scored: Scored, metric: MetricName, slice_name: str, origin: str) -> Measure:
    inside = _inside(scored, slice_name, origin)
    if metric.kind == "ranking":
        return ranking_measure(scored, metric, inside)
    return prediction_measure(scored, metric, inside)


def value(scored: Scored, name: str, *, slice_name: str = ALL) -> float:
    """The metric as one number; NaN where it is undefined."""
    return measure(scored, name, slice_name=slice_name).value


def unit_values(scored: Scored, name: str, *, slice_name: str = ALL) -> pd.Series[float]:
    """The metric of every unit for which it is defined, indexed by unit (and as_of).

    Raises UnsupportedError for a metric that has no value per unit.
    """
    measured = measure(scored, name, slice_name=slice_name)
    if measured.values is None:
        raise UnsupportedError(f"{name} has no value per unit.")
    counted = measured.weight > 0
    return pd.Series(measured.values[counted], index=measured.keys[counted], name=name)


@dataclass(frozen=True, slots=True)
class RowMetric:
    """A metric as `contracts.Metric` has it: called with scored rows, it gives a value per unit or one value."""

    name: str

    @property
    def higher_is_better(self) -> bool:
        """False also where neither way is better; `metric_name` tells these apart."""
        return metric_name(self.name).higher_is_better is True

    def __call__(self, scored: Scored) -> pd.Series[float] | float:
        """The value of every unit where one exists, else one value for all rows."""
        return unit_values(scored, self.name) if metric_name(self.name).per_unit else value(scored, self.name)


def metric(name: str) -> RowMetric:
    """The metric called `name`, as a function. Raises UnsupportedError naming the nearest that exists."""
    return RowMetric(metric_name(name).name)


def origins(scored: Scored) -> list[str]:
    """The days of the cut-offs, where predictions have more than one; else empty."""
    if scored.kind == "ranking":
        return []
    days = sorted(set(_days(scored)))
    return days if len(days) > 1 else []


def _days(scored: Scored) -> list[str]:
    times = pd.to_datetime(scored.rows["as_of"], unit="us")
    return [str(day) for day in times.dt.strftime("%Y-%m-%d")]


def _inside(scored: Scored, slice_name: str, origin: str) -> npt.NDArray[np.bool_] | None:
    inside: npt.NDArray[np.bool_] | None = None
    if slice_name != ALL:
        name, _, wanted = slice_name.partition("=")
        if wanted not in scored.slices.get(name, []):
            valid = [f"{known}={v}" for known, values in scored.slices.items() for v in values]
            raise NotFoundError(
                f"No slice is called {slice_name!r}.", remedy=nearest(slice_name, [ALL, *valid])
            )
        inside = np.asarray(scored.text(SLICE + name) == wanted, bool)
    if origin != ALL:
        at = np.array(_days(scored), object) == origin
        inside = at if inside is None else inside & at
    return inside
