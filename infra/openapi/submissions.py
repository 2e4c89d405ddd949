"""Submitting incidents and reviews."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from infra.openapi import errors
from infra.openapi.errors import ErrorDetail
from infra.openapi.operation import Answer, Caller, Example, Operation, Parameter
from infra.openapi.parameters import INCIDENT_ID, REVIEW_ID, WORKSPACE, WORKSPACE_ID
from infra.openapi.schemas import ABSENT, Shape
from infra.openapi.template import Route
from relay.entities.document import DETAILS_SHOWN_MAX, SUBMISSION_BYTES_MAX
from relay.entities.model import Incident, Kind, PostIncidentReview
from relay.entities.submission import Envelope
from relay.errors import BadRequest, Detail

TAG = "Submissions"

INCIDENT: dict[str, Any] = {
    "schemaVersion": "1.0",
    "id": INCIDENT_ID,
    "updateSequenceNumber": 1,
    "affectedComponents": ["checkout-api"],
    "summary": "Checkout answers slowly",
    "description": "**Investigating** since 09:30.",
    "url": "https://ops.example.com/incidents/inc-1",
    "createdDate": "2026-01-31T09:30:00Z",
    "lastUpdated": "2026-01-31T09:45:00Z",
    "severity": {"level": "P2"},
    "status": "open",
}
REVIEW: dict[str, Any] = {
    "schemaVersion": "1.0",
    "id": REVIEW_ID,
    "updateSequenceNumber": 1,
    "reviews": [INCIDENT_ID],
    "summary": "Why checkout answered slowly",
    "description": "What happened, and what follows.",
    "url": "https://ops.example.com/reviews/rev-1",
    "createdDate": "2026-02-02T10:00:00Z",
    "lastUpdated": "2026-02-02T10:00:00Z",
    "status": "in progress",
}


def _one_at_least(name: str) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"type": "array", "minItems": 1}}}


class SubmissionRequest(Envelope):
    """At least one incident or review; each is judged for itself. Null counts as absent."""

    model_config = ConfigDict(
        json_schema_extra={"if": _one_at_least("reviews"), "else": _one_at_least("incidents")}
    )

    incidents: list[Incident] | None = None
    reviews: list[PostIncidentReview] | None = None


class EntityVerdict(Shape):
    """What became of one entity of the submission."""

    kind: Kind
    """Whether it is an incident or a review."""
    index: Annotated[int, Field(ge=0)]
    """Its place in `incidents` or `reviews`, counted from 0."""
    id: str | None
    """Its id; null where it has none that could be one."""
    verdict: Literal["accepted", "rejected"]
    """`accepted`: it is in the queue, and will not be lost; with `dryRun`, it would be.
    `rejected`: it breaks a rule, and sending it again as it is would not help."""
    details: Annotated[list[ErrorDetail], Field(max_length=DETAILS_SHOWN_MAX)] = ABSENT
    """Which rules a rejected entity breaks; absent for an accepted one."""


class SubmissionVerdicts(Shape):
    """A verdict for each entity of the submission."""

    submissionId: str
    """The header `x-correlation-id`, by which the logs name the submission."""
    accepted: Annotated[int, Field(ge=0)]
    """How many entities were accepted."""
    rejected: Annotated[int, Field(ge=0)]
    """How many entities were rejected."""
    verdicts: list[EntityVerdict]
    """The verdicts: of the incidents, then of the reviews, in the order in which they came."""


class DryRunVerdicts(SubmissionVerdicts):
    """The verdicts that the submission would have got."""

    dryRun: Literal[True]
    """Nothing was taken."""


class ReviewMade(Shape):
    """The draft of a review."""

    review: PostIncidentReview
    """The review, as it is recorded."""


def draft_example() -> dict[str, Any]:
    return REVIEW | {
        "id": "review-of-inc-1",
        "updateSequenceNumber": 1770026400000,
        "summary": "Review: Checkout answers slowly",
        "description": "[Incident](<https://ops.example.com/incidents/inc-1>)\n\n## Timeline\n\n"
        "- 2026-01-31T09:45:00Z: open, P2\n\n## What happened\n\n## Why\n\n## What follows\n",
        "url": "https://ops.example.com/incidents/inc-1",
    }


_PATH = {"workspaceId": WORKSPACE_ID}
_TAKEN: dict[str, Any] = {
    "submissionId": "8f14e45f-ceea-467f-a8f2-0d1a3c5e7b90",
    "accepted": 2,
    "rejected": 0,
    "verdicts": [
        {"kind": "incident", "index": 0, "id": INCIDENT_ID, "verdict": "accepted"},
        {"kind": "review", "index": 0, "id": REVIEW_ID, "verdict": "accepted"},
    ],
}
_REFUSED = {
    "kind": "incident",
    "index": 1,
    "id": "inc-2",
    "verdict": "rejected",
    "details": [
        {
            "path": "incidents[1].summary",
            "rule": "string_too_long",
            "message": "String should have at most 255 characters",
        }
    ],
}
_BAD_SUBMISSION = BadRequest(
    "The body is not a submission.",
    [Detail("incident", "extra_forbidden", "Extra inputs are not permitted")],
)

OPERATIONS = (
    Operation(
        Route("POST", "/v1/workspaces/{workspaceId}/submissions"),
        "submit",
        TAG,
        Caller.PROVIDER,
        "Submit incidents and reviews",
        [
            Answer(
                202, "A verdict per entity; what is accepted is in the queue.", SubmissionVerdicts
            ),
            Answer(200, "With dryRun: the verdicts alone; nothing was taken.", DryRunVerdicts),
        ],
        [
            Example(
                "both",
                202,
                _PATH,
                body={
                    "incidents": [INCIDENT],
                    "reviews": [REVIEW],
                    "properties": {"region": "eu"},
                    "providerMetadata": {"product": "Ops Tool"},
                },
                answer=_TAKEN,
            ),
            Example(
                "one bad",
                202,
                _PATH,
                body={"incidents": [INCIDENT, INCIDENT | {"id": "inc-2", "summary": "x" * 256}]},
                answer=_TAKEN
                | {"accepted": 1, "rejected": 1, "verdicts": [_TAKEN["verdicts"][0], _REFUSED]},
            ),
            Example(
                "dry run",
                200,
                _PATH,
                {"dryRun": "true"},
                {"incidents": [INCIDENT], "reviews": [REVIEW]},
                _TAKEN | {"dryRun": True},
            ),
        ],
        f"Any number of entities, in at most {SUBMISSION_BYTES_MAX} bytes of JSON; gzip "
        "(`Content-Encoding: gzip`) is welcome. One bad entity never sinks the others: an entity "
        "that breaks a rule of its schema, or is not JSON, is rejected by its verdict, and the "
        "answer is 202 all the same. Null counts as absent. Of two states of an entity the higher "
        "updateSequenceNumber wins, whatever came first.",
        [
            WORKSPACE,
            Parameter("dryRun", bool, "Only judge; take nothing.", "query"),
        ],
        SubmissionRequest,
        errors=[_BAD_SUBMISSION, errors.NOT_QUEUED],
    ),
)
