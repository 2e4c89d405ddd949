"""The queue of submissions. A message holds many entities of one submission:

    {"format": 1, "workspaceId", "correlationId", "acceptedAt", "properties"?, "product"?,
     "incidents": […], "reviews": […], "acceptedElsewhere"?: [ms, …], "deleted": [[kind, id], …],
     "containers": [id, …], "logoUrl"?, "services": [[id, name, url, changedAt], …], "offset"?}

as JSON, compressed with zlib, in base64, as SQS accepts text only. Compression fits ten times as
many entities into a message. `acceptedElsewhere` has a time for each incident, then for each
review, if another deployment accepted them; 0 stands for `acceptedAt`.
"""

import base64
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relay.aws import AWS_ERRORS
from relay.entities.fields import EntityId, SequenceNumber
from relay.entities.model import EntityKey, EntityState, Kind
from relay.entities.service import KnownService
from relay.entities.submission_id import submission_id
from relay.errors import Unavailable
from relay.queues.formats import refusal
from relay.telemetry import Metric, count, logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_FORMAT = 1
# SQS accepts 1 MiB, including its own metadata.
MESSAGE_BYTES_MAX = 1_000_000
# The JSON of a message's entities; the limit is that of one submission.
CONTENT_BYTES_MAX = 4 * 1024 * 1024
# A message's whole JSON, with ids and properties.
INFLATED_BYTES_MAX = CONTENT_BYTES_MAX + 1024 * 1024
# SQS's own limit per call of DeleteMessageBatch.
_DELETE_MAX = 10


def _now() -> int:
    return int(time.time() * 1000)


@dataclass(frozen=True, slots=True)
class Message:
    """`accepted_at`, in epoch milliseconds, is when the operations tool received its 202.

    `deleted` are entities that are recorded as deleted, and are to be deleted at the sites.
    `containers` are the ids of changed containers; `logo_url` is for those without an avatar.
    `services` are to become containers. Only `states` and `services` are split between messages:
    there are few of the others. `offset` is the number of the submission's states in the messages
    before this one. `size` is the JSON in bytes, if the message was received.
    """

    workspace_id: str
    correlation_id: str
    states: tuple[EntityState, ...] = ()
    accepted_at: int = field(default_factory=_now)
    deleted: tuple[EntityKey, ...] = ()
    containers: tuple[str, ...] = ()
    logo_url: str = ""
    services: tuple[KnownService, ...] = ()
    size: int = field(default=0, compare=False)
    offset: int = 0

    @property
    def submission_id(self) -> str:
        """Names the submission; its messages differ in their offset."""
        return submission_id(self.accepted_at, self.correlation_id)

    @property
    def keys(self) -> set[EntityKey]:
        """The entities of the message, deleted ones included."""
        return {*self.deleted, *(state.key for state in self.states)}


class _Essentials(BaseModel):
    """The fields that the record reads. A message without one of them was not sent by Relay."""

    model_config = ConfigDict(strict=True, defer_build=True)

    id: EntityId
    updateSequenceNumber: SequenceNumber
    lastUpdated: str
    status: str
    severity: dict[str, str] = Field(default_factory=dict)


class _Content(BaseModel):
    """The content of a message. Its entities were validated before they were queued."""

    model_config = ConfigDict(strict=True, defer_build=True)

    format: Literal[1]  # _FORMAT
    workspaceId: str
    correlationId: str
    acceptedAt: SequenceNumber
    properties: dict[str, str] = Field(default_factory=dict)
    product: str = ""
    incidents: Annotated[list[dict[str, Any]], Field(default_factory=list)]
    reviews: Annotated[list[dict[str, Any]], Field(default_factory=list)]
    acceptedElsewhere: Annotated[list[SequenceNumber], Field(default_factory=list)]
    deleted: Annotated[list[tuple[Kind, str]], Field(default_factory=list)]
    containers: Annotated[list[EntityId], Field(default_factory=list)]
    logoUrl: str = ""
    services: Annotated[list[tuple[EntityId, str, str, int]], Field(default_factory=list)]
    offset: Annotated[int, Field(ge=0)] = 0


def packed(message: Message) -> Iterator[tuple[Message, str]]:
    """Splits the message into as few as fit the queue's limits, in order, as (message, body).

    A valid entity is far smaller than a message, so the split always ends. Raises ValueError for an
    entity that does not fit.
    """
    services = sum(len(one.id) + len(one.name) + len(one.url) for one in message.services)
    if services + sum(len(state.as_json) for state in message.states) <= CONTENT_BYTES_MAX:
        content = _json(message)
        body = _encode(content)
        if len(content) <= INFLATED_BYTES_MAX and len(body) <= MESSAGE_BYTES_MAX:
            yield message, body
            return
    middle = len(message.states) // 2
    if not middle:
        yield from _packed_services(message)
        return
    yield from packed(replace(message, states=message.states[:middle]))
    rest, offset = message.states[middle:], message.offset + middle
    yield from packed(
        replace(message, states=rest, deleted=(), containers=(), services=(), offset=offset)
    )


def _packed_services(message: Message) -> Iterator[tuple[Message, str]]:
    middle = len(message.services) // 2
    if not middle:
        raise ValueError("an entity does not fit into a message")
    yield from packed(replace(message, services=message.services[:middle]))
    rest = message.services[middle:]
    yield from packed(replace(message, states=(), deleted=(), containers=(), services=rest))


def parse_message(body: str) -> Message:
    """The message. Raises ValueError, whose text can be logged, for a body that is not one, and
    NewerFormat for one of a newer version."""
    try:
        inflated = _inflated(body)
        content = _Content.model_validate_json(inflated)
        states = _states(content)
    except ValidationError as error:
        raise refusal(error, _FORMAT) from None
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
        tuple(KnownService(*service) for service in content.services),
        len(inflated),
        content.offset,
    )


def _inflated(body: str) -> bytes:
    deflated = base64.b64decode(body, validate=True)
    # Stop one byte after the limit, however much the body would decompress to.
    inflated = zlib.decompressobj().decompress(deflated, INFLATED_BYTES_MAX + 1)
    if len(inflated) > INFLATED_BYTES_MAX:
        raise ValueError(f"it decompresses to more than {INFLATED_BYTES_MAX} bytes")
    return inflated


def _json(message: Message) -> bytes:
    content: dict[str, Any] = {
        "format": _FORMAT,
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
        "offset": message.offset,
    }
    times = [state.accepted_at for kind in Kind for state in message.states if state.kind is kind]
    if any(times):
        content["acceptedElsewhere"] = times
    if message.services:
        services = [[one.id, one.name, one.url, one.changed_at] for one in message.services]
        content["services"] = services
    return pydantic_core.to_json(content)


def _encode(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode("ascii")


def _entities(states: Sequence[EntityState], kind: Kind) -> list[Any]:
    return [state.entity for state in states if state.kind is kind]


def _states(content: _Content) -> tuple[EntityState, ...]:
    lists = ((Kind.INCIDENT, content.incidents), (Kind.REVIEW, content.reviews))
    entities = [(kind, entity) for kind, found in lists for entity in found]
    times = content.acceptedElsewhere or [0] * len(entities)
    states = tuple(
        EntityState(
            kind,
            entity,
            content.properties,
            at or content.acceptedAt,
            content.correlationId,
            content.product,
        )
        for (kind, entity), at in zip(entities, times, strict=True)
    )
    for state in states:
        _Essentials.model_validate(state.entity)
    return states


class SubmissionsQueue:
    """Sends messages to the submitter, and acknowledges received ones. Failures are logged."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, message: Message, delay_seconds: int = 0) -> set[EntityKey]:
        """Queue the message, split if necessary; returns the entities that could not be queued."""
        return {key for part in self.unsent(message, delay_seconds) for key in part.keys}

    def unsent(self, message: Message, delay_seconds: int = 0) -> list[Message]:
        """Queue the message, split if necessary; returns the parts that could not be queued.

        After a failure, the remaining parts are not tried: they would fail too, while the caller
        waits.
        """
        parts = list(packed(message))
        for sent, (_, body) in enumerate(parts):
            try:
                self._sqs.send_message(
                    QueueUrl=self._url,
                    MessageBody=body,
                    MessageGroupId=message.workspace_id,
                    DelaySeconds=delay_seconds,
                )
            except AWS_ERRORS:
                logger.exception("A message could not be queued")
                return [part for part, _ in parts[sent:]]
            count(Metric.QUEUE_MESSAGES)
        return []

    def acknowledge(self, records: Sequence[dict[str, Any]]) -> None:
        """Delete these received messages. One that can't be deleted is redelivered."""
        for start in range(0, len(records), _DELETE_MAX):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
                for number, record in enumerate(records[start : start + _DELETE_MAX])
            ]
            try:
                self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            except AWS_ERRORS:
                logger.exception("Messages could not be acknowledged")


class ComponentChanges:
    """Queues changed containers for delivery as DevOps components, if the component module is
    on."""

    def __init__(self, queue: SubmissionsQueue, is_on: bool) -> None:
        self._queue = queue
        self._is_on = is_on

    def queue(
        self, workspace_id: str, container_ids: Sequence[str], logo_url: str, correlation_id: str
    ) -> None:
        """Queue containers that were saved or deleted. `logo_url` is for those without an avatar.

        Raises Unavailable if not all could be queued; repeating is safe.
        """
        message = Message(
            workspace_id, correlation_id, containers=tuple(container_ids), logo_url=logo_url
        )
        if self._is_on and self._queue.unsent(message):
            raise Unavailable("Not all components could be queued; try again.")
