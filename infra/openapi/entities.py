"""Where entities are, and why; deletions; draft reviews."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from infra.openapi import errors
from infra.openapi.operation import Answer, Caller, Example, Operation, Parameter
from infra.openapi.parameters import (
    INCIDENT,
    INCIDENT_ID,
    LIMIT,
    REVIEW,
    REVIEW_ID,
    SITE_ID,
    WORKSPACE,
    WORKSPACE_ID,
)
from infra.openapi.schemas import ABSENT, Page, Shape
from infra.openapi.submissions import INCIDENT as INCIDENT_EXAMPLE
from infra.openapi.submissions import REVIEW as REVIEW_EXAMPLE
from infra.openapi.submissions import ReviewMade, draft_example
from infra.openapi.template import Route
from relay.edge.query import PAGE_MAX
from relay.entities.fields import DateTime, EntityId, Properties, SequenceNumber, Url
from relay.entities.model import Incident, IncidentStatus, Kind, PostIncidentReview, SeverityLevel
from relay.entities.submission import ProviderMetadata
from relay.errors import BadRequest, Detail, RelayError
from relay.provider.tracking import ASSOCIATIONS_SHOWN_MAX
from relay.record.outcomes import OutcomeState

TAG = "Entities"


class Sighting(Shape):
    """When the incident was first seen with this status and severity, as it says itself."""

    at: DateTime
    """The incident's `lastUpdated` at that time."""
    status: IncidentStatus
    """Its status."""
    severity: SeverityLevel | None
    """Its severity; null where it had none."""


class AssociationTarget(Shape):
    """What Jira's users associated the entity with; Jira tells all of these or some."""

    ati: str = ABSENT
    """Its type, an Atlassian Type Identifier such as `ati:cloud:jira:issue`."""
    ari: str = ABSENT
    """Its Atlassian Resource Identifier."""
    cloudId: str = ABSENT
    """Atlassian's id of the site that it is in."""
    id: str = ABSENT
    """Its id in that site; an issue's is a number, such as `10068`."""


class AssociationInJira(BaseModel):
    """Things of one type that the entity belongs to, as Jira holds them."""

    associationType: str = ABSENT
    """The type of the values, such as `issueIdOrKeys`."""
    values: list[str] = ABSENT
    """The ids or keys."""


class SeverityInJira(BaseModel):
    """The incident's severity, as Jira holds it."""

    level: str = ABSENT
    """Jira's level; P1 is the most severe."""


class _InJira(BaseModel):
    model_config = ConfigDict(extra="allow")

    schemaVersion: str = ABSENT
    """The version of Jira's schema."""
    id: str
    """The operations tool's own id."""
    updateSequenceNumber: SequenceNumber = ABSENT
    """The number that Jira orders states by. Relay raises it above the entity's own each time that
    the site gets everything anew."""
    summary: str = ABSENT
    """The title."""
    description: str = ABSENT
    """What Jira shows below the title, in Markdown."""
    url: str = ABSENT
    """The entity's page in the operations tool."""
    createdDate: str = ABSENT
    """When the entity was made, as RFC 3339."""
    lastUpdated: str = ABSENT
    """When the operations tool last changed the entity, as RFC 3339."""
    status: str = ABSENT
    """The entity's status."""
    associations: list[AssociationInJira] | None = ABSENT
    """What the entity belongs to, such as Jira issues."""


class IncidentInJira(_InJira):
    """An incident as Jira answered it, with the operations tool's own ids; what is missing here was
    not in the answer, and Jira may add to it."""

    affectedComponents: list[str] = ABSENT
    """The ids of the containers that the incident affects."""
    severity: SeverityInJira | None = ABSENT
    """How severe the incident is."""


class ReviewInJira(_InJira):
    """A review as Jira answered it, with the operations tool's own ids; what is missing here was
    not in the answer, and Jira may add to it."""

    reviews: list[str] = ABSENT
    """The ids of the incidents that are reviewed."""


