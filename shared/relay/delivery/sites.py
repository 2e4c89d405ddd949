"""Which sites a workspace's entities go to, and how each of them fares."""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.delivery.access import SiteAccess
from relay.jira.client import JiraClient
from relay.tenants import (
    LinkStore,
    Replay,
    StandingStore,
    Tenant,
    TenantState,
    Trouble,
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
    def __init__(self, links: LinkStore, standings: StandingStore, access: SiteAccess) -> None:
        self._links = links
        self._standings = standings
        self._access = access

    def linked_to(self, workspace_id: str) -> list[LinkedSite]:
        return self._linked(workspace_id, self._links.tenants_of(workspace_id))

    def link(self, tenant_id: str, workspace_id: str) -> LinkedSite | None:
        """None where the two are not linked (any more)."""
        if self._links.logo_url_of(tenant_id, workspace_id) is None:
            return None
        return next(iter(self._linked(workspace_id, [tenant_id])), None)

    def generation(self, tenant_id: str, workspace_id: str) -> int:
        return sum(site.generation for site in self._linked(workspace_id, [tenant_id]))

    def of(self, tenant: Tenant) -> JiraClient | None:
        """None where the site has uninstalled the app, and all is owed (see `SiteAccess`)."""
        return self._access.to(tenant)

    def _linked(self, workspace_id: str, tenant_ids: Sequence[str]) -> list[LinkedSite]:
        return [
            LinkedSite(workspace_id, found.tenant, found.trouble, found.replay)
            for found in self._standings.of(workspace_id, tenant_ids)
        ]
