"""Sites, and the workspaces linked to them or offered."""

from typing import Annotated, Literal

from pydantic import Field

from infra.openapi import errors
from infra.openapi.operation import Answer, Caller, Example, Operation
from infra.openapi.parameters import (
    AFTER,
    CLOUD_ID,
    INSTALLATION_ID,
    LIMIT,
    OTHER_SITE_ID,
    SITE,
    SITE_ID,
    WORKSPACE,
    WORKSPACE_ID,
)
from infra.openapi.replays import Replay
from infra.openapi.schemas import ABSENT, Page, Shape
from infra.openapi.template import Route
from relay.delivery.decisions import SUSPENDED, TABLE, Verdict
from relay.edge.own_sites import OWED_MAX
from relay.edge.query import PAGE_MAX
from relay.edge.site_documents import MoveRequest
from relay.entities.fields import DateTime, Url, WorkspaceId
from relay.errors import BadRequest, Detail

TAG = "Sites"
TROUBLES = {row.code: row.means for row in (*TABLE, SUSPENDED) if row.verdict is not Verdict.SPLIT}
TroubleCode = Annotated[
    str,
    Field(
        description="; ".join(f"`{code}`: {means}" for code, means in TROUBLES.items()) + ".",
        json_schema_extra={"enum": [*TROUBLES]},
    ),
]


class SiteTrouble(Shape):
    """Why calls of the site fail; nothing is sent there until it is tried again."""

    code: TroubleCode
    message: str
    """Jira's words, or Relay's where Jira had none."""
    since: DateTime
    """When the first of these calls failed."""
    at: DateTime
    """When the last call failed."""
    until: DateTime
    """When the site is tried again."""
    attempts: Annotated[int, Field(ge=1)]
    """How many calls failed in a row."""
    status: Annotated[int, Field(ge=100, le=599)] = ABSENT
    """The HTTP status of the site's last answer; absent where it gave none."""


class SiteCredential(Shape):
    """The identity that the site is called as."""

    inUse: Literal["connect", "forge"]
    """The Connect app's shared secret, or the Forge app's system token."""
    because: str = ABSENT
    """What Jira said to the usual identity; absent where that one is in use."""
    at: DateTime = ABSENT
    """When Jira said so."""


class Site(Shape):
    """A Jira site that has, or had, the app: under Connect, under Forge, or under both. A key for
    some workspaces is shown `id`, `baseUrl`, `state` and `trouble` alone, the last without Jira's
    own words."""

    id: str
    """Relay's id of the site."""
    clientKey: str = ABSENT
    """The site's name under Connect; absent for a site under Forge alone."""
    baseUrl: Url
    """The base URL at which the site's Jira is called."""
    cloudId: str = ABSENT
    """Atlassian's id of the site, which only Forge proves; absent for a site under Connect
    alone."""
    installationId: str = ABSENT
    """Forge's id of the installation; absent for a site under Connect alone."""
    state: Literal["active", "slowed", "needs attention", "uninstalled"]
    """`slowed`: the site answered in a way that passes by itself. `needs attention`: in a way that
    hardly does. `trouble` tells more of both."""
    installedAt: DateTime = ABSENT
    """When the app was last installed."""
    region: str = ABSENT
    """The AWS region in which all that Relay keeps of the site lies."""
    trouble: SiteTrouble = ABSENT
    """What keeps the site from being called; absent where nothing does."""
    credential: SiteCredential = ABSENT
    """Which identity the site is called as; absent where it is not called at all."""
    supersededBy: str = ABSENT
    """The id of a newer installation at the same base URL, as a site import makes one; there once
    this one refuses calls or has uninstalled the app."""


class SitePage(Page):
    """A page of sites."""

    sites: Annotated[list[Site], Field(max_length=PAGE_MAX)]
    """The sites, in the order of their ids."""


class WorkspaceSite(Shape):
    """A site that the workspace is linked to."""

    id: str
    """Relay's id of the site."""
    baseUrl: Url
    """The base URL at which the site's Jira is called."""
    state: Literal["active", "slowed", "needs attention", "uninstalled"]
    """`slowed`: the site answered in a way that passes by itself. `needs attention`: in a way that
    hardly does. `trouble` tells more of both."""
    trouble: SiteTrouble = ABSENT
    """What keeps the site from being called; absent where nothing does."""
    owed: Annotated[int, Field(ge=0, le=OWED_MAX)]
    """How much is noted as not delivered there, counted up to 10000. While a replay is under way,
    its `remaining` says more."""
    replay: Replay = ABSENT
    """The replay of the workspace there that was begun last; absent where there was none."""


class WorkspaceSitePage(Page):
    """A page of sites."""

    sites: Annotated[list[WorkspaceSite], Field(max_length=PAGE_MAX)]
    """The sites, in the order of their ids."""


