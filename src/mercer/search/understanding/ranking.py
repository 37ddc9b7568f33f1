"""What rankers that understand queries share: a maker, a base search, and the order that filters give.

An item within the limits (price, age) comes before the rest; within both, the base search orders by the words that are
left, and category, brand and properties count as preferences: what has them is lifted. Were they limits, too, a copper
frying pan would come before every saucepan that is not of copper when a copper saucepan is looked for, and a category
that was misread would hide what the words alone find.
Without a filter the answer is the base search's own, to the bit.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from mercer.contracts import (
    Budget,
    Dataset,
    Estimate,
    Floats32,
    Holdout,
    Rankings,
    Requests,
    Runtime,
    plugins,
    searched,
)
from mercer.contracts import Options as BaseOptions
from mercer.errors import UsageError
from mercer.search.fusion import competition_ranks
from mercer.search.matching import has_words
from mercer.search.ranking import SearchRanker
from mercer.search.understanding.contract import NONE, Filters, Maker, Understanding
from mercer.search.understanding.facts import ItemFacts
from mercer.search.understanding.values import CatalogueValues

BASE = "base"
"""The folder of the base search within a saved ranker."""
REMEMBERED = 1_024
"""Queries whose understanding is kept in memory."""
_CONSTANT = 60.0
"""Of reciprocal ranks."""
_SECONDS, _MIB = 0.0012, 0.01
"""A catalogue's words: seconds and memory an item."""


class UnderstoodOptions(BaseOptions):
    """What is searched with, and what filters do."""

    base: str = Field("fields-minilm", description="search ranker that orders by words")
    base_options: Mapping[str, Any] = Field(default_factory=dict, description="options of it")
    filters: Literal["first", "only"] = Field(
        "first",
        description="first: items within the price come first; category, brand and properties lift; only: what does "
        "not meet all filters is no answer; in both, what is not for the age that was told is none",
    )
    category_lift: float = searched(
        0.2,
        low=0.02,
        high=1.0,
        log=True,
        ge=0,
        description="how much being of the category asked for lifts an item; 1: above all others",
    )
    preference: float = searched(
        0.1,
        low=0.02,
        high=1.0,
        log=True,
        ge=0,
        description="how much having the brand and the properties asked for lifts an item",
    )

    @model_validator(mode="after")
    def _other_base(self) -> UnderstoodOptions:
        if self.base.startswith("understood-"):
            raise ValueError("base: a ranker that understands queries can't be the base of another")
        return self


