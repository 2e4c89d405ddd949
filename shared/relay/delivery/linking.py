"""Linking a workspace and a site, in Jira and here."""

import re

from relay.catalog import WorkspaceStore
from relay.delivery.sites import Sites
from relay.errors import Conflict, NotFound
from relay.tenants import LinkStore, Tenant, TenantStore

_TENANT_ID = re.compile("[0-9a-f]{32}", re.ASCII)


class Linking:
    """Jira first, then here: a link that Jira refused is none, and both calls can be repeated."""

    def __init__(
        self, tenants: TenantStore, links: LinkStore, workspaces: WorkspaceStore, sites: Sites
    ) -> None:
        self._tenants = tenants
        self._links = links
        self._workspaces = workspaces
        self._sites = sites

    def tenant(self, tenant_id: str) -> Tenant:
        """Raises NotFound."""
        tenant = self._tenants.get(tenant_id) if _TENANT_ID.fullmatch(tenant_id) else None
        if tenant is None:
            raise NotFound(f"There is no site {tenant_id!r}.", code="unknown_site")
        return tenant

    def links_of(self, tenant_id: str) -> dict[str, list[str]]:
        """What is linked here, what Jira says is, and what is offered. Raises NotFound, JiraError.

        The two differ where someone unlinked in Jira, or where a call broke off between the two.
        """
        tenant = self.tenant(tenant_id)
        site = self._sites.of(tenant)
        return {
            "workspaces": self._links.workspaces_of(tenant.id),
            "inJira": sorted(site.jira.workspaces()) if site else [],
            "offered": self._links.offers_to(tenant.id),
        }

    def offer(self, tenant_id: str, workspace_id: str) -> None:
        """Raises NotFound."""
        self._workspaces.get(workspace_id)
        self._links.offer(self.tenant(tenant_id).id, workspace_id)

    def withdraw_offer(self, tenant_id: str, workspace_id: str) -> None:
        """Raises NotFound."""
        self._links.withdraw_offer(self.tenant(tenant_id).id, workspace_id)

    def link(self, tenant_id: str, workspace_id: str) -> None:
        """Raises NotFound, Conflict for a site without the app, JiraError."""
        tenant = self.tenant(tenant_id)
        self._workspaces.get(workspace_id)
        site = self._sites.of(tenant)
        if site is None:
            raise Conflict("The site has uninstalled the app.", code="uninstalled")
        site.jira.submit_workspaces([workspace_id])
        self._links.link(tenant.id, workspace_id)

    def unlink(self, tenant_id: str, workspace_id: str) -> None:
        """A site without the app has lost its links in Jira already. Raises NotFound, JiraError."""
        tenant = self.tenant(tenant_id)
        site = self._sites.of(tenant)
        if site:
            site.jira.delete_workspaces([workspace_id])
        self._links.unlink(tenant.id, workspace_id)
