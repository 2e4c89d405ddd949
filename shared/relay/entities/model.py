"""Incident and post-incident review, in Jira's own shape.

Limits follow the reference of `POST /rest/operations/1.0/bulk`. What is said below a field is what
the OpenAPI document says of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, NamedTuple

import pydantic_core

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
    """The severity of an incident."""

    level: SeverityLevel
    """Jira's level; P1 is the most severe."""


class Entity(JiraModel):
    """The fields that incidents and reviews have in common."""

    schemaVersion: Literal["1.0"]
    """The version of Jira's schema."""
    id: EntityId
    """The operations tool's own id. It names the entity within its workspace and kind."""
    updateSequenceNumber: SequenceNumber
    """Orders the states of one entity: a state is accepted only if its number is higher than the
    recorded state's. The time of the change in epoch microseconds works well; of two changes with
    the same number, such as a time in seconds, the second is lost."""
    summary: Summary
    """The title, in plain text."""
    description: Description
    """The text below the title, in Markdown."""
    url: Url
    """The entity's page in the operations tool; Jira links to it."""
    createdDate: DateTime
    """When the entity was created."""
    lastUpdated: DateTime
    """When the operations tool last changed the entity."""
    associations: Associations | None = None
    """The objects that the entity belongs to, such as Jira issues."""


class Incident(Entity):
    """An incident, in the shape of Jira's operations API."""

    affectedComponents: Ids
    """The ids of the containers that the incident affects. The incident appears on the Incidents
    page of each project that has one of them."""
    severity: Severity | None = None
    """The severity of the incident, if known."""
    status: IncidentStatus
    """Whether the incident is still open."""


class PostIncidentReview(Entity):
    """A post-incident review, in the shape of Jira's operations API."""

    reviews: Ids
    """The ids of the reviewed incidents."""
    status: ReviewStatus
    """The state of the review."""


MODELS: dict[Kind, type[Entity]] = {Kind.INCIDENT: Incident, Kind.REVIEW: PostIncidentReview}


class EntityKey(NamedTuple):
    """What names an entity within its workspace; an incident and a review may share an id."""

    kind: Kind
    id: str


@dataclass(frozen=True)
class EntityState:
    """`entity` is what Jira gets; `properties` and `product`, the operations tool's name or empty,
    are those of the submission it came in.

    `accepted_at`, in epoch milliseconds, is when the submission was answered 202, here or
    by another deployment, or 0 for the time of its message; `correlation_id` names the submission.
    """

    kind: Kind
    entity: Mapping[str, Any]
    properties: Mapping[str, str] = field(default_factory=dict)
    accepted_at: int = field(default=0, compare=False)
    correlation_id: str = field(default="", compare=False)
    product: str = ""

    @property
    def key(self) -> EntityKey:
        """The entity's kind and id."""
        return EntityKey(self.kind, self.entity["id"])

    @cached_property
    def as_json(self) -> bytes:
        """The entity as it is recorded, queued and sent: written once, however often it is used."""
        return pydantic_core.to_json(self.entity)

    @property
    def sequence(self) -> int:
        """The state's `updateSequenceNumber`; a higher one is newer."""
        return int(self.entity["updateSequenceNumber"])


@dataclass(frozen=True, slots=True)
class Sighting:
    """When an incident was first seen with this status and severity, as the entity itself dates
    it (`lastUpdated`)."""

    at: str
    status: str
    severity: str | None


def newest(states: Iterable[EntityState]) -> list[EntityState]:
    """The newest state per entity, in order of first appearance; of equal ones the first.

    Jira replaces what it has only by a higher `updateSequenceNumber`, so the first of equals is
    the one that would stay there, too.
    """
    kept: dict[EntityKey, EntityState] = {}
    for state in states:
        known = kept.get(state.key)
        if known is None or known.sequence < state.sequence:
            kept[state.key] = state
    return list(kept.values())
