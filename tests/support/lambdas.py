"""The functions as Lambda runs them: loaded from their folder, with the template's environment."""

import base64
import importlib.util
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast
from urllib.parse import unquote
from uuid import uuid4

from tests.support.template import ROOT, functions

APP_KEY = "relay-operations"
BASE_URL = "https://relay.example.com"


class Context:
    function_name = "relay"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:relay"
    log_group_name = "/aws/lambda/relay"
    log_stream_name = "stream"

    def __init__(self) -> None:
        self.aws_request_id = str(uuid4())

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error_code(self) -> str:
        return cast(str, self.json()["error"]["code"])


def load(function: str) -> ModuleType:
    """A new instance of the function's module, as a cold start makes it."""
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"functions_under_test.{function}", path)
    assert spec
    assert spec.loader
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
) -> dict[str, Any]:
    """API Gateway's payload 2.0 of this request; a body in bytes comes in base64."""
    path, _, query = url.partition("?")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        # Decoded, but for percent signs.
        "rawPath": "%25".join(map(unquote, path.split("%25"))),
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in (headers or {}).items()},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef12",
            "domainName": "abcdef12.execute-api.eu-west-1.amazonaws.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1"},
            "requestId": str(uuid4()),
            "routeKey": f"{method} {path}",
            "stage": stage,
            "timeEpoch": 0,
        },
        "isBase64Encoded": isinstance(body, bytes),
    }
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event


def sqs_event(*bodies: str) -> dict[str, Any]:
    records = [
        {"messageId": f"message-{number}", "body": body, "eventSource": "aws:sqs"}
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def call(module: ModuleType, *args: Any, **kwargs: Any) -> Answer:
    """Call an HTTP function with the event of this request (see `http_event`)."""
    answer = module.handler(http_event(*args, **kwargs), Context())
    return Answer(answer["statusCode"], answer["headers"], answer.get("body") or "")
