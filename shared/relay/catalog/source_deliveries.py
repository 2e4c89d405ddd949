"""What came of the calls of a source's webhook: the last two weeks, without the bodies."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from relay import keys
from relay.catalog.sources import DeliveryState, Source
from relay.entities.model import EntityKey, Kind
from relay.table import Item, Table, from_item, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT_SECONDS = 14 * 86_400
# An item holds 400 KB; a name may have 246 characters of four bytes.
ENTITIES_SHOWN = 100
_REASON_MAX = 1_000
# A search for one state reads this many calls at most per page.
_READ_MAX = 1_000
# Seconds after which a source that refuses everything is counted; a day after its last call, it is
# no longer: its tool has stopped calling.
_REFUSING_SECONDS = 3_600
_FORGOTTEN_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class SourceDelivery:
    """One call of a webhook. `id` is also that of the submission that came of it; `event` is the
    tool's name of what happened, empty if it could not be read."""

    id: str
    at: str
    event: str
    state: DeliveryState
    reason: str = ""
    entities: Sequence[EntityKey] = ()


class SourceDeliveryStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def note(self, source: Source, delivery: SourceDelivery) -> None:
        """Save a delivery, and count it, unless the source has been deleted."""
        now = int(time.time())
        item: Item = {
            "pk": keys.source_deliveries(source.workspace_id, source.id),
            "sk": delivery.id,
            "at": delivery.at,
            "event": delivery.event[:_REASON_MAX],
            "state": delivery.state,
            "reason": delivery.reason[:_REASON_MAX] or None,
            "entities": [[kind.value, id_] for kind, id_ in delivery.entities[:ENTITIES_SHOWN]],
            "expires": now + _KEPT_SECONDS,
        }
        before = self._count(source, delivery)
        if before is None:
            return
        self._table.put(item)
        place = keys.refusing_source(source.workspace_id, source.id)
        if delivery.state == "refused":
            self._note_refusal(place, now)
        elif before == "refused":
            self._table.write_all(deletes=[place])

    def page(
        self, source: Source, state: DeliveryState | None, after: str, limit: int
    ) -> tuple[list[SourceDelivery], str | None]:
        """At most `limit` deliveries, newest first, and the cursor of the next page.

        With a `state`, a page may hold fewer without being the last.
        """
        found: list[SourceDelivery] = []
        read, last = 0, ""
        for delivery in self._newest_first(source, after):
            read, last = read + 1, delivery.id
            if state in (None, delivery.state):
                found.append(delivery)
            if len(found) == limit or read == _READ_MAX:
                return found, last
        return found, None

    def refusing(self) -> int:
        """How many sources have refused every call for an hour, and were called within a day."""
        now = time.time()
        places = [
            keys.source(*item["sk"].split("#"))
            for item in self._table.query(keys.REFUSING_SOURCES)
            if item["since"] <= now - _REFUSING_SECONDS and item["last"] >= now - _FORGOTTEN_SECONDS
        ]
        # Of two calls at once, the accepted one may have been listed first.
        found = self._table.get_all(places, ["lastState"])
        return sum(item.get("lastState") == "refused" for item in found)

    def _newest_first(self, source: Source, after: str) -> Iterator[SourceDelivery]:
        now = time.time()
        # Those of an earlier source with this id are not this source's.
        first = int(datetime.fromisoformat(source.created_at).timestamp() * 1000)
        pk = keys.source_deliveries(source.workspace_id, source.id)
        for item in self._table.query(pk, after=after, page_size=100, newest=True):
            if item["sk"] < str(first):
                return
            if item["expires"] > now:  # DynamoDB deletes later
                yield _delivery(item)

    def _count(self, source: Source, delivery: SourceDelivery) -> str | None:
        """The state of the source's last call before this one, "" for none; None if the source has
        been deleted, and perhaps made again."""
        try:
            response = self._dynamodb.update_item(
                TableName=self._table.name,
                Key=key(*keys.source(source.workspace_id, source.id)),
                UpdateExpression="SET lastAt = :at, lastState = :state ADD #count :one",
                ConditionExpression="createdAt = :createdAt",
                ExpressionAttributeNames={"#count": delivery.state},
                ExpressionAttributeValues=to_item(
                    {
                        ":at": delivery.at,
                        ":state": delivery.state,
                        ":one": 1,
                        ":createdAt": source.created_at,
                    }
                ),
                ReturnValues="UPDATED_OLD",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        return str(from_item(response.get("Attributes", {})).get("lastState", ""))

    def _note_refusal(self, place: keys.Key, now: int) -> None:
        self._dynamodb.update_item(
            TableName=self._table.name,
            Key=key(*place),
            UpdateExpression="SET since = if_not_exists(since, :now), #last = :now",
            ExpressionAttributeNames={"#last": "last"},
            ExpressionAttributeValues=to_item({":now": now}),
        )


def now_text() -> str:
    """The time, as deliveries show it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _delivery(item: Item) -> SourceDelivery:
    return SourceDelivery(
        item["sk"],
        item["at"],
        item["event"],
        item["state"],
        item.get("reason", ""),
        [EntityKey(Kind(kind), id_) for kind, id_ in item["entities"]],
    )
