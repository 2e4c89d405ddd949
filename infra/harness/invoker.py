"""Invokes functions as API Gateway and Lambda's event sources do."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.harness.clock import Clock
from infra.harness.fleet import Fleet
from infra.harness.invocation import Invocation, InvocationResult
from infra.lambdas.runtime import http_event
from infra.lambdas.template import timeout_of


@dataclass(frozen=True)
class Answer:
    """`status` is 502 if the function failed, as in API Gateway."""

    status: int
    document: Any


class Invoker:
    """`disturb` adds faults to an invocation; with None, there are no faults."""

    def __init__(self, fleet: Fleet, clock: Clock, api_key: str) -> None:
        self.disturb: Callable[[Invocation], Invocation] | None = None
        self._fleet = fleet
        self._clock = clock
        self._api_key = api_key

    def run(self, function: str, event: dict[str, Any]) -> InvocationResult:
        """Invokes the function with its time limit in the template."""
        invocation = Invocation(function, event, timeout_of(function), self._clock.offset)
        return self._fleet.invoke(self.disturb(invocation) if self.disturb else invocation)

    def http(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """Invokes a function as API Gateway does, and returns its answer."""
        result = self.run(function, event)
        return {"statusCode": 502, "headers": {}} if result.failed else result.answer

    def call(self, function: str, method: str, path: str, body: Any = None) -> Answer:
        """Calls a function over HTTP, with the API key."""
        headers = {
            "authorization": f"Bearer {self._api_key}",
            "content-type": "application/json",
        }
        sent = None if body is None else json.dumps(body, ensure_ascii=False)
        answer = self.http(function, http_event(method, path, sent, headers))
        content = answer.get("body")
        return Answer(answer["statusCode"], json.loads(content) if content else None)
