"""What leaves the record, and how far the pass over it has come.

| pk | sk | holds |
|---|---|---|
| `retention` | `pass` | the current or last pass: `workspaceId`, `after`, `startedAt`, `isDone` |
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relay import keys
from relay.entities.model import EntityKey
from relay.record.associations import AssociationStore
from relay.record.entry import Head
from relay.record.transactions import Transactions
from relay.table import Table, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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

    def leave(self, workspace_id: str) -> None:
        """Forget the pass if it has stopped in this workspace: it then begins again."""
        if self.last_pass().workspace_id == workspace_id:
            self._table.write_all(deletes=[keys.RETENTION])

    def remove(self, workspace_id: str, entries: Iterable[Head]) -> list[EntityKey]:
        """Delete these entries, unless they have changed since they were read; returns the deleted
        ones."""
        shards = keys.entities(workspace_id)
        wanted = sorted(entries, key=lambda entry: shards.key_of(entry.key))

        def deletion(entry: Head) -> dict[str, Any]:
            return {
                "Delete": {
                    "TableName": self._table.name,
                    "Key": key(*shards.key_of(entry.key)),
                    "ConditionExpression": "seq = :seq AND recordedAt = :at",
                    "ExpressionAttributeValues": to_item(
                        {":seq": entry.sequence, ":at": entry.recorded_at}
                    ),
                }
            }

        changed = {entry.key for entry, _ in self._transactions.write(wanted, deletion)}
        return [entry.key for entry in wanted if entry.key not in changed]

    def remove_associations(self, tenant_id: str, ids: Iterable[str]) -> None:
        """Delete what users of a site have associated with the entities of these ids there."""
        self._associations.delete_all(tenant_id, ids)

    def remove_answers(
        self, workspace_id: str, tenant_id: str, entities: Sequence[EntityKey]
    ) -> None:
        """Delete the outcomes of these entities at a site, and their debts."""
        places = (keys.outcomes(workspace_id, tenant_id), keys.debts(workspace_id, tenant_id))
        self._table.write_all(
            deletes=[shards.key_of(entity) for shards in places for entity in entities]
        )
