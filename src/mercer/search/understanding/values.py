"""What a catalogue holds that a filter may name: categories, brands, attributes, prices and least ages.

Everything that a maker answers is one of these values. They are written as JSON beside a ranker, and a model that was
trained on the values of one catalogue is known by their fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.errors import DamagedError
from mercer.search.understanding.contract import Filters
from mercer.search.words import fold

FILE = "values.json"
SEPARATOR = " > "
"""Between the parts of a category path."""

COVERED = 0.01
"""Share of the items that an attribute must say something of to be kept."""
WORDS = 0.5
"""Share of an attribute's items whose value must be one that is kept."""
LEAST = 2
"""Items that must hold a value; in a large catalogue, 1 in 2,000."""
MOST_VALUES = 300
"""An attribute with more kept values is a text, not a choice."""

_LONGEST_VALUE = 40
_MOST_WORDS = 5
_SPLIT = re.compile(r"\s*[;\n]\s*|(?<!\d),\s*|,\s*(?!\d)\s*")
_PREFIX = re.compile(r"^attr_[a-z]_")
_NO_VALUE = frozenset({"yes", "no", "true", "false", "y", "n", "none", "other", "unspecified", "unknown"})


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest price of the catalogue in minor units."""

    least: int
    most: int


@dataclass(frozen=True)
class CatalogueValues:
    """The legal values of a catalogue, each in its own spelling, in alphabetical order.

    categories: every category path and every first part of one. brands. attributes: values by readable name.
    prices: None where no item has one. currency: of the prices, "" where it is not said. ages: least ages that some
    item asks for, years.
    """

    categories: tuple[str, ...]
    brands: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]
    prices: Range | None
    currency: str
    ages: tuple[int, ...]

    @classmethod
    def of(cls, items: pd.DataFrame) -> Self:
        """The values of a catalogue: columns ITEM_COLUMNS, and maybe `attributes`, a JSON object a row."""
        prices = prices_of(items)
        prices = prices[prices >= 0]
        return cls(
            categories=tuple(sorted({part for path in column(items, "category") for part in prefixes(path)})),
            brands=tuple(sorted(set(column(items, "brand")) - {""})),
            attributes=_kept(items),
            prices=Range(int(prices.min()), int(prices.max())) if len(prices) else None,
            currency=main_currency(items),
            ages=tuple(sorted({int(age) for age in items["min_age"] if age > 0})),
        )

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """Category paths that are the first part of no other."""
        inner = {path.rpartition(SEPARATOR)[0] for path in self.categories}
        return tuple(path for path in self.categories if path not in inner)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all values."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def holds(self, filters: Filters) -> bool:
        """Whether every filter is legal: its value is one of the catalogue's, prices and age are no less than 0."""
        least, most, age = filters.price_min, filters.price_max, filters.age
        return (
            (not filters.category or filters.category in self.categories)
            and (not filters.brand or filters.brand in self.brands)
            and all(value in self.attributes.get(name, ()) for name, value in filters.attributes.items())
            and all(number is None or number >= 0 for number in (least, most, age))
            and (least is None or most is None or least <= most)
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            **asdict(self),
            "categories": list(self.categories),
            "brands": list(self.brands),
            "attributes": {name: list(values) for name, values in self.attributes.items()},
            "ages": list(self.ages),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """What `to_json` gave. Raises DamagedError where it is no such thing."""
        try:
            prices = content["prices"]
            return cls(
                tuple(map(str, content["categories"])),
                tuple(map(str, content["brands"])),
                {str(name): tuple(map(str, held)) for name, held in content["attributes"].items()},
                None if prices is None else Range(int(prices["least"]), int(prices["most"])),
                str(content["currency"]),
                tuple(map(int, content["ages"])),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise _damaged() from fault

    def save(self, folder: Path) -> None:
        """Write `values.json` into an existing folder."""
        text = json.dumps(self.to_json(), ensure_ascii=False, sort_keys=True) + "\n"
        (folder / FILE).write_text(text, "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when it is missing or not whole."""
        try:
            content = json.loads((folder / FILE).read_text("utf-8"))
        except (OSError, ValueError) as fault:
            raise _damaged() from fault
        return cls.from_json(content)


def prefixes(path: str) -> Iterator[str]:
    """A category path and its first parts, the shortest first."""
    parts = [part for part in path.split(SEPARATOR) if part]
    for n in range(1, len(parts) + 1):
        yield SEPARATOR.join(parts[:n])


def column(items: pd.DataFrame, name: str) -> list[str]:
    """A column as texts; "" where it says nothing."""
    if name not in items.columns:
        return [""] * len(items)
    return ["" if pd.isna(value) else str(value) for value in items[name].tolist()]


def main_currency(items: pd.DataFrame) -> str:
    """The currency of most items, the first in the alphabet of equals; "" where none is said."""
    counts = Counter(code for code in column(items, "currency") if code)
    return min(counts, key=lambda code: (-counts[code], code), default="")


def prices_of(items: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Prices in the main currency, minor units, int64, shape (I,); -1 where unknown or in another one."""
    main = main_currency(items)
    mine = np.array([code in ("", main) for code in column(items, "currency")], bool)
    prices = items["price_minor"].to_numpy(np.int64)
    return np.where(mine & (prices >= 0), prices, -1)


def readable(name: str) -> str:
    """An attribute's name as people read it: `attr_t_product_colour` is `product colour`."""
    return " ".join(_PREFIX.sub("", name.strip().lower()).replace("_", " ").split())


def attribute_values(items: pd.DataFrame) -> list[dict[str, list[str]]]:
    """Of each item, its values by readable name; one text that lists several ("Black,Silver") is split."""
    return [_values(text) for text in column(items, "attributes")]


def _values(text: str) -> dict[str, list[str]]:
    try:
        content = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    found: dict[str, list[str]] = {}
    for name, held in content.items() if isinstance(content, dict) else ():
        texts = [part for part in (held if isinstance(held, list) else [held]) if isinstance(part, str)]
        parts = [" ".join(part.split()) for one in texts for part in _SPLIT.split(one)]
        found.setdefault(readable(str(name)), []).extend(part for part in parts if part)
    return found


def _kept(items: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Attributes whose values are words that enough items share."""
    held: dict[str, Counter[str]] = {}
    covered: Counter[str] = Counter()
    for known in attribute_values(items):
        for name, values in known.items():
            covered[name] += 1
            held.setdefault(name, Counter()).update(set(values))
    least = max(LEAST, len(items) // 2000)
    found = {}
    for name in sorted(held):
        kept = _spellings(held[name], least)
        said = sum(held[name].values())
        if (
            name
            and covered[name] >= COVERED * len(items)
            and 1 < len(kept) <= MOST_VALUES
            and sum(kept.values()) >= WORDS * said
        ):
            found[name] = tuple(sorted(kept))
    return found


def _spellings(counts: Counter[str], least: int) -> Counter[str]:
    """Values that are words, in their commonest spelling, with the items of all spellings; rare ones left out."""
    spelt: dict[str, Counter[str]] = {}
    for value, count in counts.items():
        if is_value(value):
            spelt.setdefault(fold(value), Counter())[value] += count
    return Counter(
        {
            min(forms, key=lambda form: (-forms[form], form)): total
            for forms in spelt.values()
            if (total := sum(forms.values())) >= least
        }
    )


def is_value(text: str) -> bool:
    """Whether a text can be a choice: a few words, some letters, and more than yes or no."""
    return (
        1 < len(text) <= _LONGEST_VALUE
        and len(text.split()) <= _MOST_WORDS
        and any(c.isalpha() for c in text)
        and fold(text) not in _NO_VALUE
    )


def _damaged() -> DamagedError:
    return DamagedError(f"{FILE} is damaged or missing.", remedy="Fit the ranker again.")
