"""The tables as a process that speaks DynamoDB's protocol, on loopback.

`python -m infra.bench.table_server PORT` answers until it is ended.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pydantic_core

from infra.bench.ordered_tables import Refused, Tables
from infra.local.ports import HOST

_TYPE = "com.amazonaws.dynamodb.v20120810#"


class TableHandler(BaseHTTPRequestHandler):
    """`handler_of` makes one for tables of its own."""

    protocol_version = "HTTP/1.1"
    # Otherwise the body of an answer waits for the acknowledgement of its headers.
    disable_nagle_algorithm = True
    wbufsize = -1
    tables: Tables
    turn: threading.Lock

    def do_GET(self) -> None:
        """Whoever waits until it answers asks for this."""
        self._answer(200, b"{}")

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            with self.turn:
                answer = self.tables.answer(operation, pydantic_core.from_json(body))
        except Refused as refused:
            self._answer(400, _error(refused))
        else:
            self._answer(200, answer)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nobody reads it."""


def handler_of(tables: Tables) -> type[TableHandler]:
    """For an HTTP server; its threads use the tables one after the other."""
    return type("Handler", (TableHandler,), {"tables": tables, "turn": threading.Lock()})


def _error(refused: Refused) -> bytes:
    document: dict[str, Any] = {"__type": _TYPE + refused.kind, "message": refused.kind}
    return pydantic_core.to_json(document | refused.more)


if __name__ == "__main__":
    ThreadingHTTPServer((HOST, int(sys.argv[1])), handler_of(Tables())).serve_forever()
