"""Datadog's Webhooks integration, with Relay's payload template."""

from typing import Any

from infra.local.sample import milliseconds
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLES = samples("datadog")
TRANSITIONS = {"opened": "Triggered", "changed": "Re-Triggered", "resolved": "Recovered"}


def payload(event: Event) -> Any:
    return varied(
        SAMPLES["triggered"],
        {
            "event_id": f"74000000000000000{event.number}{milliseconds(event.at) % 10}",
            "title": event.title,
            "transition": TRANSITIONS[event.step],
            "priority": event.level,
            "alert_id": str(event.number),
            "cycle": incident_id(event),
            "scope": f"service:{event.service_id}",
            "tags": f"service:{event.service_id},env:prod",
            "link": f"https://app.datadoghq.com/monitors/{event.number}",
            "updated": str(milliseconds(event.at)),
            "date": str(milliseconds(event.opened_at)),
        },
    )


def incident_id(event: Event) -> str:
    return f"922337203685477580{event.number}"


SENDER = Sender(
    payload=payload,
    incident_id=incident_id,
    component=lambda event: event.service_id,
    others={"event without an alert": SAMPLES["event"]},
)
