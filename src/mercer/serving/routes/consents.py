"""Consents and objections: they hold from the next request on."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from mercer.serving.answering import Answering
from mercer.serving.calls import ConsentIn
from mercer.serving.middleware.authentication import requires
from mercer.serving.replies import ConsentReply
from mercer.serving.state import Consent
from mercer.serving.wire import micros


def router(answering: Answering) -> APIRouter:
    """Routes that record what people allow."""
    routes = APIRouter(prefix="/v1", tags=["consents"], dependencies=[Depends(requires("consents"))])

    @routes.post("/consents", summary="Record a consent, a withdrawal or an objection")
    def record(body: ConsentIn, request: Request) -> ConsentReply:
        """Entries are never changed: the latest one of a person and a purpose holds.

        The purposes `objection` and `opt-out` with `given: true` end all profiling of the person.
        """
        time = answering.clock() if body.time is None else micros(body.time)
        answering.state.people.say([Consent(body.user, body.purpose, body.given, time)])
        return ConsentReply(request_id=request.state.request_id)

    return routes
