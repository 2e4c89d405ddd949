"""An answer that never comes. HTTP has no word for it: the connection itself has to end."""

import asyncio
import contextlib

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


async def _end_of_connection(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
