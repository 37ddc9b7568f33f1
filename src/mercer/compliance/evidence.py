"""What the gates measure: the rows that trained, the predictions that were scored, and the candidate release.

The pipeline builds one `Evidence` per run, just before the gates. A field that is None or empty means that
the run has no such thing; a gate that needs it answers NOT_ASSESSED and says what was missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import BehaviorTarget, Brief, RecommendTarget, SearchTarget
from mercer.compliance.pseudonyms import Pseudonyms
from mercer.contracts import Candidate, Interactions, Snapshots, Vocabulary

RankingTarget = RecommendTarget | SearchTarget


class Suppressed(Protocol):
    """The list of people who were forgotten, as the data room keeps it (`SuppressionList`)."""

    def contains(self, ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which of `ids` are on the list, shape (len(ids),)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One run as the gates see it. Nothing here is changed by a gate.

    brief: as resolved. now: int64 microseconds, the end of the decision day; ages and consents hold as of it.
    pseudonyms: makes the keyed short hashes under which people appear in findings.
    tables: canonical clean tables by name (`mercer.contracts.TABLES`), absent ones left out.
    training_events: the rows of `events` that any model of the run was fitted on; at least the columns
        event, user, item, time, known_at, kind. None when no target learns from events.
    interactions: ALL clean events known at `now`, of objectors too, as the online state would hold them: the
        replays must have something to hide. Its item codes are those of `vocabulary`.
    vocabulary, items: the candidate's catalogue; `items` has ITEM_COLUMNS, row i is item code i.
    features: by behavior target, what the released model reads: a row a prediction in the order of
        `predictions`, index the entity, columns the feature names.
    predictions: by behavior target, the released model's scored test rows: unit, cluster, as_of, value, low,
        high, outcome; `cluster` is the entity, times are int64 microseconds.
    snapshots: by behavior target, the snapshots behind `predictions`, in the same order.
    parameters: by ranking target, `parameters()` of the model behind the candidate, read from the model
        itself and not from the release's published copy.
    suppression: the list of the forgotten, None when the run has none.
    candidate: the release about to be judged; None before there is one.
    """

    brief: Brief
    now: int
    pseudonyms: Pseudonyms
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    training_events: pd.DataFrame | None = None
    interactions: Interactions | None = None
    vocabulary: Vocabulary = field(default_factory=lambda: Vocabulary(()))
    items: pd.DataFrame = field(default_factory=pd.DataFrame)
    features: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    predictions: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    snapshots: Mapping[str, Snapshots] = field(default_factory=dict)
    parameters: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    suppression: Suppressed | None = None
    candidate: Candidate | None = None

    @property
    def ranking_targets(self) -> dict[str, RankingTarget]:
        """Targets of the brief that answer with items."""
        return {
            name: target
            for name, target in self.brief.targets.items()
            if isinstance(target, RecommendTarget | SearchTarget)
        }

    @property
    def behavior_targets(self) -> dict[str, BehaviorTarget]:
        """Targets of the brief that answer with a probability or an amount."""
        return {n: t for n, t in self.brief.targets.items() if isinstance(t, BehaviorTarget)}

    def table(self, name: str) -> pd.DataFrame | None:
        """A canonical table, or None when absent or without rows."""
        frame = self.tables.get(name)
        return frame if frame is not None and len(frame) else None


def micros(times: pd.Series) -> npt.NDArray[np.int64]:
    """Times of a canonical table (datetime64 without zone, UTC) as int64 microseconds; NaT is the minimum."""
    return times.to_numpy("datetime64[us]").astype(np.int64)
