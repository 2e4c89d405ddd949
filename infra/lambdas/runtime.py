"""Loads the functions from their folders and builds their events, as Lambda does."""

import base64
import importlib.util
import sys
import time
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from infra.lambdas.routing import matched, owners
from infra.lambdas.template import ROOT, functions


class Context:
    """Lambda's context object, with a minute left."""

    function_name = "relay"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:relay"
    log_group_name = "/aws/lambda/relay"
    log_stream_name = "stream"

    def __init__(self) -> None:
        self.aws_request_id = str(uuid4())

    def get_remaining_time_in_millis(self) -> int:
        """Always a minute."""
        return 60_000


def load(function: str) -> ModuleType:
    """Loads a new instance of the function's module, as in a cold start. Raises ImportError."""
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"functions_under_test.{function}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"There is no function {function}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def variables_of(function: str) -> set[str]:
    """The environment variables that the template gives this function."""
    return set(functions()[function].get("Environment", {}).get("Variables", {}))


def http_event(
    method: str,
    url: str,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
    stage: str = "$default",
    route_keys: Iterable[str] | None = None,
    base_path: str = "",
) -> dict[str, Any]:
    """The request as an event in API Gateway's payload format 2.0; bytes are encoded in base64.

    `url` is relative to the stage and to `base_path`, which a custom domain maps to the API:
    neither affects routing. `route_keys` are the API's; by default, they are the template's.
    """
    sent_path, _, query = url.partition("?")
    # Percent signs stay encoded.
    path = "%25".join(map(unquote, sent_path.split("%25")))
    route_key, parameters = matched(owners() if route_keys is None else route_keys, method, path)
    raw_path = base_path + (path if stage == "$default" else f"/{stage}{path}")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in (headers or {}).items()},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef12",
            "domainName": "abcdef12.execute-api.eu-west-1.amazonaws.com",
            "http": {"method": method, "path": raw_path, "protocol": "HTTP/1.1"},
            "requestId": str(uuid4()),
            "routeKey": route_key,
            "stage": stage,
            "timeEpoch": 0,
        },
        "isBase64Encoded": isinstance(body, bytes),
    }
    if parameters:
        event["pathParameters"] = parameters
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event


def sqs_event(bodies: Iterable[str]) -> dict[str, Any]:
    """An SQS event with new messages of these bodies."""
    sent = str(int(time.time() * 1000))
    records = [
        {
            "messageId": f"message-{number}",
            "receiptHandle": f"receipt-{number}",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": sent},
            "eventSource": "aws:sqs",
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}
