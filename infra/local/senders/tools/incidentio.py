"""incident.io's webhooks."""

from typing import Any

from infra.local.sample import timestamp
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLES = samples("incidentio")
# The sample of each step, and where it holds the incident.
SHAPES = {
    "opened": ("created", "public_incident.incident_created_v2"),
    "changed": ("updated", "public_incident.incident_updated_v2"),
    "resolved": ("status_updated", "public_incident.incident_status_updated_v2/incident"),
}
SEVERITIES = {"P1": "Critical", "P3": "Minor"}


def payload(event: Event) -> Any:
    sample, place = SHAPES[event.step]
    values = {
        "id": incident_id(event),
        "name": event.title,
        "reference": f"INC-{event.number}",
        "permalink": f"https://app.incident.io/example/incidents/{event.number}",
        "created_at": timestamp(event.opened_at),
        "updated_at": timestamp(event.at),
        "severity/name": SEVERITIES[event.level],
        "incident_status/category": "closed" if event.is_resolved else "live",
        "postmortem_document_url": None,
    }
    return varied(SAMPLES[sample], {f"{place}/{path}": value for path, value in values.items()})


def incident_id(event: Event) -> str:
    return f"01DEMO{event.number:020}"


def _test_incident() -> Any:
    return varied(SAMPLES["created"], {"public_incident.incident_created_v2/mode": "test"})


SENDER = Sender(
    payload=payload,
    incident_id=incident_id,
    others={
        "test incident": _test_incident(),
        "private incident": SAMPLES["private"],
        "event of an unknown type": {
            "event_type": "public_incident.sentiment_changed_v1",
            "public_incident.sentiment_changed_v1": {"id": "01EXAMPLE"},
        },
    },
)
