"""Data residency migrations: moves of a site's data to another region, announced by Forge.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `migration#<migrationId>` | its region and state |
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from relay import keys
from relay.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class MigrationState(StrEnum):
    """The steps that Forge announces."""

    SCHEDULED = "SCHEDULED"
    STARTED = "STARTED"
    COMMITTED = "COMMITTED"
    ROLLED_BACK = "ROLLED_BACK"


@dataclass(frozen=True, slots=True)
class Migration:
    """`region` is the target, as Forge names it, or ""; `at` is an RFC 3339 date-time."""

    id: str
    region: str
    state: MigrationState
    at: str


class MigrationStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def get(self, tenant_id: str, migration_id: str) -> Migration | None:
        """The migration; None for an unknown one."""
        item = self._table.get(*keys.migration(tenant_id, migration_id))
        if item is None:
            return None
        return Migration(migration_id, item["region"], MigrationState(item["state"]), item["at"])

    def put(self, tenant_id: str, migration: Migration) -> None:
        """Save the migration in place of its earlier state."""
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
