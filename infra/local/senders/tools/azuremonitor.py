"""Azure Monitor's alerts in the common alert schema."""

from typing import Any

from infra.local.sample import timestamp
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLE = samples("azuremonitor")["resolved"]
SEVERITIES = {"P1": "Sev0", "P3": "Sev2"}
PLACE = (
    "/subscriptions/00000000-0000-4000-8000-000000000000"
    "/providers/Microsoft.AlertsManagement/alerts"
)


def payload(event: Event) -> Any:
    essentials = varied(
        SAMPLE["data"]["essentials"],
        {
            "alertId": f"{PLACE}/{incident_id(event)}",
            "alertRule": event.title,
            "severity": SEVERITIES[event.level],
            "monitorCondition": "Resolved" if event.is_resolved else "Fired",
            # Azure writes seven digits.
            "firedDateTime": timestamp(event.opened_at).replace("Z", ".0000000Z"),
            "resolvedDateTime": timestamp(event.at).replace("Z", ".0000000Z"),
        },
    )
    if not event.is_resolved:
        del essentials["resolvedDateTime"]
    return varied(SAMPLE, {"data/essentials": essentials})


def incident_id(event: Event) -> str:
    return f"aaaa0a0a-bb1b-cc2c-dd3d-{event.number:012}"


SENDER = Sender(payload=payload, incident_id=incident_id, escalates=False)
