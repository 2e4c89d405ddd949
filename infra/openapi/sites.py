"""Sites, and the workspaces linked to them or offered."""

from infra.openapi import errors
from infra.openapi.operation import Answer, Caller, Example, Operation
from infra.openapi.parameters import SITE, SITE_ID, WORKSPACE, WORKSPACE_ID
from infra.openapi.schemas import Shape
from infra.openapi.template import Route
from relay.entities import WorkspaceId
from relay.entities.fields import DateTime, Uri
from relay.tenants import TenantState

TAG = "Sites"


class Site(Shape):
    """An installation of the app; `clientKey` is Jira's own name for it."""

    id: str
    clientKey: str
    baseUrl: Uri
    state: TenantState
    installedAt: DateTime


class Sites(Shape):
    sites: list[Site]


class SiteLinks(Shape):
    """What is linked here, what Jira says is, and what is offered: the first two differ where
    someone unlinked in Jira, or where a call broke off between the two."""

    workspaces: list[WorkspaceId]
    inJira: list[str]
    offered: list[WorkspaceId]


class Link(Shape):
    site: str
    workspaceId: WorkspaceId


_SITE = {
    "id": SITE_ID,
    "clientKey": "6f4d2f9c-0f4e-3b6e-9e3a-acme00000001",
    "baseUrl": "https://acme.atlassian.net",
    "state": "active",
    "installedAt": "2026-01-15T08:00:00.000000+00:00",
}
_PATH = {"site": SITE_ID}
_LINK_PATH = _PATH | {"workspaceId": WORKSPACE_ID}
_LINK = {"site": SITE_ID, "workspaceId": WORKSPACE_ID}
_JIRA = [errors.JIRA_REFUSED, errors.JIRA_UNAVAILABLE]

OPERATIONS = (
    Operation(
        Route("GET", "/v1/sites"),
        "listSites",
        TAG,
        Caller.PROVIDER,
        "List the sites that have, or had, the app",
        [Answer(200, "All of them.", Sites)],
        [Example("one", 200, answer={"sites": [_SITE]})],
    ),
    Operation(
        Route("GET", "/v1/sites/{site}"),
        "getSite",
        TAG,
        Caller.PROVIDER,
        "One site",
        [Answer(200, "The site.", Site)],
        [Example("site", 200, _PATH, answer=_SITE)],
        parameters=[SITE],
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
        parameters=[SITE],
        errors=[errors.UNKNOWN_SITE, *_JIRA],
    ),
    Operation(
        Route("PUT", "/v1/sites/{site}/workspaces/{workspaceId}"),
        "link",
        TAG,
        Caller.PROVIDER,
        "Link a workspace to a site, in Jira too",
        [Answer(200, "They are linked.", Link)],
        [Example("link", 200, _LINK_PATH, answer=_LINK)],
        "What is submitted to the workspace from then on goes to the site.",
        [SITE, WORKSPACE],
        errors=[
            errors.UNKNOWN_SITE,
            errors.UNKNOWN_WORKSPACE,
            errors.NO_APP,
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
        "Jira then deletes what it has of the workspace.",
        [SITE, WORKSPACE],
        errors=[errors.UNKNOWN_SITE, *_JIRA],
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
