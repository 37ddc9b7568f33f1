"""Huge bodies are refused before they are read into memory, whether or not they announce their length."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mercer.serving.problems import problem


class _TooLargeError(Exception):
    pass


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
            await self._refuse(scope, receive, send)
            return
        seen = 0
        started = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.limit:
                raise _TooLargeError
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except _TooLargeError:
            if not started:
                await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = problem(
            scope["state"]["request_id"],
            413,
            "body-too-large",
            f"The body is larger than {self.limit} bytes.",
            remedy="Send less at once.",
            headers={"Connection": "close"},
        )
        await response(scope, receive, send)
