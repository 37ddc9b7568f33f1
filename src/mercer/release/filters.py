"""Filters that a caller names: which are none of the catalogue's, and what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from mercer.search.understanding import CatalogueValues, Filters
from mercer.search.words import fold

NAMES = ("category", "brand", "price_min", "price_max", "age", "attributes")
"""What can be taken back of an understanding, beside `attributes.NAME`."""

_ATTRIBUTE = "attributes."
_LISTED = 12
"""Names that a remedy lists at most."""
_LONGEST = 100
"""Characters of a text that are compared with the catalogue's values."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A filter that is not right. place: where it stands. what: what is wrong. remedy: what to give instead."""

    place: str
    what: str
    remedy: str


def unknown_names(names: Sequence[str], values: CatalogueValues) -> list[Unknown]:
    """Those of `names` that name no filter. place: its position in the list."""
    return [
        Unknown(str(at), "This names no filter.", _meant(name, [*NAMES, *_attribute_names(values)]))
        for at, name in enumerate(names)
        if name not in NAMES and name.removeprefix(_ATTRIBUTE) not in _attributes_of(name, values)
    ]


def unknown_values(filters: Filters, values: CatalogueValues) -> list[Unknown]:
    """Those of `filters` whose value the catalogue does not hold, and limits that leave nothing between them."""
    return list(_unknown_values(filters, values))


def _unknown_values(filters: Filters, values: CatalogueValues) -> Iterator[Unknown]:
    for name, value, known in (
        ("category", filters.category, values.categories),
        ("brand", filters.brand, values.brands),
    ):
        if value and value not in known:
            yield Unknown(name, f"The catalogue has no such {name}.", _meant(value, known))
    for name, value in filters.attributes.items():
        place = f"{_ATTRIBUTE}{name}"
        if name not in values.attributes:
            yield Unknown(place, "The catalogue has no such attribute.", _meant(name, values.attributes))
        elif value not in values.attributes[name]:
            yield Unknown(place, "The attribute has no such value.", _meant(value, values.attributes[name]))
    if (
        filters.price_min is not None
        and filters.price_max is not None
        and filters.price_min > filters.price_max
    ):
        yield Unknown("price_max", "It is below `price_min`.", "Give the greater one as `price_max`.")


def _attribute_names(values: CatalogueValues) -> list[str]:
    return [f"{_ATTRIBUTE}{name}" for name in values.attributes]


def _attributes_of(name: str, values: CatalogueValues) -> Collection[str]:
    return values.attributes if name.startswith(_ATTRIBUTE) else ()


def _meant(text: str, known: Collection[str]) -> str:
    """A sentence with the nearest of the known names, in whatever case it was written; all of few, else how many."""
    folded = {fold(name): name for name in known}
    near = difflib.get_close_matches(fold(text[:_LONGEST]), folded, n=1, cutoff=0.5)
    if near:
        return f"Did you mean {folded[near[0]]!r}?"
    if not known:
        return "It has none."
    if len(known) <= _LISTED:
        return f"Valid: {', '.join(sorted(known))}."
    return f"It has {len(known)}, none of them near."
