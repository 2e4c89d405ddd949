"""The functions as Lambda runs them: loaded from their folder, with the template's environment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

from infra.lambdas import runtime
from infra.lambdas.runtime import Context, http_event, load, variables_of
from tests.support.lambda_limits import check_answer, check_event

__all__ = [
    "APP_KEY",
    "BASE_URL",
    "Answer",
    "Context",
    "call",
    "http_event",
    "load",
    "sqs_event",
    "variables_of",
]

APP_KEY = "relay-operations"
BASE_URL = "https://relay.example.com"


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


def sqs_event(*bodies: str) -> dict[str, Any]:
    """SQS's event of new messages with these bodies, within Lambda's limit."""
    event = runtime.sqs_event(bodies)
    check_event(event)
    return event


def call(module: ModuleType, *args: Any, **kwargs: Any) -> Answer:
    """Call an HTTP function with the event of this request (see `http_event`)."""
    event = http_event(*args, **kwargs)
    check_event(event)
    answer = module.handler(event, Context())
    check_answer(answer)
    return Answer(answer["statusCode"], answer["headers"], answer.get("body") or "")
