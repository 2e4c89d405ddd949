"""API Gateway on loopback: the functions behind the template's own routes, over HTTP."""

import base64
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

from relay.outbound import OutboundClient
from tests.support.lambdas import Context, http_event
from tests.support.template import routes


@dataclass
class Gateway:
    """`url` is the app's base URL; load the functions with it, then hand them over."""

    url: str
    functions: dict[str, ModuleType] = field(default_factory=dict)
    # One call at a time: the functions share this process, its logger and its metrics.
    turn: threading.RLock = field(default_factory=threading.RLock)

    def answer(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str]
    ) -> dict[str, Any]:
        module = self._function_of(method, url.partition("?")[0])
        if module is None:
            return {"statusCode": 404, "headers": {}, "body": '{"message":"Not Found"}'}
        with self.turn:
            answer: dict[str, Any] = module.handler(
                http_event(method, url, body, headers), Context()
            )
        return answer

    def _function_of(self, method: str, path: str) -> ModuleType | None:
        """As API Gateway chooses: a route without placeholders before one with."""
        found = [
            (route.count("{"), name)
            for name in self.functions
            for route_method, route in routes(name)
            if route_method == method and _pattern(route).fullmatch(path)
        ]
        return self.functions[min(found)[1]] if found else None


def _pattern(route: str) -> re.Pattern[str]:
    parts = re.split(r"({[^}]+})", route)
    return re.compile(
        "".join(
            (".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part)
            for part in parts
        )
    )


@contextmanager
def gateway() -> Iterator[Gateway]:
    class Handler(BaseHTTPRequestHandler):
        # HTTP/1.0 closes every connection, so that none outlives its test.
        def handle_any(self) -> None:
            length = self.headers.get("Content-Length")
            body = self.rfile.read(int(length)) if length else None
            answer = served.answer(self.command, self.path, body, dict(self.headers))
            content = answer.get("body") or ""
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(
                base64.b64decode(content) if answer.get("isBase64Encoded") else content.encode()
            )

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing of it belongs into the test's output."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # closing it waits for every answer

    with Server(("127.0.0.1", 0), Handler) as http:
        served = Gateway(f"http://127.0.0.1:{http.server_address[1]}")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            http.shutdown()
            thread.join()


@contextmanager
def connections_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Functions loaded within leave no connection open, as the end of a Lambda leaves none."""
    make: Callable[..., None] = OutboundClient.__init__
    clients: list[OutboundClient] = []

    def make_and_remember(client: OutboundClient, *args: Any, **options: Any) -> None:
        make(client, *args, **options)
        clients.append(client)

    monkeypatch.setattr(OutboundClient, "__init__", make_and_remember)
    try:
        yield
    finally:
        for client in clients:
            client.close()
