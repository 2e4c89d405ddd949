"""Rootly's webhooks."""

from typing import Any

from infra.local.sample import timestamp
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLES = samples("rootly")
EVENTS = {
    "opened": "incident.created",
    "changed": "incident.updated",
    "resolved": "incident.resolved",
}
SEVERITIES = {"P1": "sev1", "P3": "sev3"}


def payload(event: Event) -> Any:
    return varied(
        SAMPLES["resolved" if event.is_resolved else "created"],
        {
            "event/id": f"evt-{event.number}-{event.step}",
            "event/type": EVENTS[event.step],
            "event/issued_at": timestamp(event.at),
            "data/id": incident_id(event),
            "data/sequential_id": event.number,
            "data/title": event.title,
            "data/url": f"https://rootly.com/account/incidents/{event.number}",
            "data/severity/slug": SEVERITIES[event.level],
            "data/services/0/slug": event.service_id,
            "data/services/0/name": event.service,
            "data/created_at": timestamp(event.opened_at),
            "data/updated_at": timestamp(event.at),
        },
    )


def incident_id(event: Event) -> str:
    return f"11111111-2222-4333-8444-{event.number:012}"


SENDER = Sender(
    payload=payload,
    incident_id=incident_id,
    component=lambda event: f"rootly-{event.service_id}",
    others={
        "private incident": SAMPLES["private"],
        "scheduled maintenance": SAMPLES["scheduled"],
        "event of an unknown type": varied(SAMPLES["alert"], {"event/type": "sentiment.changed"}),
    },
)
