"""The record's table.

| pk | sk | holds |
|---|---|---|
| `entity#<workspaceId>` | `inc#<id>` or `rev#<id>` | its newest state, or its deletion |
| `outcome#<workspaceId>#<tenantId>` | the same | what became of it at that site |

Both are in the order of `sk`, so that walking the two side by side shows what a site is owed. An
outcome's `deleting` is the generation in which the site was told to delete the entity, until that
is answered.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from relay import keys
from relay.entities.model import EntityKey, EntityState, Kind, newest
from relay.record.entry import Entry, Head, entity_write, entry_of, head_of, sightings_of
from relay.record.outcomes import (
    Outcome,
    OutcomeState,
    deletion_write,
    is_overtaken,
    outcome_write,
    stored_outcome,
)
from relay.record.transactions import Transactions, Write, write_newest
from relay.table import Item, Table, from_item, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Lower than any sequence: the place of a deletion of what was never recorded.
_BEFORE_ALL = -(2**63) - 1
# All that a head is made of.
_HEAD = ("sk", "seq", "recordedAt", "deletedAt", "properties")
# Whole entries per read: with the largest entities these are 9 MB.
_ENTRIES_AT_ONCE = 25
# A state that was accepted before the deletion is a late one, whatever its sequence.
_NEWER_STATE = "seq < :seq AND (attribute_not_exists(deletedAt) OR deletedAt < :acceptedAt)"
_NO_OLDER_OUTCOME = (
    "seq < :seq OR (seq = :seq AND (attribute_not_exists(generation) OR generation <= :generation))"
)
# A deletion that the site was told of meanwhile may reach Jira after the state that was sent.
_NONE_DELETING = "attribute_not_exists(deleting) OR deleting < :generation"
_NO_NEWER_OUTCOME = "seq <= :seq"


@dataclass(frozen=True, slots=True)
class Recorded:
    """How the record took the states: written; of the same sequence as the recorded state, which
    stands here; older than the recorded one, or than the entity's deletion."""

    new: tuple[EntityState, ...]
    same: tuple[EntityState, ...]
    outdated: tuple[EntityState, ...]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """`next` is the key to go on after; None at the end."""

    entries: list[Entry]
    next: EntityKey | None


class RecordStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)
        self._transactions = Transactions(dynamodb)

    def put_newest(self, workspace_id: str, states: Sequence[EntityState]) -> Recorded:
        """Record each entity's newest of these states, where it is newer than the recorded one.

        Raises Unavailable, or an AWS error, with part of the states recorded; repeating is safe.
        """
        sightings = sightings_of(states)
        kept = {keys.entity_sk(state.key): state for state in newest(states)}
        writes = [
            entity_write(workspace_id, state, sightings.get(state.key, {}))
            for state in kept.values()
        ]
        refused = write_newest(self._transactions, self._table.name, writes, _NEWER_STATE)
        same, outdated = [], []
        for write, there in refused:
            state = kept.pop(write.sk)
            recorded = entry_of(there).state
            if recorded and recorded.sequence == state.sequence:
                # Of two states with one sequence, the recorded one is the one to go by.
                same.append(recorded)
            else:
                outdated.append(state)
        return Recorded(tuple(kept.values()), tuple(same), tuple(outdated))

    def delete(self, workspace_id: str, entity: EntityKey) -> Entry:
        """Remember the entity as deleted, now; a state that was accepted before can't return."""
        now = datetime.now(UTC)
        answer = self._dynamodb.update_item(
            TableName=self._table.name,
            Key=key(keys.entities(workspace_id), keys.entity_sk(entity)),
            UpdateExpression="SET deletedAt = :now, seq = if_not_exists(seq, :lowest),"
            " recordedAt = :at REMOVE entity, properties, product",
            ExpressionAttributeValues=to_item(
                {
                    ":now": int(now.timestamp() * 1000),
                    ":lowest": _BEFORE_ALL,
                    ":at": now.isoformat(),
                }
            ),
            ReturnValues="ALL_NEW",
        )
        return entry_of(from_item(answer["Attributes"]))

    def get(self, workspace_id: str, entity: EntityKey) -> Entry | None:
        item = self._table.get(keys.entities(workspace_id), keys.entity_sk(entity))
        return entry_of(item) if item else None

    def get_all(self, workspace_id: str, entities: Iterable[EntityKey]) -> list[Entry]:
        """Of a few entities; see `first_of` and `heads_of` for many."""
        return [entry_of(item) for item in self._table.get_all(_keys(workspace_id, entities))]

    def first_of(
        self, workspace_id: str, entities: Sequence[EntityKey], bytes_max: int
    ) -> tuple[list[Entry], int]:
        """The entries of the first of these entities, in no order, until they hold `bytes_max`; and
        how many entities were looked up."""
        found: list[Entry] = []
        for start in range(0, len(entities), _ENTRIES_AT_ONCE):
            batch = entities[start : start + _ENTRIES_AT_ONCE]
            found += self.get_all(workspace_id, batch)
            if sum(entry.size for entry in found) >= bytes_max:
                return found, start + len(batch)
        return found, len(entities)

    def heads_of(self, workspace_id: str, entities: Iterable[EntityKey]) -> list[Head]:
        return [head_of(item) for item in self._table.get_all(_keys(workspace_id, entities), _HEAD)]

    def entries(
        self,
        workspace_id: str,
        after: EntityKey | None = None,
        limit: int = 0,
        kind: Kind | None = None,
    ) -> Iterator[Entry]:
        """The entries of a workspace in the order of their keys, from `after` on."""
        start = keys.entity_sk(after) if after else ""
        prefix = keys.kind_prefix(kind) if kind else ""
        pk = keys.entities(workspace_id)
        return map(entry_of, self._table.query(pk, prefix, after=start, limit=limit))

    def page(
        self, workspace_id: str, after: EntityKey | None, limit: int, kind: Kind, bytes_max: int
    ) -> EntryPage:
        """The next entries of this kind: at most `limit` of them, and `bytes_max` of entities, but
        one entry in any case."""
        entries: list[Entry] = []
        size = 0
        for entry in self.entries(workspace_id, after, limit, kind):
            size += entry.size
            if entries and size > bytes_max:
                return EntryPage(entries, entries[-1].key)
            entries.append(entry)
        return EntryPage(entries, entries[-1].key if len(entries) == limit else None)

    def heads(
        self, workspace_id: str, after: EntityKey | None = None, limit: int = 0
    ) -> Iterator[Head]:
        """As `entries`, without the entities."""
        start = keys.entity_sk(after) if after else ""
        pk = keys.entities(workspace_id)
        return map(head_of, self._table.query(pk, after=start, limit=limit, attributes=_HEAD))

    def count(
        self, workspace_id: str, after: EntityKey | None = None
    ) -> tuple[int, EntityKey | None]:
        """How many entries there are from `after` on, and where to go on; None at the end.

        One call of DynamoDB, so at most a megabyte of entries is counted.
        """
        start = keys.entity_sk(after) if after else ""
        counted, last = self._table.count(keys.entities(workspace_id), start)
        return counted, keys.entity_of(last) if last else None

    def save_outcomes(
        self, workspace_id: str, tenant_id: str, outcomes: Iterable[Outcome]
    ) -> list[EntityKey]:
        """Keep what became of each entity; an outcome of an older state never replaces a newer.

        Returns those that are not kept because the site was told to delete an older state of them
        meanwhile (see `begin_deletions`): whether it still has the newer one, nobody knows.
        """
        condition = f"({_NO_OLDER_OUTCOME}) AND ({_NONE_DELETING})"
        refused = self._save(workspace_id, tenant_id, outcomes, condition)
        return [keys.entity_of(write.sk) for write, there in refused if is_overtaken(write, there)]

    def end_deletions(self, workspace_id: str, tenant_id: str, outcomes: Iterable[Outcome]) -> None:
        """Keep what became of deletions that were begun; those that are owed stay begun."""
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
        """Note these before a site is told to delete them; returns those that it may be told.

        Jira's deletion has no sequence, so it takes whatever is there. Left out is what the site
        has taken a newer state of; and until the note goes, with the outcome of the deletion or a
        later generation, no outcome of a newer state is kept.
        """
        writes = [deletion_write(workspace_id, tenant_id, entry, generation) for entry in entries]
        refused = write_newest(self._transactions, self._table.name, writes, _NO_NEWER_OUTCOME)
        newer = {write.sk for write, _ in refused}
        return [entry for entry in entries if keys.entity_sk(entry.key) not in newer]

    def outcomes(
        self, workspace_id: str, tenant_id: str, kind: Kind | None = None, limit: int = 0
    ) -> Iterator[Outcome]:
        """Every outcome of a workspace at a site, in the order of its key."""
        prefix = keys.kind_prefix(kind) if kind else ""
        pk = keys.outcomes(workspace_id, tenant_id)
        return map(stored_outcome, self._table.query(pk, prefix, limit=limit))

    def outcomes_of(
        self, workspace_id: str, tenant_id: str, entities: Iterable[EntityKey]
    ) -> dict[EntityKey, Outcome]:
        """The outcomes of these entities at a site, where there are any."""
        pk = keys.outcomes(workspace_id, tenant_id)
        items = self._table.get_all([(pk, keys.entity_sk(entity)) for entity in entities])
        return {outcome.key: outcome for outcome in map(stored_outcome, items)}


def _keys(workspace_id: str, entities: Iterable[EntityKey]) -> list[tuple[str, str]]:
    return [(keys.entities(workspace_id), keys.entity_sk(entity)) for entity in entities]
