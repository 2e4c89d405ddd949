"""Answers that HTTP has no word for: what is written to the connection itself, or never is."""

import asyncio
import contextlib
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

# The extension of the ASGI scope by which the server hands over the connection's transport.
CONNECTION = "jira_simulator.connection"


class Unanswered(Response):
    """Closes the connection without a byte: at once, or when the client gives up.

    A server that stops closes it, too.
    """

    def __init__(self, waits: bool = False) -> None:
        super().__init__()
        self._waits = waits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        if self._waits:
            with contextlib.suppress(asyncio.CancelledError):
                await _end_of_connection(receive)
        scope["extensions"][CONNECTION].abort()
        # The server takes a call that returns without an answer for a bug, unless it has noticed.
        await _end_of_connection(receive)


class Trickled(Response):
    """The body of an answer, or all of it, at one byte per so many seconds."""

    def __init__(self, answer: Response, seconds: float, headers_too: bool) -> None:
        super().__init__(answer.body, answer.status_code)
        self.raw_headers = answer.raw_headers
        self._seconds = seconds
        self._headers_too = headers_too

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        connection: asyncio.Transport = scope["extensions"][CONNECTION]
        head, body = self._head(), bytes(self.body)
        at_once, slowly = (b"", head + body) if self._headers_too else (head, body)
        connection.write(at_once)
        with contextlib.suppress(asyncio.CancelledError):
            for start in range(len(slowly)):
                await asyncio.sleep(self._seconds)
                if connection.is_closing():
                    break
                connection.write(slowly[start : start + 1])
        connection.close()
        await _end_of_connection(receive)

    def _head(self) -> bytes:
        status = f"HTTP/1.1 {self.status_code} {HTTPStatus(self.status_code).phrase}".encode()
        headers = [name + b": " + value for name, value in self.raw_headers]
        return b"\r\n".join([status, *headers, b"connection: close", b"", b""])


async def _end_of_connection(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
