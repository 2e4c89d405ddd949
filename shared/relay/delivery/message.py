"""What travels through the queue: accepted entities of one submission, many to a message.

    {"format": 1, "workspaceId", "correlationId", "acceptedAt", "properties"?, "product"?,
     "incidents": […], "reviews": […], "deleted": [[kind, id], …],
     "containers": [id, …], "logoUrl"?}

as JSON, deflated, in base64: a queue takes text only, and a message holds ten times as many
entities that way.
"""

import base64
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relay.entities import EntityKey, EntityState, Kind, details_of
from relay.entities.fields import EntityId, SequenceNumber

# SQS takes 1 MiB, what it keeps beside the body included.
MESSAGE_BYTES_MAX = 1_000_000
# The JSON of a message's entities; as much as one submission may hold.
CONTENT_BYTES_MAX = 4 * 1024 * 1024
# All of a message's JSON: the rest are ids and properties.
INFLATED_BYTES_MAX = CONTENT_BYTES_MAX + 1024 * 1024


def _now() -> int:
    return int(time.time() * 1000)


@dataclass(frozen=True, slots=True)
class Message:
    """`accepted_at`, in epoch milliseconds, is when the operations tool was answered 202.

    `deleted` are entities that the record holds as deleted, and that sites must delete, too;
    `containers` are the ids of those that changed, one without an avatar showing `logo_url`. A
    message is split by its entities alone: of the others there are few in one. `size` is the bytes
    of its JSON, where it came through the queue.
    """

    workspace_id: str
    correlation_id: str
    states: tuple[EntityState, ...] = ()
    accepted_at: int = field(default_factory=_now)
    deleted: tuple[EntityKey, ...] = ()
    containers: tuple[str, ...] = ()
    logo_url: str = ""
    size: int = field(default=0, compare=False)

    @property
    def keys(self) -> set[EntityKey]:
        return {*self.deleted, *(state.key for state in self.states)}


class _Essentials(BaseModel):
    """What the record reads of an entity: a message that lacks any of it is none of ours."""

    model_config = ConfigDict(strict=True, defer_build=True)

    id: EntityId
    updateSequenceNumber: SequenceNumber
    lastUpdated: str
    status: str
    severity: dict[str, str] = Field(default_factory=dict)


class _Content(BaseModel):
    """The entities were found valid before they were queued; they are not judged again."""

    model_config = ConfigDict(strict=True, defer_build=True)

    format: Literal[1]
    workspaceId: str
    correlationId: str
    acceptedAt: SequenceNumber
    properties: dict[str, str] = Field(default_factory=dict)
    product: str = ""
    incidents: Annotated[list[dict[str, Any]], Field(default_factory=list)]
    reviews: Annotated[list[dict[str, Any]], Field(default_factory=list)]
    deleted: Annotated[list[tuple[Kind, str]], Field(default_factory=list)]
    containers: Annotated[list[EntityId], Field(default_factory=list)]
    logoUrl: str = ""


def packed(message: Message) -> Iterator[tuple[Message, str]]:
    """The message as few as fit the queue's limit, in order, each with its body.

    An entity that Jira takes is far smaller than a message, so splitting always ends.
    """
    if sum(len(state.as_json) for state in message.states) <= CONTENT_BYTES_MAX:
        content = _json(message)
        body = _encode(content)
        if len(content) <= INFLATED_BYTES_MAX and len(body) <= MESSAGE_BYTES_MAX:
            yield message, body
            return
    middle = len(message.states) // 2
    if not middle:
        raise ValueError("an entity does not fit into a message")
    yield from packed(replace(message, states=message.states[:middle]))
    rest = message.states[middle:]
    yield from packed(replace(message, states=rest, deleted=(), containers=()))


def parse_message(body: str) -> Message:
    """Raises ValueError, with a reason fit for the log, for a body that is no message of ours."""
    try:
        inflated = _inflated(body)
        content = _Content.model_validate_json(inflated)
        states = _states(content)
    except ValidationError as error:
        # Not in pydantic's words, which quote what came in.
        broken = ", ".join(f"{detail.path} {detail.rule}" for detail in details_of(error))
        raise ValueError(f"not a message: {broken}") from None
    except (zlib.error, ValueError) as error:
        raise ValueError(f"not a message: {error}") from None
    deleted = tuple(EntityKey(kind, entity_id) for kind, entity_id in content.deleted)
    return Message(
        content.workspaceId,
        content.correlationId,
        states,
        content.acceptedAt,
        deleted,
        tuple(content.containers),
        content.logoUrl,
        len(inflated),
    )


def _inflated(body: str) -> bytes:
    deflated = base64.b64decode(body, validate=True)
    # One byte more than is allowed is enough to know, however much there would be.
    inflated = zlib.decompressobj().decompress(deflated, INFLATED_BYTES_MAX + 1)
    if len(inflated) > INFLATED_BYTES_MAX:
        raise ValueError(f"it inflates to more than {INFLATED_BYTES_MAX} bytes")
    return inflated


def _json(message: Message) -> bytes:
    content = {
        "format": 1,
        "workspaceId": message.workspace_id,
        "correlationId": message.correlation_id,
        "acceptedAt": message.accepted_at,
        "properties": message.states[0].properties if message.states else {},
        "product": message.states[0].product if message.states else "",
        "incidents": _entities(message.states, Kind.INCIDENT),
        "reviews": _entities(message.states, Kind.REVIEW),
        "deleted": message.deleted,
        "containers": message.containers,
        "logoUrl": message.logo_url,
    }
    return pydantic_core.to_json(content)


def _encode(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode("ascii")


def _entities(states: Sequence[EntityState], kind: Kind) -> list[Any]:
    return [state.entity for state in states if state.kind is kind]


def _states(content: _Content) -> tuple[EntityState, ...]:
    states = tuple(
        EntityState(
            kind,
            entity,
            content.properties,
            content.acceptedAt,
            content.correlationId,
            content.product,
        )
        for kind, entities in (
            (Kind.INCIDENT, content.incidents),
            (Kind.REVIEW, content.reviews),
        )
        for entity in entities
    )
    for state in states:
        _Essentials.model_validate(state.entity)
    return states
