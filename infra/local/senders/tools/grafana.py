"""Grafana Alerting's webhooks, of a contact point."""

from typing import Any

from infra.local.sample import milliseconds, timestamp
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLES = samples("grafana")
SEVERITIES = {"P1": "critical", "P3": "warning"}


def payload(event: Event) -> Any:
    alert = varied(
        SAMPLES["firing"]["alerts"][0],
        {
            "status": "resolved" if event.is_resolved else "firing",
            "labels": {
                "alertname": event.title,
                "service": event.service_id,
                "severity": SEVERITIES[event.level],
            },
            "annotations/summary": event.title,
            "startsAt": timestamp(event.opened_at),
            "endsAt": timestamp(event.at) if event.is_resolved else "0001-01-01T00:00:00Z",
            "fingerprint": fingerprint(event),
        },
    )
    return varied(SAMPLES["firing"], {"status": alert["status"], "alerts": [alert]})


def fingerprint(event: Event) -> str:
    return f"{event.number:016x}"


SENDER = Sender(
    payload=payload,
    incident_id=lambda event: f"1-{fingerprint(event)}-{milliseconds(event.opened_at)}",
    component=lambda event: event.service_id,
    others={
        "test alert": SAMPLES["test"],
        "notification without alerts": varied(SAMPLES["firing"], {"alerts": []}),
    },
    escalates=False,
)
