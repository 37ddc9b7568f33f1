"""The types of goods that the shop sells, read from catalogue.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml


@dataclass(frozen=True)
class ProductType:
    """One type of goods. price: least and most in minor units; refill_days: 0 unless it is used up."""

    name: str
    words: tuple[str, ...]
    category: str
    code: str
    brands: tuple[str, ...]
    kinds: tuple[str, ...]
    colours: tuple[str, ...]
    sizes: tuple[str, ...]
    price: tuple[int, int]
    refill_days: int
    season: str
    min_age: int
    goes_with: tuple[str, ...]
    used_for: str
    facts: tuple[str, ...]

    @property
    def variants(self) -> int:
        """How many different items of this type can exist."""
        return len(self.brands) * len(self.kinds) * max(1, len(self.colours)) * len(self.sizes)


@dataclass(frozen=True)
class Assortment:
    """All types, with brands' quality, seasons (name -> demand by month) and texts nobody can serve."""

    types: tuple[ProductType, ...]
    quality: dict[str, float]
    seasons: dict[str, tuple[float, ...]]
    unserved: tuple[str, ...]

    @cached_property
    def number(self) -> dict[str, int]:
        """Position of each type by its name."""
        return {kind.name: number for number, kind in enumerate(self.types)}

    def part(self, n_items: int) -> Assortment:
        """Fewer types for a small catalogue: about six items a type, evenly over the shop's departments."""
        n = min(len(self.types), max(20, n_items // 6))
        chosen = np.unique(np.linspace(0, len(self.types) - 1, n).round().astype(int))
        kept = tuple(self.types[number] for number in chosen)
        return Assortment(kept, self.quality, self.seasons, self.unserved)


@lru_cache(maxsize=1)
def assortment() -> Assortment:
    """Everything in catalogue.yaml."""
    text = files("mercer.simulate").joinpath("catalogue.yaml").read_text("utf-8")
    # The C loader is ten times as fast and just as safe; it is missing from few builds of PyYAML.
    content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return Assortment(
        types=tuple(_product_type(entry, content) for entry in content["types"]),
        quality={brand: grade for pool in content["brands"].values() for brand, grade in pool.items()},
        seasons={name: tuple(curve) for name, curve in content["seasons"].items()},
        unserved=tuple(content["unserved"]),
    )


def _product_type(entry: dict[str, Any], content: dict[str, Any]) -> ProductType:
    palette = content["palettes"][entry["colours"]] if "colours" in entry else ()
    low, high = entry["price"]
    return ProductType(
        name=entry["name"],
        words=tuple(entry["words"]),
        category=entry["at"],
        code=entry["code"],
        brands=tuple(content["brands"][entry["brands"]]),
        kinds=tuple(entry["kinds"]),
        colours=tuple(palette),
        sizes=tuple(str(size) for size in entry["sizes"]),
        price=(int(low * 100), int(high * 100)),
        refill_days=entry.get("refill", 0),
        season=entry.get("season", "none"),
        min_age=entry.get("min_age", 0),
        goes_with=tuple(entry["with"]),
        used_for=entry["for"],
        facts=tuple(entry["facts"]),
    )
