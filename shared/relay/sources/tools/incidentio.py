"""incident.io's webhooks."""

from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError

from relay.entities.model import IncidentStatus, ReviewStatus
from relay.errors import Detail, Unauthenticated
from relay.sources.changes import IncidentChange, Reading, Review
from relay.sources.moments import Moment
from relay.sources.payload import Id, Lenient, OptionalText, Payload
from relay.sources.settings import SourceSettings
from relay.sources.signatures import Call
from relay.sources.tool import Tool, parsed, wrong_shape

_HINT = "This is not an event of an incident.io webhook."
# Where the incident is in the events that carry one.
_PLACES = {
    "public_incident.incident_created_v2": "",
    "public_incident.incident_updated_v2": "",
    "public_incident.incident_status_updated_v2": "incident",
}
_STATUSES: dict[str, IncidentStatus] = {
    "triage": "open",
    "live": "open",
    "paused": "open",
    "learning": "resolved",
    "closed": "resolved",
    "declined": "resolved",
    "merged": "resolved",
    "canceled": "resolved",
}
_REAL_MODES = ("standard", "retrospective")
_UNREAL_MODES = {name: f"an incident of the mode {name}" for name in ("test", "tutorial", "stream")}


class _Envelope(Payload):
    event_type: Id


class _Named(Payload):
    name: OptionalText = ""


class _Status(Payload):
    category: OptionalText = ""


class _Issue(Payload):
    provider: OptionalText = ""
    issue_name: OptionalText = ""


class _Incident(Payload):
    id: Id
    updated_at: Moment
    created_at: Lenient[Moment] = None
    name: OptionalText = ""
    summary: OptionalText = ""
    reference: OptionalText = ""
    permalink: OptionalText = ""
    visibility: OptionalText = ""
    mode: OptionalText = ""
    severity: Lenient[_Named] = None
    incident_status: Lenient[_Status] = None
    external_issue_reference: Lenient[_Issue] = None
    postmortem_document_url: OptionalText = ""


def verify(call: Call, secret: str, _: SourceSettings) -> None:
    """Standard Webhooks. Raises Unauthenticated.

    The library compares the signed time with the machine's clock, not with the call's time.
    """
    try:
        Webhook(secret).verify(call.body, dict(call.headers), json_parse=False)
    # Malformed signatures, secrets and bodies are ValueErrors.
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError) as error:
        raise Unauthenticated(f"the Standard Webhooks signature is not valid: {error}") from None


def check_secret(secret: str) -> None:
    """Raises ValueError unless it is base64, after whsec_ or not."""
    try:
        Webhook(secret)
    except EmptyWebhookSecretError:
        raise ValueError("it is empty") from None


def read(payload: Any, _: SourceSettings) -> Reading:
    """The event's content is in a member that is named like its type."""
    event = parsed(_Envelope, payload, "", _HINT).event_type
    if event not in payload:
        # An unknown name could be anything.
        path = event if event in _PLACES else "event_type"
        rule = "A member that is named like the event is required"
        raise wrong_shape(_HINT, [Detail(path, "missing", rule)])
    if event.startswith("private_"):
        return Reading(event, ignored="a private incident")
    if event not in _PLACES:
        return Reading(event, ignored="this type of event does not carry an incident")
    content, path = payload[event], event
    if _PLACES[event] and isinstance(content, dict):
        content, path = content.get(_PLACES[event]), f"{event}.{_PLACES[event]}"
    incident = parsed(_Incident, content, path, _HINT)
    if incident.visibility == "private":
        return Reading(event, ignored="a private incident")
    if incident.mode and incident.mode not in _REAL_MODES:
        return Reading(event, ignored=_UNREAL_MODES.get(incident.mode, "not a real incident"))
    return Reading(event, [_change(incident)])


def _change(incident: _Incident) -> IncidentChange:
    category = (incident.incident_status or _Status()).category
    issue = incident.external_issue_reference or _Issue()
    # Other trackers' names of issues, such as Linear's, look like Jira's keys.
    key = issue.issue_name if issue.provider == "jira" else ""
    return IncidentChange(
        id=incident.id,
        changed_at=incident.updated_at,
        created_at=incident.created_at or incident.updated_at,
        status=_STATUSES.get(category, "unknown"),
        title=incident.name,
        description=incident.summary,
        reference=incident.reference,
        urls=[incident.permalink],
        severity=(incident.severity or _Named()).name,
        keys=[key],
        review=_review(incident, category),
    )


def _review(incident: _Incident, category: str) -> Review | None:
    """Its document has no times of its own."""
    if not incident.postmortem_document_url:
        return None
    status: ReviewStatus = "completed" if category == "closed" else "in progress"
    return Review(
        status=status,
        changed_at=incident.updated_at,
        created_at=incident.created_at or incident.updated_at,
        url=incident.postmortem_document_url,
    )


TOOL = Tool(
    title="incident.io",
    read=read,
    verify=verify,
    signing="tool",
    check_secret=check_secret,
    setup=[
        "In incident.io, open Settings > Webhooks and add an endpoint.",
        "Endpoint URL: {url}",
        "Subscribe to public_incident.incident_created_v2, public_incident.incident_updated_v2 and"
        " public_incident.incident_status_updated_v2, and create the endpoint.",
        "The endpoint's page shows its Signing Secret, which begins with whsec_: give it to Relay.",
    ],
)
