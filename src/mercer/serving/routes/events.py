"""Events: idempotent, single and bulk; a new event changes the next answer."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from mercer.serving.answering import Answering
from mercer.serving.calls import EventBatch, EventIn, EventsBody
from mercer.serving.middleware.authentication import requires
from mercer.serving.problems import ProblemError, unknown_item
from mercer.serving.replies import EventsReply
from mercer.serving.state import Event
from mercer.serving.wire import micros

CLOCKS_APART = 300_000_000
"""Microseconds that a sender's clock may be ahead of the server's."""


def router(answering: Answering) -> APIRouter:
    """Routes that take events."""
    routes = APIRouter(prefix="/v1", tags=["events"], dependencies=[Depends(requires("events"))])

    @routes.post("/events", summary="Add one event or several")
    def add(body: EventsBody, request: Request) -> EventsReply:
        """All or none are added. The same event again is counted as repeated; the same id with other content
        is a conflict (409). An event of an item that the catalogue does not hold is refused (422)."""
        sent = body.events if isinstance(body, EventBatch) else [body]
        present = answering.clock()
        for event in sent:
            _acceptable(answering, event, present)
        added = answering.state.events.add([_event(event, present) for event in sent])
        return EventsReply(
            request_id=request.state.request_id, accepted=added.accepted, repeated=added.repeated
        )

    return routes


def _acceptable(answering: Answering, event: EventIn, present: int) -> None:
    if not answering.asking.is_known(event.item):
        raise unknown_item(event.item)
    for name, time in (("time", event.time), ("known_at", event.known_at)):
        if time is not None and micros(time) > present + CLOCKS_APART:
            raise ProblemError(
                422,
                "future-time",
                f"Event {event.event!r}: `{name}` lies in the future.",
                remedy="Send events when they have happened, and check the clock and the zone.",
            )


def _event(sent: EventIn, present: int) -> Event:
    time = micros(sent.time)
    known_at = present if sent.known_at is None else micros(sent.known_at)
    return Event(
        event=sent.event,
        user=sent.user,
        item=sent.item,
        time=time,
        known_at=max(time, known_at),
        kind=sent.kind,
        quantity=sent.quantity,
        amount_minor=sent.amount_minor,
        currency=sent.currency,
        basket=sent.basket,
        session=sent.session,
        channel=sent.channel,
        country=sent.country,
        origin=sent.origin,
        request=sent.request,
    )
