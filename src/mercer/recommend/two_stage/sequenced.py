"""`two-stage-sequence`: the two-stage ranker with a sequence ranker inside.

The sequence ranker's best items are candidates, and its score is a feature of the second stage. A list to learn from
hears a sequence ranker of its own: fitted on the log without any label of the lessons it speaks in, so that it was not
shown what it is asked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from mercer.contracts import Budget, Dataset, Estimate, Holdout, Ranker, Runtime
from mercer.contracts import Options as BaseOptions
from mercer.recommend.members import Members, record_of, trains, within
from mercer.recommend.two_stage.facts import Facts
from mercer.recommend.two_stage.knowledge import Knowledge
from mercer.recommend.two_stage.labels import Lesson, greatest_depth, known_to_all
from mercer.recommend.two_stage.options import GROUPS, SOURCES
from mercer.recommend.two_stage.ranker import TwoStage
from mercer.training.inner import keep, new, read

if TYPE_CHECKING:
    from mercer.training import TrainingRecord

_SEQUENCE_SHARE = 0.7
"""Share of the time left that fitting sequence rankers may take; the rest is for lists and trees."""
_FOLDER, _HASH = "sequence", "sequence.files"
_THEN = "lessons"


class TwoStageSequence(TwoStage):
    """As `two-stage`, with the sequence ranker's best items among the candidates and its score among the features.

    It is fitted once for the lessons and once more, on all of train, for answers. Nothing is kept of any person.
    records: what its trainings were and took: that for answers, then those for lessons.
    """

    name = "two-stage-sequence"
    parts: tuple[str, ...] = (*TwoStage.parts, "sasrec")  # type: ignore[misc]

    class Options(TwoStage.Options):
        """Those of `two-stage`, and the sequence ranker."""

        known_sources: ClassVar[tuple[str, ...]] = (*SOURCES, "sequence")
        known_groups: ClassVar[tuple[str, ...]] = (*GROUPS, "sequence")

        sources: tuple[str, ...] = Field(
            known_sources, min_length=1, description="where candidates come from"
        )
        groups: tuple[str, ...] = Field(
            known_groups, min_length=1, description="groups of features that are read"
        )
        sequence: Members = Field(
            {"sasrec": {}},
            min_length=1,
            max_length=1,
            validate_default=True,
            description="the ranker that is heard, with its options",
        )
        lesson_fits: int = Field(
            1,
            ge=1,
            le=50,
            description="times it is fitted for the lessons: each as of the oldest lesson it speaks in",
        )

    options: Options

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        [(self._member, self._member_options)] = self.options.sequence.items()
        self.parts = (*TwoStage.parts, self._member)
        self.holds_users = self._unfitted().holds_users  # type: ignore[misc]
        self.trains = trains(self._unfitted())
        self.records: tuple[TrainingRecord, ...] = ()
        self._then: dict[int, Ranker] = {}

    @property
    def training(self) -> TrainingRecord | None:
        """What the training for answers was and took; None where nothing was trained."""
        return self.records[0] if self.records else None

    def _unfitted(self, chosen: Mapping[str, Any] | None = None) -> Ranker:
        return new(self._member, {**self._member_options, **(chosen or {})})

    def _learn_order(
        self, train: Dataset, validation: Holdout | None, *, deadline: float, seed: int, runtime: Runtime
    ) -> None:
        """Fit the sequence ranker for answers and for the lessons, then grow the trees."""
        self.records, self._then = (), {}
        depth = greatest_depth(train, self.options)
        fits = min(self.options.lesson_fits, depth)
        # The last lesson that each fit speaks in, as even as may be.
        ends = [round((number + 1) * depth / fits) for number in range(fits)]
        chosen: Mapping[str, Any] = {}
        until = time.perf_counter() + _SEQUENCE_SHARE * (deadline - time.perf_counter())
        for turn, end in enumerate((0, *ends)):
            seconds = max(0.0, until - time.perf_counter()) / (1 + fits - turn)
            fitted = self._unfitted(chosen).fit(
                train if end == 0 else known_to_all(train, self.options, end),
                validation=validation,
                budget=Budget(seconds),
                seed=seed,
                runtime=within(runtime, _FOLDER if end == 0 else f"{_THEN}-{end}"),
            )
            self._heed(fitted, "" if end == 0 else f", for lessons down to {end}")
            if end == 0:
                self._known = replace(self._known, sequence=fitted)
                # Lessons hear what answers will hear: a score must mean the same in both.
                chosen = getattr(fitted, "chosen", {})
            else:
                self._then[end] = fitted
        super()._learn_order(train, validation, deadline=deadline, seed=seed, runtime=runtime)
        self._then = {}

    def _heed(self, fitted: Ranker, where: str) -> None:
        self.notes = (
            *self.notes,
            *(f"{self._member}{where}: {note}" for note in getattr(fitted, "notes", ())),
        )
        record = record_of(fitted)
        self.records = self.records if record is None else (*self.records, record)

    def _known_then(self, lesson: Lesson, facts: Facts) -> Knowledge:
        """What was known at a lesson, with the newest sequence ranker that was shown none of its labels."""
        end = min(end for end in self._then if end >= lesson.depth)
        return replace(super()._known_then(lesson, facts), sequence=self._then[end])

    def save(self, folder: Path) -> None:
        """As `two-stage`, the sequence ranker in a folder `sequence`."""
        member = self._known.sequence
        assert member is not None
        self.state = {**self.state, _HASH: np.frombuffer(keep(member, folder / _FOLDER), np.uint8)}
        super().save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when a file is missing, damaged or of another fit."""
        ranker = super().load(folder)
        member = read(ranker._member, folder / _FOLDER, bytes(ranker.state.get(_HASH, b"")))
        ranker._known = replace(ranker._known, sequence=member)
        record = record_of(member)
        ranker.records = () if record is None else (record,)
        return ranker

    def estimate(self, train: Dataset) -> Estimate:
        """That of `two-stage`, and the fits of the sequence ranker."""
        own, member = super().estimate(train), self._unfitted().estimate(train)
        fits = 1 + min(self.options.lesson_fits, greatest_depth(train, self.options))
        return Estimate(
            seconds=own.seconds + fits * member.seconds, peak_mib=own.peak_mib + fits * member.peak_mib
        )

    def parameters(self) -> list[tuple[str, str]]:
        """Those of `two-stage` and of the sequence ranker."""
        own = super().parameters()
        found = dict(own)
        return own + [pair for pair in self._unfitted().parameters() if pair[0] not in found]
