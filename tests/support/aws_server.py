"""This process's emulated AWS over HTTP, for functions in other processes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from moto.core.models import botocore_stubber

_SERVICES = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs", "TrentService": "kms"}


@contextmanager
def aws_server(region: str) -> Iterator[str]:
    """The endpoint of all its services, while moto mocks AWS here."""
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            service = _SERVICES[self.headers["X-Amz-Target"].partition(".")[0]]
            url = f"https://{service}.{region}.amazonaws.com/"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers: Any = dict(self.headers.items()) | {"Host": url.split("/")[2]}
            request = AWSPreparedRequest("POST", url, headers, body, False)
            with turn:
                answer: Any = botocore_stubber("before-send", request)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in ("content-length", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the server's log out of the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_address[1]}"
        finally:
            http.shutdown()
            thread.join()
