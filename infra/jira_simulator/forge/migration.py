"""Migration of an app's data to another region: the five hooks that Forge calls.

They are below the path of the manifest's `migration:dataResidency`. A separate service sends them,
without a system token.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

HOOKS = ("schedule", "start", "status", "commit", "rollback")
REGIONS = ("AU", "CA", "CH", "DE", "EU", "GB", "IN", "JP", "KR", "SG", "US")

_FIRST_ID = 57_500
# The migration window if the manifest names none.
_WINDOW = timedelta(hours=1.5)

MigrationId = int | str


@dataclass(frozen=True)
class Migration:
    """`location` is one of REGIONS; `start_time` and `end_time` limit the migration window."""

    migration_id: MigrationId
    location: str
    start_time: str
    end_time: str

    def body(self, hook: str) -> dict[str, Any] | None:
        """The body of a hook; None for `status`, a GET whose query names the migration."""
        if hook == "status":
            return None
        named: dict[str, Any] = {"migrationId": self.migration_id}
        if hook in ("commit", "rollback"):
            return named
        window = {"startTime": self.start_time, "endTime": self.end_time}
        return {**window, "location": self.location, **named}


def new_migration(number: int, migration_id: MigrationId | None, location: str) -> Migration:
    """The installation's migration with this number, counted from 0; its window starts now."""
    start = datetime.now(UTC)
    return Migration(
        migration_id=_FIRST_ID + number if migration_id is None else migration_id,
        location=location,
        start_time=_moment(start),
        end_time=_moment(start + _WINDOW),
    )


def _moment(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
