"""Answers: recommend, search, predict."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from mercer.serving.answering import Answering
from mercer.serving.calls import PredictCall, RecommendCall, SearchCall
from mercer.serving.middleware.authentication import requires
from mercer.serving.replies import PredictReply, RecommendReply, SearchReply

OptOut = Annotated[
    str | None,
    Header(alias="Sec-GPC", description="`1`: the browser's opt-out signal; the answer uses no history"),
]


_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5)


class _Understanding:
    """Feeds what a registry tells of understanding: how it went, what it took, and queries at work."""

    def __init__(self, answering: Answering, registry: CollectorRegistry) -> None:
        self._how = Counter(
            "mercer_understood_total",
            "Searches by how the query was understood",
            ["target", "how"],
            registry=registry,
        )
        self._seconds = Histogram(
            "mercer_understand_seconds",
            "Time that a search waited for understanding",
            ["target"],
            registry=registry,
            buckets=_BUCKETS,
        )
        Gauge(
            "mercer_understanding_at_work",
            "Queries that are being understood, late ones included",
            registry=registry,
        ).set_function(lambda: answering.reader.at_work)

    def count(self, reply: SearchReply) -> None:
        """Count an answer of a search that understands queries."""
        found = reply.understood
        if found is None:
            return
        self._how.labels(reply.target, found.how).inc()
        if found.how in ("understood", "late", "failed"):
            self._seconds.labels(reply.target).observe(found.milliseconds / 1e3)


class _Hurry:
    """Feeds what a registry tells of targets with a fallback: who answered, what was waited, what is at work."""

    def __init__(self, answering: Answering, registry: CollectorRegistry) -> None:
        self._how = Counter(
            "mercer_answered_total",
            "Recommendations of targets with a fallback, by how they came about",
            ["target", "how"],
            registry=registry,
        )
        self._seconds = Histogram(
            "mercer_rank_seconds",
            "Time that an answer waited for the target's own ranker",
            ["target"],
            registry=registry,
            buckets=_BUCKETS,
        )
        Gauge(
            "mercer_ranking_at_work",
            "Answers of targets with a fallback that are being made, late ones included",
            registry=registry,
        ).set_function(lambda: answering.hurry.at_work)

    def count(self, reply: RecommendReply) -> None:
        """Count an answer of a target that has a fallback."""
        if reply.answered is not None:
            self._how.labels(reply.target, reply.answered.how).inc()
            self._seconds.labels(reply.target).observe(reply.answered.milliseconds / 1e3)


def router(answering: Answering, registry: CollectorRegistry) -> APIRouter:
    """Routes that answer calls."""
    routes = APIRouter(prefix="/v1", tags=["answers"], dependencies=[Depends(requires("answer"))])
    given = Counter(
        "mercer_answers_total", "Answers by target and basis", ["target", "basis"], registry=registry
    )

    understanding, hurry = _Understanding(answering, registry), _Hurry(answering, registry)

    @routes.post("/recommend", summary="Items for a person")
    def recommend(call: RecommendCall, request: Request, sec_gpc: OptOut = None) -> RecommendReply:
        """The k best items. An unknown user is answered as a stranger, and the answer says so.

        Where the target has a fallback, it answers what its own ranker does not in time; `answered` says which did.
        """
        reply = answering.rank(call, request.state.request_id, opted_out=sec_gpc == "1")
        given.labels(reply.target, reply.basis).inc()
        hurry.count(reply)
        return reply

    @routes.post("/search", summary="Items for a query")
    def search(call: SearchCall, request: Request, sec_gpc: OptOut = None) -> SearchReply:
        """The k best items for a query, and what was understood of it where the search understands queries.

        Every filter that was understood can be taken back: send the call again with its name in `without`.
        """
        reply = answering.search(call, request.state.request_id, opted_out=sec_gpc == "1")
        given.labels(reply.target, reply.basis).inc()
        understanding.count(reply)
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
