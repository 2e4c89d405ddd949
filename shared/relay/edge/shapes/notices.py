"""Notices: the bodies of the calls that Relay makes to a workspace's webhook."""

from typing import Literal

from typing_extensions import TypedDict

from relay.edge.shapes.entities import AssociationTarget
from relay.entities.fields import DateTime, EntityId, Url, WorkspaceId
from relay.entities.model import Kind


class NoticeSite(TypedDict):
    """The site of the user who did it."""

    id: str
    """Relay's id of the site."""
    baseUrl: Url
    """The base URL at which Relay calls the site's Jira."""


class NoticeData(TypedDict):
    """The entity, and the object that it is, or was, associated with."""

    kind: Kind
    """Whether it is an incident or a review."""
    id: EntityId
    """The operations tool's own id."""
    site: NoticeSite
    """The site of the user who did it."""
    target: AssociationTarget
    """The object that the entity was associated with, or no longer is."""


class _Notice(TypedDict):
    timestamp: DateTime
    """When Jira reported it."""
    data: NoticeData
    """What happened."""


class AssociatedNotice(_Notice):
    """A Jira user has associated an entity of the workspace with something."""

    type: Literal["entity.associated"]
    """The event's name."""


class DisassociatedNotice(_Notice):
    """A Jira user has removed such an association."""

    type: Literal["entity.disassociated"]
    """The event's name."""


class TestNoticeData(TypedDict):
    """The workspace whose webhook is tested."""

    workspaceId: WorkspaceId
    """The workspace."""


class TestNotice(TypedDict):
    """A test of the webhook."""

    type: Literal["webhook.test"]
    """The event's name."""
    timestamp: DateTime
    """When the test was requested."""
    data: TestNoticeData
    """The content of the test."""
