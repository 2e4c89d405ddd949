"""API Gateway over HTTP, for Jira's calls of the descriptor and the lifecycle."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from infra.harness.serving import Quiet, serving
from infra.lambdas.routing import owners
from infra.lambdas.runtime import http_event

# Called with a function and its event; returns API Gateway's answer.
Handle = Callable[[str, dict[str, Any]], dict[str, Any]]


def _unavailable(_: str, __: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 503, "headers": {}, "body": ""}


@dataclass
class Listener:
    """An HTTP server at `url`; it answers 503 until `handle` is set."""

    url: str
    handle: Handle = _unavailable


@contextmanager
def listening() -> Iterator[Listener]:
    """Yields a listener on the loopback interface."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = self.headers.get("Content-Length")
            body = self.rfile.read(int(length)) if length else None
            event = http_event(self.command, self.path, body, dict(self.headers))
            answer = listener.handle(owners()[event["routeKey"]], event)
            content = answer.get("body") or ""
            self.send_response(answer["statusCode"])
            for name, value in answer.get("headers", {}).items():
                self.send_header(name, value)
            encoded = answer.get("isBase64Encoded")
            # A caller that waits no longer has closed the connection.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(base64.b64decode(content) if encoded else content.encode())

        do_GET = do_POST = handle_any

    with serving(Handler) as address:
        listener = Listener(f"http://{address}")
        yield listener
