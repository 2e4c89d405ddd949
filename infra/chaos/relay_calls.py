"""The operations tool's calls, through the functions; and who decides what befalls a function."""

import json
import threading
from dataclasses import dataclass
from random import Random
from typing import Any

from infra.chaos.clock import Clock
from infra.chaos.fleet import Fleet
from infra.chaos.invocation import Ended, Invocation
from infra.chaos.settings import Settings
from infra.lambdas.runtime import http_event
from infra.lambdas.template import functions, template

# Calls to AWS and Jira before a worker that is to die does so: about so many.
_DIES_AFTER = 25
# Seconds. Less is left of an invocation now and then, so that it runs out of time.
_SHORT = 28.0
_OUT_OF_TIME_RATE = 0.25
_KILLED_WITHIN = 2.0
_LONG = ("submitter", "replayer")


@dataclass(frozen=True)
class Answer:
    """`status` is 502 where the function died, as API Gateway has it."""

    status: int
    document: Any


class Invoking:
    """Runs functions, with the trouble that the settings ask for while `troubled`."""

    def __init__(self, fleet: Fleet, clock: Clock, settings: Settings, api_key: str) -> None:
        self.troubled = False
        self._fleet = fleet
        self._clock = clock
        self._settings = settings
        self._api_key = api_key
        self._lots = Random(f"{settings.seed}/invocations")  # noqa: S311
        self._lock = threading.Lock()

    def run(self, function: str, event: dict[str, Any]) -> Ended:
        invocation, kill_after = self._drawn(function, event)
        return self._fleet.invoke(invocation, kill_after)

    def http(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """API Gateway's answer."""
        ended = self.run(function, event)
        return {"statusCode": 502, "headers": {}} if ended.failed else ended.answer

    def call(self, function: str, method: str, path: str, body: Any = None) -> Answer:
        """The operations tool's call."""
        headers = {
            "authorization": f"Bearer {self._api_key}",
            "content-type": "application/json",
        }
        sent = None if body is None else json.dumps(body, ensure_ascii=False)
        answer = self.http(function, http_event(method, path, sent, headers))
        content = answer.get("body")
        return Answer(answer["statusCode"], json.loads(content) if content else None)

    def _drawn(self, function: str, event: dict[str, Any]) -> tuple[Invocation, float | None]:
        seconds = _timeout_of(function)
        with self._lock:
            lots, settings = self._lots, self._settings
            if not self.troubled:
                return Invocation(function, event, seconds, self._clock.offset), None
            if function in _LONG and lots.random() < _OUT_OF_TIME_RATE:
                seconds = lots.uniform(_SHORT, seconds)
            dies_at = kill_after = None
            if lots.random() < settings.kill_rate:
                if lots.random() < 0.7:
                    dies_at = int(lots.expovariate(1 / _DIES_AFTER)) + 1
                else:
                    kill_after = lots.uniform(0, _KILLED_WITHIN)
            drawn = Invocation(
                function,
                event,
                seconds,
                self._clock.offset,
                lots.getrandbits(32),
                settings.aws_error_rate,
                dies_at,
            )
            return drawn, kill_after


def _timeout_of(function: str) -> float:
    default = template()["Globals"]["Function"]["Timeout"]
    return float(functions()[function].get("Timeout", default))
