"""Lambda's and API Gateway's documented limits of a function's input and output.

Sources: "Lambda quotas", "Quotas for configuring and running an HTTP API", and Lambda's own errors:
"Request must be smaller than 6291456 bytes", "Exceeded maximum allowed payload size (6291556
bytes)".
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.support.aws_limits import LimitPassed

EVENT_BYTES_MAX = 6 * 1024 * 1024
ANSWER_BYTES_MAX = EVENT_BYTES_MAX + 100
# For an HTTP call: the request line or the status, and all headers.
HEADER_BYTES_MAX = 10_240


def event_bytes(event: Any) -> int:
    """The event's size as UTF-8 JSON: a quote in a body has two bytes, like a backslash."""
    return len(json.dumps(event, ensure_ascii=False).encode(errors="surrogatepass"))


def answer_bytes(answer: Any) -> int:
    """The response's size as Python 3.11's runtime client writes it, in ASCII; later versions do
    not.
    """
    return len(json.dumps(answer))


def refused_by_gateway(
    method: str, url: str, headers: Mapping[str, str], event: Mapping[str, Any]
) -> dict[str, Any] | None:
    """API Gateway's own response to a call that it refuses; None if it passes the call on."""
    line = len(f"{method} {url} HTTP/1.1\r\n".encode())
    if line + _header_bytes(headers) > HEADER_BYTES_MAX:
        return _own_answer(431, "Request Header Fields Too Large")
    if event_bytes(event) > EVENT_BYTES_MAX:
        return _own_answer(413, "Request Entity Too Large")
    return None


def check_answer(answer: Mapping[str, Any]) -> None:
    """Raise LimitPassed for an HTTP response that Lambda or API Gateway would replace with a
    500.
    """
    if answer_bytes(answer) > ANSWER_BYTES_MAX:
        raise LimitPassed("bytes of a function's answer")
    if _header_bytes(answer["headers"]) > HEADER_BYTES_MAX:
        raise LimitPassed("bytes of an answer's headers")


def check_event(event: Mapping[str, Any]) -> None:
    """Raise LimitPassed for an event that no event source would send."""
    if event_bytes(event) > EVENT_BYTES_MAX:
        raise LimitPassed("bytes of an event")


def _own_answer(status: int, message: str) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps({"message": message})}


def _header_bytes(headers: Mapping[str, str]) -> int:
    return sum(len(f"{name}: {value}\r\n".encode()) for name, value in headers.items())
