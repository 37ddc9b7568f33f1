"""What the steps after `data` work on, loaded when first asked for: a step found in the cache loads nothing."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mercer.brief import BehaviorTarget, Brief, RecommendTarget, SearchTarget, Target
from mercer.contracts import FlatColumn, Interactions, Vocabulary
from mercer.errors import BriefError
from mercer.evaluation import only_accepted

if TYPE_CHECKING:
    import pandas as pd

    from mercer.data import Tables

Split = Any
"""A RecommendSplit, BehaviorSplit or FoldSplit of `mercer.data`."""


class Material:
    """Tables, interactions and splits of one run."""

    def __init__(self, folder: Path, brief: Brief) -> None:
        self.folder = folder
        self.brief = brief
        self._splits: dict[str, Split] = {}

    @cached_property
    def tables(self) -> Tables:
        """The canonical tables of the data step."""
        from mercer.data import Tables

        return Tables.load(self.folder)

    @cached_property
    def may_train(self) -> npt.NDArray[np.bool_]:
        """Which events may train a model: consent, objection and age applied."""
        from mercer.data import training_rows

        return training_rows(self.tables, self.brief)

    @cached_property
    def interactions(self) -> Interactions:
        """Events that may train a model, in memory."""
        from mercer.data import build_interactions

        return build_interactions(self.tables, self.brief, mask=self.may_train)

    @cached_property
    def everything(self) -> Interactions | None:
        """All clean events, those of people who objected too, as the online state would hold them."""
        from mercer.data import build_interactions

        if "events" not in self.tables.names:
            return None
        return build_interactions(self.tables, self.brief)

    def frames(self) -> dict[str, pd.DataFrame]:
        """Every canonical table as a frame."""
        found = {name: self.tables.get(name) for name in self.tables.names}
        return {name: frame for name, frame in found.items() if frame is not None}

    def training_events(self) -> pd.DataFrame | None:
        """The rows of `events` that may have trained a model of this run; None without an event log."""
        events = self.tables.events()
        return None if events is None else events.loc[self.may_train]

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The catalogue; without items or events, as where all targets are of examples, an empty one."""
        if "events" in self.tables.names:
            return self.interactions.items
        if "items" not in self.tables.names and all(_is_flat(one) for one in self.brief.targets.values()):
            return Vocabulary([])
        return Vocabulary(sorted(self._items_table["item"].astype(str)))

    @cached_property
    def _items_table(self) -> pd.DataFrame:
        items = self.tables.items()
        if items is None:
            raise BriefError("data.items: this target needs a catalogue, and the brief names none.")
        return items

    @cached_property
    def items(self) -> pd.DataFrame:
        """The catalogue's attributes; row i is item code i."""
        from mercer.data import item_frame

        return item_frame(self.tables, self.vocabulary)

    def columns(self, name: str) -> tuple[FlatColumn, ...]:
        """What a model of a target from flat examples reads; empty for any other target."""
        from mercer.data import flat_columns

        target, examples = self.brief.targets[name], self.tables.get("examples")
        if not isinstance(target, BehaviorTarget) or target.label != "examples" or examples is None:
            return ()
        return flat_columns(examples, target, self.brief.columns)

    @property
    def protected(self) -> frozenset[str]:
        """Columns that the data dictionary keeps for audits alone."""
        return frozenset(name for name, note in self.brief.columns.items() if note.protected)

    def split(self, name: str) -> Split:
        """The split of a target, made once."""
        if name not in self._splits:
            self._splits[name] = self._make(name)
        return self._splits[name]

    def _make(self, name: str) -> Split:
        from mercer import data

        target = self.brief.targets[name]
        day = self.brief.decision.day
        if isinstance(target, SearchTarget):
            judgments = self.tables.judgments()
            if judgments is None:
                raise BriefError(f"targets.{name}: search needs data.judgments, and the brief names none.")
            return data.split_search(self.items, self.vocabulary, only_accepted(judgments), target)
        if isinstance(target, BehaviorTarget) and target.label == "examples":
            examples = self.tables.get("examples")
            if examples is None:
                raise BriefError(
                    f"targets.{name}: label examples needs data.examples, which the brief lacks."
                )
            return data.split_examples(examples, target, self.protected)
        if "events" not in self.tables.names:
            raise BriefError(f"targets.{name}: {target.task} needs data.events, and the brief names none.")
        if isinstance(target, RecommendTarget):
            return data.split_recommend(self.interactions, self.items, target, day)
        assert isinstance(target, BehaviorTarget)
        return data.split_behavior(self.interactions, target, day)


def _is_flat(target: Target) -> bool:
    return isinstance(target, BehaviorTarget) and target.label == "examples"
