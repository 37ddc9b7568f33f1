"""What `fit` receives and what held-out data look like, for the three tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts.interactions import Interactions, Times
from mercer.contracts.ragged import Ragged
from mercer.contracts.requests import Requests
from mercer.contracts.vocabulary import Vocabulary

Floats = npt.NDArray[np.float64]

ITEM_COLUMNS = (
    "item", "title", "text", "category", "brand", "price_minor", "currency",
    "available_from", "available_until", "min_age",
)  # fmt: skip
"""Columns of `Dataset.items`, always present: strings are "" and numbers 0 or -1 (price) where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Everything known at `as_of` (int64 microseconds).

    vocabulary: the catalogue. items: a frame of ITEM_COLUMNS (+ attributes) whose row i is item code i.
    repeats: whether an item of the history may be the right answer.
    judgments: columns query, item (code), grade; requests, impressions, outcomes: canonical tables.
    """

    vocabulary: Vocabulary
    items: pd.DataFrame
    as_of: int
    interactions: Interactions | None = None
    repeats: bool = True
    judgments: pd.DataFrame | None = None
    requests: pd.DataFrame | None = None
    impressions: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """Requests with the items that turned out relevant.

    relevant: item codes per request. grades: float64, aligned with relevant.values (1 where binary).
    For search, `relevant` holds every judged item, grade 0 included.
    units: what one row of evaluation is called (a user or a query); clusters: what intervals resample.
    """

    requests: Requests
    relevant: Ragged
    grades: Floats
    units: tuple[str, ...]
    clusters: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.requests)

    def take(self, rows: npt.NDArray[np.int64]) -> Holdout:
        """The rows named, in that order."""
        picked = self.relevant.take(rows)
        index = (
            Ragged(self.relevant.indptr, np.arange(len(self.relevant.values), dtype=np.int32))
            .take(rows)
            .values
        )
        return Holdout(
            requests=self.requests.take(rows),
            relevant=picked,
            grades=self.grades[index],
            units=tuple(self.units[row] for row in rows),
            clusters=tuple(self.clusters[row] for row in rows),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """n entities, each as of a time: what a predictor may read.

    entities: external ids (may repeat at other times). as_of: int64 microseconds, shape (n,).
    history: row i holds what was known of entity i at as_of[i] (known_at <= as_of).
    columns: for flat labelled sets without a log: one row an example; else None.
    """

    entities: tuple[str, ...]
    as_of: Times
    history: Interactions
    columns: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.as_of)

    def take(self, rows: npt.NDArray[np.int64]) -> Snapshots:
        """The rows named, in that order."""
        return Snapshots(
            entities=tuple(self.entities[row] for row in rows),
            as_of=self.as_of[rows],
            history=self.history.take(rows),
            columns=None if self.columns is None else self.columns.iloc[rows].reset_index(drop=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Snapshots with outcomes.

    outcome: float64, shape (n,): 0 or 1 for a probability, minor units for an amount.
    label_known_at: int64 microseconds, shape (n,): when the label could be known.
    """

    snapshots: Snapshots
    outcome: Floats
    label_known_at: Times

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, rows: npt.NDArray[np.int64]) -> Labelled:
        """The rows named, in that order."""
        return Labelled(
            snapshots=self.snapshots.take(rows),
            outcome=self.outcome[rows],
            label_known_at=self.label_known_at[rows],
        )


@dataclass(frozen=True, slots=True)
class Predictions:
    """Point predictions with their 95% intervals.

    value, low, high: float64, shape (n,): a probability in [0, 1] or an amount in minor units.
    """

    value: Floats
    low: Floats
    high: Floats

    def take(self, rows: npt.NDArray[np.int64]) -> Predictions:
        """The rows named, in that order."""
        return Predictions(self.value[rows], self.low[rows], self.high[rows])


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for a prediction.

    value: of the feature; contribution: signed, on the model's own scale.
    """

    feature: str
    value: float
    contribution: float
    meaning: str
