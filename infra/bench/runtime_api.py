"""Lambda's Runtime API as a starting function sees it: it tells when a function is ready."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infra.local.ports import HOST

_NEXT = "/invocation/next"


class RuntimeApi:
    """`address` is for AWS_LAMBDA_RUNTIME_API."""

    def __init__(self, port: int) -> None:
        self.address = f"{HOST}:{port}"
        self.said: queue.Queue[str] = queue.Queue()

    def wait(self, seconds: float) -> None:
        """Until the function asks for its first event; raises RuntimeError if it fails to."""
        try:
            error = self.said.get(timeout=seconds)
        except queue.Empty:
            raise RuntimeError(f"The function was not ready after {seconds:.0f} s.") from None
        if error:
            raise RuntimeError(f"The function failed to start: {error}")


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    ending = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith(_NEXT):
                api.said.put("")
                # There is no event: it waits, as it does between two invocations.
                ending.wait()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            api.said.put(body.decode("utf-8", "replace"))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nobody reads it."""

    with ThreadingHTTPServer((HOST, 0), Handler) as http:
        api = RuntimeApi(http.server_address[1])
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield api
        finally:
            ending.set()
            http.shutdown()
            thread.join()
