"""Huge bodies are refused before they are read into memory, whether or not they announce their length."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mercer.serving.problems import problem


class BodyLimit:
    """Answers 413 to a body of more than `limit` bytes."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self.limit:
            response = problem(
                scope["state"]["request_id"],
                413,
                "body-too-large",
                f"The body is larger than {self.limit} bytes.",
                remedy="Send less at once.",
                headers={"Connection": "close"},
            )
            await response(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.limit:
                # Raised where the app reads the body, so that its handler of HTTP errors answers.
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)