class SiteLinks(Shape):
    """What is linked here, what Jira says is, and what is offered: the first two differ where
    someone unlinked in Jira, or where a call broke off between the two."""

    workspaces: list[WorkspaceId]
    """The workspaces that Relay has linked to the site."""
    inJira: list[str]
    """The ids that Jira says are linked."""
    offered: list[WorkspaceId]
    """The workspaces that a Jira admin of the site may find and link."""


class Link(Shape):
    """A workspace and a site that belong together."""

    site: str
    """The site, by Relay's id."""
    workspaceId: WorkspaceId
    """The workspace."""


class Moved(Shape):
    """What was moved."""

    moved: list[WorkspaceId]
    """The workspaces that are linked to the other site now."""


_SITE = {
    "id": SITE_ID,
    "clientKey": "6f4d2f9c-0f4e-3b6e-9e3a-acme00000001",
    "baseUrl": "https://acme.atlassian.net",
    "state": "active",
    "installedAt": "2026-01-15T08:00:00.000000+00:00",
    "region": "eu-west-1",
    "credential": {"inUse": "connect"},
}
_UNDER_BOTH = _SITE | {"cloudId": CLOUD_ID, "installationId": INSTALLATION_ID}
_TURNED = _UNDER_BOTH | {
    "credential": {
        "inUse": "forge",
        "because": "Jira answered 401",
        "at": "2026-01-31T10:04:13.208+00:00",
    }
}
_UNDER_FORGE = {
    **{name: value for name, value in _UNDER_BOTH.items() if name != "clientKey"},
    "baseUrl": f"https://api.atlassian.com/ex/jira/{CLOUD_ID}",
    "credential": {"inUse": "forge"},
}
_UNREACHABLE = {
    "code": "unreachable",
    "message": "Jira gave no answer: ConnectTimeout",
    "since": "2026-01-31T10:02:11.512+00:00",
    "at": "2026-01-31T10:04:13.208+00:00",
    "until": "2026-01-31T10:04:19.630+00:00",
    "attempts": 3,
}
_RATE_LIMITED = _UNREACHABLE | {
    "code": "rate_limited",
    "message": "Jira answered 429: Rate limit exceeded.",
    "until": "2026-01-31T10:14:13.208+00:00",
    "status": 429,
}
_SECRET_REFUSED = _UNREACHABLE | {
    "code": "credential_refused",
    "message": "Jira answered 401",
    "until": "2026-01-31T10:08:02.177+00:00",
    "status": 401,
}
_SLOWED = _SITE | {"state": "slowed"}
_NEEDS_ATTENTION = _SITE | {"state": "needs attention"}
_SUPERSEDED = {
    **{name: value for name, value in _SITE.items() if name != "credential"},
    "state": "uninstalled",
    "supersededBy": OTHER_SITE_ID,
}
_OWN = {
    "id": SITE_ID,
    "baseUrl": "https://acme.atlassian.net",
    "state": "active",
    "owed": 0,
    "replay": {
        "workspaceId": WORKSPACE_ID,
        "state": "waiting",
        "what": "all",
        "why": "linked",
        "startedAt": "2026-01-31T10:30:00.000+00:00",
        "updatedAt": "2026-01-31T10:30:00.000+00:00",
        "done": 0,
        "refused": 0,
    },
}
_PATH = {"site": SITE_ID}
_LINK_PATH = _PATH | {"workspaceId": WORKSPACE_ID}
_LINK = {"site": SITE_ID, "workspaceId": WORKSPACE_ID}
_JIRA = [errors.JIRA_REFUSED, errors.JIRA_UNAVAILABLE]
_NO_MOVE = BadRequest(
    "The body is not a request to move links.", [Detail("to", "missing", "Field required")]
)

