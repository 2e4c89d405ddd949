"""Data residency: Forge announces that a site's data shall be in another region.

A deployment keeps its data in one AWS region, and serves those of Forge's regions that its setting
names. Between those nothing has to be moved, and a migration is done as soon as it is started.
To a region of another deployment Relay moves nothing by itself: such a migration is refused when
it is scheduled, so that nobody counts on it.
"""

from dataclasses import replace
from datetime import UTC, datetime

from relay.errors import Conflict, NotFound
from relay.tenants import Tenant
from relay.tenants.migrations import Migration, MigrationState, MigrationStore

_STATUS = {
    MigrationState.SCHEDULED: "SCHEDULED",
    MigrationState.STARTED: "SUCCEEDED",
    MigrationState.COMMITTED: "SUCCEEDED",
    MigrationState.ROLLED_BACK: "ROLLED_BACK",
}


class Residency:
    """`regions` are Forge's names, such as `EU`; none stands for all. Any call may come again."""

    def __init__(self, migrations: MigrationStore, regions: tuple[str, ...]) -> None:
        self._migrations = migrations
        self._regions = regions

    def schedule(self, tenant: Tenant, migration_id: str, region: str) -> None:
        """Raises Conflict for a region that this deployment does not serve."""
        if self._regions and region not in self._regions:
            message = f"This deployment serves {', '.join(self._regions)}; move the site by hand."
            raise Conflict(message, code="other_region")
        if self._migrations.get(tenant.id, migration_id) is None:
            scheduled = Migration(migration_id, region, MigrationState.SCHEDULED, _now())
            self._migrations.put(tenant.id, scheduled)

    def advance(self, tenant: Tenant, migration_id: str, state: MigrationState) -> None:
        """Started, committed or rolled back. Raises NotFound for what was never scheduled."""
        migration = self._existing(tenant, migration_id)
        if migration.state is not state:
            self._migrations.put(tenant.id, replace(migration, state=state, at=_now()))

    def status(self, tenant: Tenant, migration_id: str) -> str:
        """Raises NotFound."""
        return _STATUS[self._existing(tenant, migration_id).state]

    def _existing(self, tenant: Tenant, migration_id: str) -> Migration:
        migration = self._migrations.get(tenant.id, migration_id)
        if migration is None:
            raise NotFound("There is no such migration.", code="unknown_migration")
        return migration


def _now() -> str:
    return datetime.now(UTC).isoformat()
