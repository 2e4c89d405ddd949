"""Notifications of Statuspage."""

from typing import Any

from infra.local.sample import timestamp
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLES = samples("statuspage")
STATUSES = {"opened": "investigating", "changed": "identified", "resolved": "resolved"}
IMPACTS = {"P1": "critical", "P3": "minor"}


def payload(event: Event) -> Any:
    return varied(
        SAMPLES["identified"],
        {
            "incident/id": incident_id(event),
            "incident/name": event.title,
            "incident/status": STATUSES[event.step],
            "incident/created_at": timestamp(event.opened_at),
            "incident/updated_at": timestamp(event.at),
            "incident/resolved_at": timestamp(event.at) if event.is_resolved else None,
            "incident/impact": IMPACTS[event.level],
            "incident/shortlink": f"https://stspg.io/{incident_id(event)}",
            "incident/components/0/id": event.service_id,
            "incident/components/0/name": event.service,
        },
    )


def incident_id(event: Event) -> str:
    return f"z3lct0r596n{event.number}"


SENDER = Sender(
    payload=payload,
    incident_id=incident_id,
    component=lambda event: f"statuspage-{event.service_id}",
    others={"component update": SAMPLES["component"], "maintenance": SAMPLES["maintenance"]},
)
