"""The catalogue: items with attributes, prices, how much they are wanted, and what goes with what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.simulate.kinds import Assortment, ProductType
from mercer.simulate.season import Calendar, Floats, Ints

PARTNERS = 8
"""Items that a buyer of one item may want with it."""

_LAUNCHED, _RETIRED = 0.12, 0.04


@dataclass(frozen=True)
class Catalogue:
    """I items. Attributes are positions in lists of the item's type (-1: the type has none).

    brand: position in `brands`. category: position in `categories`. price_minor: EUR cents.
    wanted: log popularity. season: position in `seasons`. begins, ends: availability in days since the start
    of the log, infinite where unlimited. partners: int64 (I, PARTNERS), with weights that sum to 1.
    """

    assortment: Assortment
    brands: tuple[str, ...]
    categories: tuple[str, ...]
    seasons: tuple[str, ...]
    ids: tuple[str, ...]
    kind_of: Ints
    brand: Ints
    category: Ints
    variety: Ints
    colour: Ints
    size: Ints
    price_minor: Ints
    wanted: Floats
    season: Ints
    refill_days: Ints
    min_age: Ints
    begins: Floats
    ends: Floats
    partners: Ints
    partner_weights: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def type_of(self, item: int) -> ProductType:
        """The type of one item."""
        return self.assortment.types[int(self.kind_of[item])]

    def demand(self) -> Floats:
        """Demand by calendar month (0: January) and season, shape (12, n_seasons)."""
        return np.array([self.assortment.seasons[name] for name in self.seasons]).T

    def on_sale(self, items: Ints, days: Floats | float) -> npt.NDArray[np.bool_]:
        """Whether each item can be bought at a time (days since the start)."""
        return (self.begins[items] <= days) & (days < self.ends[items])


def make_catalogue(assortment: Assortment, n: int, calendar: Calendar, rng: np.random.Generator) -> Catalogue:
    """n different items. Raises ValueError when the assortment can't make that many."""
    types = assortment.types
    counts = _shares(np.array([t.variants for t in types]), n, rng)
    brands = tuple(sorted({b for t in types for b in t.brands}))
    categories = tuple(sorted({t.category for t in types}))
    seasons = tuple(sorted({t.season for t in types}))
    kind_of = np.repeat(np.arange(len(types)), counts)
    rows = np.concatenate([_variants(t, c, rng) for t, c in zip(types, counts, strict=True)])
    brand_of_type = [[brands.index(b) for b in t.brands] for t in types]
    brand = np.array([brand_of_type[k][b] for k, b in zip(kind_of, rows[:, 0], strict=True)])
    price = _prices(assortment, kind_of, brand, brands, rows, rng)
    begins = np.where(rng.random(n) < _LAUNCHED, rng.uniform(20, calendar.length_days * 0.85, n), -np.inf)
    ends = np.where(
        (rng.random(n) < _RETIRED) & np.isneginf(begins),
        rng.uniform(90, calendar.length_days, n),
        np.inf,
    )
    begins, ends = np.floor(begins), np.floor(ends)
    wanted = _wanted(kind_of, price, types, rng)
    partners, weights = _partners(assortment, kind_of, brand, rows[:, 2], wanted, rng)
    return Catalogue(
        assortment=assortment,
        brands=brands,
        categories=categories,
        seasons=seasons,
        ids=_article_numbers(types, kind_of, rng),
        kind_of=kind_of,
        brand=brand,
        category=np.array([categories.index(types[k].category) for k in range(len(types))])[kind_of],
        variety=rows[:, 1],
        colour=rows[:, 2],
        size=rows[:, 3],
        price_minor=price,
        wanted=wanted,
        season=np.array([seasons.index(t.season) for t in types])[kind_of],
        refill_days=np.array([t.refill_days for t in types])[kind_of],
        min_age=np.array([t.min_age for t in types])[kind_of],
        begins=begins,
        ends=ends,
        partners=partners,
        partner_weights=weights,
    )


