"""Which sites a workspace's entities go to, and how each of them fares."""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.delivery.access import SiteAccess
from relay.entities.workspace_ids import WorkspaceIds
from relay.jira.client import JiraClient
from relay.jira.workspace_jira import WorkspaceJira
from relay.tenants import (
    Link,
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
    ids: WorkspaceIds
    trouble: Trouble | None = None
    replay: Replay | None = None

    @property
    def generation(self) -> int:
        """See `generation`."""
        return generation(self.tenant, self.replay)


def generation(tenant: Tenant, replay: Replay | None) -> int:
    """How often the site has begun anew for a workspace: what it took in an earlier generation may
    be gone. It only grows, with each reinstall, new link and replay of all."""
    resets = replay.resets if replay else 0
    # Without the app it holds nothing: it is in the generation that its next install begins.
    uninstalled = tenant.state is TenantState.UNINSTALLED
    return tenant.installs + resets + uninstalled


class Sites:
    def __init__(self, links: LinkStore, standings: StandingStore, access: SiteAccess) -> None:
        self._links = links
        self._standings = standings
        self._access = access

    def linked_to(self, workspace_id: str) -> list[LinkedSite]:
        return self._linked(workspace_id, self._links.of_workspace(workspace_id))

    def link(self, tenant_id: str, workspace_id: str) -> LinkedSite | None:
        """None where the two are not linked (any more)."""
        link = self._links.get(tenant_id, workspace_id)
        return next(iter(self._linked(workspace_id, [link])), None) if link else None

    def generation(self, tenant_id: str, workspace_id: str) -> int:
        standings = self._standings.of(workspace_id, [tenant_id])
        return sum(generation(found.tenant, found.replay) for found in standings)

    def of(self, tenant: Tenant) -> JiraClient | None:
        """None where the site has uninstalled the app, and all is owed (see `SiteAccess`)."""
        return self._access.to(tenant)

    def seen_by(self, linked: LinkedSite) -> WorkspaceJira | None:
        """The site as the workspace sees it; None as `of`."""
        site = self.of(linked.tenant)
        return WorkspaceJira(site, linked.ids) if site else None

    def _linked(self, workspace_id: str, links: Sequence[Link]) -> list[LinkedSite]:
        ids = {link.tenant_id: link.ids for link in links}
        return [
            LinkedSite(workspace_id, one.tenant, ids[one.tenant.id], one.trouble, one.replay)
            for one in self._standings.of(workspace_id, ids)
        ]
