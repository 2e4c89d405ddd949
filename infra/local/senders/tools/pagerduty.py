"""PagerDuty's webhooks, version 3."""

from typing import Any

from infra.local.sample import timestamp
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLES = samples("pagerduty")
EVENTS = {
    "opened": "incident.triggered",
    "changed": "incident.priority_updated",
    "resolved": "incident.resolved",
}
PAGES = "https://example.pagerduty.com"


def payload(event: Event) -> Any:
    incident, service = f"{PAGES}/incidents/{incident_id(event)}", f"PSVC00{event.number}"
    return varied(
        SAMPLES["resolved" if event.is_resolved else "triggered"],
        {
            "event/id": f"01DEMO{event.number}{event.step.upper()}",
            "event/event_type": EVENTS[event.step],
            "event/occurred_at": timestamp(event.at),
            "event/data/id": incident_id(event),
            "event/data/number": event.number,
            "event/data/created_at": timestamp(event.opened_at),
            "event/data/title": event.title,
            "event/data/html_url": incident,
            "event/data/priority/summary": event.level,
            "event/data/service/id": service,
            "event/data/service/summary": event.service,
            "event/data/service/html_url": f"{PAGES}/services/{service}",
        },
    )


def incident_id(event: Event) -> str:
    return f"PDEMO{event.number}"


SENDER = Sender(
    payload=payload,
    incident_id=incident_id,
    component=lambda event: f"pagerduty-PSVC00{event.number}",
    others={
        "test event": varied(
            SAMPLES["annotated"],
            {
                "event/event_type": "pagey.ping",
                "event/data": {"message": "Hello from your friend Pagey!", "type": "ping"},
            },
        ),
        "note": SAMPLES["annotated"],
        "event of an unknown type": varied(
            SAMPLES["annotated"],
            {"event/event_type": "incident.sentiment_changed", "event/data/type": "sentiment"},
        ),
    },
)
