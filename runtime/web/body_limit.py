"""No request body is read beyond the upload limit of the installation, whether it announces its length or not."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOO_LARGE = 413


class BodyLimit:
    """ASGI middleware that stops reading a body at ``limit`` bytes; the request is then refused in words."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what is read of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        over = not announced.isdigit() or int(announced[:18]) > self.limit
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            if over:
                raise HTTPException(TOO_LARGE)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:
                raise HTTPException(TOO_LARGE)
            return message

        await self.app(scope, counted, send)
