"""The sites that a workspace is linked to, and their current state; sessions with them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay.aws import AWS_ERRORS
from relay.delivery.session import Clock, SiteSession, SiteTrouble, Stopped, TimeLeft
from relay.entities.workspace_ids import WorkspaceIds
from relay.errors import Unavailable
from relay.jira.workspace_jira import WorkspaceJira
from relay.telemetry import logger
from relay.tenants.links import Link, LinkStore
from relay.tenants.replay import Replay
from relay.tenants.snapshots import SiteSnapshot, SiteSnapshotStore
from relay.tenants.tenant import Tenant
from relay.tenants.troubles import Trouble, TroubleStore

if TYPE_CHECKING:
    from relay.delivery.access import SiteAccess
    from relay.jira.client import JiraClient

_NO_SECRET = "The site's secret can't be read."  # noqa: S105
_UNINSTALLED = "The site has uninstalled the app."
_NOT_READABLE = (*AWS_ERRORS, Unavailable)


@dataclass(frozen=True, slots=True)
class LinkedSite:
    """A site that a workspace is linked to, as read at one moment."""

    link: Link
    snapshot: SiteSnapshot

    @property
    def workspace_id(self) -> str:
        """The id of the linked workspace."""
        return self.link.workspace_id

    @property
    def ids(self) -> WorkspaceIds:
        """Translates between the workspace's own ids and those at the site."""
        return self.link.ids

    @property
    def tenant(self) -> Tenant:
        """Relay's record of the site."""
        return self.snapshot.tenant

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong with the site; None if nothing is."""
        return self.snapshot.trouble

    @property
    def replay(self) -> Replay | None:
        """The link's replay, under way or done; None if there was none."""
        return self.snapshot.replay

    @property
    def generation(self) -> int:
        """How often the site has started over for the workspace (see `relay.tenants.replay`)."""
        return self.snapshot.generation


class Sites:
    """Reads linked sites and opens sessions with them. `access` is called when a site is called.

    Every method raises Unavailable, or an AWS error, if the tables can't be read.
    """

    def __init__(
        self,
        links: LinkStore,
        snapshots: SiteSnapshotStore,
        troubles: TroubleStore,
        access: Callable[[], "SiteAccess"],
        clock: Clock = time.time,
    ) -> None:
        self._links = links
        self._snapshots = snapshots
        self._troubles = troubles
        self._access = access
        self._clock = clock

    def linked_to(self, workspace_id: str) -> list[LinkedSite]:
        """Every site that the workspace is linked to, uninstalled ones included."""
        return self._linked(workspace_id, self._links.of_workspace(workspace_id))

    def link(self, tenant_id: str, workspace_id: str) -> LinkedSite | None:
        """One linked site; None if the two are not linked (any more)."""
        link = self._links.get(tenant_id, workspace_id)
        return next(iter(self._linked(workspace_id, [link])), None) if link else None

    def generation(self, tenant_id: str, workspace_id: str) -> int:
        """The link's current generation; 0 if the tenant is unknown."""
        snapshots = self._snapshots.of(workspace_id, [tenant_id])
        return sum(found.generation for found in snapshots)

    def client_for(self, tenant: Tenant) -> "JiraClient | None":
        """A client of the site's Jira; None if it has uninstalled the app (see `SiteAccess`)."""
        return self._access().client_for(tenant)

    def jira_for(self, linked: LinkedSite) -> WorkspaceJira | None:
        """The site's Jira as the workspace sees it; None if it has uninstalled the app."""
        site = self.client_for(linked.tenant)
        return WorkspaceJira(site, linked.ids) if site else None

    def without_workspace(self, tenant: Tenant) -> LinkedSite:
        """The site for calls that concern no workspace."""
        trouble = self._troubles.of(tenant.id)
        link = Link(tenant.id, "", WorkspaceIds(""))
        return LinkedSite(link, SiteSnapshot(tenant, trouble, None))

    def session(self, linked: LinkedSite, time_left: TimeLeft) -> SiteSession:
        """A session with the site; `time_left` returns seconds.

        Raises Stopped if the site may not be called now, or if its secret can't be read.
        """
        try:
            jira = self.jira_for(linked)
        except _NOT_READABLE as error:
            # This concerns one site only, and must not delay the others.
            logger.exception("A site can't be called", tenant_id=linked.tenant.id)
            raise Stopped(_NO_SECRET) from error
        if jira is None:
            raise Stopped(_UNINSTALLED)
        trouble = SiteTrouble(self._troubles, linked.tenant.id, linked.trouble, self._clock)
        trouble.check_may_call()
        return SiteSession(jira, trouble, time_left, linked.workspace_id)

    def _linked(self, workspace_id: str, links: Sequence[Link]) -> list[LinkedSite]:
        by_tenant = {link.tenant_id: link for link in links}
        return [
            LinkedSite(by_tenant[snapshot.tenant.id], snapshot)
            for snapshot in self._snapshots.of(workspace_id, by_tenant)
        ]
