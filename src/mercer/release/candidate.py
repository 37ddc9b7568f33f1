"""A loaded release: what gates judge, the API serves and Python asks. Implements `contracts.Candidate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import Brief, RecommendTarget, Target
from mercer.contracts import (
    UNKNOWN_AGE,
    FlatColumn,
    Predictions,
    Predictor,
    Ranker,
    Rankings,
    Reason,
    Requests,
    Snapshots,
    Vocabulary,
)
from mercer.errors import NotFoundError, UnsupportedError, UsageError, nearest
from mercer.release.columns import meanings
from mercer.release.manifest import Manifest
from mercer.release.policy import DeterministicPolicy
from mercer.release.rules import NO_OVERLAY, Catalogue, Overlay, apply
from mercer.release.understanding import UnderstandingRanker, brought_up_to_date, meeting
from mercer.search.understanding import Understanding

Task = Literal["recommend", "search", "behavior"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Rankings with what an exposure log needs.

    requests: as the model saw them, serving rules applied (`requests.eligible()` is what could be shown).
    propensity: probability of each item at its place, shape (n, k). policy: what chose. Where the search understands
    queries, understood: what each was ranked by; meets: which items meet all its filters, shape (n, k).
    """

    requests: Requests
    rankings: Rankings
    propensity: npt.NDArray[np.float64]
    policy: str
    understood: tuple[Understanding, ...] | None = None
    meets: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, kw_only=True)
