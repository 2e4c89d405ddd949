"""The record's entry of one entity, and how it is written to and read from its item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pydantic_core

from relay import keys
from relay.entities.model import EntityKey, EntityState, Kind, Sighting
from relay.entities.moment import moment_of
from relay.record.transactions import Write
from relay.table import Item

# Lower than any sequence: that of a deleted entity that was never recorded.
BEFORE_ALL = -(2**63) - 1
# An attribute of an entity that the retention has removed: the start of the pass that did. Such an
# item has only the sequence, which refuses older states; DynamoDB deletes it at `expires`.
REMOVED = "removedAt"
EXPIRES = "expires"
# Prefix of the attributes that date the first sighting of a status and severity.
_SEEN = "seen:"


@dataclass(frozen=True, slots=True)
class Head:
    """An entry without the entity, which may have 350 KB, so that many fit into memory.

    `recorded_at` is an RFC 3339 date-time; `deleted_at` is in epoch milliseconds, or None. So is
    `removed_at`: when the retention's pass began that removed the entity.
    """

    key: EntityKey
    sequence: int
    recorded_at: str
    deleted_at: int | None
    removed_at: int | None
    properties: Mapping[str, str]

    @property
    def is_deleted(self) -> bool:
        """Whether the operations tool has deleted the entity."""
        return self.deleted_at is not None


@dataclass(frozen=True, slots=True)
class Entry(Head):
    """`entity` is None if it is deleted; `size` is its JSON in bytes; `timeline` is in order.

    `accepted_at` is when the state's submission was accepted, in epoch milliseconds.
    """

    accepted_at: int
    correlation_id: str | None
    entity: Mapping[str, Any] | None
    product: str
    timeline: tuple[Sighting, ...]
    size: int

    @property
    def state(self) -> EntityState | None:
        """The recorded state; None if the entity is deleted."""
        if self.entity is None:
            return None
        return EntityState(self.key.kind, self.entity, self.properties, product=self.product)


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deletion with its own sequence and time. `sequence` is BEFORE_ALL if the entity was never
    submitted; `deleted_at` is in epoch milliseconds.
    """

    key: EntityKey
    sequence: int
    deleted_at: int

    def merged_with(self, head: Head | None) -> "Deletion | None":
        """The deletion to record in place of this entry of the entity; None if the entry stays.

        Of two deletions, the later time and the higher sequence stay.
        """
        if head is None:
            return self
        if head.deleted_at is None:
            return self if head.sequence <= self.sequence else None
        known = Deletion(self.key, head.sequence, head.deleted_at)
        both = Deletion(
            self.key,
            max(self.sequence, head.sequence),
            max(self.deleted_at, head.deleted_at),
        )
        return both if both != known else None


def sightings_of(states: Iterable[EntityState]) -> dict[EntityKey, dict[str, str]]:
    """For each incident, the attributes that date the first sighting of each status and severity.

    There is one per pair of status and severity, so that an item stays small however often its
    incident changes.
    """
    found: dict[EntityKey, dict[str, str]] = {}
    for state in states:
        if state.kind is Kind.INCIDENT:
            severity = state.entity.get("severity", {}).get("level", "")
            seen = found.setdefault(state.key, {})
            name = f"{_SEEN}{state.entity['status']}:{severity}"
            seen.setdefault(name, state.entity["lastUpdated"])
    return found


def entity_write(workspace_id: str, state: EntityState, sightings: dict[str, str]) -> Write:
    """The write of a state; its condition compares `seq` and `acceptedAt`."""
    values: dict[str, Any] = {
        "seq": state.sequence,
        "acceptedAt": state.accepted_at,
        "entity": state.as_json.decode(),
        "properties": dict(state.properties) or None,
        "product": state.product or None,
        "correlationId": state.correlation_id,
        "recordedAt": datetime.now(UTC).isoformat(),
        "deletedAt": None,
        REMOVED: None,
        EXPIRES: None,
    }
    return Write(
        *keys.entities(workspace_id).key_of(state.key),
        values,
        at_first=sightings,
        against={"acceptedAt": state.accepted_at},
    )


def entity_deletion(workspace_id: str, deletion: Deletion) -> Write:
    """The write of a deletion; its condition compares `seq` and `deletedAt`."""
    return Write(
        *keys.entities(workspace_id).key_of(deletion.key),
        {
            "seq": deletion.sequence,
            "deletedAt": deletion.deleted_at,
            "recordedAt": datetime.now(UTC).isoformat(),
            "entity": None,
            "properties": None,
            "product": None,
            REMOVED: None,
            EXPIRES: None,
        },
        against={"deletedAt": deletion.deleted_at},
    )


def removed_item(workspace_id: str, head: Head, removed_at: int, expires: int) -> Item:
    """The item in place of an entity that is removed: neither texts nor sightings.

    `expires` is in epoch seconds.
    """
    pk, sk = keys.entities(workspace_id).key_of(head.key)
    kept = {"seq": head.sequence, "recordedAt": head.recorded_at}
    return {"pk": pk, "sk": sk, **kept, REMOVED: removed_at, EXPIRES: expires}


def head_of(item: Item) -> Head:
    """The head in an item, which may lack the entity."""
    return Head(**_head_values(item))


def _head_values(item: Item) -> dict[str, Any]:
    return {
        "key": keys.entity_of(item["sk"]),
        "sequence": int(item["seq"]),
        "recorded_at": item["recordedAt"],
        "deleted_at": _time(item, "deletedAt"),
        "removed_at": _time(item, REMOVED),
        "properties": item.get("properties", {}),
    }


def _time(item: Item, name: str) -> int | None:
    return int(item[name]) if name in item else None


def entry_of(item: Item) -> Entry:
    """The entry in an item."""
    recorded_at = round(moment_of(item["recordedAt"]).timestamp() * 1000)
    entity = item["entity"].encode() if "entity" in item else b""
    timeline = [
        Sighting(at, *_status_and_severity(name))
        for name, at in item.items()
        if name.startswith(_SEEN)
    ]
    return Entry(
        **_head_values(item),
        accepted_at=int(item.get("acceptedAt", recorded_at)),
        correlation_id=item.get("correlationId"),
        entity=pydantic_core.from_json(entity) if entity else None,
        product=item.get("product", ""),
        timeline=tuple(sorted(timeline, key=lambda sighting: moment_of(sighting.at))),
        size=len(entity),
    )


def _status_and_severity(name: str) -> tuple[str, str | None]:
    status, _, severity = name.removeprefix(_SEEN).partition(":")
    return status, severity or None
