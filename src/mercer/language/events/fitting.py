"""The fields of a training log, fitted to it and to nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mercer.contracts import Dataset
from mercer.errors import DataError
from mercer.language.events.fields import (
    AmountField,
    CalendarField,
    Field,
    GapField,
    HashedField,
    KindField,
)
from mercer.language.events.options import EventOptions


def fitted(dataset: Dataset, options: EventOptions) -> tuple[Field, ...]:
    """Fields in their order. Raises DataError naming a column that is not there, or a clock that is missing."""
    log = dataset.interactions
    fields: list[Field] = []
    for name in ("kind", "gap", "calendar", "amount"):
        if name not in options.fields:
            continue
        if log is None or (name in ("gap", "calendar") and not log.has_clock):
            raise DataError(
                f"The field {name!r} needs a log{'' if log is None else ' with a clock'}.",
                remedy=f"Leave {name!r} out of the option `fields`.",
            )
        made: dict[str, Field] = {
            "kind": KindField(log.kinds),
            "gap": GapField(options.gap_bins),
            "calendar": CalendarField(),
        }
        fields.append(made.get(name) or AmountField.fitted(np.asarray(log.amount_minor), options.amount_bins))
    return (*fields, *(_hashed(dataset, column, options.buckets) for column in options.hashed))


def _hashed(dataset: Dataset, column: str, buckets: int) -> HashedField:
    log = dataset.interactions
    if log is not None and column in log.extras:
        values: Sequence[object] = np.unique(np.asarray(log.extras[column])).tolist()
        return HashedField.fitted(column, values, buckets, of_items=False)
    if column in dataset.items.columns:
        return HashedField.fitted(column, dataset.items[column].tolist(), buckets, of_items=True)
    raise DataError(
        f"Neither the log nor the catalogue has a column {column!r}.",
        remedy="Name a column of the items, or an extra column of the log, in the option `hashed`.",
    )
