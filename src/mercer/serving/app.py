"""The HTTP app as a value: one visible function puts routes, middleware and errors together."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware

from mercer.serving import problems
from mercer.serving.middleware import (
    Authentication,
    BodyLimit,
    Faults,
    Measure,
    RequestId,
    SecurityHeaders,
)
from mercer.serving.routes import answers, cases, consents, events, facts, items, pages
from mercer.serving.settings import Settings

_DESCRIPTION = """Recommendations, search results and predictions of a mercer release.

Every request needs an API key: `Authorization: Bearer KEY`. Every answer has a request id and is logged with
what could have been shown, what was, where, and how likely. Errors have one form, `Problem`."""

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": problems.Problem, "description": meaning}
    for status, meaning in {
        401: "No key, or a key that opens nothing",
        403: "The key lacks the scope, or the person is not to be profiled",
        404: "Not there",
        409: "The same id with other content",
        413: "The body is too large",
        422: "The request is not right: the fields are named",
    }.items()
}


def build_app(settings: Settings) -> FastAPI:
    """The app that serves `settings.release`. It opens nothing and starts nothing."""
    registry = CollectorRegistry()
    answering = settings.answering()
    app = FastAPI(
        title="mercer",
        version=version("mercer"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        responses=_ERRORS,
        middleware=[
            Middleware(RequestId),
            Middleware(SecurityHeaders),
            Middleware(Measure, registry=registry),
            Middleware(Faults),
            Middleware(BodyLimit, limit=settings.max_body_bytes),
            Middleware(Authentication, keys=settings.state.keys),
        ],
    )
    problems.install(app)
    for group in (
        answers.router(answering, registry),
        events.router(answering),
        items.router(answering),
        consents.router(answering),
        cases.router(settings.cases, settings.clock),
        facts.router(answering, registry),
        pages.router(),
    ):
        app.include_router(group)
    _describe_keys(app)
    return app


def _describe_keys(app: FastAPI) -> None:
    """Say in the OpenAPI schema that every path needs a key."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        schema = described()
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["key"] = {"type": "http", "scheme": "bearer", "description": "An API key"}
        schema["security"] = [{"key": []}]
        for path in ("/healthz", "/readyz"):
            schema["paths"][path]["get"]["security"] = []
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
