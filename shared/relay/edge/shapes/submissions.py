"""Submissions: what one may hold, and its answer."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from relay.edge.query import PAGE_MAX
from relay.edge.shapes import Page
from relay.edge.shapes.errors import ErrorDetail
from relay.entities.document import DETAILS_SHOWN_MAX
from relay.entities.fields import DateTime, EntityId
from relay.entities.model import Incident, Kind, PostIncidentReview
from relay.entities.submission import Envelope
from relay.entities.submission_id import SUBMISSION_ID_PATTERN
from relay.record.receipts import ENTITIES_MAX

SubmissionId = Annotated[str, Field(pattern=SUBMISSION_ID_PATTERN)]
_Number = Annotated[int, Field(ge=0)]


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

    submissionId: SubmissionId
    """Names the submission's receipt: the time of its acceptance in epoch milliseconds, a hyphen,
    and the value of the header `x-correlation-id`, which identifies the submission in the logs.
    There is no receipt with `dryRun`, or if no entity was accepted."""
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


class ReceiptEntity(TypedDict):
    """An entity of the submission."""

    kind: Kind
    """Whether it is an incident or a review."""
    id: EntityId
    """The operations tool's own id."""


_Entities = Annotated[list[ReceiptEntity], Field(max_length=ENTITIES_MAX)]


class ReceiptCounts(TypedDict):
    """The effect of a submission: the number of its accepted entities by what became of each."""

    submissionId: SubmissionId
    """The id in the answer to the submission."""
    acceptedAt: DateTime
    """When it was accepted."""
    processedAt: DateTime
    """When it was processed; of several parts, the last."""
    entities: Annotated[int, Field(ge=1)]
    """The number of processed entities: all that were accepted, unless parts of a large submission
    still wait. The five counts below add up to it."""
    recorded: _Number
    """Now the recorded state of their entity."""
    same: _Number
    """Recorded before, with the same content: repeats."""
    superseded: _Number
    """Not recorded, as a newer state of the same entity was processed together with them."""
    outdated: _Number
    """Not recorded, as they are older than the recorded state, or were submitted before the
    entity's deletion."""
    conflicting: _Number
    """Not recorded, as they have the `updateSequenceNumber` of the recorded state, but other
    content: updates that are lost. Use a finer `updateSequenceNumber`."""


class Receipt(ReceiptCounts):
    """The effect of a submission, with the entities whose states were not recorded."""

    outdatedEntities: NotRequired[_Entities | None]
    """The entities of the outdated states, the first ones if there are more; absent without any."""
    conflictingEntities: NotRequired[_Entities | None]
    """The entities of the conflicting states, the first ones if there are more; absent without
    any."""


class ReceiptPage(Page):
    """A page of submissions, newest first."""

    submissions: Annotated[list[ReceiptCounts], Field(max_length=PAGE_MAX)]
    """The submissions."""
