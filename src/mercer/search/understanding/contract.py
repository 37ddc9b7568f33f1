"""What a search understands of a query: what to look for, which filters hold, and what the person is about.

A maker turns a query into an `Understanding` over the values of one catalogue. Everything that it finds is shown to
the caller, who can take back any filter and search again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, Protocol, get_args, runtime_checkable

Intent = Literal["product", "gift", "service"]
"""product: something for the person who asks; gift: for somebody else; service: an order, a return, opening hours."""

INTENTS: tuple[str, ...] = get_args(Intent)

NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What an item must be like. Every value is one that the catalogue holds, in its own spelling.

    category: a category path of the catalogue or the first part of one, "" for any. brand: "" for any.
    price_min, price_max: minor units, both included; None for any. attributes: name -> value.
    age: years of the person who shall have it: an item whose least age is above is no answer; None: nothing is said.
    """

    category: str = ""
    brand: str = ""
    price_min: int | None = None
    price_max: int | None = None
    attributes: Mapping[str, str] = field(default_factory=lambda: NONE)
    age: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Those that are set, by name, attributes in alphabetical order."""
        found: dict[str, Any] = {
            name: value
            for name in ("category", "brand", "price_min", "price_max", "age")
            if (value := getattr(self, name)) not in ("", None)
        }
        if self.attributes:
            found["attributes"] = dict(sorted(self.attributes.items()))
        return found

    def without(self, *names: str) -> Filters:
        """The filters less some: `brand`, or `attributes.colour` for one attribute."""
        changed: dict[str, Any] = {}
        kept = dict(self.attributes)
        for name in names:
            if name.startswith("attributes."):
                kept.pop(name.removeprefix("attributes."), None)
            else:
                changed[name] = _ANY[name]
        return replace(self, **{"attributes": MappingProxyType(kept), **changed})


_ANY: Mapping[str, Any] = MappingProxyType(
    {"category": "", "brand": "", "price_min": None, "price_max": None, "attributes": NONE, "age": None}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """What was understood of one query.

    query: what is left to search for in words; it may be the whole query. intent: what the person is about.
    """

    query: str
    filters: Filters = Filters()
    intent: Intent = "product"

    def without(self, *names: str) -> Understanding:
        """The same less some filters; names as in `Filters.without`."""
        return replace(self, filters=self.filters.without(*names))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; filters that are not set are left out."""
        return {"query": self.query, "intent": self.intent, "filters": self.filters.to_json()}


@runtime_checkable
class Maker(Protocol):
    """Turns queries into understandings. `mercer.testing.understanding.MakerContract` checks one."""

    name: str

    def understand(self, query: str) -> Understanding:
        """What the query asks for; deterministic. A query that says nothing more gives itself and no filter."""
        ...
