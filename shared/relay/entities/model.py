"""Incident and post-incident review, in Jira's own shape.

Limits follow the reference of `POST /rest/operations/1.0/bulk`.
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
    """The two kinds of entity; the value is used in keys, verdicts and logs."""

    INCIDENT = "incident"
    REVIEW = "review"

    @property
    def plural(self) -> str:
        """The kind's name in a submission, ours and Jira's."""
        return f"{self.value}s"


class Severity(JiraModel):
    level: Literal["P1", "P2", "P3", "P4", "P5", "unknown"]


class Entity(JiraModel):
    schemaVersion: Literal["1.0"]
    id: EntityId
    updateSequenceNumber: SequenceNumber
    summary: Summary
    description: Description
    url: Url
    createdDate: DateTime
    lastUpdated: DateTime
    associations: Associations | None = None


class Incident(Entity):
    affectedComponents: Ids
    severity: Severity | None = None
    status: Literal["open", "resolved", "unknown"]


class PostIncidentReview(Entity):
    reviews: Ids
    status: Literal["in progress", "outstanding actions", "completed", "unknown"]


MODELS: dict[Kind, type[Entity]] = {Kind.INCIDENT: Incident, Kind.REVIEW: PostIncidentReview}
