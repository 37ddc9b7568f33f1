"""`two-stage`: what shops run: cheap candidates first, then a learned order of them.

The first stage joins a few hundred items from neighbours, their neighbours, near titles, brand, category,
popularity and the person's own items. The second orders them by trees that learned, at held-out positions inside
train, which candidates were bought next. Items that no source names follow by neighbours, then by popularity.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from mercer.contracts import (
    Budget,
    Dataset,
    Estimate,
    Floats32,
    Holdout,
    Interactions,
    Rankings,
    Requests,
    Runtime,
)
from mercer.contracts import Options as BaseOptions
from mercer.errors import MercerError
from mercer.language import EmbeddingCache, MiniLm
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.recommend.signals import log_of
from mercer.recommend.tail import with_tail
from mercer.recommend.two_stage import features
from mercer.recommend.two_stage.asked import Asked
from mercer.recommend.two_stage.boosting import Trees, grow
from mercer.recommend.two_stage.candidates import pool
from mercer.recommend.two_stage.catalogue import Catalogue, texts
from mercer.recommend.two_stage.facts import Facts
from mercer.recommend.two_stage.histories import Histories
from mercer.recommend.two_stage.knowledge import Knowledge
from mercer.recommend.two_stage.labels import Lesson, Question, lessons, n_lessons, n_questions
from mercer.recommend.two_stage.lists import Lists, kept
from mercer.recommend.two_stage.options import TwoStageOptions
from mercer.recommend.two_stage.sequential import at_candidates, one_by_one
from mercer.recommend.two_stage.spreads import Local, Spreads
from mercer.recommend.two_stage.titles import Titles

_BLOCK_CELLS = 1_000_000
"""Cells of one dense score held at once while lists are made; about ten such scores are."""
_STOPPING_LISTS = 2_000
_HELD_BACK = 0.1
"""Share of the lists that stops the boosting where there is no validation set."""
_ENCODING_SHARE = 0.6
_LESSONS_SHARE = 0.5
"""Shares of the time left that encoding and then lessons may take."""
_LARGEST = 40.0
"""Raw scores are cut here, so that their exponential is a float32 of full precision."""
_SECONDS_A_TEXT = 0.011
_KEPT_BYTES = 8 * 2**20

log = logging.getLogger(__name__)


class TwoStage(ScoringRanker):
    """score(j) = exp(trees' score) for a candidate; other items lie below all candidates.

    Their order is the first stage's: neighbours, then popularity. So every eligible item has a place, and ranks are
    exact. Nothing is kept of any person. Without anything to learn from, candidates keep the first stage's order.
    """

    name = "two-stage"
    stochastic = True
    composition: ClassVar[str] = "rerank"
    parts: ClassVar[tuple[str, ...]] = ("item-knn", "minilm", "most-popular", "buy-again")

    class Options(TwoStageOptions):
        """Options of `two-stage`; see TwoStageOptions."""

    options: Options

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self.notes: tuple[str, ...] = ()
        self._trees: Trees | None = None
        self._known: Knowledge
        self._share: Floats32
        self._repeats = True

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        runtime: Runtime | None = None,
    ) -> Self:
        """Learn what is known of items from `train`, and trees at positions held out inside it.

        `validation` stops the boosting and nothing else; without it a tenth of the lists does. A fit that would pass
        its budget encodes fewer titles, learns from fewer lists or grows fewer trees, and says so in `notes`.
        Raises MissingExtraError naming `make setup` when titles are to be read and the encoder is not exported.
        """
        runtime = runtime or Runtime()
        deadline = time.perf_counter() + (budget or Budget()).seconds
        self.notes, self._trees = (), None
        self.state = self._know(train, log_of(train), deadline, runtime)
        self._catalogue = train.vocabulary.fingerprint
        self.restored()
        self._learn_order(train, validation, deadline=deadline, seed=seed, runtime=runtime)
        return self

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002 - nothing random
        """What is known of items, as arrays; `fit` goes on from there to learn an order."""
        return self._know(train, log, float("inf"), Runtime())

    def _know(self, train: Dataset, log: Interactions, deadline: float, runtime: Runtime) -> dict[str, Any]:
        catalogue, titles = Catalogue.of(train.items), Titles.none(len(train.vocabulary))
        if self.options.text and not {"titles"}.isdisjoint({*self.options.sources, *self.options.groups}):
            seconds = _ENCODING_SHARE * (deadline - time.perf_counter())
            titles = Titles.read(texts(train.items, "title"), seconds, runtime)
        facts = Facts.learn(log, train.as_of, catalogue, titles, self.options, repeats=train.repeats)
        return {**Knowledge.of(catalogue, titles, facts).arrays(), "repeats": np.array([train.repeats])}

    def restored(self) -> None:
        """Put what is known of items together."""
        self._known = Knowledge.restore(self.state)
        self._repeats = bool(self.state["repeats"].item())
        _keep_memory()
        self._share = self._known.facts.count / max(float(self._known.facts.count.max(initial=0)), 1e-30)

    def _learn_order(
        self, train: Dataset, validation: Holdout | None, *, deadline: float, seed: int, runtime: Runtime
    ) -> None:
        """Grow the trees, if any list holds a purchase."""
        rng = np.random.default_rng([seed, 2])
        learn, stop = self._lists(train, deadline, seed, runtime, rng), None
        if validation is not None:
            question = Question(validation.requests, validation.relevant).some(_STOPPING_LISTS, rng)
            stop = self._listed(question, self._known, None, rng)
        if not learn:
            self._note("No purchase could be held out inside train: candidates keep the first stage's order.")
            return
        whole = Lists.join(learn)
        if stop is None or not len(stop):
            whole, stop = whole.divided(_HELD_BACK, rng)
        names = features.names(self.options.groups)
        self._trees, in_time = grow(
            whole, stop, self.options, names, seed=seed, threads=runtime.threads, deadline=deadline,
            progress=runtime.progress,
        )  # fmt: skip
        if not in_time:
            self._note(f"The boosting stopped before it was done, after {self._trees.rounds} trees.")

    def _lists(
        self, train: Dataset, deadline: float, seed: int, runtime: Runtime, rng: np.random.Generator
    ) -> list[Lists]:
        """Lists of every lesson, with facts learned from what was known at the lesson alone."""
        found: list[Lists] = []
        known, total = self._known, n_lessons(train, self.options)
        limit = time.perf_counter() + _LESSONS_SHARE * (deadline - time.perf_counter())
        for number, lesson in enumerate(lessons(train, self.options, seed)):
            if found and time.perf_counter() > limit:
                self._note(f"The budget was short: {number} of {total} sets of held-out purchases were used.")
                break
            facts = Facts.learn(
                lesson.known, lesson.as_of, known.catalogue, known.titles, self.options, repeats=train.repeats
            )
            then = self._known_then(lesson, facts)
            found += [self._listed(one, then, self.options.negatives, rng) for one in lesson.questions]
            runtime.progress.advance(number + 1, total, "held-out purchases, features made")
        return [lists for lists in found if len(lists)]

    def _known_then(self, lesson: Lesson, facts: Facts) -> Knowledge:  # noqa: ARG002 - for subclasses
        """What was known at a lesson: its facts, and what does not change."""
        return Knowledge.of(self._known.catalogue, self._known.titles, facts, self._known.vectors)

    def _listed(
        self, question: Question, known: Knowledge, negatives: int | None, rng: np.random.Generator
    ) -> Lists:
        """Features of the candidates of a question's requests, and which of them were bought."""
        size, at, parts = max(1, _BLOCK_CELLS // known.n_items), 0, []
        for block in question.requests.blocks(size):
            wanted = question.wanted.take(np.arange(at, at + len(block)))
            asked = self._asked(block, known)
            bought = np.isin(asked.pool.cell, wanted.row_of * known.n_items + wanted.values)
            keep = kept(asked.pool.row, bought, len(block), negatives, rng)
            sizes = np.bincount(asked.pool.row[keep], minlength=len(block))
            matrix = features.matrix(asked, self.options.groups)
            parts.append(Lists(features=[matrix[keep]], bought=bought[keep], sizes=sizes[sizes > 0]))
            at += len(block)
        return Lists.join(parts)

    def _note(self, sentence: str) -> None:
        self.notes = (*self.notes, sentence)
        log.warning(sentence)

    def rank(self, requests: Requests, k: int) -> Rankings:
        """The k best eligible items of each request: as of `score`, but where candidates fill the k places, which lie
        above all other items, those are not looked at.

        Raises UsageError for k < 1, UnsupportedError before fit, DataError for another catalogue.
        """
        if k < 1 or not len(requests) or self._trees is None:
            return super().rank(requests, k)
        return Rankings.concatenate([self._ranked(block, k) for block in self._blocks(requests)])

    def _ranked(self, block: Requests, k: int) -> Rankings:
        asked, eligible = self._asked(block, self._known), block.eligible()
        scores = self._by_trees(asked)
        usable = np.flatnonzero(eligible.ravel()[asked.pool.cell])
        row, item, values = asked.pool.row[usable], asked.pool.item[usable], scores[usable]
        sizes = np.bincount(row, minlength=len(block))
        if block.pin is not None or sizes.min() < k:
            return Rankings.top_k(self._dense(asked, scores), k, eligible=eligible, pin=block.pin)
        order = np.lexsort((item, -values, row))
        best = order[(np.cumsum(sizes) - sizes)[:, None] + np.arange(k)]
        return Rankings(item[best].astype(np.int32), values[best])

    def score_rows(self, requests: Requests) -> Floats32:
        """Candidates by the trees, the rest of the catalogue below them by neighbours and popularity."""
        asked = self._asked(requests, self._known)
        return self._dense(asked, None if self._trees is None else self._by_trees(asked))

    def _by_trees(self, asked: Asked) -> Floats32:
        """Scores of the candidates, above 0, shape (m,)."""
        assert self._trees is not None
        raw = self._trees.scores(features.matrix(asked, self.options.groups))
        return np.exp(np.clip(raw, -_LARGEST, _LARGEST)).astype(np.float32)

    def _dense(self, asked: Asked, scores: Floats32 | None) -> Floats32:
        """Scores of the whole catalogue, shape (n, I); without `scores` in the first stage's order."""
        first = with_tail(asked.spreads.decayed.astype(np.float32), self._share)
        if scores is None:
            return first
        least = np.ones(len(first), np.float32)
        np.minimum.at(least, asked.pool.row, scores)
        greatest = np.maximum(first.max(axis=1), np.finfo(np.float32).tiny)
        # Half of the least candidate's score keeps the best of the others strictly below it.
        first *= (least / 2 / greatest)[:, None]
        first.ravel()[asked.pool.cell] = scores
        return first

    def _asked(self, requests: Requests, known: Knowledge) -> Asked:
        h = Histories.of(requests, self.options)
        spreads = Spreads.of(h, known, self.options.decay)
        sequence = None if known.sequence is None else one_by_one(known.sequence, requests)
        found = pool(h, spreads, known, self.options, repeats=self._repeats, sequence=sequence)
        if sequence is not None:
            sequence = at_candidates(known.sequence, requests, found, sequence)
        return Asked(found, h, spreads, Local.of(spreads, known, found.cell), known, self._repeats, sequence)

    def save(self, folder: Path) -> None:
        """Write options.yaml, weights.safetensors and a text file of trees for each member."""
        if self._trees is not None:
            self.state = {**self.state, "trees": self._trees.hashes}
            self._trees.save(folder)
        super().save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when a file is missing, damaged or another ranker's."""
        ranker = super().load(folder)
        if "trees" in ranker.state:
            ranker._trees = Trees.load(folder, ranker.state["trees"])
        return ranker

    def estimate(self, train: Dataset) -> Estimate:
        """What encoding takes of titles that the cache lacks, and features and trees of the lists."""
        n_items, log = len(train.vocabulary), train.interactions
        n_events = 0 if log is None else log.n_events
        lists = 0 if log is None else min(self.options.lists, log.n_users * n_questions(train, self.options))
        seconds = 1 + 1e-4 * n_items + 2e-5 * n_events * n_lessons(train, self.options) + 5e-3 * lists
        cells = lists * self.options.negatives * len(features.names(self.options.groups))
        return Estimate(
            seconds=seconds + _encoding_seconds(train, self.options), peak_mib=300 + 6 * cells / 2**20
        )

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            (
                "What other customers bought after the items you bought",
                "Items that often follow yours, and items that follow those, come higher.",
            ),
            ("How lately you bought an item", "Your latest purchases count most."),
            (
                "Likeness to what you bought",
                "The same brand, the same category and a title of like meaning come higher.",
            ),
            (
                "How often customers bought it, and lately",
                "What sells, and sells more than before, comes higher.",
            ),
            (
                "Prices you usually pay",
                "Items near the prices of your purchases come higher, where prices are known.",
            ),
            (
                "What you bought before or looked at",
                "It comes higher when it is time to buy it again, or when you looked at it.",
            ),
        ]


def _keep_memory() -> None:
    """Make the allocator keep what an answer frees for the next answer.

    glibc hands freed memory back to the system above a size that grows with the largest block it has seen freed
    (mallopt(3), M_MMAP_THRESHOLD). At a hundred thousand items that cost 200 to 700 page faults an answer, a tenth of
    its time. The array is never touched, so it takes no memory.
    """
    np.empty(_KEPT_BYTES, np.uint8)


def _encoding_seconds(train: Dataset, options: TwoStageOptions) -> float:
    if not options.text:
        return 0.0
    titles = list(dict.fromkeys(title for title in texts(train.items, "title") if title))
    try:
        return _SECONDS_A_TEXT * EmbeddingCache(MiniLm()).missing(titles)
    except MercerError:
        return _SECONDS_A_TEXT * len(titles)
