"""The one error body of the API: what is wrong, what to do, and the request's id; never an input value.

Every answer with a status of 400 or more is a `Problem`, from whatever layer it comes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from mercer.errors import ConflictError, MercerError, NotFoundError, UsageError

log = logging.getLogger("mercer.serving")

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """One field of the request that is not right. field: dotted path. message: what is legal."""

    field: str
    message: str


class Problem(BaseModel):
    """The body of every error."""

    type: str = Field(description="What kind of error, stable for programs", examples=["unknown-item"])
    status: int = Field(description="The HTTP status", examples=[422])
    message: str = Field(description="What is wrong", examples=["Item 'a-17' is not in the catalogue."])
    remedy: str = Field("", description="What to do", examples=["Add it with PUT /v1/items/a-17 first."])
    request_id: str = Field(description="Names this request in the logs", examples=["5f0c6e1b9a4d4a51"])
    fields: list[FieldProblem] = Field([], description="The fields that are not right, if that is the error")


class ProblemError(MercerError):
    """An error that already knows its HTTP status and type, and the fields that are not right, if any."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        remedy: str = "",
        fields: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.kind = kind
        self.fields = tuple(fields)


def problem(
    request_id: str,
    status: int,
    kind: str,
    message: str,
    *,
    remedy: str = "",
    fields: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response for an error."""
    body = Problem(
        type=kind, status=status, message=message, remedy=remedy, request_id=request_id, fields=fields or []
    )
    return JSONResponse(body.model_dump(), status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of the app a `Problem`."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(MercerError, _deliberate)
    app.add_exception_handler(HTTPException, _http)


def _id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    entries = cast(RequestValidationError, error).errors()
    fields = [_field(entry) for entry in entries]
    if any(entry["type"] == "json_invalid" for entry in entries):
        return problem(
            _id(request), 422, "invalid-json", "The body is not valid JSON.", remedy="Send one JSON object."
        )
    return problem(
        _id(request),
        422,
        "invalid-request",
        f"{len(fields)} field{'s are' if len(fields) > 1 else ' is'} not right.",
        remedy="See `fields`, and the reference at /docs.",
        fields=fields,
    )


_LAYERS = frozenset({"body", "query", "path", "header", "single", "bulk"})


def _field(entry: Mapping[str, Any]) -> FieldProblem:
    """A field's problem without the value that was sent."""
    place = [str(part) for number, part in enumerate(entry["loc"]) if number > 1 or part not in _LAYERS]
    if entry["type"] == "extra_forbidden":
        return FieldProblem(field=".".join(place), message="This field is not known here.")
    message = str(entry["msg"]).removeprefix("Value error, ")
    return FieldProblem(field=".".join(place) or "body", message=message)


_STATUS: tuple[tuple[type[MercerError], int, str], ...] = (
    (NotFoundError, 404, "not-found"),
    (ConflictError, 409, "conflict"),
    (UsageError, 422, "invalid-request"),
)


def _deliberate(request: Request, error: Exception) -> JSONResponse:
    told = cast(MercerError, error)
    if isinstance(told, ProblemError):
        return problem(
            _id(request), told.status, told.kind, told.message, remedy=told.remedy, fields=list(told.fields)
        )
    for kind, status, name in _STATUS:
        if isinstance(told, kind):
            return problem(_id(request), status, name, told.message, remedy=told.remedy)
    return fault(_id(request), error)


_HTTP = {
    400: ("invalid-body", "The body can't be read.", "Send one JSON object."),
    404: ("not-found", "There is nothing at this path.", "See the reference at /docs."),
    405: ("wrong-method", "This path does not take this method.", "See the reference at /docs."),
    413: ("body-too-large", "The body is too large.", "Send less at once."),
    415: ("wrong-media-type", "The body must be JSON.", "Send `Content-Type: application/json`."),
}


def _http(request: Request, error: Exception) -> JSONResponse:
    told = cast(HTTPException, error)
    kind, message, remedy = _HTTP.get(
        told.status_code, ("http-error", "This request can't be answered.", "See the reference at /docs.")
    )
    return problem(_id(request), told.status_code, kind, message, remedy=remedy, headers=told.headers)


def fault(request_id: str, error: Exception) -> JSONResponse:
    """The answer to an error that nobody expected; the log gets its kind and place."""
    # The message of a fault may hold personal data: the log gets the kind and the place, never the text.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"
    log.error("request %s: %s at %s", request_id, type(error).__name__, place)
    return problem(
        request_id,
        500,
        "fault",
        "mercer could not answer this request.",
        remedy="It is a fault of the server; name the request id to whoever runs it.",
    )


def unknown_item(item: str) -> ProblemError:
    """An item that neither the release nor the overlay knows."""
    return ProblemError(
        422,
        "unknown-item",
        f"Item {item!r} is not in the catalogue.",
        remedy="Leave it out, or add it first: PUT /v1/items/{id}.",
    )
