"""The webhooks of sources: verified, translated, queued, noted."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.catalog.source_alarms import SourceAlarmStore
from relay.catalog.source_deliveries import (
    SourceDelivery,
    SourceDeliveryStore,
    now_text,
)
from relay.catalog.sources import DeliveryState, Source, SourceStore
from relay.entities.document import DETAILS_SHOWN_MAX, check_size
from relay.entities.submission_id import submission_id
from relay.errors import BadRequest, Detail, RelayError, Unauthenticated, Unavailable
from relay.provider.deletions import EntityDeleter
from relay.queues.submissions import Message, SubmissionsQueue
from relay.record.entry import Deletion
from relay.sources.changes import Reading
from relay.sources.episodes import KeptAlarm
from relay.sources.mapping import Mapped, SourceContext, mapped
from relay.sources.payload import BODY_BYTES_MAX, read_payload
from relay.sources.signatures import Call
from relay.sources.tool import tool_of
from relay.table import TABLE_ERRORS
from relay.telemetry import Metric, count, logger

_DETAILS_SHOWN = 3
# At an alarm of which other events came at the same moment.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """What a call's entities are queued with: the workspace's URL, for what has none of its own;
    the logo, for containers without an avatar, or empty; the id of the call in the logs."""

    workspace_url: str
    logo_url: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a call; `refused` are the parts of it of which Relay can make nothing."""

    delivery: SourceDelivery
    refused: Sequence[Detail]


class SourceIntake:
    """Takes the calls of sources' webhooks. After the queue, all is as with a submission."""

    def __init__(
        self,
        sources: SourceStore,
        deliveries: SourceDeliveryStore,
        alarms: SourceAlarmStore,
        queue: SubmissionsQueue,
        deleter: EntityDeleter,
    ) -> None:
        self._sources = sources
        self._deliveries = deliveries
        self._alarms = alarms
        self._queue = queue
        self._deleter = deleter

    def take(self, source: Source, call: Call, origin: Origin) -> Taken:
        """Queue what the call says, and note it among the source's deliveries.

        Raises Unauthenticated for a wrong signature; TooLarge and BadRequest for a body that is not
        the tool's. Raises Unavailable or an AWS error if not everything could be queued: the tool
        sends it again, which is safe.
        """
        accepted_at = int(time.time() * 1000)
        id_, at = submission_id(accepted_at, origin.correlation_id), now_text()
        try:
            self._verify(source, call)
            reading = read(source, call.body)
            found = self._mapped(source, reading, origin.workspace_url)
        except RelayError as error:
            if error.is_final:
                self._note(source, SourceDelivery(id_, at, "", "refused", _reason(error)))
            raise
        self._queue_all(source, found, accepted_at, origin)
        has_any = bool(found.keys or found.services)
        reason = _text(found.refused) if has_any else found.ignored
        state: DeliveryState = "taken" if has_any else "ignored"
        delivery = SourceDelivery(id_, at, reading.event, state, reason, found.keys)
        self._note(source, delivery)
        return Taken(delivery, found.refused)

    def _verify(self, source: Source, call: Call) -> None:
        """Before anything is parsed, and over the bytes as they arrived."""
        check_size(call.body, BODY_BYTES_MAX)
        tool = tool_of(source.kind)
        secret = self._sources.secret_of(source)
        if tool.verify and secret is not None:
            tool.verify(call, secret, source.settings)
        elif tool.signing in ("tool", "user"):
            raise Unauthenticated("the source has no secret")

    def _mapped(self, source: Source, reading: Reading, workspace_url: str) -> Mapped:
        """What is kept of the alarms is saved before anything is queued."""
        for _ in range(_ATTEMPTS):
            before = self._alarms.of(source, reading.alarms) if reading.alarms else {}
            found = mapped_for(source, reading, workspace_url, before)
            if self._alarms.save(source, before, found.alarms):
                return found
        raise Unavailable("Other events of the same alarm came at once; send it again.")

    def _queue_all(self, source: Source, found: Mapped, accepted_at: int, origin: Origin) -> None:
        workspace_id, correlation_id = source.workspace_id, origin.correlation_id
        for one in found.deletions:
            deletion = Deletion(one.key, one.sequence, accepted_at)
            self._deleter.delete_as_of(workspace_id, [deletion], correlation_id)
        if not found.states and not found.services:
            return
        message = Message(
            workspace_id,
            correlation_id,
            tuple(found.states),
            accepted_at,
            logo_url=origin.logo_url,
            services=tuple(found.services),
        )
        if self._queue.unsent(message):
            raise Unavailable("Not everything could be queued; send it again.")
        count(Metric.SUBMITTED, len(found.states))

    def _note(self, source: Source, delivery: SourceDelivery) -> None:
        """The entities are queued, or refused, whether this succeeds or not."""
        count(_METRICS[delivery.state])
        logger.info(
            "A source was called",
            workspace_id=source.workspace_id,
            source_id=source.id,
            kind=source.kind,
            state=delivery.state,
            entities=len(delivery.entities),
        )
        try:
            self._deliveries.note(source, delivery)
        except TABLE_ERRORS:
            logger.exception("A source's delivery could not be noted")


_METRICS = {
    "taken": Metric.SOURCE_CALLS_TAKEN,
    "ignored": Metric.SOURCE_CALLS_IGNORED,
    "refused": Metric.SOURCE_CALLS_REFUSED,
}


def read(source: Source, body: bytes) -> Reading:
    """What the body says. Raises BadRequest if it is not the tool's; TooLarge."""
    check_size(body, BODY_BYTES_MAX)
    return tool_of(source.kind).read(read_payload(body), source.settings)


def mapped_for(
    source: Source, reading: Reading, workspace_url: str, alarms: Mapping[str, KeptAlarm]
) -> Mapped:
    """What Jira would get. Raises BadRequest if nothing in it can be mapped."""
    title = tool_of(source.kind).title
    context = SourceContext(source.kind, title, source.settings, workspace_url, alarms)
    found = mapped(reading, context)
    if found.refused and not (found.keys or found.services):
        message = "Nothing in this payload can be mapped to an incident."
        raise BadRequest(message, found.refused[:DETAILS_SHOWN_MAX], code="wrong_payload")
    return found


def _reason(error: RelayError) -> str:
    if isinstance(error, Unauthenticated):
        return error.reason
    return " ".join(filter(None, (error.message, _text(error.details))))


def _text(details: Sequence[Detail]) -> str:
    shown = "; ".join(f"{one.path or 'body'}: {one.message}" for one in details[:_DETAILS_SHOWN])
    more = len(details) - _DETAILS_SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown
