"""Keeps web pages of other sites away from the control endpoint.

A page that someone has open could send it requests, and could read the answers where its name
resolves to the loopback interface (DNS rebinding). A browser names the host that it believes to
talk to, and the page's origin; programs name the one, and no origin.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .refusal import Refusal

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class OwnHostOnly:
    """Middleware: 403 unless Host, and Origin where there is one, are loopback names or `url`'s."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        self._app = app
        self._hosts = {*_LOOPBACK, urlsplit(url).hostname}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        named = [f"//{headers.get('host', '')}", *headers.getlist("origin")]
        if not all(_hostname(each) in self._hosts for each in named):
            raise Refusal(403, "The control endpoint answers to its own host only.")
        await self._app(scope, receive, send)


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