def _shares(variants: Ints, n: int, rng: np.random.Generator) -> Ints:
    """Items of each type: half spread evenly, the rest by chance, never more than can differ, n in all."""
    if variants.sum() < n:
        raise ValueError(f"the assortment has {variants.sum()} variants, {n} items were asked for")
    counts = np.minimum(variants, max(1, n // (2 * len(variants))))
    while short := int(n - counts.sum()):
        open_types = np.flatnonzero(counts < variants)
        share = rng.multinomial(short, np.full(len(open_types), 1 / len(open_types)))
        counts[open_types] += np.minimum(share, variants[open_types] - counts[open_types])
    return counts


def _variants(kind: ProductType, count: int, rng: np.random.Generator) -> Ints:
    """Different (brand, variety, colour, size) of one type, shape (count, 4); colour -1 where it has none."""
    shape = (len(kind.brands), len(kind.kinds), max(1, len(kind.colours)), len(kind.sizes))
    cells = rng.choice(int(np.prod(shape)), size=count, replace=False)
    rows = np.stack(np.unravel_index(cells, shape), axis=1).astype(np.int64)
    if not kind.colours:
        rows[:, 2] = -1
    return rows


def _prices(
    assortment: Assortment,
    kind_of: Ints,
    brand: Ints,
    brands: tuple[str, ...],
    rows: Ints,
    rng: np.random.Generator,
) -> Ints:
    """Between the type's least and most, by size, then brand, then variety; ends in .95, .50 or .00."""
    types = assortment.types
    low = np.array([t.price[0] for t in types])[kind_of]
    high = np.array([t.price[1] for t in types])[kind_of]
    sizes = np.array([max(1, len(t.sizes) - 1) for t in types])[kind_of]
    quality = np.array([assortment.quality[b] for b in brands])[brand]
    # The make itself costs more or less, the same for all items of a type.
    most = max(len(t.kinds) for t in types)
    dearness = rng.random((len(types), most))[kind_of, rows[:, 1]]
    place = 0.55 * rows[:, 3] / sizes + 0.28 * quality + 0.17 * dearness
    raw = low * (high / low) ** np.clip(place, 0, 1)
    whole = np.maximum(1, np.round(raw / 100)).astype(np.int64) * 100
    small = np.maximum(1, np.round(raw / 50)).astype(np.int64) * 50
    below_ten = np.where(small % 100 == 0, small - 5, small)
    return np.asarray(np.where(raw >= 4000, whole, np.where(raw >= 1000, whole - 5, below_ten)), np.int64)


def _wanted(kind_of: Ints, price: Ints, types: tuple[ProductType, ...], rng: np.random.Generator) -> Floats:
    """Log popularity: some types sell more than others, cheap and consumable goods most, and items differ."""
    consumable = np.array([t.refill_days > 0 for t in types])[kind_of]
    by_type = rng.normal(0.0, 0.45, len(types))[kind_of]
    return by_type + rng.normal(0.0, 1.0, len(kind_of)) + 0.5 * consumable - 0.45 * np.log(price / 1500)


def _article_numbers(
    types: tuple[ProductType, ...], kind_of: Ints, rng: np.random.Generator
) -> tuple[str, ...]:
    """Readable ids such as CK-10482: department, then a number that says nothing."""
    numbers = rng.permutation(np.arange(10_000, 10_000 + 7 * len(kind_of), 7))
    return tuple(f"{types[k].code}-{number}" for k, number in zip(kind_of, numbers, strict=True))


def _partners(
    assortment: Assortment,
    kind_of: Ints,
    brand: Ints,
    colour: Ints,
    wanted: Floats,
    rng: np.random.Generator,
) -> tuple[Ints, Floats]:
    """For each item the few items of its companion types that fit it best, and how likely each is wanted."""
    n = len(kind_of)
    partners = np.zeros((n, PARTNERS), np.int64)
    weights = np.zeros((n, PARTNERS))
    for number, kind in enumerate(assortment.types):
        own = np.flatnonzero(kind_of == number)
        wished = [assortment.number[name] for name in kind.goes_with if name in assortment.number]
        pool = np.flatnonzero(np.isin(kind_of, wished)) if wished else np.flatnonzero(kind_of != number)
        fit = (
            0.6 * wanted[pool]
            + 1.0 * (brand[pool] == brand[own, None])
            + 0.8 * ((colour[pool] == colour[own, None]) & (colour[own, None] >= 0))
            + rng.gumbel(0.0, 1.0, (len(own), len(pool)))
        )
        best = np.argsort(-fit, axis=1, kind="stable")[:, :PARTNERS]
        width = best.shape[1]
        partners[own, :width] = pool[best]
        weights[own, :width] = 1.0 / (1.0 + np.arange(width))
    return partners, weights / weights.sum(axis=1, keepdims=True)