OPERATIONS = (
    Operation(
        Route("GET", "/v1/sites"),
        "listSites",
        TAG,
        Caller.PROVIDER,
        "List the sites that have, or had, the app",
        [Answer(200, "A page, in the order of their ids.", SitePage)],
        [Example("one", 200, answer={"sites": [_SITE]})],
        "For a key for some workspaces, those that one of these is linked to.",
        [LIMIT, AFTER],
        errors=[errors.BAD_QUERY],
    ),
    Operation(
        Route("GET", "/v1/sites/{site}"),
        "getSite",
        TAG,
        Caller.PROVIDER,
        "One site",
        [Answer(200, "The site.", Site)],
        [
            Example("site", 200, _PATH, answer=_SITE),
            Example("rate limited", 200, _PATH, answer=_SLOWED | {"trouble": _RATE_LIMITED}),
            Example("no answer", 200, _PATH, answer=_SLOWED | {"trouble": _UNREACHABLE}),
            Example(
                "secret refused", 200, _PATH, answer=_NEEDS_ATTENTION | {"trouble": _SECRET_REFUSED}
            ),
            Example("superseded", 200, _PATH, answer=_SUPERSEDED),
            Example("under Connect and Forge", 200, _PATH, answer=_UNDER_BOTH),
            Example("other identity", 200, _PATH, answer=_TURNED),
            Example("under Forge alone", 200, _PATH, answer=_UNDER_FORGE),
        ],
        "For a key for some workspaces, one that none of these is linked to is not there.",
        [SITE],
        errors=[errors.UNKNOWN_SITE],
    ),
    Operation(
        Route("GET", "/v1/sites/{site}/workspaces"),
        "listLinks",
        TAG,
        Caller.PROVIDER,
        "List what is linked to a site, here and in Jira",
        [Answer(200, "Both sides.", SiteLinks)],
        [
            Example(
                "one",
                200,
                _PATH,
                answer={"workspaces": [WORKSPACE_ID], "inJira": [WORKSPACE_ID], "offered": []},
            )
        ],
        "For a key for some workspaces, of these alone.",
        [SITE],
        errors=[errors.UNKNOWN_SITE, errors.ANSWER_TOO_LARGE, *_JIRA],
    ),
    Operation(
        Route("GET", "/v1/workspaces/{workspaceId}/sites"),
        "listWorkspaceSites",
        TAG,
        Caller.PROVIDER,
        "List the sites that a workspace is linked to, and what each is owed",
        [Answer(200, "A page, in the order of the sites' ids.", WorkspaceSitePage)],
        [Example("one", 200, {"workspaceId": WORKSPACE_ID}, answer={"sites": [_OWN]})],
        "Jira is not asked: it is answered in a site's outage, too.",
        [WORKSPACE, LIMIT, AFTER],
        errors=[errors.BAD_QUERY],
    ),
    Operation(
        Route("PUT", "/v1/sites/{site}/workspaces/{workspaceId}"),
        "link",
        TAG,
        Caller.PROVIDER,
        "Link a workspace to a site, in Jira too",
        [Answer(200, "They are linked.", Link)],
        [Example("link", 200, _LINK_PATH, answer=_LINK)],
        "All that the workspace holds is replayed to the site, and what is submitted to it from "
        "then on goes there, too. Linking again replays nothing.",
        [SITE, WORKSPACE],
        errors=[
            errors.UNKNOWN_SITE,
            errors.UNKNOWN_WORKSPACE,
            errors.NO_APP,
            errors.ONE_WORKSPACE,
            *_JIRA,
        ],
    ),
    Operation(
        Route("DELETE", "/v1/sites/{site}/workspaces/{workspaceId}"),
        "unlink",
        TAG,
        Caller.PROVIDER,
        "Unlink a workspace from a site, in Jira too",
        [Answer(204, "They are not linked (any more).")],
        [Example("link", 204, _LINK_PATH)],
        "Jira is told to delete all that it has of the workspace, now and once more after three "
        "minutes; what is recorded stays. After a 502 or 503 the two are still linked: repeat it. "
        "Unlinking what is not linked is answered alike.",
        [SITE, WORKSPACE],
        errors=[errors.UNKNOWN_SITE, *_JIRA],
    ),
    Operation(
        Route("POST", "/v1/sites/{site}/move"),
        "moveLinks",
        TAG,
        Caller.PROVIDER,
        "Link a site's workspaces to the one that took its place",
        [Answer(200, "All of them are linked there, and here no more.", Moved)],
        [
            Example(
                "all",
                200,
                _PATH,
                body={"to": OTHER_SITE_ID},
                answer={"moved": [WORKSPACE_ID]},
            )
        ],
        "For a site that was imported, and is a new installation now (`supersededBy`). The links "
        "are made in Jira at the new one, and all that the workspaces hold is replayed there; in "
        "Jira at the old one nothing is changed. Where it breaks off, repeating it is safe.",
        [SITE],
        MoveRequest,
        errors=[
            _NO_MOVE,
            errors.UNKNOWN_SITE,
            errors.NO_APP,
            errors.ONE_WORKSPACE,
            errors.SAME_SITE,
            *_JIRA,
        ],
    ),
    Operation(
        Route("PUT", "/v1/sites/{site}/offers/{workspaceId}"),
        "offer",
        TAG,
        Caller.PROVIDER,
        "Let a site's admin find a workspace in Jira",
        [Answer(200, "It is offered.", Link)],
        [Example("offer", 200, _LINK_PATH, answer=_LINK)],
        "Nothing of the workspace is delivered to the site before it is linked.",
        [SITE, WORKSPACE],
        errors=[errors.UNKNOWN_SITE, errors.UNKNOWN_WORKSPACE],
    ),
    Operation(
        Route("DELETE", "/v1/sites/{site}/offers/{workspaceId}"),
        "withdrawOffer",
        TAG,
        Caller.PROVIDER,
        "Take an offer back",
        [Answer(204, "It is not offered (any more).")],
        [Example("offer", 204, _LINK_PATH)],
        parameters=[SITE, WORKSPACE],
        errors=[errors.UNKNOWN_SITE],
    ),
)
