"""Reads Relay's stores, without the functions and without faults."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay.delivery.sites import LinkedSite
from relay.record.debts import Debt, DebtStore
from relay.record.store import RecordStore
from relay.secrets import Secrets
from relay.tenants.links import LinkStore
from relay.tenants.replays import ReplayStore
from relay.tenants.snapshots import SiteSnapshot
from relay.tenants.store import TenantStore
from relay.tenants.tenant import TenantState
from relay.tenants.troubles import TroubleStore

if TYPE_CHECKING:
    from infra.harness.stage import Stage


@dataclass(frozen=True)
class Stores:
    """Relay's stores on the stage's clients, which never fail on purpose."""

    tenants: TenantStore
    links: LinkStore
    troubles: TroubleStore
    replays: ReplayStore
    record: RecordStore
    debts: DebtStore

    @classmethod
    def of(cls, stage: "Stage") -> "Stores":
        """Opens the stores of a stage."""
        environment, dynamodb = stage.environment, stage.dynamodb
        tenants, record = environment["TENANTS_TABLE"], environment["RECORD_TABLE"]
        return cls(
            TenantStore(dynamodb, tenants, Secrets(stage.kms, environment["SECRETS_KEY"])),
            LinkStore(dynamodb, tenants),
            TroubleStore(dynamodb, tenants),
            ReplayStore(dynamodb, tenants),
            RecordStore(dynamodb, record),
            DebtStore(dynamodb, record),
        )

    def linked(self, workspace_id: str) -> list[LinkedSite]:
        """The sites that a workspace is linked to, with their current state."""
        return [
            LinkedSite(
                link,
                SiteSnapshot(
                    self.tenants.existing(link.tenant_id),
                    self.troubles.of(link.tenant_id),
                    self.replays.get(link.tenant_id, workspace_id),
                ),
            )
            for link in self.links.of_workspace(workspace_id)
        ]

    def all_debts(self) -> Iterator[Debt]:
        """Every debt of every site."""
        for tenant in self.tenants.all():
            for replay in self.replays.of_tenant(tenant.id):
                yield from self.debts.of_link(replay.workspace_id, tenant.id).all()

    def unsettled(self, may_stay: Callable[[Debt], bool]) -> list[str]:
        """The work that is left, one line each; debts that `may_stay` do not count."""
        found = []
        for tenant in self.tenants.all():
            if tenant.state is not TenantState.ACTIVE:
                found.append(f"{tenant.base_url} has no app")
            if trouble := self.troubles.of(tenant.id):
                found.append(f"{tenant.base_url} is in trouble: {trouble}")
            linked = self.links.workspaces_of(tenant.id)
            for replay in self.replays.of_tenant(tenant.id):
                started = replay.walked_generation >= tenant.installs + replay.resets
                if not replay.is_done or (replay.workspace_id in linked and not started):
                    found.append(f"{tenant.base_url} has a replay: {replay}")
                debts = (
                    self.debts.of_link(replay.workspace_id, tenant.id).all() if replay.again else ()
                )
                if owed := next((debt for debt in debts if not may_stay(debt)), None):
                    found.append(f"{tenant.base_url} is owed a postponed entity: {owed}")
        return found
