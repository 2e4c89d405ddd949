"""`make bench-door`: the CPU time of a source's webhook, from the event to the answer."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from infra.bench.result import Result, Table, at_most, figure
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.bench.timing import Seconds, by_turns, spent
from infra.lambdas.runtime import Context, http_event, load
from infra.local.senders.signing import SIGNATURES
from relay.sources.document import SourceDocument
from relay.sources.payload import BODY_BYTES_MAX
from relay.sources.tool import ITEMS_MAX

# Sentry waits for a second, PagerDuty and EventBridge for five.
_MILLISECONDS_MAX = 100
_SECRET = "a secret that is the same at both ends"  # noqa: S105
_JSON = {"content-type": "application/json"}
_ALERT = {
    "status": "firing",
    "labels": {"alertname": "HighLatency", "severity": "critical", "service": "checkout-api"},
    "annotations": {"summary": "Checkout is slow", "description": "p99 above 2 s, see OPS-12"},
    "startsAt": "2026-02-06T00:17:58.432911368Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "https://prometheus.example.com/graph?g0.expr=x",
}


@dataclass(frozen=True)
class Call:
    """One call of a webhook, by what it measures."""

    name: str
    document: dict[str, Any]
    body: bytes


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Measures each call by turns, all answered by the tables and queues of the stage."""
    place = stand.place("door")
    stand.screen.say(f"door: {sizes.rounds} rounds of {len(list(_calls()))} webhooks …")
    workspace_id = place["workspace_id"]
    found = stand.run("door:measure", workspace_id=workspace_id, rounds=sizes.rounds)
    cpu = {name: [one["cpu"] * 1000 for one in each] for name, each in found.items()}
    rows = [[name, str(figure(each))] for name, each in cpu.items()]
    return Result(
        [Table("", ("webhook", "ms of CPU"), rows)],
        [
            at_most(f"{name}, CPU of the door", figure(each), _MILLISECONDS_MAX, "ms")
            for name, each in cpu.items()
        ],
    )


def measure(workspace_id: str, rounds: int) -> Mapping[str, list[Seconds]]:
    """The seconds of each call by round, in a new process. Raises RuntimeError if one fails."""
    door = load("source_events")
    ways: dict[str, Callable[[int], Seconds]] = {}
    for number, call in enumerate(_calls()):
        document = SourceDocument.model_validate(call.document)
        _, address = door.sources.put(workspace_id, f"source-{number}", document)
        headers = _JSON | SIGNATURES["pagerduty"](call.body, _SECRET)
        event = http_event("POST", f"/sources/{address}", call.body, headers)
        ways[call.name] = partial(_spent, partial(_send, door, event))
    return by_turns(ways, rounds, warm_up=2)


def _spent(send: Callable[[], None], _: int) -> Seconds:
    return spent(send)


def _send(door: Any, event: dict[str, Any]) -> None:
    answer = door.handler(event, Context())
    if answer["statusCode"] != 202:
        raise RuntimeError(f"The webhook was answered {answer['statusCode']}: {answer['body']}")


def _calls() -> Iterator[Call]:
    pagerduty = {"kind": "pagerduty", "secret": _SECRET}
    yield Call("PagerDuty, a usual incident", pagerduty, _incident(""))
    padding = "x" * (BODY_BYTES_MAX - len(_incident("")))
    yield Call("PagerDuty, the largest incident", pagerduty, _incident(padding))
    alerts = _alerts()
    alertmanager = {"kind": "alertmanager"}
    yield Call(f"Alertmanager, {len(alerts)} alerts", alertmanager, _notification(alerts))
    good_and_bad = [*alerts[:1], *[{"fingerprint": "x"}] * (ITEMS_MAX - 1)]
    yield Call(f"Alertmanager, {ITEMS_MAX - 1} invalid", alertmanager, _notification(good_and_bad))
    settings = {
        "mapping": {
            "items": "alerts",
            "id": "fingerprint",
            "summary": "annotations.summary",
            "description": "annotations.description",
            "lastUpdated": "startsAt",
            "status": "status == 'firing' && 'open' || 'resolved'",
            "severity": "labels.severity",
            "affectedComponents": "labels.service",
        }
    }
    custom = {"kind": "custom", "settings": settings}
    yield Call(f"A mapping of your own, {len(alerts)} alerts", custom, _notification(alerts))


def _incident(padding: str) -> bytes:
    data = {
        "id": "PINC001",
        "type": "incident",
        "status": "triggered",
        "title": "Checkout answers slowly",
        "html_url": "https://example.pagerduty.com/incidents/PINC001",
        "number": 2,
        "created_at": "2026-04-09T15:16:27Z",
        "urgency": "high",
        "service": {"id": "PSVC001", "summary": "Checkout API"},
        "body": padding,
    }
    occurred_at = "2026-04-09T15:20:22.169Z"
    event = {"event_type": "incident.triggered", "occurred_at": occurred_at, "data": data}
    return json.dumps({"event": event}).encode()


def _alerts() -> list[dict[str, Any]]:
    """As many as fit into the largest body."""
    one = len(json.dumps(_ALERT | {"fingerprint": f"{0:016x}"})) + 2
    count = (BODY_BYTES_MAX - len(_notification([]))) // one
    return [_ALERT | {"fingerprint": f"{number:016x}"} for number in range(count)]


def _notification(alerts: list[dict[str, Any]]) -> bytes:
    return json.dumps({"version": "4", "status": "firing", "alerts": alerts}).encode()
