"""Ranker `bm25-minilm`: BM25 and MiniLM similarity, fused by reciprocal rank.

Both halves rank the whole catalogue, not a pool of candidates, and rules are applied to the fused order. So a
filter loses nothing, and forbidding one item never changes the order of the others.
Source: Cormack, Clarke and Büttcher, SIGIR 2009 (reciprocal rank fusion).
"""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mercer.contracts import Dataset, Estimate, Floats32, Runtime
from mercer.errors import DamagedError, MercerError
from mercer.language import EmbeddingCache, MiniLm
from mercer.search.dense import DenseIndex
from mercer.search.documents import passages
from mercer.search.matching import LexicalOptions, Matching, estimate_lexical, has_words
from mercer.search.ranking import SearchRanker

Floats = npt.NDArray[np.float64]

ENCODER = "encoder"
EXACT = 1.0
"""Added where the article number was asked for; the two reciprocal ranks together stay below it."""
_TEXTS_PER_SECOND = 90.0

log = logging.getLogger(__name__)


class Bm25Minilm(SearchRanker):
    """Reciprocal rank fusion of `bm25` and of cosine similarity between MiniLM vectors.

    Every encoded item is an answer to every query that holds a letter or a digit. Stability: caller stable.
    """

    name: ClassVar[str] = "bm25-minilm"
    composition: ClassVar[str] = "fusion"
    parts: ClassVar[tuple[str, ...]] = ("bm25", "minilm")

    class Options(LexicalOptions):
        """Options of `bm25-minilm`: those of `bm25`, and how the halves are joined."""

        rank_constant: float = Field(
            60.0,
            ge=1,
            le=1000,
            description="k in 1 / (k + rank): the larger, the less the first places count",
        )
        bundle_encoder: bool = Field(
            True, description="save the encoder (90 MB) with the index, so a release needs nothing else"
        )

    options: Options

    def build(self, train: Dataset, seconds: float, runtime: Runtime) -> None:
        """Index and encode the catalogue; texts encoded before come from the cache.

        A fit that would pass its budget stops encoding: the items left are found by their words alone, and a
        warning says how many. Raises MissingExtraError naming `make setup` when the encoder is not exported.
        """
        started = time.monotonic()
        encoder = MiniLm()
        self._matching = Matching.build(train, self.options)
        texts = passages(train.items)
        unique = list(dict.fromkeys(texts))
        cache = EmbeddingCache(encoder, runtime.cache_folder)
        left = seconds - (time.monotonic() - started)
        vectors, filled = cache.encode(unique, progress=runtime.progress, seconds=left)
        numbers = np.where(filled, np.cumsum(filled) - 1, -1)
        row_of_text = dict(zip(unique, numbers.tolist(), strict=True))
        row_of = np.array([row_of_text[text] for text in texts], np.int32)
        self._dense = DenseIndex(vectors[filled], row_of, encoder.fingerprint)
        self._encoder = encoder
        if not filled.all():
            log.warning("%d of %d texts were not encoded in time.", (~filled).sum(), len(filled))

    def score_query(self, query: str) -> Floats32:
        """Sum of 1 / (k + rank) over both halves, plus 1 where the query names the article number."""
        scores = np.full(len(self._dense.row_of), -np.inf, np.float32)
        if not has_words(query):
            return scores
        fused = self._reciprocal(self._matching.scores(query))
        fused += self._reciprocal(self._dense.similarities(self._encoder.encode([query], "query")[0]))
        fused[self._matching.exact(query)] += EXACT
        return np.where(fused > 0, fused, -np.inf).astype(np.float32)

    def write(self, folder: Path) -> None:
        """Write the index, the vectors and, unless switched off, the encoder."""
        self._matching.save(folder)
        self._dense.save(folder)
        target = folder / ENCODER
        if self.options.bundle_encoder and target.resolve() != self._encoder.folder.resolve():
            shutil.copytree(self._encoder.folder, target, dirs_exist_ok=True)

    def read(self, folder: Path) -> None:
        """Open the index, the vectors and the encoder that made them.

        Raises DamagedError when something is not whole, or the encoder is not the one that made the vectors.
        """
        self._matching = Matching.open(folder, self.options)
        self._dense = DenseIndex.open(folder)
        self._encoder = MiniLm(folder / ENCODER if self.options.bundle_encoder else None)
        if self._encoder.fingerprint != self._dense.fingerprint:
            raise DamagedError(
                "The text encoder is not the one that made the vectors of this index.",
                remedy="Fit again, or install the encoder that was used.",
            )

    def estimate(self, train: Dataset) -> Estimate:
        """A pass over the texts, and what encoding takes of those that the cache lacks."""
        lexical = estimate_lexical(train)
        texts = set(passages(train.items))
        try:
            missing = EmbeddingCache(MiniLm()).missing(list(texts))
        except MercerError:
            missing = len(texts)
        vectors_mib = len(texts) * 384 * 4 / 2**20
        return Estimate(
            seconds=lexical.seconds + missing / _TEXTS_PER_SECOND,
            peak_mib=lexical.peak_mib + 250 + 3 * vectors_mib,
        )

    def parameters(self) -> list[tuple[str, str]]:
        """What decides the order."""
        meaning = (
            "meaning of the query",
            "products whose title and description mean nearly the same to a language model come higher",
        )
        lexical = self._matching.parameters()
        return [*lexical[:2], meaning, *lexical[2:]]

    def _reciprocal(self, scores: Floats32) -> Floats:
        """1 / (k + rank) of each item, 0 where the score is -inf."""
        gains = np.zeros(len(scores), np.float64)
        answers = np.flatnonzero(scores > -np.inf)
        gains[answers] = 1.0 / (self.options.rank_constant + competition_ranks(scores[answers]))
        return gains


def competition_ranks(scores: Floats32) -> Floats:
    """1 + the number of greater scores, shape as given: equal scores share the better rank."""
    order = np.argsort(-scores)
    falling = scores[order]
    first_of_run = np.ones(len(scores), np.int64)
    first_of_run[1:] = np.where(falling[1:] < falling[:-1], np.arange(2, len(scores) + 1), 0)
    ranks = np.empty(len(scores), np.float64)
    ranks[order] = np.maximum.accumulate(first_of_run)
    return ranks
