"""Rankers that understand queries: what a release asks of one, and how one follows a catalogue that changes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Rankings, Requests
from mercer.release.rules import Catalogue
from mercer.search.understanding import CatalogueValues, Maker, Understanding
from mercer.search.understanding.facts import ItemFacts


@runtime_checkable
class UnderstandingRanker(Protocol):
    """A search ranker that understands queries, and ranks by what was understood.

    maker: turns queries into understandings. values: what filters may name. facts: which items meet which filters.
    """

    maker: Maker
    values: CatalogueValues
    facts: ItemFacts

    def understand(self, query: str) -> Understanding:
        """What the query asks for."""
        ...

    def rank_understood(
        self, requests: Requests, understandings: Sequence[Understanding], k: int
    ) -> Rankings:
        """The k best eligible items of each request by what was understood of its query."""
        ...


def meeting(
    ranker: UnderstandingRanker, understood: Sequence[Understanding], rankings: Rankings
) -> npt.NDArray[np.bool_]:
    """Whether each ranked item meets all filters of its request, shape (n, k); False at an empty place."""
    met = np.zeros(rankings.items.shape, bool)
    for row, (one, codes) in enumerate(zip(understood, rankings.items, strict=True)):
        met[row] = ranker.facts.matches(one.filters)[codes] & (codes >= 0)
    return met


def brought_up_to_date(
    ranker: UnderstandingRanker, items: pd.DataFrame, catalogue: Catalogue
) -> UnderstandingRanker:
    """The ranker with the prices and least ages that hold now; itself where they are those of the release.

    items: the base catalogue, for its currencies: a filter of price knows the main one alone.
    """
    ages = catalogue.min_age.astype(ranker.facts.ages.dtype)
    if not len(catalogue.repriced) and np.array_equal(ages, ranker.facts.ages):
        return ranker
    currencies = items["currency"].fillna("").astype(str).to_numpy()[catalogue.repriced]
    known = np.isin(currencies, ["", ranker.values.currency])
    prices = ranker.facts.prices.copy()
    prices[catalogue.repriced[known]] = catalogue.new_price[known]
    changed = copy.copy(ranker)
    changed.facts = replace(ranker.facts, prices=prices, ages=ages)
    return changed
