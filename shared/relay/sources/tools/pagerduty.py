"""PagerDuty's webhooks, version 3."""

from typing import Any

from relay.sources.changes import IncidentChange, Reading, Service, ServiceChange
from relay.sources.moments import Moment
from relay.sources.payload import Id, Lenient, OptionalText, Payload
from relay.sources.settings import SourceSettings
from relay.sources.signatures import Call, HmacSha256
from relay.sources.tool import Tool, parsed

_HINT = "This is not an event of a PagerDuty webhook, version 3."
# The key is the secret as PagerDuty shows it; while it is rotated, there are several signatures.
_SIGNATURE = HmacSha256("X-PagerDuty-Signature", prefix="v1=")
_SERVICE_EVENTS = ("service.created", "service.updated")


class _Event(Payload):
    event_type: Id
    occurred_at: Moment
    data: dict[str, Any]


class _Envelope(Payload):
    event: _Event


class _Named(Payload):
    id: OptionalText = ""
    summary: OptionalText = ""
    html_url: OptionalText = ""


class _Incident(Payload):
    id: Id
    status: OptionalText = ""
    title: OptionalText = ""
    html_url: OptionalText = ""
    number: Lenient[int] = None
    created_at: Lenient[Moment] = None
    urgency: OptionalText = ""
    priority: Lenient[_Named] = None
    service: Lenient[_Named] = None


class _Service(_Named):
    id: Id


def verify(call: Call, secret: str, _: SourceSettings) -> None:
    """Raises Unauthenticated."""
    _SIGNATURE.verify(call, secret)


def read(payload: Any, _: SourceSettings) -> Reading:
    """Incidents' own events carry the whole incident; others, such as a note's, only name it."""
    event = parsed(_Envelope, payload, "", _HINT).event
    if event.event_type in _SERVICE_EVENTS:
        found = parsed(_Service, event.data, "event.data", _HINT)
        return Reading(
            event.event_type, [ServiceChange(service=_service(found), changed_at=event.occurred_at)]
        )
    if event.event_type == "pagey.ping":
        return Reading(event.event_type, ignored="a test event")
    if event.data.get("type") != "incident":
        return Reading(event.event_type, ignored="this type of event does not carry an incident")
    incident = parsed(_Incident, event.data, "event.data", _HINT)
    return Reading(event.event_type, [_change(incident, event.occurred_at)])


def _change(incident: _Incident, occurred_at: int) -> IncidentChange:
    number = incident.number
    return IncidentChange(
        id=incident.id,
        changed_at=occurred_at,
        created_at=incident.created_at or occurred_at,
        status="resolved" if incident.status == "resolved" else "open",
        title=incident.title,
        reference=f"incident {number}" if number else "",
        urls=[incident.html_url],
        severity=(incident.priority or _Named()).summary or incident.urgency,
        services=[_service(incident.service or _Named())],
    )


def _service(found: _Named) -> Service:
    return Service(id=found.id, name=found.summary, url=found.html_url)


TOOL = Tool(
    title="PagerDuty",
    read=read,
    verify=verify,
    signing="tool",
    setup=[
        "In PagerDuty, open Integrations > Generic Webhooks (v3) and select New Webhook.",
        "Webhook URL: {url}",
        "Scope Type: Account, or the service or team whose incidents Jira should show.",
        "Event Subscription: all incident events, and service.created and service.updated.",
        "Select Add Webhook. PagerDuty shows the webhook's secret once: give it to Relay.",
    ],
)
