"""What the page for a site's admin inside Jira shows, and what its API answers."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from relay.edge.query import PAGE_MAX
from relay.edge.shapes import Page
from relay.edge.shapes.replays import Count, Replay
from relay.edge.shapes.sites import SiteState, TroubleCode
from relay.entities.fields import DateTime, EntityId, Summary, Url, WorkspaceId
from relay.entities.model import Kind


class PageTrouble(TypedDict):
    """Why Relay can't reach the site's Jira, and what to do."""

    code: TroubleCode
    message: str
    """Jira's own words."""
    advice: str
    """What the admin can do, in words."""
    since: DateTime
    """When the first of these calls failed."""
    until: DateTime
    """When Relay tries the site again."""


class PageCounts(TypedDict):
    """How many of the workspace's entities are in each state at this site."""

    shown: Count
    """Accepted by Jira."""
    owed: Count
    """Recorded, and not delivered yet."""
    refused: Count
    """Refused by Jira."""
    isComplete: bool
    """False if there are more than Relay counts for a page."""


class PageSource(TypedDict):
    """A source behind the workspace."""

    id: str
    """The source's id."""
    title: str
    """The name of the tool, such as PagerDuty."""
    lastDeliveryAt: NotRequired[DateTime | None]
    """When the tool called last; absent if it never did."""
    lastState: NotRequired[Literal["taken", "ignored", "refused"] | None]
    """What became of that call."""


class PageWorkspace(TypedDict):
    """A workspace that is linked to the site."""

    id: WorkspaceId
    """The workspace's id."""
    name: str
    """The name that users see in Jira; the id if the operations tool has deleted the workspace."""
    url: NotRequired[Url | None]
    """The workspace's page in the operations tool; absent if the tool has deleted the workspace."""
    counts: PageCounts
    """How many of its entities are in each state."""
    lastDeliveryAt: NotRequired[DateTime | None]
    """When Jira last answered for one of its entities; absent if it never did."""
    sources: list[PageSource]
    """The workspace's sources."""
    replay: NotRequired[Replay | None]
    """The last replay of the workspace at this site; absent if there was none."""
    hasTestIncident: bool
    """Whether the page's test incident exists."""


class PageOffer(TypedDict):
    """A workspace that the operator has offered to this site, and that is not linked."""

    id: WorkspaceId
    """The workspace's id."""
    name: str
    """The name that users see in Jira."""
    url: Url
    """The workspace's page in the operations tool."""


class PageSite(TypedDict):
    """All that the page shows at first."""

    baseUrl: Url
    """The site's base URL."""
    state: SiteState
    """Whether Relay reaches the site."""
    connectedAs: NotRequired[Literal["connect", "forge"] | None]
    """The identity with which Relay calls the site."""
    since: DateTime
    """When the app was last installed."""
    trouble: NotRequired[PageTrouble | None]
    """Why Relay can't reach the site; absent if it does."""
    version: str
    """Relay's version."""
    region: str
    """The AWS region in which Relay stores the site's data."""
    workspaces: list[PageWorkspace]
    """The linked workspaces, in the order of their names."""
    offers: list[PageOffer]
    """The workspaces that an admin can link, in the order of their names."""


class PageEntity(TypedDict):
    """An entity that the site was not given, or has refused."""

    kind: Kind
    """Whether it is an incident or a review."""
    id: EntityId
    """The operations tool's own id."""
    summary: Summary
    """The title; empty if the entity was deleted."""
    url: NotRequired[Url | None]
    """The entity's page in the operations tool; absent if the entity was deleted."""
    state: Literal["owed", "refused"]
    """`owed`: Relay delivers it later. `refused`: Jira refused it, and would again."""
    messages: list[str]
    """Jira's own words, or Relay's reason; may be empty."""
    at: NotRequired[DateTime | None]
    """When Jira answered, or since when it is owed; absent if that is unknown."""


class PageEntities(Page):
    """A page of entities."""

    entities: Annotated[list[PageEntity], Field(max_length=PAGE_MAX)]
    """The entities: incidents first, otherwise in a stable but arbitrary order."""


class TestIncident(TypedDict):
    """The incident that shows whether deliveries arrive."""

    id: EntityId
    """Its id."""
