"""Ranker `bm25`: words of the query in the text of the item, exact article numbers first."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from mercer.contracts import Dataset, Estimate, Floats32, Runtime
from mercer.search.matching import LexicalOptions, Matching, estimate_lexical
from mercer.search.ranking import SearchRanker

EXACT = np.float32(4096.0)
"""Added where the article number was asked for; BM25 is cut there, a height that no real text reaches."""


class Bm25(SearchRanker):
    """BM25 over all text of an item in one field, the title again on top where an option says so.

    An item that holds no word of the query is no answer. Stability: caller stable.
    """

    name: ClassVar[str] = "bm25"

    class Options(LexicalOptions):
        """Options of `bm25`."""

    options: Options

    def build(self, train: Dataset, seconds: float, runtime: Runtime) -> None:  # noqa: ARG002
        """Index the catalogue: about a second for 20,000 items."""
        self._matching = Matching.build(train, self.options)

    def score_query(self, query: str) -> Floats32:
        """BM25 of each item, plus 4096 where the query names its article number."""
        scores = np.minimum(self._matching.scores(query), EXACT)
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
