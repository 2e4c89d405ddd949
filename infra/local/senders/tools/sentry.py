"""Sentry's webhooks, of an internal integration."""

from typing import Any

from infra.local.sample import timestamp
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLES = samples("sentry")
SEVERITIES = {"P1": "critical", "P3": "warning"}


def payload(event: Event) -> Any:
    action = "resolved" if event.is_resolved else SEVERITIES[event.level]
    alert = {
        "id": incident_id(event),
        "identifier": str(event.number),
        "title": event.title,
        "projects": [event.service_id],
        "date_created": timestamp(event.opened_at),
        "date_closed": timestamp(event.at) if event.is_resolved else None,
    }
    return varied(
        SAMPLES[f"metric_alert_{action}"],
        {
            "data/web_url": f"https://sentry.io/organizations/example/alerts/{event.number}/",
            **{f"data/metric_alert/{name}": value for name, value in alert.items()},
        },
    )


def incident_id(event: Event) -> str:
    return f"40{event.number}"


SENDER = Sender(
    payload=payload,
    incident_id=incident_id,
    component=lambda event: f"sentry-{event.service_id}",
    # What is resolved is neither a warning nor critical.
    level=lambda event: "unknown" if event.is_resolved else event.level,
    others={
        "issue": SAMPLES["issue"],
        "installation": SAMPLES["installation"],
        "unknown action": varied(SAMPLES["metric_alert_warning"], {"action": "pondered"}),
    },
)
