"""What the API answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from mercer.serving.calls import QueryFilters

Basis = Literal["history", "stranger", "not-profiled"]
How = Literal["understood", "given", "plain", "late", "failed"]


class Reply(BaseModel):
    """Base of every answer."""

    request_id: str = Field(
        description="names this answer in the exposure log", examples=["5f0c6e1b9a4d4a51"]
    )


class ShownItem(BaseModel):
    """One item at its place. score: comparable within this answer only. price_minor: minor units.

    meets: whether it meets all filters; null where the search does not understand queries.
    """

    position: int = Field(ge=1)
    item: str
    title: str
    score: float | None
    price_minor: int | None = None
    currency: str | None = None
    propensity: float = Field(gt=0, le=1, description="how likely this policy was to show it here")
    meets: bool | None = None


class RankedReply(Reply):
    """Items, best first, with what they rest on."""

    target: str
    policy: str
    release: str
    catalogue_version: int
    time: datetime
    basis: Basis = Field(
        description="`history`: the person's; `stranger`: nothing is known; `not-profiled`: not to be used"
    )
    items: list[ShownItem]
    notes: list[str] = []


class AnsweredOut(BaseModel):
    """Which ranker answered, where a fallback stands by."""

    by: str = Field(description="the ranker that answered")
    how: Literal["ranker", "late", "failed"] = Field(
        description="`ranker`: the target's own, in time; `late`, `failed`: it took longer than the deadline, or "
        "broke, and the fallback answered"
    )
    deadline_ms: int = Field(description="milliseconds that the target's own ranker might take")
    milliseconds: float = Field(description="what was waited for it")


class RecommendReply(RankedReply):
    """Items for a person. answered: null where no fallback stands by."""

    answered: AnsweredOut | None = None


class UnderstoodOut(BaseModel):
    """What a query was searched as."""

    query: str = Field(description="the words that were searched for")
    intent: Literal["product", "gift", "service"] | None = Field(
        description="what the person is about; null where the query was not understood"
    )
    filters: QueryFilters = Field(description="what held for the items; may be sent back as `filters`")
    currency: str | None = Field(description="of price_min and price_max")
    maker: str = Field(description="what understands queries in this release")
    how: How = Field(
        description="`understood`: as shown; `given`: the caller's filters; `plain`: the caller asked for the plain "
        "query; `late`, `failed`: understanding took longer than the deadline, or broke, and the plain query was used"
    )
    milliseconds: float = Field(description="what understanding took of this answer's time")


class SearchReply(RankedReply):
    """Items for a query. understood: null where the search does not understand queries."""

    understood: UnderstoodOut | None = None


class ReasonOut(BaseModel):
    """One reason. contribution: signed, on the model's own scale."""

    feature: str
    meaning: str
    value: float | None
    contribution: float


class PredictReply(Reply):
    """A probability, or an amount in minor units, with its 95% interval."""

    target: str
    policy: str
    release: str
    as_of: datetime
    kind: Literal["probability", "amount"]
    value: float
    low: float
    high: float
    horizon_days: int | None = Field(description="null where the target predicts from flat columns")
    effect: str = Field(description="which law the prediction falls under")
    reasons: list[ReasonOut] | None = None
    notes: list[str] = []


class EventsReply(Reply):
    """accepted: new events. repeated: events that were there already with the same content."""

    accepted: int
    repeated: int


class ItemReply(Reply):
    """served: whether the release can answer with the item; a new one waits for the next release."""

    item: str
    catalogue_version: int
    withdrawn: bool
    served: bool


class ConsentReply(Reply):
    """The entry holds from the next request on."""

    recorded: bool = True


class CaseLine(BaseModel):
    """One thing that happened to a case."""

    at: datetime
    action: str
    disposition: str | None
    reviewer_role: str | None
    note: str


class CaseOut(BaseModel):
    """A case; its history, oldest line first, is empty in lists."""

    case: str
    kind: str
    subject: str
    status: Literal["open", "closed"]
    opened: datetime
    score: float | None
    reasons: list[dict[str, Any]]
    rule: str
    disposition: str | None
    reviewer_role: str | None
    closed: datetime | None
    history: list[CaseLine] = []


class CasesReply(Reply):
    """Cases, newest first."""

    cases: list[CaseOut]


class CaseReply(Reply):
    """One case."""

    case: CaseOut


class Parameter(BaseModel):
    """A main parameter of a ranking and why it matters."""

    name: str
    why: str


class ColumnOut(BaseModel):
    """A column that a prediction reads. values: the categories that the model knows."""

    name: str
    type: Literal["number", "boolean", "category"]
    means: str
    values: list[str]


class FallbackOut(BaseModel):
    """The ranker that answers where a target's own is late."""

    model: str
    policy: str
    fit_on: str
    parameters: list[Parameter]


class TargetOut(BaseModel):
    """What answers a target. columns: what POST /v1/predict needs for it, where it predicts from flat columns.

    maker: what understands queries, where this is a search that does. fallback: what answers where its own ranker is
    late.
    """

    target: str
    task: Literal["recommend", "search", "behavior"]
    model: str
    policy: str
    fit_on: str
    parameters: list[Parameter] = []
    columns: list[ColumnOut] = []
    maker: str | None = None
    fallback: FallbackOut | None = None


class ReleaseReply(Reply):
    """What is served. samples: some items of the catalogue, to try requests with."""

    name: str
    question: str
    release: str
    content: str
    phase: Literal["candidate", "final"]
    decision: str
    created: str
    mercer: str
    n_items: int
    targets: list[TargetOut]
    samples: list[ShownItem]


class Health(BaseModel):
    """The process lives."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """The release is loaded and the state answers."""

    status: Literal["ready"] = "ready"
    release: str
