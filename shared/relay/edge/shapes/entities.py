"""Entities: their recorded state, and its outcome at each site."""

from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from relay.edge.query import PAGE_MAX
from relay.edge.shapes import Page
from relay.entities.fields import DateTime, EntityId, Properties, SequenceNumber, Url
from relay.entities.model import Incident, IncidentStatus, Kind, PostIncidentReview, SeverityLevel
from relay.entities.submission import ProviderMetadata
from relay.provider.tracking import ASSOCIATIONS_SHOWN_MAX
from relay.record.outcomes import OutcomeState


class Sighting(TypedDict):
    """When the incident first had this status and severity, by its own `lastUpdated`."""

    at: DateTime
    """The incident's `lastUpdated` at that time."""
    status: IncidentStatus
    """Its status."""
    severity: SeverityLevel | None
    """Its severity; null if it had none."""


class AssociationTarget(TypedDict):
    """What Jira's users associated the entity with. Jira sends all of these fields or some."""

    ati: NotRequired[str]
    """Its type, an Atlassian Type Identifier such as `ati:cloud:jira:issue`."""
    ari: NotRequired[str]
    """Its Atlassian Resource Identifier."""
    cloudId: NotRequired[str]
    """Atlassian's id of its site."""
    id: NotRequired[str]
    """Its id in that site; an issue's is a number, such as `10068`."""


@with_config(ConfigDict(extra="ignore"))
class AssociationInJira(TypedDict):
    """Associated objects of one type, as Jira stores them."""

    associationType: NotRequired[str]
    """The type of the values, such as `issueIdOrKeys`."""
    values: NotRequired[list[str]]
    """The ids or keys."""


@with_config(ConfigDict(extra="ignore"))
class SeverityInJira(TypedDict):
    """The incident's severity, as Jira stores it."""

    level: NotRequired[str]
    """Jira's level; P1 is the most severe."""


@with_config(ConfigDict(extra="allow"))
class _InJira(TypedDict):
    schemaVersion: NotRequired[str]
    """The version of Jira's schema."""
    id: str
    """The operations tool's own id."""
    updateSequenceNumber: NotRequired[SequenceNumber]
    """The number by which Jira orders states. Relay raises it above the entity's own each time the
    site is replayed from the start."""
    summary: NotRequired[str]
    """The title."""
    description: NotRequired[str]
    """The text below the title, in Markdown."""
    url: NotRequired[str]
    """The entity's page in the operations tool."""
    createdDate: NotRequired[str]
    """When the entity was created, as RFC 3339."""
    lastUpdated: NotRequired[str]
    """When the operations tool last changed the entity, as RFC 3339."""
    status: NotRequired[str]
    """The entity's status."""
    associations: NotRequired[list[AssociationInJira] | None]
    """The objects that the entity belongs to, such as Jira issues."""


@with_config(ConfigDict(extra="allow"))
class IncidentInJira(_InJira):
    """An incident as Jira answered it, with the operations tool's own ids. A field that is absent
    here was absent in Jira's answer; Jira may add fields."""

    affectedComponents: NotRequired[list[str]]
    """The ids of the containers that the incident affects."""
    severity: NotRequired[SeverityInJira | None]
    """The severity of the incident."""


@with_config(ConfigDict(extra="allow"))
class ReviewInJira(_InJira):
    """A review as Jira answered it, with the operations tool's own ids. A field that is absent here
    was absent in Jira's answer; Jira may add fields."""

    reviews: NotRequired[list[str]]
    """The ids of the reviewed incidents."""