class AtSite(Shape):
    """What became of the entity at one site. `state` is of what is recorded now; the rest is of
    what the site last answered for."""

    site: str
    """The site, by Relay's id."""
    baseUrl: Url
    """The base URL at which the site's Jira is called."""
    state: OutcomeState
    """Where the recorded state is."""
    owedSince: DateTime = ABSENT
    """Since when it is `owed`, as far as that is known; absent for any other state."""
    reason: str = ABSENT
    """Why it is `owed`, as far as that is known; absent for any other state."""
    until: DateTime = ABSENT
    """When it is tried again by itself, unless a newer state or a replay brings it before; there
    only where the site takes others and fails over this one."""
    updateSequenceNumber: SequenceNumber = ABSENT
    """The entity's number that the site last answered for; absent where it never did."""
    at: DateTime = ABSENT
    """When that answer was kept; absent where there was none."""
    messages: list[str] = ABSENT
    """Jira's words on the entity, or Relay's where Jira had none."""
    unknownProjectKeys: list[str] = ABSENT
    """Keys of projects in the entity's associations that the site does not know."""
    associations: Annotated[list[AssociationTarget], Field(max_length=ASSOCIATIONS_SHOWN_MAX)] = (
        ABSENT
    )
    """What Jira's users associated the entity with; absent in a list, and where there is none."""
    moreAssociations: Literal[True] = ABSENT
    """There are more associations than are shown; absent where there are not."""


class IncidentAtSite(AtSite):
    """What became of the incident at one site, and what Jira holds of it."""

    jira: IncidentInJira | None = ABSENT
    """What Jira itself holds, with `confirm`; null where it holds nothing."""


class ReviewAtSite(AtSite):
    """What became of the review at one site, and what Jira holds of it."""

    jira: ReviewInJira | None = ABSENT
    """What Jira itself holds, with `confirm`; null where it holds nothing."""


class _Entity(Shape):
    kind: Kind
    """Whether it is an incident or a review."""
    id: EntityId
    """The operations tool's own id."""
    updateSequenceNumber: SequenceNumber = ABSENT
    """The number of the recorded state; absent where the entity was deleted and never submitted."""
    deleted: bool
    """Whether the operations tool has deleted it."""


class ListedEntity(_Entity):
    """An entity, and where it is."""

    sites: list[AtSite]
    """Each linked site."""


class _Recorded(_Entity):
    recordedAt: DateTime
    """When the state, or the deletion, was recorded."""
    correlationId: str = ABSENT
    """The `x-correlation-id` of the call that it came by, which a submission has as `submissionId`;
    absent where it came by none."""
    properties: Properties
    """The properties of that submission."""
    providerMetadata: ProviderMetadata = ABSENT
    """The operations tool that submitted it; absent where it was not named."""
    timeline: list[Sighting]
    """When the incident was first seen in each status and severity; empty for a review."""


class RecordedIncident(_Recorded):
    """An incident as Relay has recorded it, and where it is."""

    kind: Literal[Kind.INCIDENT]
    entity: Incident = ABSENT
    """The newest state; absent once the incident is deleted."""
    sites: list[IncidentAtSite]
    """Each linked site."""


class RecordedReview(_Recorded):
    """A review as Relay has recorded it, and where it is."""

    kind: Literal[Kind.REVIEW]
    entity: PostIncidentReview = ABSENT
    """The newest state; absent once the review is deleted."""
    sites: list[ReviewAtSite]
    """Each linked site."""


class EntityPage(Page):
    """A page of entities."""

    entities: Annotated[list[ListedEntity], Field(max_length=PAGE_MAX)]
    """The entities: incidents first, in the order of their ids."""


class DeletedEntity(Shape):
    """What was deleted."""

    kind: Kind
    """Whether it is an incident or a review."""
    id: EntityId
    """The operations tool's own id."""


