"""What surrounds every request: a limit on its size, HEAD answered as GET, and headers that keep pages to themselves."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 10_000_000
"""Most bytes that a request may bring."""

POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'", "connect-src 'self'",
        "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
    )
)  # fmt: skip
"""Content-Security-Policy: a page uses what this server gives it and nothing else."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "private, no-store",
}
"""Set where the route has not set its own."""


class TooLarge(HTTPException):
    """The request brings too much."""

    def __init__(self) -> None:
        super().__init__(413)


class Surround:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, https: bool, unforeseen: Callable[[Request, Exception], Response]) -> None:
        """``unforeseen`` gives the answer to a request that fails by a mistake of ours."""
        self.app, self.unforeseen = app, unforeseen
        self.headers = HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        bodiless = scope["method"] == "HEAD"
        brought, begun = 0, False

        async def limited() -> Message:
            nonlocal brought
            message = await receive()
            brought += len(message.get("body", b""))
            if brought > LARGEST:
                raise TooLarge
            return message

        async def dressed(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            elif bodiless and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        scope = {**scope, "method": "GET"} if bodiless else scope
        try:
            await self.app(scope, limited, dressed)
        except ClientDisconnect:
            return
        except Exception as error:
            if begun:
                raise
            answer = await run_in_threadpool(self.unforeseen, Request(scope), error)
            await answer(scope, receive, dressed)