class AtSite(TypedDict):
    """The outcome of the entity at one site. `state`, `owedSince`, `reason` and `until` describe
    the recorded state; the other fields describe the state that the site last answered for."""

    site: str
    """Relay's id of the site."""
    baseUrl: Url
    """The base URL at which Relay calls the site's Jira."""
    state: OutcomeState
    """The outcome of the recorded state."""
    owedSince: NotRequired[DateTime | None]
    """When it became `owed`, if known; absent for any other state."""
    reason: NotRequired[str | None]
    """Why it is `owed`, if known; absent for any other state."""
    until: NotRequired[DateTime | None]
    """When Relay retries it, unless a newer state or a replay delivers it earlier; present only if
    the site accepts other entities and fails on this one."""
    updateSequenceNumber: NotRequired[SequenceNumber | None]
    """The entity's number that the site last answered for; absent if it never answered."""
    at: NotRequired[DateTime | None]
    """When that answer was recorded; absent if there was none."""
    messages: NotRequired[list[str] | None]
    """Jira's messages about the entity, or Relay's if Jira gave none."""
    unknownProjectKeys: NotRequired[list[str] | None]
    """Project keys in the entity's associations that the site does not know."""
    associations: NotRequired[
        Annotated[list[AssociationTarget], Field(max_length=ASSOCIATIONS_SHOWN_MAX)] | None
    ]
    """What Jira's users associated the entity with; absent in a list, and if there are none."""
    moreAssociations: NotRequired[Literal[True] | None]
    """There are more associations than shown; absent otherwise."""


class IncidentAtSite(AtSite):
    """The outcome of the incident at one site, and what Jira stores."""

    jira: NotRequired[IncidentInJira | None]
    """What Jira itself stores, with `confirm`; null if it stores nothing."""


class ReviewAtSite(AtSite):
    """The outcome of the review at one site, and what Jira stores."""

    jira: NotRequired[ReviewInJira | None]
    """What Jira itself stores, with `confirm`; null if it stores nothing."""


class EntityHead(TypedDict):
    """What an entity and its entry in a list have in common."""

    id: EntityId
    """The operations tool's own id."""
    updateSequenceNumber: NotRequired[SequenceNumber | None]
    """The number of the recorded state; absent if the entity was deleted and never submitted."""
    deleted: bool
    """Whether the operations tool has deleted it."""


class ListedEntity(EntityHead):
    """An entity, and its outcome at each site."""

    kind: Kind
    """Whether it is an incident or a review."""
    sites: list[AtSite]
    """Every linked site."""


class _Recorded(EntityHead):
    recordedAt: DateTime
    """When the state, or the deletion, was recorded."""
    correlationId: NotRequired[str | None]
    """The `x-correlation-id` of the call that submitted it (in a submission's `submissionId`, what
    follows the first hyphen); absent if no call did."""
    properties: Properties
    """The properties of that submission."""
    providerMetadata: NotRequired[ProviderMetadata | None]
    """The operations tool that submitted it; absent if the submission did not name it."""
    timeline: list[Sighting]
    """When the incident first had each status and severity; empty for a review."""


class RecordedIncident(_Recorded):
    """An incident as Relay has recorded it, and its outcome at each site."""

    kind: Literal[Kind.INCIDENT]
    """Whether it is an incident or a review."""
    entity: NotRequired[Incident | None]
    """The newest state; absent once the incident is deleted."""
    sites: list[IncidentAtSite]
    """Every linked site."""


class RecordedReview(_Recorded):
    """A review as Relay has recorded it, and its outcome at each site."""

    kind: Literal[Kind.REVIEW]
    """Whether it is an incident or a review."""
    entity: NotRequired[PostIncidentReview | None]
    """The newest state; absent once the review is deleted."""
    sites: list[ReviewAtSite]
    """Every linked site."""


class EntityPage(Page):
    """A page of entities."""

    entities: Annotated[list[ListedEntity], Field(max_length=PAGE_MAX)]
    """The entities: incidents first, otherwise in a stable but arbitrary order."""


class DeletedEntity(TypedDict):
    """The deleted entity."""

    kind: Kind
    """Whether it is an incident or a review."""
    id: EntityId
    """The operations tool's own id."""


class DeletedCount(TypedDict):
    """The result of a deletion by properties."""

    deleted: Annotated[int, Field(ge=0)]
    """The number of entities that had all of the properties."""
