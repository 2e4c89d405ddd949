"""Removing entities from the record, and how far the pass over it has come.

| pk | sk | holds |
|---|---|---|
| `retention` | `pass` | the current or last pass: `workspaceId`, `after`, `startedAt`, `isDone` |
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relay import keys
from relay.entities.model import EntityKey
from relay.record.associations import AssociationStore
from relay.record.entry import Head, removed_item
from relay.record.outcomes import Outcome
from relay.record.transactions import Transactions
from relay.table import Table, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Thirty days: longer than a message waits in a queue, and then as a dead letter.
_SEQUENCE_SECONDS = 30 * 86_400
# The start of a deletion at the site does not change `at`.
_SAME_OUTCOME = "seq = :seq AND #at = :at AND attribute_not_exists(deleting)"


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass over all workspaces. It continues in `workspace_id`, after the entity `after`; None
    for the workspace's first. `started_at` is in epoch milliseconds. One that is done has neither.
    """

    started_at: int = 0
    workspace_id: str = ""
    after: EntityKey | None = None
    is_done: bool = True


class RetentionStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)
        self._associations = AssociationStore(dynamodb, table)
        self._transactions = Transactions(dynamodb)

    def last_pass(self) -> Pass:
        """The current pass, or else the last one."""
        item = self._table.get(*keys.RETENTION)
        if item is None:
            return Pass()
        after = keys.entity_of(item["after"]) if item.get("after") else None
        return Pass(int(item["startedAt"]), item["workspaceId"], after, item["isDone"])

    def save_pass(self, saved: Pass) -> None:
        """Save where the pass continues."""
        pk, sk = keys.RETENTION
        self._table.put(
            {
                "pk": pk,
                "sk": sk,
                "startedAt": saved.started_at,
                "workspaceId": saved.workspace_id,
                "after": keys.entity_sk(saved.after) if saved.after else None,
                "isDone": saved.is_done,
            }
        )

    def restart_pass_in(self, workspace_id: str) -> None:
        """Let the pass begin again if it has stopped in this workspace."""
        if self.last_pass().workspace_id == workspace_id:
            self._table.write_all(deletes=[keys.RETENTION])

    def remove(self, workspace_id: str, entries: Iterable[Head], removed_at: int) -> set[EntityKey]:
        """Remove these entries, unless they have changed since they were read; returns the removed
        ones. Removing twice changes nothing. `removed_at` is when the pass began.

        The sequence is kept for a while: nothing else refuses an older state that is still on its
        way, such as in a dead letter.
        """
        expires = int(time.time()) + _SEQUENCE_SECONDS

        def removal(entry: Head) -> dict[str, Any]:
            item = removed_item(workspace_id, entry, removed_at, expires)
            return {
                "Put": {
                    "TableName": self._table.name,
                    "Item": to_item(item),
                    "ConditionExpression": "seq = :seq AND recordedAt = :at",
                    "ExpressionAttributeValues": to_item(
                        {":seq": entry.sequence, ":at": entry.recorded_at}
                    ),
                }
            }

        shards = keys.entities(workspace_id)
        wanted = sorted(entries, key=lambda entry: shards.key_of(entry.key))
        changed = {entry.key for entry, _ in self._transactions.write(wanted, removal)}
        return {entry.key for entry in wanted} - changed

    def remove_associations(self, tenant_id: str, ids: Iterable[str]) -> None:
        """Delete what users of a site have associated with the entities of these ids there."""
        self._associations.delete_all(tenant_id, ids)

    def remove_link(self, workspace_id: str, tenant_id: str) -> Iterator[int]:
        """Delete the outcomes and debts of a link that no longer exists; yields how many,
        after each batch."""
        shards = (keys.outcomes(workspace_id, tenant_id), keys.debts(workspace_id, tenant_id))
        pks = [pk for each in shards for pk in each.pks]
        for pk in (*pks, keys.component_debts(workspace_id, tenant_id)):
            yield from self._table.delete_all(pk)

    def remove_outcomes(
        self, workspace_id: str, tenant_id: str, outcomes: Iterable[Outcome]
    ) -> None:
        """Delete these outcomes at a site, unless they have changed since they were read."""
        shards = keys.outcomes(workspace_id, tenant_id)

        def deletion(outcome: Outcome) -> dict[str, Any]:
            return {
                "Delete": {
                    "TableName": self._table.name,
                    "Key": key(*shards.key_of(outcome.key)),
                    "ConditionExpression": _SAME_OUTCOME,
                    "ExpressionAttributeNames": {"#at": "at"},
                    "ExpressionAttributeValues": to_item(
                        {":seq": outcome.sequence, ":at": outcome.at}
                    ),
                }
            }

        wanted = sorted(outcomes, key=lambda outcome: shards.key_of(outcome.key))
        self._transactions.write(wanted, deletion)
