"""Data residency: Forge announces that a site's data shall be in another region.

A deployment keeps its data in one AWS region, and serves those of Forge's regions that its setting
names. Between those nothing has to be moved, and a migration is ready as soon as it is started.
To a region of another deployment Relay moves nothing by itself: such a migration is refused when
it is scheduled, so that nobody counts on it.

Forge's documents name the two words of a status that count, and the codes of a refusal, with
which it does not try again.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from relay.errors import Conflict
from relay.tenants.migrations import Migration, MigrationState, MigrationStore
from relay.tenants.tenant import Tenant

_NOT_SCHEDULED, _OTHER_REGION = "E0001", "E0002"

_STATUS = {
    MigrationState.SCHEDULED: "scheduled",
    MigrationState.STARTED: "ready-to-commit",
    MigrationState.COMMITTED: "ready-to-commit",
    MigrationState.ROLLED_BACK: "failed",
}


class MigrationRefused(Conflict):
    """`forge_code` is Forge's own word for it, which the answer tells beside ours."""

    def __init__(self, message: str, code: str, forge_code: str) -> None:
        super().__init__(message, code=code)
        self.forge_code = forge_code

    def as_body(self) -> dict[str, Any]:
        """The error's body with Forge's `errorResponseCode`."""
        return super().as_body() | {"errorResponseCode": self.forge_code}


class Residency:
    """`regions` are Forge's names, such as `EU`; none stands for all. Any call may come again."""

    def __init__(self, migrations: MigrationStore, regions: tuple[str, ...]) -> None:
        self._migrations = migrations
        self._regions = regions

    def schedule(self, tenant: Tenant, migration_id: str, region: str) -> None:
        """Raises MigrationRefused for a region that this deployment does not serve."""
        if self._regions and region not in self._regions:
            served = ", ".join(self._regions)
            message = f"This deployment serves {served}; migrate the site manually."
            raise MigrationRefused(message, "other_region", _OTHER_REGION)
        if self._migrations.get(tenant.id, migration_id) is None:
            scheduled = Migration(migration_id, region, MigrationState.SCHEDULED, _now())
            self._migrations.put(tenant.id, scheduled)

    def advance(self, tenant: Tenant, migration_id: str, state: MigrationState) -> None:
        """Started, committed, rolled back. Raises MigrationRefused for what was not scheduled."""
        migration = self._existing(tenant, migration_id)
        if migration.state is not state:
            self._migrations.put(tenant.id, replace(migration, state=state, at=_now()))

    def status(self, tenant: Tenant, migration_id: str) -> str:
        """Raises MigrationRefused."""
        return _STATUS[self._existing(tenant, migration_id).state]

    def _existing(self, tenant: Tenant, migration_id: str) -> Migration:
        migration = self._migrations.get(tenant.id, migration_id)
        if migration is None:
            message = "The migration is unknown."
            raise MigrationRefused(message, "unknown_migration", _NOT_SCHEDULED)
        return migration


def _now() -> str:
    return datetime.now(UTC).isoformat()
