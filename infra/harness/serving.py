"""An HTTP server on the loopback interface, in a thread of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from infra.local.ports import HOST


class Quiet:
    """Mix-in for a request handler without logs."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Logs nothing."""
        pass


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serves on a free port; yields `host:port`."""
    with ThreadingHTTPServer((HOST, 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"{HOST}:{http.server_address[1]}"
        finally:
            http.shutdown()
            thread.join()
