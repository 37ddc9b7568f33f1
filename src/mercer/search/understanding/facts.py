"""Which items meet which filters: for each value the items that hold it, and prices and least ages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.errors import DamagedError
from mercer.search.understanding.contract import Filters
from mercer.search.understanding.values import (
    CatalogueValues,
    attribute_values,
    column,
    prefixes,
    prices_of,
)
from mercer.search.words import fold

FILE = "facts.safetensors"

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]

_CATEGORY, _BRAND, _ATTRIBUTE = "category", "brand", "attribute"


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """items: codes that hold a value, ascending, by key; prices: minor units, int64, -1 unknown; ages: least ages."""

    items: Mapping[str, Codes]
    prices: npt.NDArray[np.int64]
    ages: Codes

    @classmethod
    def of(cls, items: pd.DataFrame, values: CatalogueValues) -> Self:
        """The facts of a catalogue about its own values."""
        held: dict[str, list[int]] = {}
        canonical = {
            name: {fold(value): value for value in known} for name, known in values.attributes.items()
        }
        for code, path in enumerate(column(items, "category")):
            for part in prefixes(path):
                held.setdefault(_key(_CATEGORY, part), []).append(code)
        for code, brand in enumerate(column(items, "brand")):
            if brand:
                held.setdefault(_key(_BRAND, brand), []).append(code)
        for code, known in enumerate(attribute_values(items)):
            for name, forms in known.items():
                legal = canonical.get(name, {})
                for value in {legal[fold(form)] for form in forms if fold(form) in legal}:
                    held.setdefault(_key(_ATTRIBUTE, name, value), []).append(code)
        coded = {key: np.array(codes, np.int32) for key, codes in held.items()}
        return cls(coded, prices_of(items), items["min_age"].to_numpy(np.int32))

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.prices)

    def matches(self, filters: Filters) -> Bools:
        """Which items meet every filter, shape (I,). An item without a known price meets no limit of one."""
        met = self.suits(filters.age)
        for key in _keys(filters):
            met &= self._holding(key)
        if filters.price_min is not None or filters.price_max is not None:
            met &= self.prices >= max(0, filters.price_min or 0)
        if filters.price_max is not None:
            met &= self.prices <= filters.price_max
        return met

    def suits(self, age: int | None) -> Bools:
        """Which items may go to a person of an age, shape (I,): all where None."""
        return np.ones(self.n_items, bool) if age is None else self.ages <= age

    def codes(self, name: str, value: str) -> Codes:
        """Codes of the items of a category (`category`), brand (`brand`), or attribute (any other name)."""
        key = _key(name, value) if name in (_CATEGORY, _BRAND) else _key(_ATTRIBUTE, name, value)
        return self.items.get(key, np.zeros(0, np.int32))

    def save(self, folder: Path) -> None:
        """Write `facts.safetensors` into an existing folder."""
        from safetensors.numpy import save_file

        keys = sorted(self.items)
        lengths = np.array([len(self.items[key]) for key in keys], np.int64)
        flat = np.concatenate([np.zeros(0, np.int32), *(self.items[key] for key in keys)])
        names = np.frombuffer("\n".join(keys).encode(), np.uint8)
        save_file(
            {"codes": flat, "lengths": lengths, "names": names, "prices": self.prices, "ages": self.ages},
            folder / FILE,
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when it is missing or not whole."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            held = load_file(folder / FILE)
            keys = held["names"].tobytes().decode().split("\n") if len(held["names"]) else []
            ends = np.cumsum(held["lengths"])
            parts = np.split(held["codes"], ends[:-1]) if len(ends) else []
            return cls(dict(zip(keys, parts, strict=True)), held["prices"], held["ages"])
        except (OSError, SafetensorError, KeyError, ValueError) as fault:
            raise DamagedError(f"{FILE} is damaged or missing.", remedy="Fit the ranker again.") from fault

    def _holding(self, key: str) -> Bools:
        found = np.zeros(self.n_items, bool)
        found[self.items.get(key, np.zeros(0, np.int32))] = True
        return found


def _keys(filters: Filters) -> list[str]:
    named = [(_CATEGORY, filters.category), (_BRAND, filters.brand)]
    keys = [_key(kind, value) for kind, value in named if value]
    return keys + [_key(_ATTRIBUTE, name, value) for name, value in filters.attributes.items()]


def _key(*parts: str) -> str:
    """One line of text; a control character can't be part of a value's key."""
    return "\x1f".join(part.replace("\n", " ").replace("\x1f", " ") for part in parts)
