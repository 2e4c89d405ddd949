"""Prometheus Alertmanager's webhooks, version 4."""

from typing import Any

from infra.local.sample import milliseconds, timestamp
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLE = samples("alertmanager")["firing"]
SEVERITIES = {"P1": "critical", "P3": "warning"}


def payload(event: Event) -> Any:
    alert = varied(
        SAMPLE["alerts"][0],
        {
            "status": "resolved" if event.is_resolved else "firing",
            "labels/severity": SEVERITIES[event.level],
            "labels/service": event.service_id,
            "annotations/summary": event.title,
            "startsAt": timestamp(event.opened_at),
            "endsAt": timestamp(event.at) if event.is_resolved else "0001-01-01T00:00:00Z",
            "fingerprint": fingerprint(event),
        },
    )
    return varied(SAMPLE, {"status": alert["status"], "alerts": [alert]})


def fingerprint(event: Event) -> str:
    return f"{event.number:016x}"


SENDER = Sender(
    payload=payload,
    incident_id=lambda event: f"{fingerprint(event)}-{milliseconds(event.opened_at)}",
    component=lambda event: event.service_id,
    others={"notification without alerts": varied(SAMPLE, {"alerts": []})},
    escalates=False,
)
