"""Serves the fast tables over HTTP, with DynamoDB's protocol.

`python -m infra.harness.tables_server PORT` serves on the loopback interface until it is stopped. A
PUT of `true` to `/limits` enforces DynamoDB's limits per partition key, and of `false` ends that.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic_core import from_json, to_json

from infra.harness.partition_limits import Limits
from infra.harness.serving import Quiet
from infra.harness.tables import Refused, Tables
from infra.local.ports import HOST


def handler_of(tables: Tables) -> type[BaseHTTPRequestHandler]:
    """Returns a request handler that serves these tables with DynamoDB's protocol."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Otherwise, an answer's body waits for the acknowledgement of its headers.
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            self._answer(200, b"{}")

        def do_PUT(self) -> None:
            enforced = from_json(self.rfile.read(int(self.headers["Content-Length"])))
            tables.limits = Limits() if enforced else None
            self._answer(200, b"{}")

        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                self._answer(200, tables.answer(operation, from_json(body)))
            except Refused as refused:
                self._answer(400, to_json(refused.document))

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    return Handler


if __name__ == "__main__":
    ThreadingHTTPServer((HOST, int(sys.argv[1])), handler_of(Tables())).serve_forever()
