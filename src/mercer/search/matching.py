"""The half of a search that matches words: options, the index, and what a query finds in it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Field

from mercer.contracts import Dataset, Estimate, Floats32, searched
from mercer.contracts import Options as BaseOptions
from mercer.search.documents import FIELDS, documents
from mercer.search.identifiers import COLUMNS, candidates
from mercer.search.lexical import ALL, Codes64, LexicalIndex
from mercer.search.spelling import Speller
from mercer.search.words import terms

FOLDER = "lexical"


class WordOptions(BaseOptions):
    """How words are matched, whatever the fields that hold them."""

    plurals: bool = Field(True, description="remove English plural endings from terms")
    spelling: bool = Field(
        True, description="correct a word of letters alone that the catalogue lacks, by one edit"
    )
    identifiers: tuple[str, ...] = Field(
        COLUMNS,
        description="columns and attributes, lower case, that hold article numbers beside the item id",
    )

    @property
    @abstractmethod
    def together(self) -> tuple[str, ...]:
        """Texts that make up the field `all`."""

    @property
    @abstractmethod
    def weights(self) -> Mapping[str, float]:
        """How much BM25 over each field counts."""

    @property
    def ties(self) -> float:
        """How much the fields of a term count that are not its best one: 1 adds all fields up."""
        return 1.0


class TogetherOptions(WordOptions):
    """All text of an item is one field."""

    attributes: bool = searched(
        True, choices=(True, False), description="the values of attributes are text like any other"
    )
    title_weight: float = searched(
        0.0, low=0.0, high=2.0, ge=0, le=10, description="how much BM25 over the title adds to that"
    )

    @property
    def together(self) -> tuple[str, ...]:
        """All texts, attributes where wanted."""
        return FIELDS if self.attributes else tuple(name for name in FIELDS if name != "attributes")

    @property
    def weights(self) -> Mapping[str, float]:
        """All text, and the title again."""
        return {ALL: 1.0, "title": self.title_weight}


class FieldOptions(WordOptions):
    """Each text of an item is a field with a weight; the title's is 1."""

    text_weight: float = searched(
        1.0, low=0.3, high=2.0, log=True, ge=0, le=10, description="of the description"
    )
    category_weight: float = searched(
        1.0, low=0.3, high=2.0, log=True, ge=0, le=10, description="of the category"
    )
    brand_weight: float = searched(1.0, low=0.3, high=2.0, log=True, ge=0, le=10, description="of the brand")
    attributes_weight: float = searched(
        0.3,
        low=0.0,
        high=1.0,
        ge=0,
        le=10,
        description="of the values of attributes; 0: they are not searched",
    )
    tie: float = searched(
        0.0, low=0.0, high=0.5, ge=0, le=1,
        description="how much the other fields of a term count beside its best one; 1 adds all up",
    )  # fmt: skip

    @property
    def together(self) -> tuple[str, ...]:
        """All texts but the attributes: what says that a term is held, where that is asked."""
        return tuple(name for name in FIELDS if name != "attributes")

    @property
    def weights(self) -> Mapping[str, float]:
        """By field."""
        return {"title": 1.0, **{name: float(getattr(self, f"{name}_weight")) for name in FIELDS[1:]}}

    @property
    def ties(self) -> float:
        """As set."""
        return self.tie


class Matching:
    """An index with the options it was built with."""

    def __init__(self, index: LexicalIndex, options: WordOptions) -> None:
        self.index = index
        self._options = options
        self._real: frozenset[str] = frozenset()

    @classmethod
    def build(cls, train: Dataset, options: WordOptions) -> Self:
        """Index the catalogue of `train`."""
        index = LexicalIndex.build(
            documents(train.items, options.identifiers),
            plurals=options.plurals,
            together=options.together,
            apart=[name for name in options.weights if name != ALL],
        )
        return cls(index, options)

    @classmethod
    def open(cls, folder: Path, options: WordOptions) -> Self:
        """Read what `save` wrote. Raises DamagedError when it is not whole."""
        return cls(LexicalIndex.open(folder / FOLDER), options)

    def save(self, folder: Path) -> None:
        """Write the index into a folder of its own within `folder`."""
        self.index.save(folder / FOLDER)

    @cached_property
    def _speller(self) -> Speller:
        return Speller(self.index.words, self._real)

    def leave_alone(self, words: frozenset[str]) -> None:
        """Words of the language, which are never corrected though the catalogue lacks them."""
        self._real = words
        self.__dict__.pop("_speller", None)

    def corrected(self, query: str) -> str:
        """The query as it is searched: misspelt words corrected where the options say so."""
        return self._speller.corrected(query) if self._options.spelling else query

    def terms(self, query: str) -> list[str]:
        """The terms that are looked up for a query, as it stands."""
        return terms(query, plurals=self._options.plurals)

    def scores(self, query: str) -> Floats32:
        """BM25 of every item, shape (I,), above 0; -inf for an item that holds no term of the query."""
        out = np.full(self.index.n_items, -np.inf, np.float32)
        codes, found = self.index.matches(self.terms(query), self._options.weights, tie=self._options.ties)
        out[codes] = found
        return out

    def exact(self, query: str) -> Codes64:
        """Codes of the items whose article number the query, as it was typed, names."""
        return self.index.identified(candidates(query))

    def parameters(self) -> list[tuple[str, str]]:
        """What decides a lexical order, in plain words."""
        named = [
            ("article number", "a product whose number is typed in the query comes first"),
            ("words of the query", "products that hold more of them, and the rarer ones, come higher"),
        ]
        weights = self._options.weights
        if ALL not in weights:
            named.append(
                (
                    "where a word stands",
                    "a word counts by the text that it fits best: title, description, ...",
                )
            )
        elif weights["title"]:
            named.append(("title", "a word found in the title counts more than one in the description"))
        return [*named, ("length of the text", "a word counts more in a short text than in a long one")]


def has_words(query: str) -> bool:
    """Whether there is anything to search for: a letter or a digit."""
    return bool(terms(query))


def estimate_lexical(train: Dataset) -> Estimate:
    """A pass over the texts: about 0.1 ms and 5 kB an item."""
    n_items = len(train.vocabulary)
    return Estimate(seconds=0.05 + 1e-4 * n_items, peak_mib=30 + 5e-3 * n_items)
