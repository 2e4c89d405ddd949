"""The webhooks of status pages: Atlassian Statuspage and Better Stack."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from relay.sources.changes import IncidentChange, Reading, Review, Service
from relay.sources.moments import Moment
from relay.sources.payload import Id, Lenient, OptionalText, Payload, Several, Text
from relay.sources.settings import SourceSettings
from relay.sources.tool import Tool, parsed, wrong_shape

_HINT = "This is not a notification of Statuspage or of a status page of Better Stack."
_RESOLVED = ("resolved", "postmortem")
_MAINTENANCE = ("scheduled", "in_progress", "verifying", "completed")


def _as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


class _Page(Payload):
    status_indicator: OptionalText = ""


class _Envelope(Payload):
    page: Lenient[_Page] = None
    incident: Any = None
    maintenance: Any = None
    component: Any = None
    component_update: Any = None


class _Component(Payload):
    id: Id
    name: OptionalText = ""


class _Update(Payload):
    body: Text


class _Incident(Payload):
    # Better Stack's ids are numbers, written as such or as text.
    id: Annotated[Id, BeforeValidator(_as_text)]
    name: OptionalText = ""
    status: OptionalText = ""
    impact: OptionalText = ""
    shortlink: OptionalText = ""
    created_at: Lenient[Moment] = None
    updated_at: Moment
    resolved_at: Lenient[Moment] = None
    scheduled_for: OptionalText = ""
    postmortem_body: OptionalText = ""
    postmortem_published_at: Lenient[Moment] = None
    components: Several[_Component] = Field(default_factory=list)
    incident_updates: Several[_Update] = Field(default_factory=list)


def read(payload: Any, _: SourceSettings) -> Reading:
    """Each notification about an incident carries the whole incident, with all its updates."""
    envelope = parsed(_Envelope, payload, "", _HINT)
    if envelope.incident is not None:
        incident = parsed(_Incident, envelope.incident, "incident", _HINT)
        if incident.scheduled_for or incident.status in _MAINTENANCE:
            return Reading("maintenance", ignored="a scheduled maintenance")
        page = envelope.page or _Page()
        return Reading(f"incident {incident.status}".strip(), [_change(incident, page)])
    if envelope.maintenance is not None:
        return Reading("maintenance", ignored="a scheduled maintenance")
    if envelope.component is not None or envelope.component_update is not None:
        return Reading("component", ignored="the state of a component, not an incident")
    raise wrong_shape(_HINT)


def _change(incident: _Incident, page: _Page) -> IncidentChange:
    # The newest update is the first one.
    texts = [update.body for update in incident.incident_updates]
    changed_at = max(
        incident.updated_at, incident.resolved_at or 0, incident.postmortem_published_at or 0
    )
    return IncidentChange(
        id=incident.id,
        changed_at=changed_at,
        created_at=incident.created_at or changed_at,
        status="resolved" if _is_resolved(incident, page) else "open",
        title=incident.name,
        description=texts[0] if texts else "",
        reference=f"incident {incident.id}",
        urls=[incident.shortlink],
        severity=incident.impact,
        services=[Service(id=one.id, name=one.name) for one in incident.components],
        notes=texts[1:],
        review=_review(incident, changed_at),
    )


def _is_resolved(incident: _Incident, page: _Page) -> bool:
    """Better Stack's incidents have no status. When the page shows no trouble, they are over."""
    if incident.status:
        return incident.status in _RESOLVED
    return page.status_indicator == "operational"


def _review(incident: _Incident, changed_at: int) -> Review | None:
    """The postmortem; until it is published, it is a draft."""
    published = incident.postmortem_published_at
    if not published and incident.status != "postmortem":
        return None
    return Review(
        status="completed",
        changed_at=changed_at,
        created_at=published or changed_at,
        title=f"Postmortem: {incident.name}" if incident.name else "",
        description=incident.postmortem_body,
        url=incident.shortlink,
    )


TOOL = Tool(
    title="Statuspage",
    read=read,
    setup=[
        "In Statuspage, open Subscribers > Options > Settings, select Webhook and then"
        " Save changes. With Better Stack, webhooks are on.",
        "Open the status page, select Subscribe to Updates (Better Stack: Get updates), and choose"
        " the webhook.",
        "URL: {url}",
        "Enter an e-mail address: it gets the confirmation, and a message if notifications fail.",
        "Follow the link in the confirmation.",
    ],
)
