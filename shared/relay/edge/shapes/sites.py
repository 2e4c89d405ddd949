"""Sites, and the workspaces linked or offered to them."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from relay.catalog.erasure import SITE_STAGES
from relay.delivery.decisions import NOT_JIRA, SUSPENDED, TABLE, Reaction
from relay.edge.own_sites import OWED_MAX
from relay.edge.query import PAGE_MAX
from relay.edge.shapes import Page
from relay.edge.shapes.replays import Replay
from relay.entities.fields import DateTime, Url, WorkspaceId

TROUBLES = {
    row.code: row.means
    for row in (*TABLE, SUSPENDED, NOT_JIRA)
    if row.reaction is not Reaction.SPLIT
}
TroubleCode = Annotated[
    str,
    Field(
        description="; ".join(f"`{code}`: {means}" for code, means in TROUBLES.items()) + ".",
        json_schema_extra={"enum": [*TROUBLES]},
    ),
]
SiteState = Literal["active", "slowed", "needs attention", "uninstalled"]


class SiteTrouble(TypedDict):
    """Why calls to the site fail. Nothing is sent there before `until`."""

    code: TroubleCode
    message: str
    """Jira's words, or Relay's if Jira gave none."""
    since: DateTime
    """When the first of these calls failed."""
    at: DateTime
    """When the last call failed."""
    until: DateTime
    """When Relay tries the site again."""
    attempts: Annotated[int, Field(ge=1)]
    """The number of consecutive failed calls."""
    status: NotRequired[Annotated[int, Field(ge=100, le=599)] | None]
    """The HTTP status of the site's last answer; absent if there was none."""


class SiteCredential(TypedDict):
    """The identity with which Relay calls the site."""

    inUse: Literal["connect", "forge"]
    """`connect`: the Connect app's shared secret. `forge`: the Forge app's system token."""
    because: NotRequired[str | None]
    """What Jira answered to the usual identity; absent if the usual identity is in use."""
    at: NotRequired[DateTime | None]
    """When Jira gave that answer."""


class SiteSummary(TypedDict):
    """A site, as a key for some workspaces sees it."""

    id: str
    """Relay's id of the site."""
    baseUrl: Url
    """The base URL at which Relay calls the site's Jira."""
    state: SiteState
    """`active`: the site answers. `slowed`: it has a trouble that usually passes without action.
    `needs attention`: it has one that usually does not. `trouble` explains both. `uninstalled`: it
    no longer has the app."""
    trouble: NotRequired[SiteTrouble | None]
    """What prevents calls to the site; absent if nothing does."""


class Site(SiteSummary):
    """A Jira site that has, or had, the app: under Connect, under Forge, or under both. A key for
    some workspaces gets only `id`, `baseUrl`, `state` and `trouble`, without Jira's own words."""

    clientKey: NotRequired[str | None]
    """The site's Connect client key; absent for a site under Forge only."""
    cloudId: NotRequired[str | None]
    """Atlassian's id of the site, which only Forge proves; absent for a site under Connect
    only."""
    installationId: NotRequired[str | None]
    """Forge's id of the installation; absent for a site under Connect only."""
    installedAt: NotRequired[DateTime]
    """When the app was last installed."""
    region: NotRequired[str]
    """The AWS region in which Relay stores the site's data."""
    credential: NotRequired[SiteCredential | None]
    """The identity with which Relay calls the site; absent if Relay does not call it."""
    supersededBy: NotRequired[str | None]
    """The id of a newer installation at the same base URL, such as after a site import; present
    once this one refuses calls or has uninstalled the app."""


class SitePage(Page):
    """A page of sites."""

    sites: Annotated[list[Site], Field(max_length=PAGE_MAX)]
    """The sites, in the order of their ids."""


class SiteSummaryPage(Page):
    """A page of sites, as a key for some workspaces sees them."""

    sites: list[SiteSummary]
    """The sites, in the order of their ids."""


class WorkspaceSite(SiteSummary):
    """A site that the workspace is linked to."""

    owed: Annotated[int, Field(ge=0, le=OWED_MAX)]
    """The number of entities that the site is owed, counted up to 10000. While a replay is in
    progress, its `remaining` is more precise."""
    replay: NotRequired[Replay | None]
    """The last replay of the workspace at this site; absent if there was none."""


class WorkspaceSitePage(Page):
    """A page of sites."""

    sites: Annotated[list[WorkspaceSite], Field(max_length=PAGE_MAX)]
    """The sites, in the order of their ids."""


class SiteLinks(TypedDict):
    """Relay's links, Jira's links, and the offers. The first two differ if someone unlinked in
    Jira, or if a call was interrupted between the two writes."""

    workspaces: list[WorkspaceId]
    """The workspaces that Relay has linked to the site."""
    inJira: list[str]
    """The ids that Jira reports as linked."""
    offered: list[WorkspaceId]
    """The workspaces that a Jira admin of the site can find and link."""


class Link(TypedDict):
    """A link or an offer: one workspace and one site."""

    site: str
    """Relay's id of the site."""
    workspaceId: WorkspaceId
    """The workspace."""


class Moved(TypedDict):
    """The result of a move."""

    moved: list[WorkspaceId]
    """The workspaces that are now linked to the other site."""


class SiteErasure(TypedDict):
    """The erasure of a site, under way or done."""

    site: str
    """The site's id, as it was."""
    stage: Annotated[str, Field(json_schema_extra={"enum": list(SITE_STAGES)})]
    """`wait`: what is under way ends. `outcomes`: outcomes, debts and associations are deleted.
    `links`: links, URLs, installations and all else of it. `done`: nothing of it is left."""
    startedAt: DateTime
    """When it was started."""
    updatedAt: DateTime
    """When it last made progress."""
    deleted: Annotated[int, Field(ge=0)]
    """The number of items deleted from Relay's tables so far."""
