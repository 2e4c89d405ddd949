"""Linking a workspace and a site, in Jira and in Relay (see `unlinking` for the opposite)."""

from collections.abc import Mapping

from relay.catalog.workspaces import WorkspaceStore
from relay.delivery.sites import Sites
from relay.errors import Conflict
from relay.jira.errors import NotLinked
from relay.replays.starter import LINKED, ReplayStarter
from relay.tenants.links import Link, LinkStore
from relay.tenants.replay import Stage
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant


class WorkspaceLinker:
    """Links workspaces to sites, and offers them.

    Jira is called before the link is stored, so a link that Jira refuses is not stored. Repeating
    is safe.
    """

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
        """Workspace ids: `workspaces` linked in Relay, `inJira` linked in Jira, and `offered`.

        The first two differ if someone unlinked a workspace in Jira, or if a call was cut off.
        Raises NotFound, JiraError.
        """
        tenant = self._tenants.existing(tenant_id)
        site = self._sites.client_for(tenant)
        return {
            "workspaces": self._links.workspaces_of(tenant.id),
            "inJira": sorted(site.workspaces()) if site else [],
            "offered": self._links.offers_to(tenant.id),
        }

    def offer(self, tenant_id: str, workspace_id: str) -> None:
        """Let the site's admin find the workspace in Jira. Raises NotFound."""
        self._workspaces.get(workspace_id)
        self._links.offer(self._tenants.existing(tenant_id).id, workspace_id)

    def withdraw_offer(self, tenant_id: str, workspace_id: str) -> None:
        """Withdraw an offer; an existing link is not affected. Raises NotFound."""
        self._links.withdraw_offer(self._tenants.existing(tenant_id).id, workspace_id)

    def link(self, tenant_id: str, workspace_id: str, logo_url: str) -> None:
        """Link the two, and start a replay of the workspace's record.

        An existing link is replayed only if the two were unlinked in Jira. `logo_url` is for
        containers without an avatar. Raises NotFound; Conflict if the site has uninstalled the app
        or, with plain ids, has another workspace; JiraError.
        """
        tenant = self._tenants.existing(tenant_id)
        self._workspaces.get(workspace_id)
        self._link(tenant, {workspace_id: None}, logo_url)

    def move(self, tenant_id: str, to_tenant_id: str, logo_url: str) -> list[str]:
        """Move the links of a site to the one that replaced it, such as after a site import.

        Returns the ids of the moved workspaces. Nothing is unlinked in Jira, because the old
        installation no longer exists. Raises NotFound, Conflict, JiraError; links that were moved
        before the error stay moved, and repeating is safe.
        """
        tenant, successor = self._tenants.existing(tenant_id), self._tenants.existing(to_tenant_id)
        if tenant.id == successor.id:
            raise Conflict("A site can't replace itself.", code="same_site")
        links = {link.workspace_id: link for link in self._links.of_tenant(tenant.id)}
        self._link(successor, links, logo_url)
        for workspace_id in links:
            self._links.unlink(tenant.id, workspace_id)
        return list(links)

    def _link(self, tenant: Tenant, workspaces: Mapping[str, Link | None], logo_url: str) -> None:
        """Link each workspace id; its value is its link at the replaced installation, if any."""
        site = self._sites.client_for(tenant)
        if site is None:
            raise Conflict("The site has uninstalled the app.", code="uninstalled")
        for workspace_id, before in workspaces.items():
            self._links.check_free(tenant.id, workspace_id, before.ids.plain if before else None)
            if self._links.get(tenant.id, workspace_id) and not site.has_workspace(workspace_id):
                # It was unlinked only in Jira, which then deletes its data. Start the replay before
                # linking again: if this is cut off, the link is still replayed.
                self._starter.replay_all(tenant, workspace_id, LINKED, Stage.LINK)
        accepted = site.submit_workspaces(list(workspaces))
        # Jira may not name a workspace that was already linked.
        if not all(one in accepted or site.has_workspace(one) for one in workspaces):
            raise NotLinked
        for workspace_id, before in workspaces.items():
            if before is None:
                self._starter.link(tenant, workspace_id, logo_url)
            else:
                above = self._sites.generation(before.tenant_id, workspace_id)
                plain = before.ids.plain
                self._starter.link(tenant, workspace_id, logo_url, above=above, plain=plain)
