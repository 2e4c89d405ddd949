"""API Gateway on loopback: the functions behind the template's own routes, over HTTP."""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

from infra.lambdas.routing import owners
from relay.outbound.client import OutboundClient
from tests.support.lambda_limits import check_answer, refused_by_gateway
from tests.support.lambdas import Context, http_event


class Functions(dict[str, Any]):
    """The functions by name, each loaded when first used."""

    def __init__(self, load: Callable[[str], ModuleType]) -> None:
        self._load = load

    def __missing__(self, name: str) -> ModuleType:
        module = self[name] = self._load(name)
        return module


@dataclass
class Gateway:
    """`url` is the app's base URL; the functions are loaded with it in their environment."""

    url: str
    functions: Functions
    # One call at a time: the functions share this process, its logger and its metrics.
    turn: threading.RLock = field(default_factory=threading.RLock)

    def answer(
        self, method: str, url: str, body: bytes | str | None, headers: dict[str, str]
    ) -> dict[str, Any]:
        """Bytes reach the function in base64, like a gzip body."""
        event = http_event(method, url, body, headers)
        refused = refused_by_gateway(method, url, headers, event)
        if refused:
            return refused
        with self.turn:
            module = self.functions[owners()[event["routeKey"]]]
            answer: dict[str, Any] = module.handler(event, Context())
        check_answer(answer)
        return answer


@contextmanager
def gateway(functions: Functions) -> Iterator[Gateway]:
    class Handler(BaseHTTPRequestHandler):
        # HTTP/1.0 closes every connection, so none outlives its test.
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

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the server's log out of the test's output."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # closing waits for every response

    with Server(("127.0.0.1", 0), Handler) as http:
        served = Gateway(f"http://127.0.0.1:{http.server_address[1]}", functions)
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            http.shutdown()
            thread.join()


@contextmanager
def connections_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the connections of functions loaded within, as the end of a Lambda does."""
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
