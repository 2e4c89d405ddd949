"""A tool of one's own, which Relay reads by the mapping of the examples."""

from typing import Any

from infra.local.sample import milliseconds
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, custom_settings, samples, varied

SAMPLES = samples("custom")
LEVELS = {"P1": "red", "P3": "amber"}


def payload(event: Event) -> Any:
    alarm = varied(
        SAMPLES["two_alarms"]["alarms"][0],
        {
            "key": 5000 + event.number,
            "state": "cleared" if event.is_resolved else "raised",
            "name": event.title,
            "began": milliseconds(event.opened_at),
            "changed": milliseconds(event.at),
            "level": LEVELS[event.level],
            "links/page": f"https://alarms.example.com/{5000 + event.number}",
            "services/0/key": event.service_id,
            "services/0/title": event.service,
        },
    )
    return varied(SAMPLES["two_alarms"], {"alarms": [alarm]})


SENDER = Sender(
    payload=payload,
    incident_id=lambda event: str(5000 + event.number),
    component=lambda event: f"custom-{event.service_id}",
    others={"drill": SAMPLES["drill"], "heartbeat": SAMPLES["none"]},
    settings=custom_settings(),
)
