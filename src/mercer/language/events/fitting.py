"""The fields of a training log, fitted to it and to nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from mercer.contracts import Dataset
from mercer.errors import DataError
from mercer.language.events.fields import (
    AmountField,
    CalendarField,
    Codes,
    Field,
    GapField,
    HashedField,
    KindField,
    distinct,
)
from mercer.language.events.options import EventOptions

if TYPE_CHECKING:
    import pandas as pd


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


def codes_of_items(fields: Iterable[Field], n_items: int, items: pd.DataFrame | None) -> dict[str, Codes]:
    """For each hashed column of the catalogue int32, shape (I,). Raises DataError without a frame of n_items."""
    found = {}
    for one in fields:
        if isinstance(one, HashedField) and one.of_items:
            if items is None or len(items) != n_items:
                raise DataError(
                    f"The column {one.column!r} of {n_items:,} items is needed.",
                    remedy="Give the frame of the catalogue.",
                )
            found[one.column] = one.hashed(items[one.column].tolist())
    return found


def _hashed(dataset: Dataset, column: str, buckets: int) -> HashedField:
    log = dataset.interactions
    if log is not None and column in log.extras:
        _, values = distinct(log.extras[column])
        return HashedField.fitted(column, values, buckets, of_items=False)
    if column in dataset.items.columns:
        return HashedField.fitted(column, dataset.items[column].tolist(), buckets, of_items=True)
    raise DataError(
        f"Neither the log nor the catalogue has a column {column!r}.",
        remedy="Name a column of the items, or an extra column of the log, in the option `hashed`.",
    )
