"""Rankers `bm25-minilm` and `fields-minilm`: BM25 and MiniLM similarity, fused by places or by scaled scores.

Both halves rank the whole catalogue, not a pool of candidates, and rules are applied to the fused order. So a
filter loses nothing, and forbidding one item never changes the order of the others.
Sources: Cormack, Clarke and Büttcher, SIGIR 2009 (reciprocal rank fusion); Bruch, Gai and Ingber, TOIS 2023
(convex combination of scores, each scaled by its least possible value and its greatest for the query).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from mercer.contracts import Dataset, Estimate, Floats32, Runtime, searched
from mercer.search.matching import (
    FieldOptions,
    Matching,
    TogetherOptions,
    WordOptions,
    estimate_lexical,
    has_words,
)
from mercer.search.meaning import Meaning, MeaningOptions, estimate_meaning
from mercer.search.ranking import SearchRanker

Floats = npt.NDArray[np.float64]

EXACT = 1.0
"""Added where the article number was asked for; the two halves together stay below it."""


class JoinOptions(MeaningOptions):
    """How the two halves are joined."""

    join: Literal["reciprocal", "convex"] = searched(
        "reciprocal",
        choices=("reciprocal", "convex"),
        description="join the places of both halves (reciprocal) or their scaled scores (convex)",
    )
    rank_constant: float = searched(
        60.0,
        low=5.0,
        high=200.0,
        log=True,
        ge=1,
        le=1000,
        description="reciprocal: k in 1 / (k + rank): the larger, the less the first places count",
    )
    meaning_share: float = searched(
        0.5, low=0.2, high=0.8, ge=0, le=1, description="share of the half by meaning in the sum"
    )


class FusionOptions(WordOptions, JoinOptions):
    """Options of a half by words, and of the join."""


class FusionRanker(SearchRanker):
    """What the fusions share: they differ in their half by words.

    Every encoded item is an answer to every query that holds a letter or a digit.
    """

    composition: ClassVar[str] = "fusion"
    parts: ClassVar[tuple[str, ...]]

    class Options(FusionOptions):
        """Options of a fusion."""

    options: FusionOptions

    def build(self, train: Dataset, seconds: float, runtime: Runtime) -> None:
        """Index and encode the catalogue; texts encoded before come from the cache.

        A fit that would pass its budget stops encoding: the items left are found by their words alone, and a
        warning says how many. Raises MissingExtraError naming `make setup` when the encoder is not exported.
        """
        started = time.monotonic()
        self._matching = Matching.build(train, self.options)
        self._meaning = Meaning.build(train, seconds - (time.monotonic() - started), runtime)
        self._matching.leave_alone(self._meaning.words)

    def score_query(self, query: str) -> Floats32:
        """Both halves joined, below 1, plus 1 where the query names the article number."""
        if not has_words(query):
            return np.full(self._meaning.n_items, -np.inf, np.float32)
        spelt = self._matching.corrected(query)
        fused = fuse(self._matching.scores(spelt), self._meaning.similarities(spelt), self.options)
        fused[self._matching.exact(query)] += EXACT
        return np.where(fused > 0, fused, -np.inf).astype(np.float32)

    def write(self, folder: Path) -> None:
        """Write the index, the vectors and, unless switched off, the encoder."""
        self._matching.save(folder)
        self._meaning.save(folder, self.options)

    def read(self, folder: Path) -> None:
        """Open the index, the vectors and the encoder that made them.

        Raises DamagedError when something is not whole, or the encoder is not the one that made the vectors.
        """
        self._matching = Matching.open(folder, self.options)
        self._meaning = Meaning.open(folder, self.options)
        self._matching.leave_alone(self._meaning.words)

    def estimate(self, train: Dataset) -> Estimate:
        """A pass over the texts, and what encoding takes of those that the cache lacks."""
        lexical, meaning = estimate_lexical(train), estimate_meaning(train)
        return Estimate(lexical.seconds + meaning.seconds, lexical.peak_mib + meaning.peak_mib)

    def parameters(self) -> list[tuple[str, str]]:
        """What decides the order."""
        lexical = self._matching.parameters()
        return [*lexical[:2], *Meaning.parameters(), *lexical[2:]]


class Bm25Minilm(FusionRanker):
    """Fusion of `bm25` and of cosine similarity between MiniLM vectors. Stability: caller stable."""

    name: ClassVar[str] = "bm25-minilm"
    parts: ClassVar[tuple[str, ...]] = ("bm25", "minilm")

    class Options(TogetherOptions, FusionOptions):
        """Options of `bm25-minilm`: those of `bm25`, and how the halves are joined."""

    options: Options


class FieldsMinilm(FusionRanker):
    """Fusion of `bm25-fields` and of cosine similarity between MiniLM vectors. Stability: caller stable."""

    name: ClassVar[str] = "fields-minilm"
    parts: ClassVar[tuple[str, ...]] = ("bm25-fields", "minilm")

    class Options(FieldOptions, FusionOptions):
        """Options of `fields-minilm`: those of `bm25-fields`, and how the halves are joined."""

    options: Options


def fuse(words: Floats32, meaning: Floats32, options: JoinOptions) -> Floats:
    """The joined score of each item, shape (I,), in [0, 1]; 0 for an item that is no answer of either half."""
    if options.join == "convex":
        halves = scaled(words, 0.0), scaled(meaning, -1.0)
        return (1 - options.meaning_share) * halves[0] + options.meaning_share * halves[1]
    halves = reciprocal(words, options.rank_constant), reciprocal(meaning, options.rank_constant)
    # Twice the shares, so that equal ones are the plain sum of the paper.
    return 2 * (1 - options.meaning_share) * halves[0] + 2 * options.meaning_share * halves[1]


def most(options: JoinOptions) -> float:
    """The greatest value that `fuse` can give."""
    return 1.0 if options.join == "convex" else 2.0 / (options.rank_constant + 1)


def reciprocal(scores: Floats32, rank_constant: float) -> Floats:
    """1 / (k + rank) of each item, 0 where the score is -inf."""
    gains = np.zeros(len(scores), np.float64)
    answers = np.flatnonzero(scores > -np.inf)
    gains[answers] = 1.0 / (rank_constant + competition_ranks(scores[answers]))
    return gains


def scaled(scores: Floats32, least: float) -> Floats:
    """Scores from their least possible value (0) to the query's greatest (1), 0 where the score is -inf."""
    answers = scores > -np.inf
    most = float(scores.max(initial=-np.inf))
    if most <= least:
        return np.zeros(len(scores), np.float64)
    return np.where(answers, (scores.astype(np.float64) - least) / (most - least), 0.0)


def competition_ranks(scores: Floats32) -> Floats:
    """1 + the number of greater scores, shape as given: equal scores share the better rank."""
    order = np.argsort(-scores)
    falling = scores[order]
    first_of_run = np.ones(len(scores), np.int64)
    first_of_run[1:] = np.where(falling[1:] < falling[:-1], np.arange(2, len(scores) + 1), 0)
    ranks = np.empty(len(scores), np.float64)
    ranks[order] = np.maximum.accumulate(first_of_run)
    return ranks
