"""What Jira calls over HTTP: the descriptor and the lifecycle, as API Gateway hands them on."""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.lambdas.routing import owners
from infra.lambdas.runtime import http_event

# Takes the function and its event; returns API Gateway's answer.
Handle = Callable[[str, dict[str, Any]], dict[str, Any]]


def _nobody(_: str, __: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 503, "headers": {}, "body": ""}


@dataclass
class Listener:
    """`handle` is set once there are functions."""

    url: str
    handle: Handle = _nobody


@contextmanager
def listening() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = self.headers.get("Content-Length")
            body = self.rfile.read(int(length)) if length else None
            event = http_event(self.command, self.path, body, dict(self.headers))
            answer = listener.handle(owners()[event["routeKey"]], event)
            content = answer.get("body") or ""
            self.send_response(answer["statusCode"])
            for name, value in answer.get("headers", {}).items():
                self.send_header(name, value)
            self.end_headers()
            encoded = answer.get("isBase64Encoded")
            self.wfile.write(base64.b64decode(content) if encoded else content.encode())

        do_GET = do_POST = handle_any

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """The functions have logs of their own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        listener = Listener(f"http://127.0.0.1:{http.server_address[1]}")
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield listener
        finally:
            http.shutdown()
            thread.join()
