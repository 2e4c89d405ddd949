"""Stores the newest state of each entity, and its outcome at each site.

| pk | sk | holds |
|---|---|---|
| `entity#<workspaceId>#<shard>` | `inc#<id>` or `rev#<id>` | an entity's newest state or deletion |
| `outcome#<workspaceId>#<tenantId>#<shard>` | the same | its outcome at that site |

Of an entity that the retention has removed, only the sequence is kept for a while: reads do not
find it, and older states are refused. Entities are in the order of `relay.keys.Shards`.
See `relay.record.outcomes` for an outcome's attribute `deleting`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from relay import keys
from relay.entities.model import EntityKey, EntityState, Kind, newest
from relay.record.entry import (
    BEFORE_ALL,
    EXPIRES,
    REMOVED,
    Deletion,
    Entry,
    Head,
    entity_deletion,
    entity_write,
    entry_of,
    head_of,
    sightings_of,
)
from relay.record.outcomes import (
    Outcome,
    OutcomeState,
    deletion_write,
    is_overtaken,
    outcome_write,
    stored_outcome,
)
from relay.record.transactions import RETRY_SECONDS, Transactions, Write, write_newest
from relay.record.walk import items_after
from relay.table import Item, Table, from_item, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The attributes of a head.
_HEAD = ("sk", "seq", "recordedAt", "deletedAt", REMOVED, "properties")
# Entries per read; 9 MB with the largest entities.
_ENTRIES_AT_ONCE = 25
# A state that was accepted before the deletion is outdated, whatever its sequence.
_NEWER_STATE = "seq < :seq AND (attribute_not_exists(deletedAt) OR deletedAt < :acceptedAt)"
_NEWER_DELETION = "seq <= :seq AND (attribute_not_exists(deletedAt) OR deletedAt <= :deletedAt)"
_NO_OLDER_OUTCOME = (
    "seq < :seq OR (seq = :seq AND (attribute_not_exists(generation) OR generation <= :generation))"
)
# A deletion that has started meanwhile may reach Jira after the state.
_NO_DELETION_STARTED = "attribute_not_exists(deleting) OR deleting < :generation"
_NO_NEWER_OUTCOME = "seq <= :seq"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The result of recording states.

    `new` were written. `same` are the recorded states of entities whose submitted state has the
    same sequence. `outdated` are older than the recorded state or the entity's deletion.
    """

    new: tuple[EntityState, ...]
    same: tuple[EntityState, ...]
    outdated: tuple[EntityState, ...]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """`next` is the key after which the next page starts; None at the end."""

    entries: list[Entry]
    next: EntityKey | None


class RecordStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)
        self._transactions = Transactions(dynamodb)

    def put_newest(
        self, workspace_id: str, states: Sequence[EntityState], seconds: float = RETRY_SECONDS
    ) -> Recorded:
        """Record the newest of these states of each entity, if it is newer than the recorded one.

        Writes are repeated for `seconds` if they are throttled. After an error, part of the states
        may be recorded; repeating is safe.
        """
        sightings = sightings_of(states)
        new = {keys.entity_sk(state.key): state for state in newest(states)}
        writes = [
            entity_write(workspace_id, state, sightings.get(state.key, {}))
            for state in new.values()
        ]
        refused = write_newest(self._transactions, self._table.name, writes, _NEWER_STATE, seconds)
        same, outdated = [], []
        for write, existing in refused:
            state = new.pop(write.sk)
            recorded = entry_of(existing).state
            if recorded and recorded.sequence == state.sequence:
                # Of two states with the same sequence, the recorded one is delivered.
                same.append(recorded)
            else:
                outdated.append(state)
        return Recorded(tuple(new.values()), tuple(same), tuple(outdated))

    def put_deletions(self, workspace_id: str, deletions: Sequence[Deletion]) -> list[EntityKey]:
        """Record deletions of different entities, each unless a state with a higher sequence or a
        later deletion is recorded; returns the deleted ones. Neither states accepted before the
        deletion nor those with a lower sequence restore them.
        """
        writes = [entity_deletion(workspace_id, deletion) for deletion in deletions]
        refused = write_newest(self._transactions, self._table.name, writes, _NEWER_DELETION)
        kept = {write.sk for write, _ in refused}
        return [one.key for one in deletions if keys.entity_sk(one.key) not in kept]

    def delete(self, workspace_id: str, entity: EntityKey) -> Entry:
        """Record the entity as deleted now. States that were accepted before can't restore it."""
        now = datetime.now(UTC)
        response = self._dynamodb.update_item(
            TableName=self._table.name,
            Key=key(*keys.entities(workspace_id).key_of(entity)),
            UpdateExpression="SET deletedAt = :now, seq = if_not_exists(seq, :lowest),"
            f" recordedAt = :at REMOVE entity, properties, product, {REMOVED}, {EXPIRES}",
            ExpressionAttributeValues=to_item(
                {
                    ":now": int(now.timestamp() * 1000),
                    ":lowest": BEFORE_ALL,
                    ":at": now.isoformat(),
                }
            ),
            ReturnValues="ALL_NEW",
        )
        return entry_of(from_item(response["Attributes"]))

    def get(self, workspace_id: str, entity: EntityKey) -> Entry | None:
        """The entity's entry; None if it was neither recorded nor deleted."""
        item = self._table.get(*keys.entities(workspace_id).key_of(entity))
        return entry_of(item) if item and REMOVED not in item else None

    def get_all(self, workspace_id: str, entities: Iterable[EntityKey]) -> list[Entry]:
        """The existing entries of a few entities; for many, see `first_of` and `heads_of`."""
        found = self._table.get_all(_keys(workspace_id, entities))
        return [entry_of(item) for item in found if REMOVED not in item]

    def first_of(
        self, workspace_id: str, entities: Sequence[EntityKey], bytes_max: int
    ) -> tuple[list[Entry], int]:
        """Read the existing entries of these entities until they have `bytes_max` bytes.

        Returns the entries, in no order, and how many of the entities were looked up.
        """
        found: list[Entry] = []
        for start in range(0, len(entities), _ENTRIES_AT_ONCE):
            batch = entities[start : start + _ENTRIES_AT_ONCE]
            found += self.get_all(workspace_id, batch)
            if sum(entry.size for entry in found) >= bytes_max:
                return found, start + len(batch)
        return found, len(entities)

    def heads_of(self, workspace_id: str, entities: Iterable[EntityKey]) -> list[Head]:
        """The existing heads of these entities, in no order."""
        found = self._table.get_all(_keys(workspace_id, entities), _HEAD)
        return [head_of(item) for item in found if REMOVED not in item]

    def entries(
        self,
        workspace_id: str,
        after: EntityKey | None = None,
        limit: int = 0,
        kind: Kind | None = None,
    ) -> Iterator[Entry]:
        """A workspace's entries in the record's order, after `after`; with `limit` 0, all."""
        shards = keys.entities(workspace_id)
        found = items_after(self._table, shards, after, limit, kind, without=(REMOVED,))
        return map(entry_of, found)

    def page(
        self,
        workspace_id: str,
        after: EntityKey | None,
        limit: int,
        kind: Kind | None,
        bytes_max: int,
        *,
        with_removed: bool = False,
    ) -> EntryPage:
        """The next entries of this kind, or of all: at most `limit`, with at most `bytes_max` bytes
        of entities, but at least one entry; `with_removed` also removed ones."""
        entries: list[Entry] = []
        size = 0
        shards, without = keys.entities(workspace_id), () if with_removed else (REMOVED,)
        found = items_after(self._table, shards, after, limit, kind, without=without)
        for entry in map(entry_of, found):
            size += entry.size
            if entries and size > bytes_max:
                return EntryPage(entries, entries[-1].key)
            entries.append(entry)
        return EntryPage(entries, entries[-1].key if len(entries) == limit else None)

    def heads(
        self, workspace_id: str, after: EntityKey | None = None, limit: int = 0
    ) -> Iterator[Head]:
        """The same as `entries`, without the entities."""
        shards = keys.entities(workspace_id)
        found = items_after(self._table, shards, after, limit, attributes=_HEAD, without=(REMOVED,))
        return map(head_of, found)

    def count(
        self, workspace_id: str, after: EntityKey | None = None
    ) -> tuple[int, EntityKey | None]:
        """How many entries one call counts after `after`, and the last key; None at the end. Their
        order is by shard, whatever their kind.

        A call of DynamoDB counts at most one megabyte of entries.
        """
        counted = 0
        for pk, start in keys.entities(workspace_id).after(after):
            more, last = self._table.count(pk, start, without=(REMOVED,))
            counted += more
            if last:
                return counted, keys.entity_of(last)
        return counted, None

    def save_outcomes(
        self, workspace_id: str, tenant_id: str, outcomes: Iterable[Outcome]
    ) -> list[EntityKey]:
        """Save outcomes. The outcome of an older state never replaces that of a newer one.

        Returns the entities whose outcome is not saved because a deletion of an older state at the
        site has started meanwhile (see `begin_deletions`): it is unknown whether the site still has
        the newer state.
        """
        condition = f"({_NO_OLDER_OUTCOME}) AND ({_NO_DELETION_STARTED})"
        refused = self._save(workspace_id, tenant_id, outcomes, condition)
        return [keys.entity_of(write.sk) for write, item in refused if is_overtaken(write, item)]

    def end_deletions(self, workspace_id: str, tenant_id: str, outcomes: Iterable[Outcome]) -> None:
        """Save the outcomes of deletions, which ends them; those that are owed do not end."""
        self._save(workspace_id, tenant_id, outcomes, _NO_OLDER_OUTCOME)

    def _save(
        self, workspace_id: str, tenant_id: str, outcomes: Iterable[Outcome], condition: str
    ) -> list[tuple[Write, Item]]:
        writes = [
            outcome_write(workspace_id, tenant_id, outcome)
            for outcome in outcomes
            if outcome.state is not OutcomeState.OWED
        ]
        return write_newest(self._transactions, self._table.name, writes, condition)

    def begin_deletions(
        self, workspace_id: str, tenant_id: str, entries: Sequence[Head], generation: int
    ) -> list[Head]:
        """Note that deletions start at a site; returns those that may be sent.

        Jira's deletion has no sequence, so it deletes whatever state the site has. Entities with an
        outcome of a newer state are left out. Until a deletion ends, by its outcome or a later
        generation, no outcome of a newer state is saved.
        """
        writes = [deletion_write(workspace_id, tenant_id, entry, generation) for entry in entries]
        refused = write_newest(self._transactions, self._table.name, writes, _NO_NEWER_OUTCOME)
        newer = {write.sk for write, _ in refused}
        return [entry for entry in entries if keys.entity_sk(entry.key) not in newer]

    def outcomes(
        self, workspace_id: str, tenant_id: str, kind: Kind | None = None, limit: int = 0
    ) -> Iterator[Outcome]:
        """The link's outcomes in the record's order; with `limit` 0, all."""
        shards = keys.outcomes(workspace_id, tenant_id)
        found = items_after(self._table, shards, None, limit, kind)
        return map(stored_outcome, found)

    def outcomes_of(
        self, workspace_id: str, tenant_id: str, entities: Iterable[EntityKey]
    ) -> dict[EntityKey, Outcome]:
        """The existing outcomes of these entities at a site."""
        shards = keys.outcomes(workspace_id, tenant_id)
        items = self._table.get_all([shards.key_of(entity) for entity in entities])
        return {outcome.key: outcome for outcome in map(stored_outcome, items)}


def _keys(workspace_id: str, entities: Iterable[EntityKey]) -> list[keys.Key]:
    shards = keys.entities(workspace_id)
    return [shards.key_of(entity) for entity in entities]
