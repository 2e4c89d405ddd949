"""Migrations of a site's data to another region, as Forge announces them.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `migration#<migrationId>` | where to, and how far it is |
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from relay import keys
from relay.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class MigrationState(StrEnum):
    SCHEDULED = "SCHEDULED"
    STARTED = "STARTED"
    COMMITTED = "COMMITTED"
    ROLLED_BACK = "ROLLED_BACK"


@dataclass(frozen=True, slots=True)
class Migration:
    """`region` is where to, as Forge names it; "" where it did not say."""

    id: str
    region: str
    state: MigrationState
    at: str


class MigrationStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def get(self, tenant_id: str, migration_id: str) -> Migration | None:
        item = self._table.get(*keys.migration(tenant_id, migration_id))
        if item is None:
            return None
        return Migration(migration_id, item["region"], MigrationState(item["state"]), item["at"])

    def put(self, tenant_id: str, migration: Migration) -> None:
        pk, sk = keys.migration(tenant_id, migration.id)
        self._table.put(
            {
                "pk": pk,
                "sk": sk,
                "region": migration.region,
                "state": migration.state.value,
                "at": migration.at,
            }
        )
