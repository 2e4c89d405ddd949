"""Sources, their kinds and deliveries."""

from typing import Annotated, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from relay.catalog.source_deliveries import ENTITIES_SHOWN
from relay.catalog.sources import DeliveryState
from relay.edge.query import PAGE_MAX
from relay.edge.shapes import Page
from relay.edge.shapes.errors import ErrorDetail
from relay.entities.fields import ContainerId, DateTime, EntityId, Url
from relay.entities.model import Incident, Kind, PostIncidentReview
from relay.sources.settings import SourceSettings
from relay.sources.tool import KINDS, Signing

SourceKindName = Annotated[str, Field(json_schema_extra={"enum": [*KINDS]})]
Count = Annotated[int, Field(ge=0)]


class SourceTool(TypedDict):
    """A tool whose webhook can be a source."""

    kind: SourceKindName
    """The kind's name."""
    title: str
    """The tool's name."""
    signing: Signing
    """Who makes the secret with which the tool signs its calls: the `tool`, when its webhook is
    made; or the `user`. `optional`: the user, but the tool can also do without. `none`: the tool
    does not sign."""
    setup: list[str]
    """The steps to take in the tool. `{url}` stands for the source's URL, `{secret}` for the secret
    that the user has made."""


class SourceKinds(TypedDict):
    """All kinds of sources."""

    kinds: list[SourceTool]
    """The kinds, in the order of their names."""


class SourceCounts(TypedDict):
    """The number of the source's deliveries since it was made, by their state."""

    taken: Count
    """Deliveries of which something was queued."""
    ignored: Count
    """Deliveries with nothing for Jira."""
    refused: Count
    """Deliveries that were not signed as they should, or not of the tool's shape."""


class LastDelivery(TypedDict):
    """The source's last delivery."""

    at: DateTime
    """When the tool called."""
    state: DeliveryState
    """What became of it."""


class Source(TypedDict):
    """A source, without its secret."""

    id: str
    """The source's id, as used in paths."""
    kind: SourceKindName
    """The tool that calls."""
    settings: SourceSettings
    """How the tool's events are mapped to incidents."""
    hasSecret: bool
    """Whether Relay knows the secret with which the tool signs."""
    createdAt: DateTime
    """When the source was made."""
    deliveries: SourceCounts
    """How many calls there were."""
    lastDelivery: NotRequired[LastDelivery | None]
    """The last call; absent if there was none."""
    url: NotRequired[Url | None]
    """The URL for the tool's webhook. Only in the answer to the call that makes the source."""


class SourcePage(Page):
    """A page of sources."""

    sources: Annotated[list[Source], Field(max_length=PAGE_MAX)]
    """The sources, in the order of their ids."""


class SourceUrl(TypedDict):
    """A source's new URL."""

    url: Url
    """The URL for the tool's webhook. Relay does not show it again."""


class SourcePayload(BaseModel):
    """The body of the tool's webhook, unchanged."""

    model_config = ConfigDict(extra="allow")


class SourceEntity(TypedDict):
    """An entity that came of a delivery."""

    kind: Kind
    """Whether it is an incident or a review."""
    id: EntityId
    """Its id."""


class SourceDelivery(TypedDict):
    """One call of a source's webhook."""

    id: str
    """The delivery's id. It is also the id of the submission that came of it."""
    at: DateTime
    """When the tool called."""
    event: str
    """The tool's name of the event, such as `incident.triggered`; empty if it could not be read."""
    state: DeliveryState
    """`taken`: its entities or services are queued. `ignored`: it has nothing for Jira. `refused`:
    it was not signed as it should, or not of the tool's shape."""
    reason: NotRequired[str | None]
    """Why it was ignored or refused; or which parts of it were. Absent if all of it was taken."""
    entities: Annotated[list[SourceEntity], Field(max_length=ENTITIES_SHOWN)]
    """The first entities that came of it."""


class SourceDeliveryPage(Page):
    """A page of deliveries."""

    deliveries: Annotated[list[SourceDelivery], Field(max_length=PAGE_MAX)]
    """The deliveries, newest first."""


class SourceTaken(TypedDict):
    """The answer to a tool's call."""

    deliveryId: str
    """The delivery's id."""
    state: Literal["taken", "ignored"]
    """`taken`: what the call says is in the queue and will not be lost. `ignored`: it has nothing
    for Jira."""
    reason: NotRequired[str | None]
    """Why it was ignored, or which parts of it were refused."""
    entities: list[SourceEntity]
    """The entities that came of it."""
    details: NotRequired[list[ErrorDetail] | None]
    """The parts that are not of the tool's shape; absent if there are none."""


class SourceContainer(TypedDict):
    """A container that the workspace would get."""

    id: ContainerId
    """The container's id."""
    name: str
    """The name that users see in Jira."""
    url: Url
    """The service's page in the tool, or the workspace's."""


class SourcePreview(TypedDict):
    """What Jira would get of a payload."""

    event: str
    """The tool's name of the event."""
    state: Literal["taken", "ignored"]
    """`ignored`: it has nothing for Jira."""
    reason: NotRequired[str | None]
    """Why it would be ignored."""
    incidents: list[Incident]
    """The incidents, as Jira would get them."""
    reviews: list[PostIncidentReview]
    """The reviews, as Jira would get them."""
    deleted: list[SourceEntity]
    """The entities that would be deleted."""
    containers: list[SourceContainer]
    """The containers that the workspace would get, unless it has them."""
    details: NotRequired[list[ErrorDetail] | None]
    """The parts that are not of the tool's shape; absent if there are none."""
