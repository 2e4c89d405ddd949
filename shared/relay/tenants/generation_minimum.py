"""Keeps generations from falling when the items that count them are deleted.

| pk | sk | holds |
|---|---|---|
| `forgotten#<hash>` | `tenant` | `installs`, with which a new tenant at a forgotten site begins |

A tenant's `resets_min` does the same for replays of erased workspaces.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from relay import keys
from relay.table import Table, key, to_item
from relay.tenants.item import deletes_of
from relay.tenants.tenant import Tenant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class GenerationMinimum:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def raise_resets_min(self, tenant_id: str, resets_min: int) -> None:
        """Let the replays of new links begin with at least these resets, if the tenant exists."""
        with suppress(self._dynamodb.exceptions.ConditionalCheckFailedException):
            self._dynamodb.update_item(
                TableName=self._table.name,
                Key=key(*keys.tenant_item(tenant_id)),
                UpdateExpression="SET resetsMin = :resets ADD version :one",
                ConditionExpression=(
                    "attribute_exists(pk)"
                    " AND (attribute_not_exists(resetsMin) OR resetsMin < :resets)"
                ),
                ExpressionAttributeValues=to_item({":resets": resets_min, ":one": 1}),
            )

    def highest_resets(self, tenant: Tenant) -> int:
        """The most resets of any link that the tenant has or had."""
        replays = self._table.query(*keys.replays(tenant.id))
        return max([int(item["resets"]) for item in replays] + [tenant.resets_min])

    def forget_actions(self, tenants: Sequence[Tenant]) -> list[dict[str, Any]]:
        """The actions of a transaction that deletes the tenants of one site, if none has changed
        since it was read, with what an install finds them by.

        If the site installs the app again, it is in a higher generation than ever before.
        """
        installs = max(one.installs + self.highest_resets(one) + 1 for one in tenants)
        pointers = {
            pointer
            for one in tenants
            for pointer in _stable_pointers(
                one.client_key, one.forge.cloud_id if one.forge else None
            )
        }
        notes: list[dict[str, Any]] = [
            {"Item": key(*keys.forgotten(pointer)) | to_item({"installs": installs})}
            for pointer in sorted(pointers)
        ]
        actions = [{"Delete": delete} for one in tenants for delete in deletes_of(one)]
        actions += [{"Put": note} for note in notes]
        name = {"TableName": self._table.name}
        return [{kind: one | name for kind, one in each.items()} for each in actions]

    def installs_min(self, client_key: str | None, cloud_id: str | None) -> int:
        """The fewest `installs` of a tenant of these ids. A known tenant may have got one of them
        only now, such as one that installed the app under Forge before."""
        places = map(keys.forgotten, _stable_pointers(client_key, cloud_id))
        notes = (self._table.get(*place) for place in places)
        return max((int(note["installs"]) for note in notes if note), default=0)


def _stable_pointers(client_key: str | None, cloud_id: str | None) -> Iterable[str]:
    """The pks of the pointers to a site that stay the same when it installs the app again."""
    if client_key:
        yield keys.client_key(client_key)
    if cloud_id:
        yield keys.forge_cloud_id(cloud_id)
