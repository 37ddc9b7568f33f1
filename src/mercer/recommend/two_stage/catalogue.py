"""What the catalogue says of its items, as codes: brand and category path, and the price it lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

Codes = npt.NDArray[np.int32]
Floats32 = npt.NDArray[np.float32]

DEPTH = 5
"""Levels of a category path that are read, from the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """I items; a code is -1 where nothing is known.

    brand: int32, shape (I,): the brand, or where no item of the catalogue has one the title's first word.
    leaf: int32, shape (I,): the whole category path. nodes: int32, shape (I, DEPTH): the path down to each level.
    price: float32, shape (I,): listed price in minor units, NaN where unknown.
    """

    brand: Codes
    leaf: Codes
    nodes: Codes
    price: Floats32

    @classmethod
    def of(cls, items: pd.DataFrame) -> Self:
        """Read a frame of ITEM_COLUMNS; a column that is absent is unknown everywhere."""
        levels = [[p.strip() for p in path.split(">") if p.strip()] for path in texts(items, "category")]
        nodes = [_codes([" > ".join(p[: d + 1]) if len(p) > d else "" for p in levels]) for d in range(DEPTH)]
        return cls(
            brand=_codes(_brands(items)),
            leaf=_codes([" > ".join(path) for path in levels]),
            nodes=np.stack(nodes, axis=1),
            price=_prices(items),
        )


def texts(items: pd.DataFrame, name: str) -> list[str]:
    """A column of texts without spaces around them, "" where it is absent or unknown."""
    if name not in items.columns:
        return [""] * len(items)
    return ["" if pd.isna(value) else str(value).strip() for value in items[name].tolist()]


def _brands(items: pd.DataFrame) -> list[str]:
    named = [brand.casefold() for brand in texts(items, "brand")]
    if any(named):
        return named
    words = [re.search(r"[^\s,;:()]+", title) for title in texts(items, "title")]
    return ["" if word is None else word.group().casefold() for word in words]


def _codes(values: list[str]) -> Codes:
    """Equal texts get equal codes, in order of appearance; an empty text gets -1."""
    numbers: dict[str, int] = {}
    found = [numbers.setdefault(value, len(numbers)) if value else -1 for value in values]
    return np.array(found, np.int32)


def _prices(items: pd.DataFrame) -> Floats32:
    if "price_minor" not in items.columns:
        return np.full(len(items), np.nan, np.float32)
    value = pd.to_numeric(items["price_minor"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(value > 0, value, np.nan).astype(np.float32)
