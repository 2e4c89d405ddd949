"""Linking a workspace and a site, in Jira and here (see `unlinking` for the end of it)."""

from collections.abc import Mapping

from relay.catalog.workspaces import WorkspaceStore
from relay.delivery.sites import Sites
from relay.errors import Conflict
from relay.jira.errors import NotLinked
from relay.replays.starter import ReplayStarter
from relay.tenants.links import Link, LinkStore
from relay.tenants.replay import Stage
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant


class WorkspaceLinker:
    """Jira first, then here: a link that Jira refused is none, and both calls can be repeated."""

    def __init__(
        self,
        tenants: TenantStore,
        links: LinkStore,
        workspaces: WorkspaceStore,
        sites: Sites,
        starter: ReplayStarter,
    ) -> None:
        self._starter = starter
        self._tenants = tenants
        self._links = links
        self._workspaces = workspaces
        self._sites = sites

    def links_of(self, tenant_id: str) -> dict[str, list[str]]:
        """What is linked here, what Jira says is, and what is offered. Raises NotFound, JiraError.

        The two differ where someone unlinked in Jira, or where a call broke off between the two.
        """
        tenant = self._tenants.existing(tenant_id)
        site = self._sites.client_for(tenant)
        return {
            "workspaces": self._links.workspaces_of(tenant.id),
            "inJira": sorted(site.workspaces()) if site else [],
            "offered": self._links.offers_to(tenant.id),
        }

    def offer(self, tenant_id: str, workspace_id: str) -> None:
        """Raises NotFound."""
        self._workspaces.get(workspace_id)
        self._links.offer(self._tenants.existing(tenant_id).id, workspace_id)

    def withdraw_offer(self, tenant_id: str, workspace_id: str) -> None:
        """Raises NotFound."""
        self._links.withdraw_offer(self._tenants.existing(tenant_id).id, workspace_id)

    def link(self, tenant_id: str, workspace_id: str, logo_url: str) -> None:
        """Link, and bring the site what the record holds; once more where Jira alone has unlinked
        the two. `logo_url` is for containers without an avatar. Raises NotFound, Conflict for a
        site without the app or, with plain ids, with another workspace, JiraError."""
        tenant = self._tenants.existing(tenant_id)
        self._workspaces.get(workspace_id)
        self._link(tenant, {workspace_id: None}, logo_url)

    def move(self, tenant_id: str, to_tenant_id: str, logo_url: str) -> list[str]:
        """Make the links of a site at the one that took its place, such as after a site import.

        In Jira the old ones are left: the old installation is not there to be asked. Raises
        NotFound, Conflict, JiraError; what was moved by then is moved, and repeating is safe.
        """
        tenant, successor = self._tenants.existing(tenant_id), self._tenants.existing(to_tenant_id)
        if tenant.id == successor.id:
            raise Conflict("A site can't take its own place.", code="same_site")
        links = {link.workspace_id: link for link in self._links.of_tenant(tenant.id)}
        self._link(successor, links, logo_url)
        for workspace_id in links:
            self._links.unlink(tenant.id, workspace_id)
        return list(links)

    def _link(self, tenant: Tenant, workspaces: Mapping[str, Link | None], logo_url: str) -> None:
        """Each with its link to another installation of the site, if it has one."""
        site = self._sites.client_for(tenant)
        if site is None:
            raise Conflict("The site has uninstalled the app.", code="uninstalled")
        for workspace_id, before in workspaces.items():
            self._links.check_free(tenant.id, workspace_id, before.ids.plain if before else None)
            if self._links.get(tenant.id, workspace_id) and not site.has_workspace(workspace_id):
                # Unlinked in Jira alone, which deletes what it has of it. Begun before the link is
                # there again, as otherwise a break between would leave it undone.
                self._starter.replay_all(tenant, workspace_id, Stage.LINK)
        accepted = site.submit_workspaces(list(workspaces))
        # One that was linked already may not be named.
        if not all(one in accepted or site.has_workspace(one) for one in workspaces):
            raise NotLinked
        for workspace_id, before in workspaces.items():
            if before is None:
                self._starter.link(tenant, workspace_id, logo_url)
            else:
                above = self._sites.generation(before.tenant_id, workspace_id)
                plain = before.ids.plain
                self._starter.link(tenant, workspace_id, logo_url, above=above, plain=plain)