class DeletedCount(Shape):
    """How much was deleted."""

    deleted: Annotated[int, Field(ge=0)]
    """How many entities had all of the properties."""


_WORKSPACE_PATH = {"workspaceId": WORKSPACE_ID}
_INCIDENT_PATH = _WORKSPACE_PATH | {"incidentId": INCIDENT_ID}
_REVIEW_PATH = _WORKSPACE_PATH | {"reviewId": REVIEW_ID}
_AT_SITE = {
    "site": SITE_ID,
    "baseUrl": "https://acme.atlassian.net",
    "state": "accepted",
    "updateSequenceNumber": 1,
    "at": "2026-01-31T09:45:03.512000+00:00",
    "messages": [],
    "unknownProjectKeys": [],
}
_OWED_AT_SITE = _AT_SITE | {
    "state": "owed",
    "owedSince": "2026-01-31T10:02:11.730000+00:00",
    "reason": "Jira answered 429: Rate limit exceeded.",
}


def _recorded(kind: Kind, entity: dict[str, Any], timeline: list[Any]) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "id": entity["id"],
        "updateSequenceNumber": 1,
        "recordedAt": "2026-01-31T09:45:02.048000+00:00",
        "correlationId": "8f14e45f-ceea-467f-a8f2-0d1a3c5e7b90",
        "deleted": False,
        "entity": entity,
        "properties": {"region": "eu"},
        "timeline": timeline,
        "sites": [_AT_SITE],
    }


_RECORDED_INCIDENT = _recorded(
    Kind.INCIDENT,
    INCIDENT_EXAMPLE,
    [{"at": "2026-01-31T09:45:00Z", "status": "open", "severity": "P2"}],
)
_OWED_INCIDENT = _RECORDED_INCIDENT | {
    "updateSequenceNumber": 2,
    "recordedAt": "2026-01-31T10:02:10.416000+00:00",
    "entity": INCIDENT_EXAMPLE | {"updateSequenceNumber": 2},
    "sites": [_OWED_AT_SITE],
}
_RECORDED_REVIEW = _recorded(Kind.REVIEW, REVIEW_EXAMPLE, [])
_PAGE = {
    "entities": [
        {
            "kind": "incident",
            "id": INCIDENT_ID,
            "updateSequenceNumber": 1,
            "deleted": False,
            "sites": [_AT_SITE],
        }
    ]
}
_CONFIRM = Parameter("confirm", bool, "Ask Jira, too, what it holds.", "query")
_CONFIRM_ERRORS: list[RelayError] = [
    errors.UNKNOWN_ENTITY,
    errors.ANSWER_TOO_LARGE,
    errors.JIRA_REFUSED,
    errors.JIRA_UNAVAILABLE,
]
_DELETED = "Remembered here, and on its way to every linked site."
_ON_DELETING = (
    "Deleting twice, or what is not there, is fine. A state that was submitted before does not "
    "bring the entity back, however late it comes; a newer one submitted afterwards does."
)
_NO_STATE = BadRequest(
    "There is no such state.", [Detail("state", "enum", "One of " + ", ".join(OutcomeState))]
)
_NO_PROPERTIES = BadRequest(
    "Properties are asked for.", [Detail("", "properties", "At least one, each just once")]
)

