"""What is known to be owed to a site, since when and why.

| pk | sk | holds |
|---|---|---|
| `debt#<workspaceId>#<tenantId>` | `inc#<id>` or `rev#<id>` | an entity's debt |
| `debt#<workspaceId>#<tenantId>` | `cmp#<id>` | a container's, to be brought as a component |

The record stays the truth of what is to be brought; a debt says only that it has to be.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from relay.entities import EntityKey, Kind
from relay.record.keys import entity_of, sort_key
from relay.record.newest_wins import Write, write_newest
from relay.record.transactions import Transactions
from relay.table import Item, Table, key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_COMPONENT = "cmp#"
_ANY_OTHER = "seq <> :seq"
_MARK_BITS = 62


@dataclass(frozen=True, slots=True)
class Debt:
    """`mark` is this note's own: a debt that was noted anew has another one."""

    sk: str
    mark: int
    since: str
    reason: str
    logo_url: str = ""

    @property
    def key(self) -> EntityKey:
        return entity_of(self.sk)

    @property
    def is_component(self) -> bool:
        return self.sk.startswith(_COMPONENT)

    @property
    def component_id(self) -> str:
        return self.sk.removeprefix(_COMPONENT)


class DebtStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)
        self._transactions = Transactions(dynamodb)

    def owe(
        self, workspace_id: str, tenant_id: str, entities: Iterable[EntityKey], reason: str
    ) -> None:
        """Note that these are owed; since when stays as it was noted first. Raises Unavailable."""
        self._owe(workspace_id, tenant_id, map(sort_key, entities), reason, None)

    def owe_components(
        self, workspace_id: str, tenant_id: str, component_ids: Iterable[str], logo_url: str
    ) -> None:
        sks = (_COMPONENT + component_id for component_id in component_ids)
        self._owe(workspace_id, tenant_id, sks, "", logo_url)

    def page(self, workspace_id: str, tenant_id: str, kind: Kind, limit: int) -> Sequence[Debt]:
        """The first debts of this kind."""
        prefix = sort_key(EntityKey(kind, ""))
        found = self._table.query(_pk(workspace_id, tenant_id), prefix, limit=limit)
        return [_debt(item) for item in found]

    def components(self, workspace_id: str, tenant_id: str, limit: int) -> Sequence[Debt]:
        found = self._table.query(_pk(workspace_id, tenant_id), _COMPONENT, limit=limit)
        return [_debt(item) for item in found]

    def of(
        self, workspace_id: str, tenant_id: str, entities: Iterable[EntityKey]
    ) -> dict[EntityKey, Debt]:
        pk = _pk(workspace_id, tenant_id)
        items = self._table.get_all([(pk, sort_key(entity)) for entity in entities])
        return {debt.key: debt for debt in map(_debt, items)}

    def count(self, workspace_id: str, tenant_id: str) -> int:
        counted, last = self._table.count(_pk(workspace_id, tenant_id))
        while last:
            more, last = self._table.count(_pk(workspace_id, tenant_id), last)
            counted += more
        return counted

    def paid(self, workspace_id: str, tenant_id: str, debts: Sequence[Debt]) -> None:
        """Strike these off, but for those that have been noted anew since they were read."""
        pk = _pk(workspace_id, tenant_id)

        def strike(debt: Debt) -> Any:
            return {
                "Delete": {
                    "TableName": self._table.name,
                    "Key": key(pk, debt.sk),
                    "ConditionExpression": "seq = :mark",
                    "ExpressionAttributeValues": {":mark": {"N": str(debt.mark)}},
                }
            }

        self._transactions.write(debts, strike)

    def _owe(
        self,
        workspace_id: str,
        tenant_id: str,
        sks: Iterable[str],
        reason: str,
        logo_url: str | None,
    ) -> None:
        pk, mark = _pk(workspace_id, tenant_id), secrets.randbits(_MARK_BITS)
        values = {"seq": mark, "reason": reason, "logoUrl": logo_url}
        first = {"since": datetime.now(UTC).isoformat()}
        writes = [Write(pk, sk, values, at_first=first) for sk in dict.fromkeys(sks)]
        write_newest(self._transactions, self._table.name, writes, _ANY_OTHER)


def _debt(item: Item) -> Debt:
    return Debt(
        sk=item["sk"],
        mark=int(item["seq"]),
        since=item["since"],
        reason=item["reason"],
        logo_url=item.get("logoUrl", ""),
    )


def _pk(workspace_id: str, tenant_id: str) -> str:
    return f"debt#{workspace_id}#{tenant_id}"