class Release:
    """Everything that answers, bound together and verified.

    items: base catalogue, a frame of `contracts.ITEM_COLUMNS` whose row i is item code i of `vocabulary`.
    columns: by target that predicts from flat columns, what it reads. fallbacks: by target, the ranker that answers
    where the target's own is late.
    Safe to use from several threads: nothing in it changes after loading.
    """

    folder: Path
    manifest: Manifest
    brief: Brief
    vocabulary: Vocabulary
    items: pd.DataFrame
    rankers: Mapping[str, Ranker]
    predictors: Mapping[str, Predictor]
    columns: Mapping[str, tuple[FlatColumn, ...]] = field(default_factory=dict)
    fallbacks: Mapping[str, Ranker] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """The hash under which answers are logged."""
        return self.manifest.hash

    def targets(self, task: Task) -> tuple[str, ...]:
        """Names of the targets of a task, in the brief's order."""
        return tuple(
            name
            for name in self.brief.targets
            if name in self.manifest.targets and self.manifest.targets[name].task == task
        )

    def resolve(self, task: Task, target: str | None = None) -> str:
        """The target meant: the one named, or the only one of the task.

        Raises NotFoundError for a name this release does not answer, UsageError when several could be meant.
        """
        known = self.targets(task)
        if target is not None:
            if target in known:
                return target
            raise NotFoundError(
                f"This release has no {task} target {target!r}.",
                remedy=nearest(target, known) if known else "It answers no target of this task.",
            )
        if len(known) == 1:
            return known[0]
        if not known:
            raise NotFoundError(
                f"This release answers no {task} target.",
                remedy=f"It answers: {', '.join(self.manifest.targets)}.",
            )
        raise UsageError(
            f"Several {task} targets could be meant.", remedy=f"Name `target`: one of {', '.join(known)}."
        )

    def spec(self, target: str) -> Target:
        """What the brief says of a target."""
        return self.brief.targets[target]

    def answer(
        self,
        target: str,
        requests: Requests,
        k: int,
        *,
        overlay: Overlay = NO_OVERLAY,
        understood: Sequence[Understanding] | None = None,
    ) -> Answer:
        """Rank for recommend and search targets with every serving rule applied.

        requests: their histories must use `vocabulary`. k: at least 1. overlay: changes since the release.
        understood: what to rank by, for each request, instead of what the search itself understands of its query;
        `Understanding(query=query)` is the plain query.
        Raises NotFoundError for an unknown target, UnsupportedError for another catalogue's requests, for a search
        without a query, or for `understood` where the search does not understand queries.
        """
        spec, ranker = self.spec_of_ranker(target)
        catalogue = self._catalogue(overlay)
        if isinstance(spec, RecommendTarget):
            seen = apply(requests, catalogue, repeats=spec.repeats, mask_kinds=tuple(spec.kinds))
            return self._by(ranker.rank, target, seen, k)
        held = self._held(target, requests, understood)
        if held is None:
            return self._by(ranker.rank, target, apply(requests, catalogue, repeats=True), k)
        reader = brought_up_to_date(self.reader(target), self.items, catalogue)
        seen = apply(requests, catalogue, repeats=True, told_age=_ages(held))
        answer = self._by(partial(_by_understanding, reader, held), target, seen, k)
        return replace(answer, understood=held, meets=meeting(reader, held, answer.rankings))

    def stand_in(self, target: str, requests: Requests, k: int, *, overlay: Overlay = NO_OVERLAY) -> Answer:
        """What the fallback of a recommend target answers, under the same rules and logged under its own policy.

        Raises NotFoundError for an unknown target, UnsupportedError for one without a fallback.
        """
        spec, _ = self.spec_of_ranker(target)
        if target not in self.fallbacks or not isinstance(spec, RecommendTarget):
            raise UnsupportedError(
                f"Nothing stands in for target {target!r}.",
                remedy="Name one of the target's models as its `fallback` in the brief, and run it again.",
            )
        seen = apply(requests, self._catalogue(overlay), repeats=spec.repeats, mask_kinds=tuple(spec.kinds))
        entry = self.manifest.fallbacks[target]
        return self._by(self.fallbacks[target].rank, target, seen, k, policy=entry.policy)

    def _by(
        self,
        rank: Callable[[Requests, int], Rankings],
        target: str,
        seen: Requests,
        k: int,
        *,
        policy: str | None = None,
    ) -> Answer:
        chosen = DeterministicPolicy(policy or self.manifest.targets[target].policy, rank)
        # A deterministic policy draws nothing; a fixed generator keeps answers repeatable all the same.
        rankings, propensity = chosen.sample(seen, k, np.random.default_rng(0))
        return Answer(seen, rankings, propensity, chosen.name)

    def understands(self, target: str) -> bool:
        """Whether a ranking target is a search that understands queries. Raises NotFoundError for an unknown one."""
        return isinstance(self.spec_of_ranker(target)[1], UnderstandingRanker)

    def reader(self, target: str) -> UnderstandingRanker:
        """The ranker of a search that understands queries.

        Raises NotFoundError for an unknown target, UnsupportedError for one that takes queries as they are.
        """
        ranker = self.spec_of_ranker(target)[1]
        if not isinstance(ranker, UnderstandingRanker):
            raise UnsupportedError(
                f"Target {target!r} ({self.manifest.targets[target].model}) does not understand queries.",
                remedy="Search plainly, or release a model whose name begins with `understood-`.",
            )
        return ranker

    def understand(self, target: str, queries: Sequence[str]) -> tuple[Understanding, ...]:
        """What the search understands of queries. Raises as `reader` does."""
        reader = self.reader(target)
        return tuple(reader.understand(query) for query in queries)

    def _held(
        self, target: str, requests: Requests, understood: Sequence[Understanding] | None
    ) -> tuple[Understanding, ...] | None:
        """What each request of a search is ranked by; None where queries are not understood."""
        if requests.query is None:
            raise UnsupportedError(f"Target {target!r} answers queries.", remedy="Give the requests a query.")
        if understood is not None:
            self.reader(target)
            return tuple(understood)
        return self.understand(target, requests.query) if self.understands(target) else None

    def recommend(
        self, target: str, requests: Requests, k: int, *, overlay: Overlay = NO_OVERLAY
    ) -> Rankings:
        """Recommendations with every serving rule applied; batches of any size, worked off in blocks."""
        return self._in_blocks(self.resolve("recommend", target), requests, k, overlay, None)

    def search(
        self,
        target: str,
        requests: Requests,
        k: int,
        *,
        overlay: Overlay = NO_OVERLAY,
        understood: Sequence[Understanding] | None = None,
    ) -> Rankings:
        """Search results with every serving rule applied; batches of any size, worked off in blocks.

        understood: as for `answer`.
        """
        return self._in_blocks(self.resolve("search", target), requests, k, overlay, understood)

    def _in_blocks(
        self,
        target: str,
        requests: Requests,
        k: int,
        overlay: Overlay,
        understood: Sequence[Understanding] | None,
    ) -> Rankings:
        parts, at = [], 0
        for block in requests.blocks() if len(requests) else [requests]:
            held = None if understood is None else understood[at : at + len(block)]
            parts.append(self.answer(target, block, k, overlay=overlay, understood=held).rankings)
            at += len(block)
        return Rankings.concatenate(parts)

    def predict(self, target: str, snapshots: Snapshots) -> Predictions:
        """Predictions of the released model. Raises NotFoundError for an unknown target."""
        return self._predictor(target).predict(snapshots)

    def explain(self, target: str, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        """The n strongest reasons of each prediction. Raises NotFoundError for an unknown target."""
        found = self._predictor(target).explain(snapshots, n)
        said = meanings(self.columns.get(target, ()))
        # A model knows a flat column by its name alone; what it means is in the data dictionary.
        return [
            [replace(one, meaning=said[one.feature]) if one.meaning in said else one for one in row]
            for row in found
        ]

    def disclosure(self, target: str) -> list[tuple[str, str]]:
        """The published main parameters of a ranking, most significant first: (name, why it matters)."""
        return self.spec_of_ranker(target)[1].parameters()

    def spec_of_ranker(self, target: str) -> tuple[Target, Ranker]:
        """A ranking target with its ranker. Raises NotFoundError for any other name."""
        if target not in self.rankers:
            raise NotFoundError(
                f"This release ranks for no target {target!r}.",
                remedy=nearest(target, self.rankers) if self.rankers else "It has no ranking target.",
            )
        return self.spec(target), self.rankers[target]

    def _predictor(self, target: str) -> Predictor:
        if target not in self.predictors:
            raise NotFoundError(
                f"This release predicts no target {target!r}.",
                remedy=nearest(target, self.predictors) if self.predictors else "It has no behavior target.",
            )
        return self.predictors[target]

    @cached_property
    def _catalogues(self) -> dict[int, tuple[Overlay, Catalogue]]:
        return {}

    def _catalogue(self, overlay: Overlay) -> Catalogue:
        """Limits under an overlay; the latest is kept, for most requests come under the same one."""
        kept = self._catalogues.get(0)
        if kept is not None and kept[0] is overlay:
            return kept[1]
        made = Catalogue.of(self.items, self.vocabulary, overlay)
        self._catalogues[0] = (overlay, made)
        return made


def _ages(held: Sequence[Understanding]) -> npt.NDArray[np.int16]:
    """Years of whom each query says it is for, -1 where it says nothing."""
    return np.array([UNKNOWN_AGE if one.filters.age is None else one.filters.age for one in held], np.int16)


def _by_understanding(
    ranker: UnderstandingRanker, held: Sequence[Understanding], requests: Requests, k: int
) -> Rankings:
    return ranker.rank_understood(requests, held, k)
