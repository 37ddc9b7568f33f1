"""Answers: recommend, search, predict."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from prometheus_client import CollectorRegistry, Counter

from mercer.serving.answering import Answering
from mercer.serving.calls import PredictCall, RecommendCall, SearchCall
from mercer.serving.middleware.authentication import requires
from mercer.serving.replies import PredictReply, RankedReply

OptOut = Annotated[
    str | None,
    Header(alias="Sec-GPC", description="`1`: the browser's opt-out signal; the answer uses no history"),
]


def router(answering: Answering, registry: CollectorRegistry) -> APIRouter:
    """Routes that answer calls."""
    routes = APIRouter(prefix="/v1", tags=["answers"], dependencies=[Depends(requires("answer"))])
    given = Counter(
        "mercer_answers_total", "Answers by target and basis", ["target", "basis"], registry=registry
    )

    @routes.post("/recommend", summary="Items for a person")
    def recommend(call: RecommendCall, request: Request, sec_gpc: OptOut = None) -> RankedReply:
        """The k best items. An unknown user is answered as a stranger, and the answer says so."""
        reply = answering.rank(call, request.state.request_id, opted_out=sec_gpc == "1")
        given.labels(reply.target, reply.basis).inc()
        return reply

    @routes.post("/search", summary="Items for a query")
    def search(call: SearchCall, request: Request, sec_gpc: OptOut = None) -> RankedReply:
        """The k best items for a query."""
        reply = answering.rank(call, request.state.request_id, opted_out=sec_gpc == "1")
        given.labels(reply.target, reply.basis).inc()
        return reply

    @routes.post("/predict", summary="A probability or an amount for one customer")
    def predict(call: PredictCall, request: Request, sec_gpc: OptOut = None) -> PredictReply:
        """A calibrated value with its 95% interval, and reasons when asked for.

        404 for a user of whom nothing is known; 403 for a person who is not to be profiled.
        """
        reply = answering.predict(call, request.state.request_id, opted_out=sec_gpc == "1")
        given.labels(reply.target, "history").inc()
        return reply

    return routes
