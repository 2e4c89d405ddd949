"""Debts: which entities and components are owed to a site, since when and why.

| pk | sk | holds |
|---|---|---|
| `debt#<workspaceId>#<tenantId>#<shard>` | `inc#<id>` or `rev#<id>` | an entity's debt |
| `debt#<workspaceId>#<tenantId>` | `cmp#<id>` | a container's debt, owed as a component |

A debt holds no state: what is delivered is read from the record. A debt is postponed if the site
accepts other entities, but not this one. Relay then tries it alone, less and less often, and
no other debt waits for it.
"""

import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from relay import keys
from relay.aws import side_by_side
from relay.entities.model import EntityKey, Kind
from relay.record.partitions import ReadBudget, pages_of
from relay.record.transactions import Transactions, Write, write_newest
from relay.table import Item, Table, key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# In characters. A transaction is limited to 4 MB, which includes the items that it deletes.
_REASON_MAX = 2000
_ANY_OTHER = "seq <> :seq"
_MARK_BITS = 62


@dataclass(frozen=True, slots=True)
class Debt:
    """`mark` is random and changes each time the debt is noted. `since` is an RFC 3339 date-time.

    `tries` counts how often the debt was postponed; `not_before`, in epoch milliseconds, is None
    unless it is postponed now. `logo_url` is for a component without an avatar.
    """

    sk: str
    mark: int
    since: str
    reason: str
    logo_url: str = ""
    tries: int = 0
    not_before: int | None = None

    @property
    def key(self) -> EntityKey:
        """The entity. Raises KeyError for a component's debt."""
        return keys.entity_of(self.sk)

    @property
    def kind(self) -> str:
        """The prefix of the sk: `inc`, `rev` or `cmp`."""
        return self.sk.partition("#")[0]

    @property
    def is_component(self) -> bool:
        """Whether a component is owed, not an entity."""
        return keys.is_component(self.sk)

    @property
    def component_id(self) -> str:
        """The container's id; for a component's debt only."""
        return keys.component_id_of(self.sk)


@dataclass(frozen=True, slots=True)
class Postponement:
    """A debt to postpone: why, how often by then, and until when (epoch milliseconds)."""

    sk: str
    reason: str
    tries: int
    not_before: int
    logo_url: str = ""


class DebtStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)
        self._transactions = Transactions(dynamodb)

    def owe(
        self, workspace_id: str, tenant_id: str, entities: Iterable[EntityKey], reason: str
    ) -> None:
        """Note these as owed. An existing debt keeps its `since`, and is no longer postponed."""
        self._owe(workspace_id, tenant_id, map(keys.entity_sk, entities), reason, None)

    def owe_components(
        self, workspace_id: str, tenant_id: str, component_ids: Iterable[str], logo_url: str
    ) -> None:
        """Note these components as owed, as `owe` does."""
        sks = map(keys.component_sk, component_ids)
        self._owe(workspace_id, tenant_id, sks, "", logo_url)

    def of_link(self, workspace_id: str, tenant_id: str) -> "LinkDebts":
        """The link's debts as they lie now, for reading."""
        return LinkDebts(self._table, self._partitions(workspace_id, tenant_id))

    def _partitions(self, workspace_id: str, tenant_id: str) -> list[str]:
        """The partitions that are not empty, found side by side: most links owe nothing."""
        pks = _pks(workspace_id, tenant_id)
        found = side_by_side(self._has_any, pks)
        return [pk for pk, has_any in zip(pks, found, strict=True) if has_any]

    def _has_any(self, pk: str) -> bool:
        return any(self._table.query(pk, limit=1, attributes=("pk",)))

    def of(
        self, workspace_id: str, tenant_id: str, entities: Iterable[EntityKey]
    ) -> dict[EntityKey, Debt]:
        """The existing debts of these entities."""
        found = self.known(workspace_id, tenant_id, map(keys.entity_sk, entities))
        return {debt.key: debt for debt in found.values()}

    def known(self, workspace_id: str, tenant_id: str, sks: Iterable[str]) -> dict[str, Debt]:
        """The existing debts with these sort keys, by sort key."""
        items = self._table.get_all([keys.debt(workspace_id, tenant_id, sk) for sk in sks])
        return {debt.sk: debt for debt in map(_debt, items)}

    def postpone(self, workspace_id: str, tenant_id: str, delays: Iterable[Postponement]) -> None:
        """Note these debts as owed and postponed."""
        mark = secrets.randbits(_MARK_BITS)
        writes = [
            _write(
                keys.debt(workspace_id, tenant_id, delay.sk),
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
        """The number of debts of the link; at most `most`, if that is given."""
        pks = _pks(workspace_id, tenant_id)
        counted = 0
        for more in pages_of(self._table.count, pks, ReadBudget(sys.maxsize)):
            counted += more
            if most is not None and counted >= most:
                return most
        return counted

    def paid(self, workspace_id: str, tenant_id: str, debts: Sequence[Debt]) -> None:
        """Delete these debts, except those that were noted again since they were read."""

        def deletion(debt: Debt) -> Any:
            return {
                "Delete": {
                    "TableName": self._table.name,
                    "Key": key(*keys.debt(workspace_id, tenant_id, debt.sk)),
                    "ConditionExpression": "seq = :mark",
                    "ExpressionAttributeValues": {":mark": {"N": str(debt.mark)}},
                }
            }

        def partition(debt: Debt) -> str:
            return keys.debt(workspace_id, tenant_id, debt.sk)[0]

        self._transactions.write(sorted(debts, key=partition), deletion)

    def _owe(
        self,
        workspace_id: str,
        tenant_id: str,
        sks: Iterable[str],
        reason: str,
        logo_url: str | None,
    ) -> None:
        mark = secrets.randbits(_MARK_BITS)
        # A new state is not postponed, even if an earlier one was.
        values = {"seq": mark, "reason": reason, "logoUrl": logo_url, "notBefore": None}
        writes = [
            _write(keys.debt(workspace_id, tenant_id, sk), values) for sk in dict.fromkeys(sks)
        ]
        write_newest(self._transactions, self._table.name, writes, _ANY_OTHER)


class LinkDebts:
    """Reads the debts of one link. Every method raises TABLE_ERRORS."""

    def __init__(self, table: Table, partitions: Sequence[str]) -> None:
        self._table = table
        self._partitions = partitions

    def page(self, kind: Kind, limit: int) -> Sequence[Debt]:
        """The first debts of this kind, at most `limit`, without postponed ones."""
        return self._page(keys.kind_prefix(kind), limit)

    def components(self, limit: int) -> Sequence[Debt]:
        """The first debts of components, at most `limit`, without postponed ones."""
        return self._page(keys.component_sk(""), limit)

    def all(self) -> Iterator[Debt]:
        """Every debt, postponed ones included: components first, then by shard."""
        return map(_debt, chain.from_iterable(map(self._table.query, self._partitions)))

    def _page(self, prefix: str, limit: int) -> list[Debt]:
        found = chain.from_iterable(
            self._table.query(pk, prefix, page_size=limit) for pk in self._partitions
        )
        return list(islice((debt for debt in map(_debt, found) if debt.not_before is None), limit))


def _pks(workspace_id: str, tenant_id: str) -> list[str]:
    components = keys.component_debts(workspace_id, tenant_id)
    return [components, *keys.debts(workspace_id, tenant_id).pks]


def _write(key: keys.Key, values: dict[str, Any]) -> Write:
    values = {**values, "reason": values["reason"][:_REASON_MAX]}
    return Write(*key, values, at_first={"since": datetime.now(UTC).isoformat()})


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
