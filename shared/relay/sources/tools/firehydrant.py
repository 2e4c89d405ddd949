"""FireHydrant's webhooks."""

from typing import Any

from pydantic import Field

from relay.sources.changes import IncidentChange, Reading, Service
from relay.sources.moments import Moment
from relay.sources.payload import Id, Labels, Lenient, OptionalText, Payload, Several, Text
from relay.sources.settings import SourceSettings
from relay.sources.signatures import Call, HmacSha256
from relay.sources.tool import Tool, parsed

_HINT = "This is not an event of a FireHydrant webhook."
_SIGNATURE = HmacSha256("fh-signature")
_OPERATIONS = ("CREATED", "UPDATED")
_RESOLVED = ("resolved", "closed")
# The milestones that follow them, by their old and their new name.
_REVIEWING = ("postmortem_", "retrospective_")
# By the type of the severity.
_NOT_INCIDENTS = {"gameday": "a test incident", "maintenance": "scheduled maintenance"}


class _Event(Payload):
    resource_type: Id
    operation: OptionalText = ""


class _Envelope(Payload):
    event: _Event
    data: dict[str, Any]


class _Named(Payload):
    id: OptionalText = ""
    name: OptionalText = ""


class _Level(Payload):
    slug: OptionalText = ""
    type: OptionalText = ""


class _Milestone(Payload):
    created_at: Lenient[Moment] = None
    updated_at: Lenient[Moment] = None


class _Incident(Payload):
    id: Id
    created_at: Moment
    updated_at: Lenient[Moment] = None
    milestones: Several[_Milestone] = Field(default_factory=list)
    current_milestone: OptionalText = ""
    # Of any type: a private incident must not reach Jira because FireHydrant writes it differently.
    restricted: Any = False
    number: Lenient[int] = None
    name: OptionalText = ""
    summary: OptionalText = ""
    description: OptionalText = ""
    customer_impact_summary: OptionalText = ""
    incident_url: OptionalText = ""
    priority: Lenient[Text | _Level] = None
    severity: Lenient[Text | _Level] = None
    services: Several[_Named] = Field(default_factory=list)
    labels: Labels = Field(default_factory=dict)


def verify(call: Call, secret: str, _: SourceSettings) -> None:
    """Raises Unauthenticated."""
    _SIGNATURE.verify(call, secret)


def read(payload: Any, _: SourceSettings) -> Reading:
    """An event carries the whole incident."""
    envelope = parsed(_Envelope, payload, "", _HINT)
    resource, operation = envelope.event.resource_type, envelope.event.operation or "UPDATED"
    event = f"{resource}.{operation.lower()}"
    if resource != "incident":
        return Reading(event, ignored="this type of event does not carry an incident")
    if operation not in _OPERATIONS:
        return Reading(event, ignored="this operation is not known")
    incident = parsed(_Incident, envelope.data.get("incident"), "data.incident", _HINT)
    reason = _not_for_jira(incident)
    return Reading(event, [] if reason else [_change(incident)], reason)


def _not_for_jira(incident: _Incident) -> str:
    if incident.restricted:
        return "a private incident"
    kind = incident.severity.type if isinstance(incident.severity, _Level) else ""
    return _NOT_INCIDENTS.get(kind, "")


def _change(incident: _Incident) -> IncidentChange:
    number = incident.number
    texts = [incident.summary, incident.description, incident.customer_impact_summary]
    description, *notes = [text for text in texts if text.strip()] or [""]
    return IncidentChange(
        id=incident.id,
        changed_at=_changed_at(incident),
        created_at=incident.created_at,
        status="resolved" if _is_resolved(incident.current_milestone) else "open",
        title=incident.name,
        description=description,
        reference=f"incident {number}" if number else "",
        urls=[incident.incident_url],
        severity=_name(incident.priority) or _name(incident.severity),
        services=[Service(id=one.id, name=one.name) for one in incident.services],
        keys=[incident.labels.get("jira", "")],
        notes=notes,
    )


def _changed_at(incident: _Incident) -> int:
    """The latest time that FireHydrant itself sets. It does not always send the incident's own.
    People set the times when something occurred or started, so these do not count."""
    times = [incident.created_at, incident.updated_at]
    for milestone in incident.milestones:
        times += [milestone.created_at, milestone.updated_at]
    return max(time for time in times if time is not None)


def _is_resolved(milestone: str) -> bool:
    return milestone in _RESOLVED or milestone.startswith(_REVIEWING)


def _name(level: str | _Level | None) -> str:
    return level.slug if isinstance(level, _Level) else level or ""


TOOL = Tool(
    title="FireHydrant",
    read=read,
    verify=verify,
    signing="user",
    setup=[
        "In FireHydrant, open Settings > Webhooks and select Add webhook.",
        "URL: {url}",
        "Secret: {secret}",
        "Status: Active",
        "Event Subscriptions: Incidents. Leave Incidents (Private) unchecked.",
        "Select Add webhook.",
    ],
)