class UnderstoodRanker(SearchRanker):
    """Understands a query, then searches by the words that are left, heeding the filters.

    A subclass makes the maker. The score of a query with filters is a place: how many items it comes before, and the
    size of the catalogue more where it is within the limits.
    """

    composition: ClassVar[str] = "rerank"

    class Options(UnderstoodOptions):
        """Options of a ranker that understands queries."""

    options: UnderstoodOptions

    maker: Maker
    values: CatalogueValues
    facts: ItemFacts

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self.base = self._new_base()
        # Past the class variable: whether chance plays a part is decided by the base, too.
        vars(self)["stochastic"] = type(self).stochastic or self.base.stochastic
        vars(self)["from_catalogue"] = self.base.from_catalogue
        self._understood: Callable[[str], Understanding] | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The search that it orders again."""
        return (self.options.base,)

    @abstractmethod
    def make(self, train: Dataset, *, budget: Budget, seed: int, runtime: Runtime) -> None:
        """Set `maker`; `values` and `facts` are known."""

    @abstractmethod
    def write_maker(self, folder: Path) -> None:
        """Write the maker into an existing folder."""

    @abstractmethod
    def read_maker(self, folder: Path) -> None:
        """Set `maker` to what `write_maker` wrote; `values` and `facts` are known."""

    def understand(self, query: str) -> Understanding:
        """What a query asks for. Raises UnsupportedError before fit."""
        self._need_fit()
        if self._understood is None:
            self._understood = lru_cache(maxsize=REMEMBERED)(self.maker.understand)
        return self._understood(query)

    def rank_understood(
        self, requests: Requests, understandings: Sequence[Understanding], k: int
    ) -> Rankings:
        """As `rank`, with what is handed over instead of what the maker finds, one a request.

        A page that lets people take back a filter hands over `Understanding.without(...)`; a server whose time is up
        hands over `Understanding(query=query)`, the plain query.
        Raises UsageError where their number differs or a filter is none of the catalogue's, and what `rank` raises.
        """
        queries = self._queries(requests)
        if len(understandings) != len(queries):
            raise UsageError(
                f"{len(queries)} requests came with {len(understandings)} understandings.",
                remedy="Hand over one for each request.",
            )
        for one in understandings:
            if not self.values.holds(one.filters):
                raise UsageError(
                    "A filter names a value that the catalogue does not hold, or a limit below the other.",
                    remedy="Hand over filters that `understand` gave, or values of `values`.",
                )
        return self._ranked(requests, k, lambda row: self.score_understood(queries[row], understandings[row]))

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        runtime: Runtime | None = None,
    ) -> Self:
        """Fit the base search, read the catalogue's values, make the maker. Returns self."""
        started = time.monotonic()
        budget, runtime = budget or Budget(), runtime or Runtime()
        self.base.fit(train, validation=validation, budget=budget, seed=seed, runtime=runtime)
        self.values = CatalogueValues.of(train.items)
        self.facts = ItemFacts.of(train.items, self.values)
        left = Budget(max(0.0, budget.seconds - (time.monotonic() - started)))
        self.make(train, budget=left, seed=seed, runtime=runtime)
        self._understood = None
        self._catalogue = train.vocabulary.fingerprint
        return self

    def score_query(self, query: str) -> Floats32:
        """The base search's scores where nothing is understood; places otherwise."""
        return self.score_understood(query, self.understand(query))

    def score_understood(self, query: str, understood: Understanding) -> Floats32:
        """Scores of every item, shape (I,), for a query that is understood so; -inf for no answer."""
        filters = understood.filters
        if understood.intent == "service":
            return self.base.score_query(query)
        searched = understood.query if has_words(understood.query) else query
        scores = self.base.score_query(searched)
        if filters == Filters():
            return scores
        only = self.options.filters == "only"
        lifts = Lifts(self.options.category_lift, self.options.preference)
        return placed(scores, self.facts, filters, only=only, lifts=lifts)

    def build(self, train: Dataset, seconds: float, runtime: Runtime) -> None:
        """Fit with default chance."""
        self.fit(train, budget=Budget(seconds), runtime=runtime)

    def write(self, folder: Path) -> None:
        """Write the base search into a folder of its own, the catalogue's values and facts, and the maker."""
        (folder / BASE).mkdir(exist_ok=True)
        self.base.save(folder / BASE)
        self.values.save(folder)
        self.facts.save(folder)
        self.write_maker(folder)

    def read(self, folder: Path) -> None:
        """Read what `write` wrote. Raises DamagedError when something is not whole."""
        self.base = type(self.base).load(folder / BASE)
        self.values, self.facts = CatalogueValues.load(folder), ItemFacts.load(folder)
        self.read_maker(folder)

    def estimate(self, train: Dataset) -> Estimate:
        """What the base search takes, and about a millisecond an item for the words of the catalogue."""
        base = self.base.estimate(train)
        return Estimate(base.seconds + _SECONDS * len(train.items), base.peak_mib + _MIB * len(train.items))

    def parameters(self) -> list[tuple[str, str]]:
        """What decides the order."""
        told = (
            "what the query asks for",
            "products within the price that is read from the query come first, and those of its category, brand and "
            "properties higher; what is not for the age in it is not shown",
        )
        return [told, *self.base.parameters()]

    def _new_base(self) -> SearchRanker:
        cls: type[SearchRanker] = plugins.load(plugins.RANKERS, self.options.base)
        if not issubclass(cls, SearchRanker):
            raise UsageError(
                f"base is {self.options.base!r}, which does not score a whole catalogue for a query.",
                remedy="Use fields-minilm, bm25-fields, search-ltr or another search ranker.",
            )
        try:
            return cls(cls.Options(**self.options.base_options))
        except ValidationError as fault:
            wrong = ", ".join(".".join(map(str, error["loc"])) for error in fault.errors())
            raise UsageError(
                f"base_options of {self.options.base} can't be used: {wrong}.",
                remedy="Look the options up with `mercer models list`.",
            ) from fault


@dataclass(frozen=True, slots=True)
class Lifts:
    """How much it lifts an item to be of the category asked for, and to have the brand and all properties."""

    category: float = 0.0
    properties: float = 0.0


def placed(
    scores: Floats32, facts: ItemFacts, filters: Filters, *, only: bool, lifts: Lifts = Lifts()
) -> Floats32:
    """Places from scores, shape (I,): those within the limits lie the size of the catalogue above the rest.

    Within both parts an item's worth is 1 / (60 + place in the base search), and more by 1 / 60 times the lift of the
    category, where it is of that, and the lift of properties times the share of the brand and properties asked for
    that it has (reciprocal ranks as in Cormack et al., SIGIR 2009). Places are whole numbers, so that float32 holds
    them exactly; equal items stay equal. What is not for the age told is no answer; with `only`, neither is what meets
    not all filters.
    """
    n_items = len(scores)
    limits = replace(filters, category="", brand="", attributes=NONE)
    wished = [Filters(brand=filters.brand)] if filters.brand else []
    wished += [Filters(attributes={name: value}) for name, value in filters.attributes.items()]
    order = competition_ranks(scores)
    if wished or filters.category:
        worth = 1 / (_CONSTANT + order)
        if wished:
            worth += lifts.properties / _CONSTANT * np.mean([facts.matches(one) for one in wished], axis=0)
        if filters.category:
            worth += lifts.category / _CONSTANT * facts.matches(Filters(category=filters.category))
        order = competition_ranks(np.where(scores > -np.inf, worth, -np.inf))
    answers = (scores > -np.inf) & (facts.matches(filters) if only else facts.suits(filters.age))
    found = n_items - order + np.where(facts.matches(limits), n_items, 0)
    return np.where(answers, found, -np.inf).astype(np.float32)
