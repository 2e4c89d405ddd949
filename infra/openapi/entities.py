"""Where entities are, and why; deletions; draft reviews."""

from typing import Annotated, Any, Literal

from pydantic import Field

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
from infra.openapi.schemas import ABSENT, Shape
from infra.openapi.submissions import INCIDENT as INCIDENT_EXAMPLE
from infra.openapi.submissions import REVIEW as REVIEW_EXAMPLE
from infra.openapi.submissions import ReviewMade, draft_example
from infra.openapi.template import Route
from relay.delivery.tracking import ASSOCIATIONS_SHOWN_MAX
from relay.entities import Incident, Kind, PostIncidentReview
from relay.entities.fields import DateTime, EntityId, Properties, SequenceNumber, Url
from relay.entities.submission import ProviderMetadata
from relay.errors import BadRequest, Detail, RelayError
from relay.record import OutcomeState

TAG = "Entities"


class Sighting(Shape):
    """When the incident was first seen with this status and severity, as it says itself."""

    at: DateTime
    status: str
    severity: str | None


class AssociationTarget(Shape):
    """What Jira's users associated the entity with; Jira tells all of these or some."""

    ati: str = ABSENT
    ari: str = ABSENT
    cloudId: str = ABSENT
    id: str = ABSENT


class AtSite(Shape):
    """`state` is of what is recorded now; the rest is of what the site last answered for.

    `owed`: the site has not answered for the recorded state yet; `owedSince` and `reason` say since
    when and why, as far as that is known. `until` is there where the site takes others, and fails
    over this one: it is tried by itself then, unless a newer state or a replay brings it before,
    and more and more seldom. `absent`: Jira accepted it, and shows nothing of it a
    while later. `jira` is what Jira itself holds, where it was asked; null where it holds nothing.
    Its `updateSequenceNumber` is raised each time that the site gets everything anew.
    `moreAssociations` says that there are more than are shown.
    """

    site: str
    baseUrl: Url
    state: OutcomeState
    owedSince: DateTime = ABSENT
    reason: str = ABSENT
    until: DateTime = ABSENT
    updateSequenceNumber: SequenceNumber = ABSENT
    at: DateTime = ABSENT
    messages: list[str] = ABSENT
    unknownProjectKeys: list[str] = ABSENT
    associations: Annotated[list[AssociationTarget], Field(max_length=ASSOCIATIONS_SHOWN_MAX)] = (
        ABSENT
    )
    moreAssociations: Literal[True] = ABSENT
    jira: dict[str, Any] | None = ABSENT


class ListedEntity(Shape):
    """`updateSequenceNumber` is missing where the entity was deleted and never submitted."""

    kind: Kind
    id: EntityId
    updateSequenceNumber: SequenceNumber = ABSENT
    deleted: bool
    sites: list[AtSite]


class _Recorded(ListedEntity):
    recordedAt: DateTime
    correlationId: str = ABSENT
    properties: Properties
    providerMetadata: ProviderMetadata = ABSENT
    timeline: list[Sighting]


class RecordedIncident(_Recorded):
    """`entity` is missing once the incident is deleted."""

    kind: Literal[Kind.INCIDENT]
    entity: Incident = ABSENT


class RecordedReview(_Recorded):
    """`entity` is missing once the review is deleted; `timeline` is for incidents alone."""

    kind: Literal[Kind.REVIEW]
    entity: PostIncidentReview = ABSENT


class EntityPage(Shape):
    """`next`, where there is one, is `after` of the page that follows, which may be empty."""

    entities: list[ListedEntity]
    next: str = ABSENT


class DeletedEntity(Shape):
    kind: Kind
    id: EntityId


class DeletedCount(Shape):
    deleted: Annotated[int, Field(ge=0)]


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
