"""FireHydrant's webhooks."""

from datetime import datetime
from typing import Any

from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLES = samples("firehydrant")
MILESTONES = {"opened": "started", "changed": "investigating", "resolved": "resolved"}


def payload(event: Event) -> Any:
    incident = varied(
        SAMPLES["resolved"]["data"]["incident"],
        {
            "id": incident_id(event),
            "name": event.title,
            "number": event.number,
            "incident_url": f"https://app.firehydrant.io/incidents/{event.number}",
            "current_milestone": MILESTONES[event.step],
            "created_at": time_text(event.opened_at),
            # The offset is written in two ways.
            "started_at": time_text(event.opened_at).replace("UTC", "+0000"),
            "updated_at": time_text(event.at),
            "milestones": [],
            "priority/slug": event.level,
            "services/0/id": f"svc-{event.number}",
            "services/0/name": event.service,
        },
    )
    return varied(
        SAMPLES["resolved"],
        {
            "data/incident": incident,
            "event/operation": "CREATED" if event.step == "opened" else "UPDATED",
        },
    )


def incident_id(event: Event) -> str:
    return f"21fe20b5-8012-4a51-a34c-{event.number:012}"


def time_text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


SENDER = Sender(
    payload=payload,
    incident_id=incident_id,
    component=lambda event: f"firehydrant-svc-{event.number}",
    others={
        "change event": SAMPLES["change_event"],
        "event of an unknown type": varied(
            SAMPLES["change_event"], {"event/resource_type": "sentiment"}
        ),
    },
)
