"""The answers to the actions of Jira's modules."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from relay.catalog.containers import RESULTS_MAX, ComponentType, Tier
from relay.entities.fields import (
    CONTAINER_ID_PATTERN,
    LIST_MAX,
    SITE_ID_MAX,
    DateTime,
    Description,
    SequenceNumber,
    SiteEntityId,
    Summary,
    Url,
    WorkspaceId,
)
from relay.entities.model import PostIncidentReview

# A container's id, prefixed with its workspace's key.
SiteContainerId = Annotated[str, Field(pattern=CONTAINER_ID_PATTERN, max_length=SITE_ID_MAX)]


class JiraWorkspace(TypedDict):
    """A workspace, as Jira shows it."""

    id: WorkspaceId
    """The workspace's id."""
    name: Summary
    """Its name."""
    url: Url
    """Its page in the operations tool."""
    avatarUrl: Url
    """Its image, or the app's logo."""


class JiraWorkspaces(TypedDict):
    """The answer to Jira's action `fetchWorkspaces`."""

    workspaces: list[JiraWorkspace]
    """The workspaces, in the order of their ids."""


class JiraContainer(TypedDict):
    """A container, as Jira shows it."""

    id: SiteContainerId
    """The container's id at the site: the workspace's key, a full stop, and the operations tool's
    own id."""
    name: Summary
    """Its name."""
    url: Url
    """Its page in the operations tool."""
    avatarUrl: Url
    """Its image, or the app's logo."""
    lastUpdatedDate: DateTime
    """When the operations tool last changed it."""


class JiraContainers(TypedDict):
    """The answer to Jira's action `searchContainers`."""

    containers: Annotated[list[JiraContainer], Field(max_length=RESULTS_MAX)]
    """The containers that were found."""


class JiraCatalog(JiraWorkspaces, JiraContainers):
    """The answer to a GET of `fetchWorkspaces`: workspaces as one page of Jira's documentation
    shows them, containers as another does."""


class JiraComponent(TypedDict):
    """A DevOps component, as Jira's REST API accepts it."""

    schemaVersion: Literal["1.0"]
    """The version of Jira's schema."""
    id: SiteContainerId
    """The container's id at the site."""
    updateSequenceNumber: SequenceNumber
    """When the component was sent, in epoch milliseconds."""
    name: Summary
    """The container's name."""
    description: Description
    """The container's description, or its name if it has none."""
    url: Url
    """Its page in the operations tool."""
    avatarUrl: Url
    """Its image, or the app's logo."""
    tier: Tier
    """How critical it is."""
    componentType: ComponentType
    """Jira's type of component."""
    lastUpdated: DateTime
    """When the operations tool last changed it."""


class JiraReview(PostIncidentReview):
    """A review with its ids at the site."""

    id: SiteEntityId
    """The review's id at the site."""
    reviews: Annotated[list[SiteEntityId], Field(min_length=1, max_length=LIST_MAX)]
    """The ids of the reviewed incidents at the site."""


class JiraReviewMade(TypedDict):
    """The draft of a review."""

    review: JiraReview
    """The review, as it is delivered to the site."""
