"""The catalogue by itself: brands and list prices, where no log of purchases shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from mercer.data.money import decimals
from mercer.data.profile import charts
from mercer.data.profile.section import Chart, Section
from mercer.data.profile.spread import bins
from mercer.data.profile.words import count, money, plural, share
from mercer.errors import DamagedError

_BRANDS = 10


def section(folder: Path) -> Section | None:
    """Brands by number of items and list prices; None for a catalogue that has neither.

    Raises DamagedError for a table that can't be read.
    """
    place = folder / "items.parquet"
    if not place.is_file():
        return None
    try:
        items = pd.read_parquet(place, columns=["title", "brand", "price_minor", "currency"])
    except (OSError, pa.ArrowException) as fault:
        raise DamagedError("items.parquet can't be read.", remedy="Clean the data again.") from fault
    brands = items["brand"].fillna("")
    brands = brands[brands != ""].value_counts()
    prices = items["price_minor"].to_numpy(np.float64, na_value=np.nan)
    prices = prices[prices >= 0]
    if brands.empty and not len(prices):
        return None
    said, drawn = [f"{plural(len(items), 'item')}."], []
    if not brands.empty:
        top = int(brands.iloc[:_BRANDS].sum())
        said.append(
            f"{plural(len(brands), 'brand')}; {min(_BRANDS, len(brands))} of them make {share(top, len(items))} of it."
        )
        drawn.append(_brands(brands))
    if len(prices):
        named = str(items["currency"].dropna().iloc[0]) if items["currency"].notna().any() else ""
        scale = decimals(named or None)
        low, middle, high = np.quantile(prices, [0.05, 0.5, 0.95])
        said.append(
            f"The list price is {money(middle, named, scale)} in the middle, and nine in ten lie between "
            f"{money(low, named, scale)} and {money(high, named, scale)}"
            + (f"; {count(len(items) - len(prices))} have none." if len(prices) < len(items) else ".")
        )
        drawn.append(_prices(prices / 10**scale, named or "money"))
    doubles = int(items["title"].dropna().duplicated(keep=False).sum())
    if doubles:
        said.append(f"{count(doubles)} share their title with another.")
    return Section(
        id="catalogue",
        title="The catalogue",
        finding=" ".join(said),
        meaning="Items that share a title look the same to whoever reads the list; what tells them apart must stand in "
        "the text or the attributes."
        if doubles
        else "",
        charts=tuple(drawn),
    )


def _brands(brands: pd.Series) -> Chart:
    frame = pd.DataFrame(
        {
            "name": [str(name) for name in brands.index[:_BRANDS]],
            "value": [int(n) for n in brands.iloc[:_BRANDS]],
            "text": [share(n, brands.sum()) for n in brands.iloc[:_BRANDS]],
        }
    )
    return charts.chart(
        charts.bars(frame, "items"),
        "Brands with the most items",
        label="Brands with the most items",
        caption="With their share of the items that name a brand.",
        wide=charts.HALF,
    )


def _prices(prices: npt.NDArray[np.float64], unit: str) -> Chart:
    frame, equal_factors = bins(prices[prices > 0])
    draw = charts.histogram(frame, f"list price, {unit}", "share of items", log=equal_factors)
    caption = "Equal steps to the right are equal factors." if equal_factors else ""
    return charts.chart(
        draw, "List prices", label="List prices, as a histogram", wide=charts.HALF, caption=caption
    )
