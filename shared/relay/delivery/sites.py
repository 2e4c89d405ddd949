"""Which sites a workspace's entities go to, and how each of them fares."""

from dataclasses import dataclass

from relay.delivery.access import SiteAccess
from relay.jira import JiraClient
from relay.tenants import (
    LinkStore,
    Replay,
    ReplayStore,
    Tenant,
    TenantState,
    Trouble,
    TroubleStore,
)


@dataclass(frozen=True, slots=True)
class LinkedSite:
    """A site that a workspace is linked to, as it stood when it was read."""

    workspace_id: str
    tenant: Tenant
    trouble: Trouble | None = None
    replay: Replay | None = None

    @property
    def generation(self) -> int:
        """How often the site has begun anew for this workspace: what it took in an earlier
        generation may be gone. It only grows, with each reinstall, new link and replay of all."""
        resets = self.replay.resets if self.replay else 0
        # Without the app it holds nothing: it is in the generation that its next install begins.
        uninstalled = self.tenant.state is TenantState.UNINSTALLED
        return self.tenant.installs + resets + uninstalled


class Sites:
    def __init__(
        self,
        links: LinkStore,
        troubles: TroubleStore,
        replays: ReplayStore,
        access: SiteAccess,
    ) -> None:
        self._tenants = access.tenants
        self._links = links
        self._troubles = troubles
        self._replays = replays
        self._access = access

    def linked_to(self, workspace_id: str) -> list[LinkedSite]:
        found = (
            self._linked(tenant_id, workspace_id)
            for tenant_id in self._links.tenants_of(workspace_id)
        )
        return [site for site in found if site]

    def link(self, tenant_id: str, workspace_id: str) -> LinkedSite | None:
        """None where the two are not linked (any more)."""
        if self._links.logo_url_of(tenant_id, workspace_id) is None:
            return None
        return self._linked(tenant_id, workspace_id)

    def trouble_of(self, tenant_id: str) -> Trouble | None:
        return self._troubles.of(tenant_id)

    def generation(self, tenant_id: str, workspace_id: str) -> int:
        linked = self._linked(tenant_id, workspace_id)
        return linked.generation if linked else 0

    def of(self, tenant: Tenant) -> JiraClient | None:
        """None where the site has uninstalled the app, and all is owed (see `SiteAccess`)."""
        return self._access.to(tenant)

    def _linked(self, tenant_id: str, workspace_id: str) -> LinkedSite | None:
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            return None
        replay = self._replays.get(tenant_id, workspace_id)
        return LinkedSite(workspace_id, tenant, self._troubles.of(tenant_id), replay)
