"""Faults of the connection between the app and Jira: a late, slow or missing answer."""

import asyncio
import contextlib
from http import HTTPStatus
from typing import ClassVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .fault import ChangedAnswer, Course, EarlyAnswer, Fault, Schema

# The extension of the ASGI scope with the connection's transport.
CONNECTION = "jira_simulator.connection"
_SECONDS: Schema = {"type": "number", "minimum": 0, "maximum": 3600}


class Slow(Fault):
    """Waits for `seconds` before the call is processed."""

    kind = "slow"
    schema: ClassVar[Schema] = {"seconds": _SECONDS}
    required = ("seconds",)

    def apply(self, course: Course) -> None:
        self.count(course)
        course.delay_seconds += self.parameters["seconds"]


class DropBefore(EarlyAnswer):
    """Closes the connection; the call is not processed."""

    kind = "drop before"

    def answer(self, course: Course) -> Response:  # noqa: ARG002
        return Unanswered()


class DropAfter(ChangedAnswer):
    """Processes the call, then closes the connection without an answer."""

    kind = "drop after"

    def change(self, course: Course, response: Response) -> Response:  # noqa: ARG002
        course.is_unanswered = True
        return Unanswered()


class Hang(EarlyAnswer):
    """Never answers; the call is not processed."""

    kind = "hang"

    def answer(self, course: Course) -> Response:  # noqa: ARG002
        return Unanswered(waits=True)


class Trickle(ChangedAnswer):
    """Processes the call, then sends the answer byte by byte."""

    kind = "trickle"
    schema: ClassVar[Schema] = {"seconds": _SECONDS, "part": {"enum": ["headers", "body"]}}

    def change(self, course: Course, response: Response) -> Response:  # noqa: ARG002
        headers_too = self.parameters.get("part", "headers") == "headers"
        return _Trickled(response, self.parameters.get("seconds", 1), headers_too)


class Unanswered(Response):
    """Closes the connection without an answer: immediately, or with `waits` after its peer."""

    def __init__(self, waits: bool = False) -> None:
        super().__init__()
        self._waits = waits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        if self._waits:
            with contextlib.suppress(asyncio.CancelledError):
                await _end_of_connection(receive)
        scope["extensions"][CONNECTION].abort()
        # Wait until the server notices: it would report a call without an answer as a bug.
        await _end_of_connection(receive)


class _Trickled(Response):
    """Sends the body of an answer, or all of it, at one byte per `seconds`."""

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
