"""What Relay sends to a workspace's webhook: the calls that it makes itself."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from infra.openapi.catalog import TAG
from infra.openapi.entities import AssociationTarget
from infra.openapi.operation import JSON
from infra.openapi.parameters import CLOUD_ID, INCIDENT_ID, SITE_ID, WORKSPACE_ID
from infra.openapi.schemas import Shape, inline, reference
from relay.actions.associations import Event
from relay.entities.fields import DateTime, EntityId, Url, WorkspaceId
from relay.entities.model import Kind


class NoticeSite(Shape):
    """The site whose user did it."""

    id: str
    """Relay's id of the site."""
    baseUrl: Url
    """The base URL at which the site's Jira is called."""


class NoticeData(Shape):
    """Which entity it is about, and what it is associated with, or was."""

    kind: Kind
    """Whether it is an incident or a review."""
    id: EntityId
    """The operations tool's own id."""
    site: NoticeSite
    """The site whose user did it."""
    target: AssociationTarget
    """What the entity was associated with, or is no longer."""


class _Notice(Shape):
    timestamp: DateTime
    """When Jira told it."""
    data: NoticeData
    """What happened."""


class AssociatedNotice(_Notice):
    """Jira's users have associated an entity of the workspace with something."""

    type: Literal["entity.associated"]
    """The event's name."""


class DisassociatedNotice(_Notice):
    """Jira's users have taken such an association back."""

    type: Literal["entity.disassociated"]
    """The event's name."""


class TestNoticeData(Shape):
    """Which workspace's webhook is tried."""

    workspaceId: WorkspaceId
    """The workspace."""


class TestNotice(Shape):
    """Sent where somebody tries the webhook."""

    type: Literal["webhook.test"]
    """The event's name."""
    timestamp: DateTime
    """When it was asked for."""
    data: TestNoticeData
    """What it is sent for."""


NOTICES: dict[Event, type[BaseModel]] = {
    "entity.associated": AssociatedNotice,
    "entity.disassociated": DisassociatedNotice,
    "webhook.test": TestNotice,
}
_HEADERS = {
    "webhook-id": (
        Annotated[str, Field(pattern="^[0-9a-f]{32}$")],
        "The notice's id, which stays the same however often it is sent.",
    ),
    "webhook-timestamp": (
        Annotated[str, Field(pattern="^[0-9]+$")],
        "When this attempt was made, in epoch seconds.",
    ),
    "webhook-signature": (
        Annotated[str, Field(pattern="^v1,[A-Za-z0-9+/]{43}=$")],
        "`v1,` and, in base64, the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`. Its "
        "key is what the webhook's secret has in base64 after `whsec_`.",
    ),
}
_DATA = {
    "kind": "incident",
    "id": INCIDENT_ID,
    "site": {"id": SITE_ID, "baseUrl": "https://acme.atlassian.net"},
    "target": {
        "ati": "ati:cloud:jira:issue",
        "ari": f"ari:cloud:jira:{CLOUD_ID}:issue/10068",
        "cloudId": CLOUD_ID,
        "id": "10068",
    },
}
_SENT = """\
Sent to the URL that `PUT /v1/workspaces/{workspaceId}/webhook` has named, as Standard Webhooks \
asks. """
_NOT_TAKEN = "A redirect, and no answer within ten seconds, count as this."
# What is said of a notice, and of one that was not taken.
_OF_A_TEST = (
    _SENT + "A call of `POST /v1/workspaces/{workspaceId}/webhook/test` sends it once.",
    f"It was not, and it is not sent again. {_NOT_TAKEN}",
)
_OF_A_NOTICE = (
    _SENT + "The same notice may come twice, and notices may come in any order.",
    "It was not. The notice is sent again for a day: after half a minute, then at growing "
    f"intervals of up to an hour. {_NOT_TAKEN}",
)


def webhooks() -> dict[str, Any]:
    """OpenAPI's `webhooks`, by the event's name."""
    return {event: {"post": _operation(event, model)} for event, model in NOTICES.items()}


def _operation(event: Event, model: type[BaseModel]) -> dict[str, Any]:
    what = event.partition(".")[2]
    is_test = model is TestNotice
    description, not_taken = _OF_A_TEST if is_test else _OF_A_NOTICE
    data = {"workspaceId": WORKSPACE_ID} if is_test else _DATA
    example = {"type": event, "timestamp": "2026-01-31T09:45:00.512000+00:00", "data": data}
    content = {"schema": reference(model), "examples": {"notice": {"value": example}}}
    return {
        "operationId": f"receive{what.title()}Notice",
        "tags": [TAG],
        "summary": "The webhook is tried" if is_test else f"An incident or a review was {what}",
        "description": description,
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": description,
                "schema": inline(schema),
            }
            for name, (schema, description) in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {JSON: content}},
        "responses": {
            "2XX": {"description": "The notice was taken. Any body is left unread."},
            "default": {"description": not_taken},
        },
    }
