"""A fault becomes the one error body like everything else, and says nothing of its cause."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mercer.serving.problems import fault


class Faults:
    """Answers 500 to whatever no handler expected."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            response = fault(scope["state"]["request_id"], error)
            if started:
                raise
            await response(scope, receive, send)
