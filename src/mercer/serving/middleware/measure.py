"""Counts and times of requests, by route and status. No path or header is kept: they may be personal."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Measure:
    """Feeds `mercer_requests_total` and `mercer_request_seconds` of a registry."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        self.total = Counter(
            "mercer_requests_total", "Requests answered", ["route", "method", "status"], registry=registry
        )
        self.seconds = Histogram(
            "mercer_request_seconds", "Time to answer", ["route"], registry=registry, buckets=_BUCKETS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            self.total.labels(route, _method(scope["method"]), str(status)).inc()
            self.seconds.labels(route).observe(time.perf_counter() - begin)


def _method(method: str) -> str:
    return method if method in {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"} else "other"
