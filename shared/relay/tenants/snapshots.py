"""Reads in one call all that a delivery to a site needs to know about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay import keys
from relay.table import Table
from relay.tenants.item import tenant_of
from relay.tenants.replay import Replay, generation, replay_of
from relay.tenants.tenant import Tenant
from relay.tenants.troubles import Trouble, trouble_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class SiteSnapshot:
    """A tenant, the trouble of its site, and its replay of one workspace."""

    tenant: Tenant
    trouble: Trouble | None
    replay: Replay | None

    @property
    def generation(self) -> int:
        """The link's current generation (see `relay.tenants.replay`)."""
        return generation(self.tenant, self.replay)


class SiteSnapshotStore:
    """Reads snapshots from the tenants' table."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def of(self, workspace_id: str, tenant_ids: Iterable[str]) -> list[SiteSnapshot]:
        """Snapshots of the existing ones of these tenants, in this order. Raises TABLE_ERRORS."""
        places = {
            tenant_id: (
                keys.tenant_item(tenant_id),
                keys.trouble(tenant_id),
                keys.replay(tenant_id, workspace_id),
            )
            for tenant_id in tenant_ids
        }
        wanted = [place for three in places.values() for place in three]
        found = {(item["pk"], item["sk"]): item for item in self._table.get_all(wanted)}
        snapshots = []
        for tenant_id, three in places.items():
            tenant, trouble, replay = map(found.get, three)
            if tenant:
                snapshots.append(
                    SiteSnapshot(
                        tenant_of(tenant),
                        trouble_of(trouble) if trouble else None,
                        replay_of(tenant_id, workspace_id, replay) if replay else None,
                    )
                )
        return snapshots