OPERATIONS = (
    Operation(
        Route("GET", "/v1/workspaces/{workspaceId}/entities"),
        "listEntities",
        TAG,
        Caller.PROVIDER,
        "What is where",
        [Answer(200, "A page, incidents first, in the order of their ids.", EntityPage)],
        [
            Example("all", 200, _WORKSPACE_PATH, answer=_PAGE),
            Example(
                "accepted", 200, _WORKSPACE_PATH, {"state": "accepted", "limit": "10"}, answer=_PAGE
            ),
        ],
        parameters=[
            WORKSPACE,
            Parameter("state", OutcomeState, "Those in this state at some site.", "query"),
            LIMIT,
            Parameter("after", str, "`next` of the page before.", "query"),
        ],
        errors=[errors.BAD_QUERY, _NO_STATE],
    ),
    Operation(
        Route("DELETE", "/v1/workspaces/{workspaceId}/entities"),
        "deleteByProperties",
        TAG,
        Caller.PROVIDER,
        "Delete what was submitted with these properties",
        [Answer(202, f"How many had all of them. {_DELETED}", DeletedCount)],
        [
            Example(
                "region",
                202,
                _WORKSPACE_PATH,
                {"region": "eu"},
                answer={"deleted": 2},
            )
        ],
        _ON_DELETING,
        [
            WORKSPACE,
            Parameter(
                "properties",
                Annotated[Properties, Field(min_length=1)],
                "Each parameter of the query is a property and its value.",
                "query",
                explode=True,
            ),
        ],
        errors=[_NO_PROPERTIES],
    ),
    Operation(
        Route("GET", "/v1/workspaces/{workspaceId}/incidents/{incidentId}"),
        "getIncident",
        TAG,
        Caller.PROVIDER,
        "Where an incident is, and why",
        [Answer(200, "The record, and what became of it at each site.", RecordedIncident)],
        [
            Example("record", 200, _INCIDENT_PATH, answer=_RECORDED_INCIDENT),
            Example(
                "confirmed by Jira",
                200,
                _INCIDENT_PATH,
                {"confirm": "true"},
                answer=_RECORDED_INCIDENT | {"sites": [_AT_SITE | {"jira": INCIDENT_EXAMPLE}]},
            ),
            Example("owed", 200, _INCIDENT_PATH, answer=_OWED_INCIDENT),
        ],
        parameters=[WORKSPACE, INCIDENT, _CONFIRM],
        errors=_CONFIRM_ERRORS,
    ),
    Operation(
        Route("DELETE", "/v1/workspaces/{workspaceId}/incidents/{incidentId}"),
        "deleteIncident",
        TAG,
        Caller.PROVIDER,
        "Delete an incident",
        [Answer(202, _DELETED, DeletedEntity)],
        [Example("incident", 202, _INCIDENT_PATH, answer={"kind": "incident", "id": INCIDENT_ID})],
        _ON_DELETING,
        [WORKSPACE, INCIDENT],
    ),
    Operation(
        Route("GET", "/v1/workspaces/{workspaceId}/reviews/{reviewId}"),
        "getReview",
        TAG,
        Caller.PROVIDER,
        "Where a review is, and why",
        [Answer(200, "The record, and what became of it at each site.", RecordedReview)],
        [Example("record", 200, _REVIEW_PATH, answer=_RECORDED_REVIEW)],
        parameters=[WORKSPACE, REVIEW, _CONFIRM],
        errors=_CONFIRM_ERRORS,
    ),
    Operation(
        Route("DELETE", "/v1/workspaces/{workspaceId}/reviews/{reviewId}"),
        "deleteReview",
        TAG,
        Caller.PROVIDER,
        "Delete a review",
        [Answer(202, _DELETED, DeletedEntity)],
        [Example("review", 202, _REVIEW_PATH, answer={"kind": "review", "id": REVIEW_ID})],
        _ON_DELETING,
        [WORKSPACE, REVIEW],
    ),
    Operation(
        Route("POST", "/v1/workspaces/{workspaceId}/incidents/{incidentId}/review"),
        "makeReview",
        TAG,
        Caller.PROVIDER,
        "Make a draft review of an incident",
        [Answer(201, "The review, which is on its way to every linked site.", ReviewMade)],
        [Example("incident", 201, _INCIDENT_PATH, answer={"review": draft_example()})],
        "Asking twice makes one review.",
        [WORKSPACE, INCIDENT],
        errors=[errors.UNKNOWN_INCIDENT],
    ),
)
