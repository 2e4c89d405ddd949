"""A server of public keys on loopback, like Atlassian's: PEM by kid, over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.tokens import InstallKey


@dataclass(frozen=True)
class Reply:
    """`silent` sends nothing until the server is closed; `cut_off` closes without a response."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    silent: bool = False
    cut_off: bool = False


@dataclass
class KeyServer:
    """`requests` are the requested paths; `trouble`, if set, is the response to every request."""

    url: str
    keys: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    trouble: Reply | None = None
    closing: threading.Event = field(default_factory=threading.Event)

    def serve(self, key: InstallKey) -> InstallKey:
        self.keys[key.kid] = key.public_pem
        return key

    def reply_to(self, path: str) -> Reply:
        self.requests.append(path)
        pem = self.keys.get(path.removeprefix("/keys/"))
        return self.trouble or (Reply(404) if pem is None else Reply(body=pem))


@contextmanager
def key_server() -> Iterator[KeyServer]:
    class Handler(BaseHTTPRequestHandler):
        # HTTP/1.0 closes every connection, so none outlives its test.
        def do_GET(self) -> None:
            reply = server.reply_to(self.path)
            if reply.silent:
                server.closing.wait()
            if reply.silent or reply.cut_off:
                return
            with suppress(ConnectionError):  # the client may have closed the connection
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the server's log out of the test's output."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # closing waits for every response

    with Server(("127.0.0.1", 0), Handler) as http:
        server = KeyServer(f"http://127.0.0.1:{http.server_address[1]}/keys")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            http.shutdown()
            thread.join()
