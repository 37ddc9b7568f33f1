"""The lexical half of both rankers: options, the index, and what a query finds in it."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Field

from mercer.contracts import Dataset, Estimate, Floats32
from mercer.contracts import Options as BaseOptions
from mercer.search.documents import documents
from mercer.search.identifiers import COLUMNS, candidates
from mercer.search.lexical import ALL, Codes64, LexicalIndex
from mercer.search.words import terms

FOLDER = "lexical"


class LexicalOptions(BaseOptions):
    """How words are matched."""

    title_weight: float = Field(
        0.0, ge=0, le=10, description="how much BM25 over the title adds to BM25 over all text"
    )
    plurals: bool = Field(True, description="remove English plural endings from terms")
    identifiers: tuple[str, ...] = Field(
        COLUMNS,
        description="columns and attributes, lower case, that hold article numbers beside the item id",
    )


class Matching:
    """An index with the options it was built with."""

    def __init__(self, index: LexicalIndex, options: LexicalOptions) -> None:
        self._index = index
        self._options = options

    @classmethod
    def build(cls, train: Dataset, options: LexicalOptions) -> Self:
        """Index the catalogue of `train`."""
        index = LexicalIndex.build(documents(train.items, options.identifiers), plurals=options.plurals)
        return cls(index, options)

    @classmethod
    def open(cls, folder: Path, options: LexicalOptions) -> Self:
        """Read what `save` wrote. Raises DamagedError when it is not whole."""
        return cls(LexicalIndex.open(folder / FOLDER), options)

    def save(self, folder: Path) -> None:
        """Write the index into a folder of its own within `folder`."""
        self._index.save(folder / FOLDER)

    def scores(self, query: str) -> Floats32:
        """BM25 of every item, shape (I,), above 0; -inf for an item that holds no term of the query."""
        out = np.full(self._index.n_items, -np.inf, np.float32)
        spelled = terms(query, plurals=self._options.plurals)
        codes, found = self._index.matches(spelled, {ALL: 1.0, "title": self._options.title_weight})
        out[codes] = found
        return out

    def exact(self, query: str) -> Codes64:
        """Codes of the items whose article number the query names."""
        return self._index.identified(candidates(query))

    def parameters(self) -> list[tuple[str, str]]:
        """What decides a lexical order, in plain words."""
        named = [
            ("article number", "a product whose number is typed in the query comes first"),
            ("words of the query", "products that hold more of them, and the rarer ones, come higher"),
        ]
        if self._options.title_weight:
            named.append(("title", "a word found in the title counts more than one in the description"))
        return [*named, ("length of the text", "a word counts more in a short text than in a long one")]


def has_words(query: str) -> bool:
    """Whether there is anything to search for: a letter or a digit."""
    return bool(terms(query))


def estimate_lexical(train: Dataset) -> Estimate:
    """A pass over the texts: about 0.1 ms and 5 kB an item."""
    n_items = len(train.vocabulary)
    return Estimate(seconds=0.05 + 1e-4 * n_items, peak_mib=30 + 5e-3 * n_items)
