"""Protects the control endpoint from calls by web pages.

A page in the user's browser could send it requests, and could read the answers if the page's host
name resolves to the loopback interface (DNS rebinding). A browser sends the page's host name in
Host and its origin in Origin; other programs send only Host.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .refusal import Refusal

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class OwnHostOnly:
    """Middleware: 403 unless Host, and Origin if sent, name a loopback host or `url`'s host."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        self._app = app
        self._hosts = {*_LOOPBACK, urlsplit(url).hostname}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        named = [f"//{headers.get('host', '')}", *headers.getlist("origin")]
        if not all(_hostname(each) in self._hosts for each in named):
            raise Refusal(403, "The control endpoint accepts calls to its own host only.")
        await self._app(scope, receive, send)


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
