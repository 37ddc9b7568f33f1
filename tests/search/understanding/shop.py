"""The simulated shop's catalogue, as a fit sees it: large enough that its words mean something."""

from __future__ import annotations

from functools import cache

import pandas as pd

from mercer.contracts import Dataset, Vocabulary
from mercer.search.understanding.facts import ItemFacts
from mercer.search.understanding.rules import RuleMaker
from mercer.search.understanding.values import CatalogueValues
from mercer.simulate.catalogue import make_catalogue
from mercer.simulate.kinds import assortment
from mercer.simulate.options import ShopOptions, stream
from mercer.simulate.season import Calendar
from mercer.simulate.tables import items_table


@cache
def items() -> pd.DataFrame:
    """1,500 items of the simulated shop."""
    options = ShopOptions(items=1500, seed=7)
    calendar = Calendar.ending(options.last_day, options.months)
    catalogue = make_catalogue(
        assortment().part(options.items), options.items, calendar, stream(options.seed, "catalogue")
    )
    frame = items_table(catalogue, calendar).to_pandas()
    return frame.fillna({"min_age": 0}).astype({"price_minor": "int64", "min_age": "int64"})


@cache
def dataset() -> Dataset:
    frame = items()
    return Dataset(vocabulary=Vocabulary(frame["item"].tolist()), items=frame, as_of=0)


@cache
def rules() -> RuleMaker:
    values = CatalogueValues.of(items())
    real = frozenset({"comfortable", "trampoline", "table", "case", "laptop"})
    return RuleMaker.build(items(), values, ItemFacts.of(items(), values), real=real)
