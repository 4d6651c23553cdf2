"""The headers every answer carries: nothing from elsewhere, no inline script or style, no framing, no sniffing.

Pages with data are never stored by a browser or a proxy; static files set their own ``Cache-Control`` and keep it.
This module checks nothing about the request: who is asking and the CSRF token are `runtime.web.dependencies`' business.
"""

from __future__ import annotations

from types import MappingProxyType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": CONTENT_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    }
)
NOT_KEPT = "no-store"
# As they travel: names in small letters, both as bytes.
COMPLETING = tuple(
    (name.lower().encode("latin-1"), value.encode("latin-1"))
    for name, value in (*HEADERS.items(), ("Cache-Control", NOT_KEPT))
)


class SecureHeaders:
    """ASGI middleware that completes the headers of every HTTP answer; an answer's own header wins."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the headers on the way back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in COMPLETING if one[0] not in own)]
            await send(message)

        await self.app(scope, receive, complete)
