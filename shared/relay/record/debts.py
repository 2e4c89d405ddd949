"""What is known to be owed to a site, since when and why.

| pk | sk | holds |
|---|---|---|
| `debt#<workspaceId>#<tenantId>` | `inc#<id>` or `rev#<id>` | an entity's debt |
| `debt#<workspaceId>#<tenantId>` | `cmp#<id>` | a container's, to be brought as a component |

The record stays the truth of what is to be brought; a debt says only that it has to be. One that
is put off is of what the site does not take although it takes others: it is tried by itself, more
and more seldom, and no other debt waits for it.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from relay import keys
from relay.entities.model import EntityKey, Kind
from relay.record.transactions import Transactions, Write, write_newest
from relay.table import Item, Table, key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# All of a transaction's items have 4 MB together, those that it deletes with what they hold.
_REASON_MAX = 2000
_ANY_OTHER = "seq <> :seq"
_MARK_BITS = 62


@dataclass(frozen=True, slots=True)
class Debt:
    """`mark` is this note's own: a debt that was noted anew has another one. `not_before`, in
    epoch milliseconds, is of one that is put off, and `tries` is how often it was."""

    sk: str
    mark: int
    since: str
    reason: str
    logo_url: str = ""
    tries: int = 0
    not_before: int | None = None

    @property
    def key(self) -> EntityKey:
        return keys.entity_of(self.sk)

    @property
    def kind(self) -> str:
        return self.sk.partition("#")[0]

    @property
    def is_component(self) -> bool:
        return keys.is_component(self.sk)

    @property
    def component_id(self) -> str:
        return keys.component_id_of(self.sk)


@dataclass(frozen=True, slots=True)
class Postponement:
    """Why a debt is put off, for the how manieth time, and until when."""

    sk: str
    reason: str
    tries: int
    not_before: int
    logo_url: str = ""


class DebtStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)
        self._transactions = Transactions(dynamodb)

    def owe(
        self, workspace_id: str, tenant_id: str, entities: Iterable[EntityKey], reason: str
    ) -> None:
        """Note that these are owed; since when stays as it was noted first. Raises Unavailable."""
        self._owe(workspace_id, tenant_id, map(keys.entity_sk, entities), reason, None)

    def owe_components(
        self, workspace_id: str, tenant_id: str, component_ids: Iterable[str], logo_url: str
    ) -> None:
        sks = map(keys.component_sk, component_ids)
        self._owe(workspace_id, tenant_id, sks, "", logo_url)

    def page(self, workspace_id: str, tenant_id: str, kind: Kind, limit: int) -> Sequence[Debt]:
        """The first debts of this kind, but for those that are put off."""
        return self._page(workspace_id, tenant_id, keys.kind_prefix(kind), limit)

    def components(self, workspace_id: str, tenant_id: str, limit: int) -> Sequence[Debt]:
        return self._page(workspace_id, tenant_id, keys.component_sk(""), limit)

    def all(self, workspace_id: str, tenant_id: str) -> Iterator[Debt]:
        """Those that are put off, too."""
        return map(_debt, self._table.query(keys.debts(workspace_id, tenant_id)))

    def _page(self, workspace_id: str, tenant_id: str, prefix: str, limit: int) -> list[Debt]:
        found = self._table.query(keys.debts(workspace_id, tenant_id), prefix, page_size=limit)
        return list(islice((debt for debt in map(_debt, found) if debt.not_before is None), limit))

    def of(
        self, workspace_id: str, tenant_id: str, entities: Iterable[EntityKey]
    ) -> dict[EntityKey, Debt]:
        found = self.known(workspace_id, tenant_id, map(keys.entity_sk, entities))
        return {debt.key: debt for debt in found.values()}

    def known(self, workspace_id: str, tenant_id: str, sks: Iterable[str]) -> dict[str, Debt]:
        pk = keys.debts(workspace_id, tenant_id)
        items = self._table.get_all([(pk, sk) for sk in sks])
        return {debt.sk: debt for debt in map(_debt, items)}

    def postpone(self, workspace_id: str, tenant_id: str, delays: Iterable[Postponement]) -> None:
        """Note these as owed, and have them wait. Raises Unavailable."""
        pk, mark = keys.debts(workspace_id, tenant_id), secrets.randbits(_MARK_BITS)
        writes = [
            _write(
                pk,
                delay.sk,
                {
                    "seq": mark,
                    "reason": delay.reason,
                    "logoUrl": delay.logo_url or None,
                    "tries": delay.tries,
                    "notBefore": delay.not_before,
                },
            )
            for delay in delays
        ]
        write_newest(self._transactions, self._table.name, writes, _ANY_OTHER)

    def count(self, workspace_id: str, tenant_id: str, most: int | None = None) -> int:
        """How many debts there are; of more than `most`, that many."""
        counted, last = self._table.count(keys.debts(workspace_id, tenant_id))
        while last and (most is None or counted < most):
            more, last = self._table.count(keys.debts(workspace_id, tenant_id), last)
            counted += more
        return counted if most is None else min(counted, most)

    def paid(self, workspace_id: str, tenant_id: str, debts: Sequence[Debt]) -> None:
        """Strike these off, but for those that have been noted anew since they were read."""
        pk = keys.debts(workspace_id, tenant_id)

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
        pk, mark = keys.debts(workspace_id, tenant_id), secrets.randbits(_MARK_BITS)
        # What changes is not put off, whatever became of an earlier state.
        values = {"seq": mark, "reason": reason, "logoUrl": logo_url, "notBefore": None}
        writes = [_write(pk, sk, values) for sk in dict.fromkeys(sks)]
        write_newest(self._transactions, self._table.name, writes, _ANY_OTHER)


def _write(pk: str, sk: str, values: dict[str, Any]) -> Write:
    values = {**values, "reason": values["reason"][:_REASON_MAX]}
    return Write(pk, sk, values, at_first={"since": datetime.now(UTC).isoformat()})


def _debt(item: Item) -> Debt:
    return Debt(
        sk=item["sk"],
        mark=int(item["seq"]),
        since=item["since"],
        reason=item["reason"],
        logo_url=item.get("logoUrl", ""),
        tries=int(item.get("tries", 0)),
        not_before=int(item["notBefore"]) if "notBefore" in item else None,
    )
