"""Webhooks of Opsgenie, and of Jira Service Management Operations, which sends the same."""

from typing import Any

from pydantic import Field

from relay.sources.changes import IncidentChange, Reading, Service
from relay.sources.moments import Milliseconds, Nanoseconds
from relay.sources.payload import Id, Labels, Lenient, OptionalText, Payload, Several, Text
from relay.sources.settings import SourceSettings
from relay.sources.tool import Tool, parsed

_HINT = "This is not an alert action of a webhook of Opsgenie or Jira Service Management."
_OPEN = ("Create", "Acknowledge", "UnAcknowledge")
_RESOLVED = ("Close", "Delete")
# UpdatePriority, UpdateMessage, UpdateDescription.
_UPDATE = "Update"


class _Action(Payload):
    action: Id
    alert: dict[str, Any]


class _Alert(Payload):
    alertId: Id
    # Beyond 2^53, so never a float.
    updatedAt: Nanoseconds
    createdAt: Lenient[Milliseconds] = None
    message: OptionalText = ""
    description: OptionalText = ""
    tinyId: OptionalText = ""
    entity: OptionalText = ""
    # 3 or P3.
    priority: Lenient[int | Text] = None
    tags: Several[Text] = Field(default_factory=list)
    details: Labels = Field(default_factory=dict)


def read(payload: Any, _: SourceSettings) -> Reading:
    """Actions that change no field of an incident, such as a note, are ignored."""
    found = parsed(_Action, payload, "", _HINT)
    if not (found.action in _OPEN + _RESOLVED or found.action.startswith(_UPDATE)):
        return Reading(found.action, ignored="this action does not change an incident")
    alert = parsed(_Alert, found.alert, "alert", _HINT)
    return Reading(found.action, [_change(alert, found.action)])


def _change(alert: _Alert, action: str) -> IncidentChange:
    # Every action carries the tags, but not the entity: the component must not change with it.
    service = _tagged(alert.tags, "service") or alert.entity
    priority = alert.priority
    return IncidentChange(
        id=alert.alertId,
        changed_at=alert.updatedAt,
        created_at=alert.createdAt if alert.createdAt is not None else alert.updatedAt,
        status="resolved" if action in _RESOLVED else "open",
        title=alert.message,
        description=alert.description,
        reference=f"alert {alert.tinyId}" if alert.tinyId else "",
        severity=f"P{priority}" if isinstance(priority, int) else priority or "",
        services=[Service(name=service)],
        keys=[_tagged(alert.tags, "jira"), alert.details.get("jira", "")],
    )


def _tagged(tags: list[str], name: str) -> str:
    """The value of the first tag such as `service:checkout-api`."""
    prefix = f"{name}:"
    values = (tag.removeprefix(prefix).strip() for tag in tags if tag.startswith(prefix))
    return next((value for value in values if value), "")


TOOL = Tool(
    title="Opsgenie",
    read=read,
    setup=[
        "In Opsgenie, open Settings > Integrations and select Add integration. In Jira Service"
        " Management, open Operations > Integrations and select Add integration.",
        "Search for Webhook, the outgoing one, name it and select Continue.",
        "Edit its settings. Webhook URL: {url}",
        "Select Add alert description to payload and Add alert details to payload.",
        "Alert actions: created, acknowledged, unacknowledged, closed, deleted, and the updates of"
        " message, description and priority.",
        "Save, and select Turn on integration.",
    ],
)
