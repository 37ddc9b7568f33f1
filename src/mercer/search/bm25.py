"""Rankers `bm25` and `bm25-fields`: words of the query in the texts of the item, exact article numbers first."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from mercer.contracts import Dataset, Estimate, Floats32, Runtime
from mercer.search.matching import FieldOptions, Matching, TogetherOptions, WordOptions, estimate_lexical
from mercer.search.ranking import SearchRanker

EXACT = np.float32(4096.0)
"""Added where the article number was asked for; BM25 is cut there, a height that no real text reaches."""


class WordRanker(SearchRanker):
    """What the rankers by words share: they differ in their options alone."""

    class Options(WordOptions):
        """Options of a ranker by words."""

    options: WordOptions

    def build(self, train: Dataset, seconds: float, runtime: Runtime) -> None:  # noqa: ARG002
        """Index the catalogue: about a second for 20,000 items."""
        self._matching = Matching.build(train, self.options)

    def score_query(self, query: str) -> Floats32:
        """BM25 of each item, plus 4096 where the query names its article number."""
        scores = np.minimum(self._matching.scores(self._matching.corrected(query)), EXACT)
        exact = self._matching.exact(query)
        scores[exact] = np.maximum(scores[exact], 0) + EXACT
        return scores

    def write(self, folder: Path) -> None:
        """Write the index."""
        self._matching.save(folder)

    def read(self, folder: Path) -> None:
        """Open the index."""
        self._matching = Matching.open(folder, self.options)

    def estimate(self, train: Dataset) -> Estimate:
        """A pass over the texts."""
        return estimate_lexical(train)

    def parameters(self) -> list[tuple[str, str]]:
        """What decides the order."""
        return self._matching.parameters()


class Bm25(WordRanker):
    """BM25 over all text of an item in one field, the title again on top where an option says so.

    An item that holds no word of the query is no answer. Stability: caller stable.
    """

    name: ClassVar[str] = "bm25"

    class Options(TogetherOptions):
        """Options of `bm25`."""

    options: Options


class Bm25Fields(WordRanker):
    """BM25 over each text of an item, weighted; a word counts by the field where it scores best.

    The disjunction maximum keeps a word that fits the title from counting again for every text that repeats it.
    An item that holds no word of the query is no answer. Stability: caller stable.
    """

    name: ClassVar[str] = "bm25-fields"

    class Options(FieldOptions):
        """Options of `bm25-fields`."""

    options: Options
