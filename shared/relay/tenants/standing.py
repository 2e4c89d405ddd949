"""What has to be known of a linked site before anything is sent to it, in one read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay.table import Table
from relay.tenants.item import tenant_of
from relay.tenants.replays import REPLAY, Replay, replay_of
from relay.tenants.tenant import Tenant
from relay.tenants.troubles import TROUBLE, Trouble, trouble_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Standing:
    """A tenant, what is wrong with its site, and its replay of one workspace."""

    tenant: Tenant
    trouble: Trouble | None
    replay: Replay | None


class StandingStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def of(self, workspace_id: str, tenant_ids: Iterable[str]) -> list[Standing]:
        """Of the tenants that are there, in this order."""
        wanted = list(tenant_ids)
        replay = REPLAY + workspace_id
        keys = [
            (f"tenant#{tenant_id}", sk) for tenant_id in wanted for sk in (_TENANT, TROUBLE, replay)
        ]
        found = {(item["pk"], item["sk"]): item for item in self._table.get_all(keys)}
        standings = []
        for tenant_id in wanted:
            item, trouble, known = (
                found.get((f"tenant#{tenant_id}", sk)) for sk in (_TENANT, TROUBLE, replay)
            )
            if item:
                standings.append(
                    Standing(
                        tenant_of(item),
                        trouble_of(trouble) if trouble else None,
                        replay_of(known) if known else None,
                    )
                )
        return standings
