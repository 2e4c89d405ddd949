"""A workspace's record, to move it to another deployment."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from relay.edge.shapes import Page
from relay.entities.fields import DateTime, EntityId, Properties, SequenceNumber
from relay.entities.model import Incident, Kind, PostIncidentReview
from relay.entities.submission import ProviderMetadata
from relay.provider.deletions import PER_MESSAGE


class _ExportedState(TypedDict):
    acceptedAt: DateTime
    """When its submission was accepted."""
    properties: Properties
    """The properties of its submission."""
    providerMetadata: NotRequired[ProviderMetadata | None]
    """The operations tool that submitted it; absent if the submission did not name it."""


class ExportedIncident(_ExportedState):
    """An incident and what it was submitted with."""

    entity: Incident
    """The newest state."""


class ExportedReview(_ExportedState):
    """A review and what it was submitted with."""

    entity: PostIncidentReview
    """The newest state."""


class ExportedDeletion(TypedDict):
    """A deleted entity."""

    kind: Kind
    """Whether it is an incident or a review."""
    id: EntityId
    """The operations tool's own id."""
    updateSequenceNumber: NotRequired[SequenceNumber | None]
    """The number of the last state before the deletion; absent if none was submitted."""
    deletedAt: DateTime
    """When it was deleted."""


class ExportPage(Page):
    """A page of the record. It has as many entities as fit into an answer."""

    incidents: list[ExportedIncident]
    """Incidents."""
    reviews: list[ExportedReview]
    """Post-incident reviews."""
    deletions: list[ExportedDeletion]
    """Deleted incidents and reviews."""


class AddedDeletions(TypedDict):
    """What became of the deletions."""

    deleted: Annotated[int, Field(ge=0, le=PER_MESSAGE)]
    """How many entities were deleted. The others were deleted before, or have a newer state."""
