"""Flat labelled examples: stratified folds over units, no clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from mercer.brief import BehaviorTarget, ColumnNote
from mercer.contracts import ColumnType, FlatColumn, Interactions, Labelled, Snapshots, Vocabulary, frequent
from mercer.data.splits.folds import CAUTION, FoldSplit, Ints, stratified_folds
from mercer.errors import BriefError, DataError, nearest

DECLARED = ("unit", "as_of", "label")
"""The columns of the canonical table that are no features."""


def split_examples(examples: pd.DataFrame, target: BehaviorTarget, protected: Collection[str]) -> FoldSplit:
    """Divide the canonical table of examples by folds that hold each label's units in equal shares.

    protected: columns that are kept for audits and never read by a model; `exclude_columns` are not read either.
    Raises BriefError for another kind of split or outcome and for an excluded column that is not there, DataError
    where no column is left or a label is too rare for the folds.
    """
    if target.split.kind != "folds" or target.split.by != "unit":
        raise BriefError(
            "Examples have no clock to cut on.", remedy="Use split: {kind: folds, folds: 5, by: unit}."
        )
    if target.kind != "probability":
        raise BriefError(
            "Labels of examples are yes or no; this target wants an amount.", remedy="Use kind: probability."
        )
    labelled = labelled_examples(examples, feature_columns(examples, target, protected))
    number = stratified_folds(labelled.snapshots.entities, labelled.outcome, target.split)

    def training(rows: Ints) -> Labelled:
        return labelled.take(rows)

    protocol = {
        "split": "folds", "folds": target.split.folds, "repeats": target.split.repeats, "by": "unit",
        "stratified": "by label", "caution": CAUTION,
    }  # fmt: skip
    return FoldSplit(
        number=number, folds=target.split.folds, test=labelled, training=training, protocol=protocol
    )


def feature_columns(
    examples: pd.DataFrame, target: BehaviorTarget, protected: Collection[str]
) -> tuple[str, ...]:
    """The columns that models may read: all but the declared, the protected and the excluded ones."""
    columns = [str(name) for name in examples.columns if name not in DECLARED]
    for name in target.exclude_columns:
        if name not in columns:
            raise BriefError(
                f"exclude_columns: the examples have no column {name!r}.", remedy=nearest(name, columns)
            )
    kept = tuple(name for name in columns if name not in protected and name not in target.exclude_columns)
    if not kept:
        raise DataError("No column of the examples is left to predict from.", remedy="Exclude fewer columns.")
    return kept


def labelled_examples(examples: pd.DataFrame, columns: Collection[str]) -> Labelled:
    """One snapshot a row, sorted by unit, with no history: all that is known of it is in its columns."""
    ordered = examples.sort_values("unit", kind="stable").reset_index(drop=True)
    units = tuple(ordered["unit"].astype(str))
    read = {name: _typed(ordered[name], _type(ordered[name])) for name in columns}
    flat = snapshots_of_columns(units, pd.DataFrame(read, index=ordered.index))
    outcome = ordered["label"].to_numpy(np.float64)
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise DataError("Labels of examples must be 0 or 1.", remedy="Name the positive label in the brief.")
    return Labelled(snapshots=flat, outcome=outcome, label_known_at=np.zeros(len(units), np.int64))


def flat_columns(
    examples: pd.DataFrame, target: BehaviorTarget, notes: Mapping[str, ColumnNote]
) -> tuple[FlatColumn, ...]:
    """What a model of the target reads, for whoever asks it later. notes: the data dictionary."""
    protected = {name for name, note in notes.items() if note.protected}
    columns = []
    for name in feature_columns(examples, target, protected):
        kind = _type(examples[name])
        columns.append(
            FlatColumn(
                name=name,
                type=kind,
                means=notes[name].means if name in notes else "",
                values=frequent(examples[name]) if kind == "category" else (),
            )
        )
    return tuple(columns)


def _type(column: pd.Series[Any]) -> ColumnType:
    """As ingest typed it. A flag with missing values comes back from Parquet as objects."""
    if is_bool_dtype(column.dtype):
        return "boolean"
    if is_numeric_dtype(column.dtype):
        return "number"
    present = column.dropna()
    return "boolean" if len(present) and present.map(lambda one: isinstance(one, bool)).all() else "category"


def _typed(column: pd.Series[Any], kind: ColumnType) -> pd.Series[Any]:
    """float64 for numbers and flags (NaN: missing), text or None for categories."""
    if kind == "category":
        return column.astype(object).where(column.notna(), None)
    return column.astype("Float64" if kind == "number" else "boolean").astype("float64")


def snapshots_of_columns(units: tuple[str, ...], columns: pd.DataFrame) -> Snapshots:
    """Snapshots that hold flat columns and an empty history; there is no clock, so their time is 0."""
    n = len(units)
    nothing = Interactions.empty(Vocabulary([str(number) for number in range(n)]), Vocabulary([]))
    return Snapshots(
        entities=units,
        as_of=np.zeros(n, np.int64),
        history=nothing,
        columns=columns.reset_index(drop=True),
    )
