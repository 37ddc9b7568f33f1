"""Default deny: whatever path is asked for needs a key, but for the few that are public.

The key opens its scopes only; each group of routes asks for one with `requires`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from mercer.serving.problems import ProblemError, problem
from mercer.serving.state import ApiKeys

PUBLIC = frozenset({"/", "/search", "/docs", "/openapi.json", "/healthz", "/readyz", "/favicon.ico"})
"""Open to everybody: they hold nothing of customers, and nothing of what is served."""

ASSETS = "/assets/"


class Authentication:
    """Answers 401 to a request without a key that opens anything."""

    def __init__(self, app: ASGIApp, keys: ApiKeys, public: Collection[str] = PUBLIC) -> None:
        self.app = app
        self.keys = keys
        self.public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or self._is_public(scope["path"]):
            await self.app(scope, receive, send)
            return
        presented = _presented(dict(scope["headers"]))
        holder = await run_in_threadpool(self.keys.check, presented) if presented else None
        if holder is None:
            response = problem(
                scope["state"]["request_id"],
                401,
                "no-key" if not presented else "wrong-key",
                "This needs an API key." if not presented else "This API key opens nothing.",
                remedy="Send `Authorization: Bearer KEY`; whoever runs the server makes keys.",
                headers={"WWW-Authenticate": "Bearer"},
            )
            await response(scope, receive, send)
            return
        scope["state"]["key"] = holder
        await self.app(scope, receive, send)

    def _is_public(self, path: str) -> bool:
        return path in self.public or path.startswith(ASSETS)


def _presented(headers: dict[bytes, bytes]) -> str:
    scheme, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    return headers.get(b"x-api-key", b"").decode("latin-1").strip()


def requires(scope: str) -> Callable[[Request], Any]:
    """A dependency that answers 403 to a key without `scope`."""

    def check(request: Request) -> None:
        holder = request.scope.get("state", {}).get("key")
        if holder is None or scope not in holder.scopes:
            raise ProblemError(
                403,
                "missing-scope",
                f"This API key does not open {scope!r}.",
                remedy="Use a key that was made with this scope.",
            )

    return check
