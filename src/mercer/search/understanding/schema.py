"""The form of a maker's answer as JSON: a schema over one catalogue's values, and the way back to an understanding.

For makers that write JSON, such as a language model under a grammar: whatever such a schema allows is legal.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from mercer.search.understanding.contract import INTENTS, Filters, Intent, Understanding
from mercer.search.understanding.values import CatalogueValues

MOST_PRICE = 10_000_000
"""Greatest limit of a price in a schema, in units of the currency."""
MOST_AGE = 110
AMOUNTS = ("price_min", "price_max", "age")
"""Keys of numbers."""


def schema(values: CatalogueValues, *, with_query: bool = False) -> dict[str, Any]:
    """JSON Schema of an answer: every key optional, in this order: category, brand, one key an attribute
    (`attributes.NAME`), price_min, price_max (units of the currency), age, intent, and `query` where asked for.
    """
    keys: dict[str, Any] = {}
    if values.categories:
        keys["category"] = {"enum": list(values.categories)}
    if values.brands:
        keys["brand"] = {"enum": list(values.brands)}
    for name, held in values.attributes.items():
        keys[f"attributes.{name}"] = {"enum": list(held)}
    price = {"type": "number", "minimum": 0, "maximum": MOST_PRICE}
    keys |= {"price_min": price, "price_max": price}
    keys["age"] = {"type": "integer", "minimum": 0, "maximum": MOST_AGE}
    keys["intent"] = {"enum": list(INTENTS)}
    if with_query:
        keys["query"] = {"type": "string", "maxLength": 200}
    return {"type": "object", "properties": keys, "additionalProperties": False}


def to_parsed(understood: Understanding, *, unit: int, with_query: bool = False) -> dict[str, Any]:
    """An understanding in the form of the schema, keys in its order. unit: minor units of one unit of the currency.

    A price of whole units is written without decimals. The intent `product` is left out.
    """
    filters = understood.filters
    found: dict[str, Any] = {"category": filters.category, "brand": filters.brand}
    found |= {f"attributes.{name}": value for name, value in sorted(filters.attributes.items())}
    found |= {"price_min": _units(filters.price_min, unit), "price_max": _units(filters.price_max, unit)}
    found |= {"age": filters.age, "intent": understood.intent if understood.intent != "product" else None}
    if with_query:
        found["query"] = understood.query
    return {name: value for name, value in found.items() if value not in ("", None)}


def to_understanding(
    parsed: Mapping[str, Any], query: str, values: CatalogueValues, *, unit: int
) -> Understanding:
    """The understanding that an answer says; what is no value of the catalogue is left out, so it is always legal.

    parsed: by the keys of the schema. query: as it was typed, searched for where the answer holds no other.
    """
    category, brand = parsed.get("category"), parsed.get("brand")
    attributes = {
        name: value
        for name, held in values.attributes.items()
        if (value := parsed.get(f"attributes.{name}")) in held
    }
    least, most = (_minor(parsed.get(name), unit) for name in ("price_min", "price_max"))
    if least is not None and most is not None and least > most:
        least = most = None
    left = parsed.get("query")
    intent = parsed.get("intent")
    return Understanding(
        query=left if isinstance(left, str) and left.strip() else query,
        filters=Filters(
            category=category if category in values.categories else "",
            brand=brand if brand in values.brands else "",
            attributes=MappingProxyType(attributes),
            price_min=least,
            price_max=most,
            age=_whole(parsed.get("age"), MOST_AGE),
        ),
        intent=cast(Intent, intent) if intent in INTENTS else "product",
    )


def _units(minor: int | None, unit: int) -> int | float | None:
    if minor is None:
        return None
    return minor // unit if minor % unit == 0 else minor / unit


def _minor(units: Any, unit: int) -> int | None:
    number = isinstance(units, int | float) and not isinstance(units, bool) and 0 <= units <= MOST_PRICE
    return round(units * unit) if number else None


def _whole(value: Any, most: int) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    return value if whole else None
