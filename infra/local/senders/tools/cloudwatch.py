"""CloudWatch's alarms, as EventBridge puts them into Relay's queue."""

from datetime import datetime, timedelta
from typing import Any

from infra.local.sample import milliseconds
from infra.local.senders.events import Event
from infra.local.senders.sender import Sender, samples, varied

SAMPLES = samples("cloudwatch")
STATES = {True: "OK", False: "ALARM"}


def payload(event: Event) -> Any:
    before = event.opened_at if event.is_resolved else event.opened_at - timedelta(hours=1)
    name = alarm(event)
    return varied(
        SAMPLES["alarm"],
        {
            "id": f"2f1ecf5c-8bc9-4b7d-9e76-{event.number:06}{int(event.is_resolved):06}",
            "time": f"{event.at:%Y-%m-%dT%H:%M:%SZ}",
            "resources": [f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"],
            "detail/alarmName": name,
            "detail/configuration/description": event.title,
            "detail/previousState/value": STATES[not event.is_resolved],
            "detail/previousState/timestamp": time_text(before),
            "detail/state/value": STATES[event.is_resolved],
            "detail/state/timestamp": time_text(event.at),
        },
    )


def alarm(event: Event) -> str:
    return f"{event.service_id}-{event.number}"


def time_text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"


SENDER = Sender(
    payload=payload,
    incident_id=lambda event: (
        f"123456789012-eu-west-1-{alarm(event)}-{milliseconds(event.opened_at)}"
    ),
    # CloudWatch knows no severity.
    level=lambda _: "unknown",
    summary=alarm,
    others={
        "change of an alarm's configuration": SAMPLES["configuration_change"],
        "alarm without data": SAMPLES["insufficient_data"],
    },
    escalates=False,
    queued=True,
)
