"""What callers send: the bodies of the API, each with an example that the reference shows."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, JsonValue, Tag

from mercer.brief import Jurisdiction
from mercer.serving.wire import Cell, Id, Text, Time, Whole, Wire, Yes

Kind = Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,39}$")]
Quantity = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False, strict=True)]
Age = Annotated[int, Field(strict=True, ge=0, le=130)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Price = Annotated[int, Field(strict=True, ge=0, le=2**53)]
Value = Annotated[Text, Field(min_length=1, max_length=500)]

_PAST: dict[str, JsonValue] = {
    "item": "sku-1042",
    "time": "2026-09-14T10:12:00Z",
    "kind": "purchase",
    "quantity": 1,
}


class PastEvent(Wire):
    """One event of a history that the caller gives."""

    item: Id = Field(description="an item of the catalogue")
    time: Time = Field(description="when it happened")
    kind: Kind = Field("purchase", description="view, cart, purchase, return, …")
    quantity: Quantity = 1.0
    amount_minor: Whole | None = Field(None, description="signed amount in minor units; a return is negative")
    basket: Id | None = Field(None, description="the order or receipt")
    session: Id | None = Field(None, description="the visit")
    event: Id | None = Field(None, description="needed only if a return names it")
    origin: Id | None = Field(None, description="for a return: the event that it undoes")
    origin_time: Time | None = Field(None, description="for a return: when what it undoes was bought")
    known_at: Time | None = Field(None, description="when the shop could know it; default: its time")


class ContextIn(Wire):
    """Who asks, and under which signals."""

    jurisdiction: Jurisdiction | None = Field(None, description="whose law protects the person")
    age: Age | None = Field(None, description="years; age-limited items are shown only to who is old enough")
    signals: list[Literal["opt-out", "objection", "not-profiled"]] = Field(
        [], max_length=3, description="each makes the answer independent of the person's history"
    )


class Rules(Wire):
    """What the caller allows, denies and pins; no rule brings back what the law or the catalogue denies."""

    allow: list[Id] | None = Field(None, max_length=10_000, description="only these may be answered")
    deny: list[Id] = Field([], max_length=10_000, description="these may not be answered")
    pin: list[Id] = Field(
        [], max_length=100, description="these come first, in this order, if they may be shown"
    )


class _Asking(Wire):
    target: str | None = Field(None, description="the target of the brief; needed if several have this task")
    user: Id | None = Field(None, description="whose history to look up; unknown: answered as a stranger")
    history: list[PastEvent] | None = Field(
        None, max_length=5_000, description="the history to use instead of the one kept"
    )
    time: Time | None = Field(None, description="the moment of the request; default: now")
    k: int = Field(10, strict=True, ge=1, le=100, description="how many items")
    context: ContextIn = ContextIn()
    rules: Rules = Rules()
    session: Id | None = Field(None, description="the visit, for the log")


class RecommendCall(_Asking):
    """Ask for items for a person."""

    deadline_ms: int | None = Field(
        None,
        strict=True,
        ge=1,
        le=60_000,
        description="milliseconds that the target's own ranker may take; after that its fallback answers; default: the "
        "server's",
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user": "customer-17", "k": 5},
                {
                    "history": [_PAST],
                    "time": "2026-10-01T09:00:00Z",
                    "k": 5,
                    "context": {"jurisdiction": "EU", "age": 34, "signals": []},
                    "rules": {"deny": ["sku-7"], "pin": ["sku-3"]},
                },
            ]
        }
    )


class QueryFilters(Wire):
    """What an item must be like; every value is one that the catalogue holds, in its own spelling. null: any.

    price_min, price_max: minor units, both included. age: years of the person who shall have it.
    """

    category: Value | None = Field(
        None, description="a category path of the catalogue, or the first part of one"
    )
    brand: Value | None = None
    price_min: Price | None = Field(None, description="minor units, included")
    price_max: Price | None = Field(None, description="minor units, included")
    attributes: dict[Value, Value] = Field({}, max_length=50, description="name -> value")
    age: Age | None = Field(None, description="years of the person who shall have it; it can only hide items")


class SearchCall(_Asking):
    """Ask for items for a query."""

    query: Annotated[Text, Field(min_length=1, max_length=500)]
    understand: Yes | None = Field(
        None, description="false: the plain query is used; default: true where the search understands queries"
    )
    filters: QueryFilters | None = Field(
        None, description="use these and the query as it is, instead of what would be understood of it"
    )
    without: list[Value] = Field(
        [],
        max_length=60,
        description="take these back of what is understood: category, brand, price_min, price_max, age, attributes, or "
        "attributes.NAME",
    )
    deadline_ms: int | None = Field(
        None,
        strict=True,
        ge=1,
        le=60_000,
        description="milliseconds that understanding may take; after that the plain query is used; default: the "
        "server's",
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"query": "oak dining chair", "k": 5, "context": {"age": 34}},
                {"query": "oak dining chair under 200 euros", "without": ["price_max"], "deadline_ms": 100},
                {"query": "oak dining chair", "filters": {"category": "Home > Chairs", "price_max": 20000}},
            ]
        }
    )


class PredictCall(Wire):
    """Ask for a probability or an amount for one entity."""

    target: str | None = Field(None, description="the target of the brief; needed if several predict")
    user: Id | None = Field(None, description="whose history to look up")
    history: list[PastEvent] | None = Field(
        None, max_length=5_000, description="the history to use instead of the one kept"
    )
    columns: dict[Id, Cell] | None = Field(
        None,
        max_length=1_000,
        description="for a target that predicts from flat examples, instead of a history: a value for each column that "
        "GET /v1/release names; null where it is not known",
    )
    time: Time | None = Field(None, description="as of when; nothing known later is read; default: now")
    reasons: int = Field(0, strict=True, ge=0, le=10, description="how many reasons to give")
    context: ContextIn = ContextIn()

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"target": "repurchase", "user": "customer-17", "reasons": 3},
                {"target": "buys", "columns": {"Month": "Nov", "ProductRelated": 12, "Weekend": False}},
            ]
        }
    )


class EventIn(Wire):
    """One event. The id makes it idempotent: the same event may be sent again."""

    event: Id = Field(description="the event's id")
    user: Id = Field(description="who acted")
    item: Id = Field(description="an item of the catalogue")
    time: Time = Field(description="when it happened")
    kind: Kind = Field(description="view, cart, purchase, return, …")
    known_at: Time | None = Field(None, description="when the shop could know it; default: on arrival")
    quantity: Quantity = Field(1.0, description="units")
    amount_minor: Whole | None = Field(None, description="signed amount in minor units; a return is negative")
    currency: Currency | None = Field(None, description="ISO 4217 code")
    basket: Id | None = Field(None, description="the order or receipt")
    session: Id | None = Field(None, description="the visit")
    channel: Id | None = Field(None, description="web, app, store, …")
    country: Id | None = Field(None, description="country of the sale")
    origin: Id | None = Field(None, description="for a return: the event that it undoes")
    request: Id | None = Field(None, description="the id of the answer that this event followed from")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "event": "e-90211",
                    "user": "customer-17",
                    "item": "sku-1042",
                    "time": "2026-10-01T09:02:11Z",
                    "kind": "purchase",
                    "quantity": 1,
                    "amount_minor": 12900,
                    "currency": "EUR",
                    "basket": "o-551",
                }
            ]
        }
    )


class EventBatch(Wire):
    """Several events, added all or none."""

    events: list[EventIn] = Field(min_length=1, max_length=5_000)


def _single_or_bulk(body: Any) -> str:
    return (
        "bulk" if isinstance(body, EventBatch) or (isinstance(body, dict) and "events" in body) else "single"
    )


EventsBody = Annotated[
    Annotated[EventIn, Tag("single")] | Annotated[EventBatch, Tag("bulk")], Discriminator(_single_or_bulk)
]


class ItemIn(Wire):
    """What holds for an item from now on; what is left out stays as the release has it."""

    title: Annotated[Text, Field(min_length=1, max_length=500)] | None = None
    text: Text | None = None
    category: Annotated[Text, Field(max_length=500)] | None = None
    brand: Annotated[Text, Field(max_length=200)] | None = None
    price_minor: Price | None = None
    currency: Currency | None = None
    min_age: Age | None = None
    available_from: Time | None = None
    available_until: Time | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"title": "Oak dining chair, oiled", "price_minor": 11900, "currency": "EUR"}]
        }
    )


class ConsentIn(Wire):
    """A consent given or withdrawn, or an objection (`purpose: objection, given: true`)."""

    user: Id
    purpose: Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,39}$")]
    given: Yes
    time: Time | None = Field(None, description="from when it holds; default: now")

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user": "customer-17", "purpose": "objection", "given": True}]}
    )


class CaseIn(Wire):
    """What a person is to decide."""

    kind: Literal["alert", "adverse-decision", "failed-gate", "law-change"]
    subject: Id = Field(description="the entity or rule that the case is about")
    rule: Id = Field(description="the rule or target that it rests on")
    occasion: Id = Field(description="what makes it this case and no other: a day, an id")
    opened: Time | None = Field(None, description="default: now")
    score: Annotated[float, Field(allow_inf_nan=False, strict=True)] | None = None
    reasons: list[dict[str, str | float | bool | None]] = Field([], max_length=50)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "alert",
                    "subject": "customer-17",
                    "rule": "repurchase",
                    "occasion": "2026-10-01",
                    "score": 0.93,
                    "reasons": [{"feature": "days_since_order", "value": 212}],
                }
            ]
        }
    )


class CloseCall(Wire):
    """How a case was disposed of."""

    disposition: Literal["confirmed", "upheld", "dismissed", "overturned", "mended", "inconclusive"]
    role: Annotated[Text, Field(min_length=1, max_length=100, description="the role that decided, no name")]
    note: Annotated[Text, Field(max_length=2_000)] = ""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"disposition": "confirmed", "role": "fraud-analyst"}]}
    )
