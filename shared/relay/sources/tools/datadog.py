"""Datadog's Webhooks integration, with Relay's own payload template."""

import json
import re
from typing import Any, Literal

from relay.sources.changes import IncidentChange, Reading, Service
from relay.sources.moments import Milliseconds
from relay.sources.payload import Id, Lenient, OptionalText, Payload
from relay.sources.settings import SourceSettings
from relay.sources.tool import Tool, parsed

TEMPLATE = {
    "relay": "1",
    "event_id": "$ID",
    "title": "$ALERT_TITLE",
    "text": "$TEXT_ONLY_MSG",
    "transition": "$ALERT_TRANSITION",
    "priority": "$ALERT_PRIORITY",
    "alert_id": "$ALERT_ID",
    "cycle": "$ALERT_CYCLE_KEY",
    "scope": "$ALERT_SCOPE",
    "tags": "$TAGS",
    "link": "$LINK",
    "updated": "$LAST_UPDATED",
    "date": "$DATE",
}
_HINT = "This is not Relay's payload template for Datadog. Paste it into the webhook's Payload."
# Datadog leaves a variable that has no value as it is.
_VARIABLE = re.compile(r"\$[A-Z0-9_]+")


class _Head(Payload):
    relay: Literal["1"]
    transition: OptionalText = ""
    cycle: OptionalText = ""


class _Alert(Payload):
    cycle: Id
    updated: Milliseconds
    date: Lenient[Milliseconds] = None
    transition: OptionalText = ""
    title: OptionalText = ""
    text: OptionalText = ""
    priority: OptionalText = ""
    alert_id: OptionalText = ""
    tags: OptionalText = ""
    link: OptionalText = ""


def read(payload: Any, _: SourceSettings) -> Reading:
    """A monitor's alert is one incident from its trigger to its recovery: Datadog's cycle."""
    given = _without_variables(payload)
    head = parsed(_Head, given, "", _HINT)
    if not head.cycle and not head.transition:
        return Reading("event", ignored="an event without a monitor's alert")
    alert = parsed(_Alert, given, "", _HINT)
    return Reading(alert.transition or "alert", [_change(alert)])


def _without_variables(payload: Any) -> Any:
    if not isinstance(payload, dict):
        return payload
    return {
        name: value
        for name, value in payload.items()
        if not (isinstance(value, str) and _VARIABLE.fullmatch(value))
    }


def _change(alert: _Alert) -> IncidentChange:
    # Recovered, Warn Recovered and No Data Recovered; all others are states of trouble.
    recovered = alert.transition.casefold().endswith("recovered")
    return IncidentChange(
        id=alert.cycle,
        changed_at=alert.updated,
        created_at=alert.date or alert.updated,
        status="resolved" if recovered else "open",
        title=alert.title,
        description=alert.text,
        reference=f"monitor {alert.alert_id}" if alert.alert_id else "",
        urls=[alert.link],
        severity=alert.priority,
        services=[Service(name=name) for name in _tags(alert, "service")],
        keys=_tags(alert, "jira"),
    )


def _tags(alert: _Alert, name: str) -> list[str]:
    """The values of the tag, which may occur several times."""
    pairs = [tag.strip().partition(":") for tag in alert.tags.split(",")]
    return [value for key, _, value in pairs if key == name and value]


TOOL = Tool(
    title="Datadog",
    read=read,
    setup=[
        "In Datadog, open Integrations > Webhooks and select New.",
        "Name: relay. URL: {url}",
        f"Payload, with Encode as form off:\n{json.dumps(TEMPLATE, indent=2)}",
        "Select Save. Add @webhook-relay to the message of the monitors whose alerts Jira should"
        " show.",
    ],
)
