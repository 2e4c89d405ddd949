"""Alert actions of Opsgenie and Jira Service Management."""

from typing import Any

from infra.local.sample import milliseconds
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLES = samples("opsgenie")
ACTIONS = {"opened": "create", "changed": "update_priority", "resolved": "close"}


def payload(event: Event) -> Any:
    return varied(
        SAMPLES[ACTIONS[event.step]],
        {
            "alert/alertId": incident_id(event),
            "alert/message": event.title,
            "alert/tags": [f"service:{event.service_id}"],
            "alert/tinyId": str(event.number),
            "alert/createdAt": milliseconds(event.opened_at),
            # Nanoseconds, beyond what a double holds.
            "alert/updatedAt": milliseconds(event.at) * 1_000_000 + 110,
            "alert/priority": event.level,
        },
    )


def incident_id(event: Event) -> str:
    return f"ec03dad6-62c8-4c94-b38b-{event.number:012}"


SENDER = Sender(
    payload=payload,
    incident_id=incident_id,
    component=lambda event: event.service_id,
    others={
        "note": SAMPLES["add_note"],
        "unknown action": varied(SAMPLES["add_note"], {"action": "Celebrate"}),
    },
)
