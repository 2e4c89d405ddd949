"""Which sites a workspace's entities go to, how each fares, and the client that calls it."""

from dataclasses import dataclass

import httpx

from relay.jira import ConnectCredential, JiraClient
from relay.tenants import (
    LinkStore,
    Replay,
    ReplayStore,
    Tenant,
    TenantState,
    TenantStore,
    Trouble,
    TroubleStore,
)


@dataclass(frozen=True, slots=True)
class Site:
    tenant: Tenant
    jira: JiraClient


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
        tenants: TenantStore,
        links: LinkStore,
        troubles: TroubleStore,
        replays: ReplayStore,
        http: httpx.Client,
        app_key: str,
    ) -> None:
        self._tenants = tenants
        self._links = links
        self._troubles = troubles
        self._replays = replays
        self._http = http
        self._app_key = app_key

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

    def of(self, tenant: Tenant) -> Site | None:
        """The site of a tenant; None where it has uninstalled the app, and all is owed.

        Raises Unavailable, or an AWS error, where its secret can't be read.
        """
        secret = self._tenants.secret_of(tenant)
        if secret is None or tenant.state is not TenantState.ACTIVE:
            return None
        credential = ConnectCredential(self._app_key, tenant.client_key, tenant.base_url, secret)
        return Site(tenant, JiraClient(self._http, tenant.base_url, credential))

    def _linked(self, tenant_id: str, workspace_id: str) -> LinkedSite | None:
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            return None
        replay = self._replays.get(tenant_id, workspace_id)
        return LinkedSite(workspace_id, tenant, self._troubles.of(tenant_id), replay)
