"""Incident and post-incident review, in Jira's own shape.

Limits follow the reference of `POST /rest/operations/1.0/bulk`. What is said below a field is what
the OpenAPI document says of it.
"""

from enum import StrEnum
from typing import Literal

from relay.entities.fields import (
    Associations,
    DateTime,
    Description,
    EntityId,
    Ids,
    JiraModel,
    SequenceNumber,
    Summary,
    Url,
)


class Kind(StrEnum):
    """An incident, or a post-incident review."""

    # The values are used in keys, verdicts and logs.
    INCIDENT = "incident"
    REVIEW = "review"

    @property
    def plural(self) -> str:
        """The kind's name in a submission, ours and Jira's."""
        return f"{self.value}s"


SeverityLevel = Literal["P1", "P2", "P3", "P4", "P5", "unknown"]
IncidentStatus = Literal["open", "resolved", "unknown"]
ReviewStatus = Literal["in progress", "outstanding actions", "completed", "unknown"]


class Severity(JiraModel):
    """How severe an incident is."""

    level: SeverityLevel
    """Jira's level; P1 is the most severe."""


class Entity(JiraModel):
    schemaVersion: Literal["1.0"]
    """The version of Jira's schema."""
    id: EntityId
    """The operations tool's own id. It names the entity within its workspace and kind."""
    updateSequenceNumber: SequenceNumber
    """Orders the states of one entity: a state is taken only where its number is higher than that
    of the state that is there. The time of the change in epoch milliseconds does well."""
    summary: Summary
    """The title, in plain text."""
    description: Description
    """What Jira shows below the title, in Markdown."""
    url: Url
    """The entity's page in the operations tool, to which Jira links."""
    createdDate: DateTime
    """When the entity was made."""
    lastUpdated: DateTime
    """When the operations tool last changed the entity."""
    associations: Associations | None = None
    """What the entity belongs to, such as Jira issues."""


class Incident(Entity):
    """An incident, in the shape that Jira's operations API has for it."""

    affectedComponents: Ids
    """The ids of the containers that the incident affects. The incident is on the Incidents page of
    each project to which one of them was added."""
    severity: Severity | None = None
    """How severe the incident is, where that is known."""
    status: IncidentStatus
    """Whether the incident is still open."""


class PostIncidentReview(Entity):
    """A post-incident review, in the shape that Jira's operations API has for it."""

    reviews: Ids
    """The ids of the incidents that are reviewed."""
    status: ReviewStatus
    """How far the review is."""


MODELS: dict[Kind, type[Entity]] = {Kind.INCIDENT: Incident, Kind.REVIEW: PostIncidentReview}
