"""Ranker `minilm`: similarity of meaning alone."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from mercer.contracts import Dataset, Estimate, Floats32, Runtime
from mercer.search.matching import has_words
from mercer.search.meaning import Meaning, MeaningOptions, estimate_meaning
from mercer.search.ranking import SearchRanker


class Minilm(SearchRanker):
    """Cosine similarity of MiniLM vectors: of the query, and of an item's title and description.

    Every encoded item is an answer to every query that holds a letter or a digit. Article numbers mean nothing
    to it, and an item that was not encoded in time is never found: `bm25-minilm` mends both.
    Stability: caller stable.
    """

    name: ClassVar[str] = "minilm"

    class Options(MeaningOptions):
        """Options of `minilm`."""

    options: Options

    def build(self, train: Dataset, seconds: float, runtime: Runtime) -> None:
        """Encode the catalogue; texts encoded before come from the cache.

        Raises MissingExtraError naming `make setup` when the encoder is not exported.
        """
        self._meaning = Meaning.build(train, seconds, runtime)

    def score_query(self, query: str) -> Floats32:
        """Cosine of each item's vector with the query's."""
        if not has_words(query):
            return np.full(self._meaning.n_items, -np.inf, np.float32)
        return self._meaning.similarities(query)

    def write(self, folder: Path) -> None:
        """Write the vectors and, unless switched off, the encoder."""
        self._meaning.save(folder, self.options)

    def read(self, folder: Path) -> None:
        """Open the vectors and the encoder that made them."""
        self._meaning = Meaning.open(folder, self.options)

    def estimate(self, train: Dataset) -> Estimate:
        """What encoding takes of the texts that the cache lacks."""
        return estimate_meaning(train)

    def parameters(self) -> list[tuple[str, str]]:
        """What decides the order."""
        return Meaning.parameters()
