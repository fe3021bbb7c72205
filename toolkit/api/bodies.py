"""The bodies of requests: read before anything is done with them, and never more than what an action has to say."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolkit.api import problems

MOST_BYTES = 32 << 10
SECONDS = 10.0


class Bodies:
    """Reads the body of a request whole, in bounds, before the application sees it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        try:
            body = await asyncio.wait_for(_whole(receive), SECONDS)
        except TimeoutError:
            refusal = problems.answer(
                HTTPStatus.REQUEST_TIMEOUT, f"the request did not come within {SECONDS:g} s", {"Connection": "close"}
            )
            await refusal(scope, receive, send)
            return
        if body is None:
            refusal = problems.answer(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send at most {MOST_BYTES >> 10} KiB", {"Connection": "close"}
            )
            await refusal(scope, receive, send)
            return
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replayed, send)


async def _whole(receive: Receive) -> bytes | None:
    """The body of a request; None if it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)
