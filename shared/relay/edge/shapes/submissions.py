"""Submissions: what one may hold, and its answer."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from relay.edge.shapes.errors import ErrorDetail
from relay.entities.document import DETAILS_SHOWN_MAX
from relay.entities.model import Incident, Kind, PostIncidentReview
from relay.entities.submission import Envelope


def _at_least_one(name: str) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"type": "array", "minItems": 1}}}


class SubmissionRequest(Envelope):
    """At least one incident or review. Each entity is validated separately. Null counts as
    absent."""

    model_config = ConfigDict(
        json_schema_extra={"if": _at_least_one("reviews"), "else": _at_least_one("incidents")}
    )

    incidents: list[Incident] | None = None
    reviews: list[PostIncidentReview] | None = None


class EntityVerdict(TypedDict):
    """The verdict on one entity of the submission."""

    kind: Kind
    """Whether it is an incident or a review."""
    index: Annotated[int, Field(ge=0)]
    """Its index in `incidents` or `reviews`, counted from 0."""
    id: str | None
    """Its id; null if it has no valid id."""
    verdict: Literal["accepted", "rejected"]
    """`accepted`: it is in the queue and will not be lost (with `dryRun`: it would be).
    `rejected`: it breaks a rule; submitting it unchanged fails again."""
    details: NotRequired[Annotated[list[ErrorDetail], Field(max_length=DETAILS_SHOWN_MAX)]]
    """The rules that a rejected entity breaks; absent for an accepted entity."""


class SubmissionVerdicts(TypedDict):
    """One verdict for each entity of the submission."""

    submissionId: str
    """The value of the header `x-correlation-id`, which identifies the submission in the logs."""
    accepted: Annotated[int, Field(ge=0)]
    """The number of accepted entities."""
    rejected: Annotated[int, Field(ge=0)]
    """The number of rejected entities."""
    verdicts: list[EntityVerdict]
    """The verdicts: incidents first, then reviews, in the order of the submission."""


class DryRunVerdicts(SubmissionVerdicts):
    """The verdicts that the submission would get."""

    dryRun: Literal[True]
    """Nothing was accepted."""


class ReviewMade(TypedDict):
    """The draft of a review."""

    review: PostIncidentReview
    """The review, as it is recorded."""
