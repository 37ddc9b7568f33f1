"""Judged queries: how many have an answer at all, how deep the grades go, and how people type."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from mercer.brief import Brief, SearchTarget
from mercer.data.profile import charts
from mercer.data.profile.section import Section
from mercer.data.profile.words import count, plural, share
from mercer.errors import DamagedError

_SHALLOW = 10
"""Judged products a query below which a list of ten must hold products that nobody judged."""


def section(folder: Path, brief: Brief) -> Section | None:
    """Queries, what was judged for them, grades; None where there are no judgments.

    Raises DamagedError for a table that can't be read.
    """
    place = folder / "judgments.parquet"
    if not place.is_file():
        return None
    try:
        rows = pd.read_parquet(place, columns=["query", "item", "grade"])
    except (OSError, pa.ArrowException) as fault:
        raise DamagedError("judgments.parquet can't be read.", remedy="Clean the data again.") from fault
    if rows.empty:
        return None
    mean = rows.groupby(["query", "item"], sort=True)["grade"].mean().reset_index()
    per_query = mean.groupby("query", sort=True)["grade"].agg(["size", "max"])
    answered = int((per_query["max"] >= 1).sum())
    words = np.array([len(str(query).split()) for query in per_query.index])
    depth = float(per_query["size"].median())
    none, single = len(per_query) - answered, share((words == 1).mean())
    finding = (
        f"{plural(len(per_query), 'query', 'queries')} with {count(len(mean))} judged products, {depth:.0f} for a "
        f"query in the middle. {count(answered)} have a product of grade 1 or better; for the other {count(none)} "
        f"nothing in the catalogue was found fit. {single} of the queries are one word."
    )
    return Section(
        id="judgments",
        title="Judged queries",
        finding=finding,
        meaning=_meaning(brief, answered),
        watch=f"A query has {depth:.0f} judged products in the middle: a list of ten is judged in part only."
        if depth < _SHALLOW
        else "",
        charts=(
            charts.chart(
                charts.columns(_grades(mean["grade"].to_numpy())),
                "Grades",
                label="How many judged products have which grade",
                caption="The mean of the raters of a query and a product, rounded.",
                wide=charts.HALF,
            ),
            charts.chart(
                charts.columns(_lengths(words)),
                "Words of a query",
                label="How many queries have how many words",
                wide=charts.HALF,
            ),
        ),
    )


def _grades(grades: np.ndarray) -> pd.DataFrame:
    found, counts = np.unique(np.round(grades).astype(int), return_counts=True)
    return pd.DataFrame({"grade": found, "judged products": counts})


def _lengths(words: np.ndarray) -> pd.DataFrame:
    upto = np.minimum(words, 5)
    names = ["1", "2", "3", "4", "5 and more"]
    return pd.DataFrame({"words": names, "queries": [int((upto == n).sum()) for n in range(1, 6)]})


def _meaning(brief: Brief, answered: int) -> str:
    targets = [name for name, target in brief.targets.items() if isinstance(target, SearchTarget)]
    asked = f"{', '.join(targets)} is tested" if targets else "A search could be tested"
    said = f"{asked} on the {plural(answered, 'query', 'queries')} that have an answer."
    if answered < 200:
        said += " Intervals will be wide: few queries tell close systems apart."
    return said + (
        " Products that nobody judged count as wrong, which favours whatever system the raters were shown; the "
        "condensed metrics beside it leave them out."
    )
