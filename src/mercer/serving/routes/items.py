"""The catalogue overlay: changes and withdrawals that act from the next request on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from mercer.serving.answering import Answering
from mercer.serving.calls import ItemIn
from mercer.serving.middleware.authentication import requires
from mercer.serving.problems import ProblemError
from mercer.serving.replies import ItemReply
from mercer.serving.state import ItemChange
from mercer.serving.wire import micros

ItemId = Annotated[str, Path(min_length=1, max_length=200, description="the item's id")]


def router(answering: Answering) -> APIRouter:
    """Routes that change the catalogue."""
    routes = APIRouter(prefix="/v1", tags=["items"], dependencies=[Depends(requires("items"))])
    release, state = answering.release, answering.state

    @routes.put("/items/{item}", summary="Say what holds for an item from now on")
    def put(item: ItemId, body: ItemIn, request: Request) -> ItemReply:
        """Price, title, age limit and availability act from the next request on; a withdrawn item comes back.

        An item that the release does not know is kept, its events are taken, and the next release can answer
        with it.
        """
        is_new = release.vocabulary.code(item) < 0
        if is_new and body.title is None and not state.catalogue.has(item):
            raise ProblemError(
                422, "missing-title", f"Item {item!r} is new and has no title.", remedy="Give it a `title`."
            )
        version = state.catalogue.put(item, _change(body), time=answering.clock())
        return _reply(request, item, version, withdrawn=False, served=not is_new)

    @routes.delete("/items/{item}", summary="Withdraw an item")
    def withdraw(item: ItemId, request: Request) -> ItemReply:
        """The item is in no answer from the next request on. PUT brings it back."""
        if not answering.asking.is_known(item):
            raise ProblemError(
                404, "unknown-item", f"Item {item!r} is not in the catalogue.", remedy="Check the id."
            )
        version = state.catalogue.withdraw(item, time=answering.clock())
        return _reply(request, item, version, withdrawn=True, served=False)

    return routes


def _change(body: ItemIn) -> ItemChange:
    details = {
        name: value for name in ("text", "category", "brand") if (value := getattr(body, name)) is not None
    }
    return ItemChange(
        title=body.title,
        price_minor=body.price_minor,
        currency=body.currency,
        min_age=body.min_age,
        available_from=None if body.available_from is None else micros(body.available_from),
        available_until=None if body.available_until is None else micros(body.available_until),
        details=details,
    )


def _reply(request: Request, item: str, version: int, *, withdrawn: bool, served: bool) -> ItemReply:
    return ItemReply(
        request_id=request.state.request_id,
        item=item,
        catalogue_version=version,
        withdrawn=withdrawn,
        served=served,
    )
