"""The actions of Jira's modules `jiraOperationsInfoProvider` and `jiraDevOpsComponentProvider`."""

from typing import Annotated, Literal

from pydantic import Field

from infra.openapi import errors
from infra.openapi.operation import Answer, Caller, Example, Operation, Parameter
from infra.openapi.parameters import (
    COMPONENT_QUERY,
    CONTAINER_ID,
    IDS,
    INCIDENT_ID,
    INCIDENT_QUERY,
    WORKSPACE_ID,
)
from infra.openapi.schemas import Shape
from infra.openapi.submissions import draft_example
from infra.openapi.template import Route
from relay.catalog.containers import (
    CONTAINER_ID_PATTERN,
    RESULTS_MAX,
    ComponentType,
    Tier,
)
from relay.edge.action_documents import ComponentRequest, IdsRequest
from relay.entities.association import Associated, Disassociated
from relay.entities.fields import (
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
from relay.errors import BadRequest, Detail, NotFound

TAG = "Jira's actions"
_LOGO = "https://relay.example.com/logo.svg"


# A container's id, with its workspace's key before it.
SiteContainerId = Annotated[str, Field(pattern=CONTAINER_ID_PATTERN, max_length=SITE_ID_MAX)]


class JiraWorkspace(Shape):
    """A workspace, as Jira shows it."""

    id: WorkspaceId
    """The workspace's id."""
    name: Summary
    """Its name."""
    url: Url
    """Its page in the operations tool."""
    avatarUrl: Url
    """Its image, or the app's logo."""


class JiraWorkspaces(Shape):
    """What Jira's action `fetchWorkspaces` is answered with."""

    workspaces: list[JiraWorkspace]
    """The workspaces, in the order of their ids."""


class JiraContainer(Shape):
    """A container, as Jira shows it."""

    id: SiteContainerId
    """The container's id as the site knows it: the workspace's key, a full stop, and the
    operations tool's own id."""
    name: Summary
    """Its name."""
    url: Url
    """Its page in the operations tool."""
    avatarUrl: Url
    """Its image, or the app's logo."""
    lastUpdatedDate: DateTime
    """When the operations tool last changed it."""


class JiraContainers(Shape):
    """What Jira's action `searchContainers` is answered with."""

    containers: Annotated[list[JiraContainer], Field(max_length=RESULTS_MAX)]
    """The containers that were found."""


class JiraCatalog(JiraWorkspaces, JiraContainers):
    """Workspaces as one of Jira's pages shows them, containers as another does."""


class JiraComponent(Shape):
    """A DevOps component, as Jira's REST API takes it."""

    schemaVersion: Literal["1.0"]
    """The version of Jira's schema."""
    id: SiteContainerId
    """The container's id as the site knows it."""
    updateSequenceNumber: SequenceNumber
    """When the component was sent, in epoch milliseconds."""
    name: Summary
    """The container's name."""
    description: Description
    """What it is; its name where the container has no description."""
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
    """A review in the ids that the site knows."""

    id: SiteEntityId
    """The review's id as the site knows it."""
    reviews: Annotated[list[SiteEntityId], Field(min_length=1, max_length=LIST_MAX)]
    """The ids of the incidents that are reviewed, as the site knows them."""


class JiraReviewMade(Shape):
    """The draft of a review."""

    review: JiraReview
    """The review, as the site gets it."""


_WORKSPACES = {
    "workspaces": [
        {
            "id": WORKSPACE_ID,
            "name": "Payments",
            "url": "https://ops.example.com/teams/payments",
            "avatarUrl": _LOGO,
        }
    ]
}
_CONTAINERS = {
    "containers": [
        {
            "id": IDS.at_site(CONTAINER_ID),
            "name": "Checkout API",
            "url": "https://ops.example.com/services/checkout-api",
            "avatarUrl": _LOGO,
            "lastUpdatedDate": "2026-01-31T09:30:00Z",
        }
    ]
}
_CATALOG = {**_WORKSPACES, **_CONTAINERS}
_COMPONENT_URL = "https://ops.example.com/services/checkout-api"
_COMPONENT = {
    "schemaVersion": "1.0",
    "id": IDS.at_site(CONTAINER_ID),
    "updateSequenceNumber": 1769852000000,
    "name": "Checkout API",
    "description": "Checkout API",
    "url": _COMPONENT_URL,
    "avatarUrl": _LOGO,
    "tier": "Tier 4",
    "componentType": "Service",
    "lastUpdated": "2026-01-31T09:30:00.000+00:00",
}
_ENTITY = {
    "ari": f"ari:cloud:jira:0a1b2c3d:incident/activation/4e5f6071/{IDS.at_site(INCIDENT_ID)}",
    "id": IDS.at_site(INCIDENT_ID),
}
_ISSUE = {
    "ati": "ati:cloud:jira:issue",
    "ari": "ari:cloud:jira:0a1b2c3d:issue/10068",
    "cloudId": "0a1b2c3d",
    "id": "10068",
}
_NOTED = [Answer(204, "Noted; repeating it changes nothing.")]
_NO_INCIDENT = BadRequest(
    "The call names no incident.",
    [Detail("incident", "missing", "The incident's id is asked for in the query")],
)
_NO_COMPONENT = BadRequest(
    "The body is not a component's.", [Detail("entity", "missing", "Field required")]
)
_UNKNOWN_COMPONENT = NotFound("There is no component at this URL.", code="unknown_component")
_NO_IDS = BadRequest("The body is not a list of ids.", [Detail("ids", "missing", "Field required")])
_NO_ASSOCIATION = BadRequest(
    "The body is not an association.", [Detail("entity", "missing", "Field required")]
)

OPERATIONS = (
    Operation(
        Route("POST", "/workspaces/fetch"),
        "fetchWorkspaces",
        TAG,
        Caller.SITE,
        "What workspaces are called",
        [Answer(200, "Those that are linked to the site or offered to it.", JiraWorkspaces)],
        [Example("ids", 200, body={"ids": [WORKSPACE_ID, "unknown"]}, answer=_WORKSPACES)],
        "Unknown ids, and those of others, are left out without a word.",
        body=IdsRequest,
        errors=[_NO_IDS, errors.ANSWER_TOO_LARGE],
        by_forge_too=True,
    ),
    Operation(
        Route("GET", "/workspaces/fetch"),
        "findWorkspaces",
        TAG,
        Caller.SITE,
        "What workspaces are called, by a query",
        [
            Answer(
                200,
                "Workspaces that are linked to the site or offered to it, and containers of the "
                "linked ones.",
                JiraCatalog,
            )
        ],
        [
            Example(
                "ids", 200, query={"ids": WORKSPACE_ID}, answer={**_WORKSPACES, "containers": []}
            ),
            Example("part", 200, query={"searchQuery": "p"}, answer=_CATALOG),
        ],
        "One of Jira's pages shows a POST for workspaces, another a GET for containers: a GET is "
        "answered with both. Of more workspaces than one answer holds, the first ones by id.",
        [
            Parameter("ids", str, "Ids with commas between; all without it.", "query"),
            Parameter("searchQuery", str, "A part of the names.", "query"),
        ],
        by_forge_too=True,
    ),
    Operation(
        Route("GET", "/containers/search"),
        "searchContainers",
        TAG,
        Caller.SITE,
        "Containers of the site's workspaces, by name",
        [
            Answer(
                200,
                f"At most {RESULTS_MAX}, full matches first; without a query those updated last.",
                JiraContainers,
            )
        ],
        [
            Example("part", 200, query={"searchQuery": "check"}, answer=_CONTAINERS),
            Example("latest", 200, query={"workspaceId": WORKSPACE_ID}, answer=_CONTAINERS),
        ],
        "Case and accents do not matter.",
        [
            Parameter("searchQuery", str, "Any part of the name.", "query"),
            Parameter("workspaceId", str, "One workspace; all of the site without it.", "query"),
        ],
        by_forge_too=True,
    ),
    *(
        Operation(
            Route("POST", f"/components/{action}"),
            f"{action}Component",
            TAG,
            Caller.SITE,
            f"A user {what}",
            [Answer(200, "The component, which is sent to the site once more.", JiraComponent)],
            [
                Example(
                    "component",
                    200,
                    body={"entity": {"url": _COMPONENT_URL}, other: _ISSUE},
                    answer=_COMPONENT,
                )
            ],
            "It is found by its URL, among the containers of the site's workspaces. Which issue it "
            "is, and who did it, is not kept: Jira's shape has no place for it.",
            [Parameter("userId", str, "Not read.", "query")],
            body=ComponentRequest,
            errors=[_NO_COMPONENT, _UNKNOWN_COMPONENT],
            by_forge_too=True,
        )
        for action, other, what in (
            ("associate", "associateWith", "associates a DevOps component with an issue"),
            ("disassociate", "disassociateFrom", "takes a DevOps component from an issue"),
        )
    ),
    Operation(
        Route("PUT", "/entities/associated"),
        "onEntityAssociated",
        TAG,
        Caller.SITE,
        "An incident or a review was associated with something",
        _NOTED,
        [Example("issue", 204, body={"entity": _ENTITY, "associatedWith": _ISSUE})],
        "Who did it is not kept, where Jira tells it.",
        body=Associated,
        errors=[_NO_ASSOCIATION],
        by_forge_too=True,
    ),
    Operation(
        Route("PUT", "/entities/disassociated"),
        "onEntityDisassociated",
        TAG,
        Caller.SITE,
        "An incident or a review is no longer associated with something",
        _NOTED,
        [Example("issue", 204, body={"entity": _ENTITY, "disassociatedFrom": _ISSUE})],
        body=Disassociated,
        errors=[_NO_ASSOCIATION],
        by_forge_too=True,
    ),
    Operation(
        Route("POST", "/post-incident-reviews/new"),
        "createPostIncidentReview",
        TAG,
        Caller.SITE,
        "Make a draft review of an incident",
        [Answer(201, "The review, which is on its way to every linked site.", JiraReviewMade)],
        [
            Example(
                "incident",
                201,
                query={"incident": IDS.at_site(INCIDENT_ID)},
                answer={"review": IDS.entity_at_site(draft_example())},
            )
        ],
        "Asking twice makes one review.",
        [
            INCIDENT_QUERY,
            COMPONENT_QUERY,
        ],
        errors=[_NO_INCIDENT, errors.LONG_ID, errors.UNKNOWN_INCIDENT],
        by_forge_too=True,
    ),
)
