"""Rootly's webhooks."""

from typing import Any

from pydantic import Field

from relay.entities.model import ReviewStatus
from relay.sources.changes import (
    IncidentChange,
    IncidentDeletion,
    Reading,
    Review,
    ReviewChange,
    ReviewDeletion,
    Service,
)
from relay.sources.moments import Moment
from relay.sources.payload import Id, Lenient, OptionalText, Payload, Several
from relay.sources.settings import SourceSettings
from relay.sources.signatures import Call, HmacSha256
from relay.sources.tool import Tool, parsed

_HINT = "This is not an event of a Rootly webhook."
# The time and the body are signed with nothing between them.
_SIGNATURE = HmacSha256("X-Rootly-Signature", prefix="v1=", time_prefix="t=")
_RESOLVED = ("resolved", "cancelled", "closed")
_REVIEW_STATUSES: dict[str, ReviewStatus] = {"draft": "in progress", "published": "completed"}


class _Event(Payload):
    type: Id
    issued_at: Moment


class _Envelope(Payload):
    event: _Event
    data: dict[str, Any]


class _Resource(Payload):
    id: Id
    updated_at: Lenient[Moment] = None


class _Named(Payload):
    id: OptionalText = ""
    slug: OptionalText = ""
    name: OptionalText = ""


class _Incident(_Resource):
    created_at: Lenient[Moment] = None
    sequential_id: Lenient[int] = None
    kind: OptionalText = ""
    # Of any type: a private incident must not reach Jira because Rootly writes this differently.
    private: Any = False
    title: OptionalText = ""
    summary: OptionalText = ""
    status: OptionalText = ""
    url: OptionalText = ""
    severity: Lenient[_Named] = None
    services: Several[_Named] = Field(default_factory=list)
    jira_issue_key: OptionalText = ""


class _PostMortem(_Resource):
    incident_id: Id
    created_at: Lenient[Moment] = None
    title: OptionalText = ""
    status: OptionalText = ""
    url: OptionalText = ""


def verify(call: Call, secret: str, _: SourceSettings) -> None:
    """Raises Unauthenticated."""
    _SIGNATURE.verify(call, secret)


def read(payload: Any, _: SourceSettings) -> Reading:
    """An event carries the whole resource that its type names."""
    envelope = parsed(_Envelope, payload, "", _HINT)
    event, data = envelope.event, envelope.data
    if event.type.startswith("incident.scheduled."):
        return Reading(event.type, ignored="scheduled maintenance")
    if event.type == "incident.deleted":
        return Reading(event.type, [_deletion(IncidentDeletion, data, event)])
    if event.type.startswith("incident."):
        incident = parsed(_Incident, data, "data", _HINT)
        reason = _not_for_jira(incident)
        return Reading(event.type, [] if reason else [_change(incident, event)], reason)
    if event.type == "incident_post_mortem.deleted":
        return Reading(event.type, [_deletion(ReviewDeletion, data, event)])
    if event.type.startswith("incident_post_mortem."):
        return Reading(event.type, [_review_change(data, event)])
    return Reading(event.type, ignored="this type of event does not carry an incident")


def _not_for_jira(incident: _Incident) -> str:
    if incident.private:
        return "a private incident"
    if incident.kind.startswith("scheduled"):
        return "scheduled maintenance"
    return "a test incident" if incident.kind.startswith(("test", "example")) else ""


def _change(incident: _Incident, event: _Event) -> IncidentChange:
    number = incident.sequential_id
    severity = incident.severity or _Named()
    changed_at = incident.updated_at or event.issued_at
    return IncidentChange(
        id=incident.id,
        changed_at=changed_at,
        created_at=incident.created_at or changed_at,
        status="resolved" if incident.status in _RESOLVED else "open",
        title=incident.title,
        description=incident.summary,
        reference=f"incident {number}" if number else "",
        urls=[incident.url],
        severity=severity.slug or severity.name,
        services=[Service(id=one.slug or one.id, name=one.name) for one in incident.services],
        keys=[incident.jira_issue_key],
    )


def _review_change(data: dict[str, Any], event: _Event) -> ReviewChange:
    """The text is left out: it is HTML, and Jira's is Markdown."""
    found = parsed(_PostMortem, data, "data", _HINT)
    changed_at = found.updated_at or event.issued_at
    review = Review(
        id=found.id,
        status=_REVIEW_STATUSES.get(found.status, "unknown"),
        changed_at=changed_at,
        created_at=found.created_at or changed_at,
        title=found.title,
        url=found.url,
    )
    return ReviewChange(review=review, incidents=[found.incident_id])


def _deletion(
    kind: type[IncidentDeletion] | type[ReviewDeletion], data: dict[str, Any], event: _Event
) -> IncidentDeletion | ReviewDeletion:
    """A deletion may leave `updated_at` as it was, but comes after the last change."""
    found = parsed(_Resource, data, "data", _HINT)
    return kind(id=found.id, changed_at=max(event.issued_at, found.updated_at or 0))


TOOL = Tool(
    title="Rootly",
    read=read,
    verify=verify,
    signing="tool",
    setup=[
        "In Rootly, open Settings > Webhooks and select New Webhook.",
        "URL: {url}",
        "Event types: all of incident.* but the scheduled ones. Add incident_post_mortem.* for the"
        " reviews, unless you have private incidents: these events do not say which ones are.",
        "Select Save. Rootly shows the signing secret once: give it to Relay.",
    ],
)
