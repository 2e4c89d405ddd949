"""Unlinking a workspace from a site, and deleting its data there.

Jira documents that it deletes a workspace's entities after unlinking, but does not report it. So
Relay also deletes them by the property that each of them has: at once, and again when every
delivery that was under way has ended.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from relay.delivery.session import TimeLeft
from relay.delivery.sites import Sites
from relay.entities.workspace_ids import WorkspaceIds
from relay.jira.errors import JiraError, NothingThere
from relay.jira.workspace_jira import WorkspaceJira
from relay.queues.delays import DELAY_MAX, DRAIN_SECONDS
from relay.queues.replays import ReplaysQueue, UnlinkedWorkspace
from relay.record.retention import RetentionStore
from relay.replays.starter import LINKED, ReplayStarter
from relay.telemetry import logger
from relay.tenants.links import LinkStore
from relay.tenants.replay import Stage
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant

if TYPE_CHECKING:
    from relay.jira.client import JiraClient

# Seconds that are left for the deletion in Jira.
_JIRA_SECONDS = 45
# With DELAY_MAX between two attempts, it is retried for a day.
_ATTEMPTS_MAX = 100


class WorkspaceUnlinker:
    """Unlinks workspaces from sites. Every method raises Unavailable, or an AWS error."""

    def __init__(
        self,
        tenants: TenantStore,
        links: LinkStore,
        sites: Sites,
        starter: ReplayStarter,
        queue: ReplaysQueue,
        retention: RetentionStore,
    ) -> None:
        self._tenants = tenants
        self._links = links
        self._sites = sites
        self._starter = starter
        self._queue = queue
        self._retention = retention

    def unlink(self, tenant_id: str, workspace_id: str) -> None:
        """Unlink the two in Jira, then in Relay; only in Relay if the site has uninstalled the app.

        Repeating is safe. Raises NotFound, and JiraError if Jira does not unlink. A deletion that
        fails is retried later.
        """
        tenant = self._tenants.existing(tenant_id)
        site = self._sites.client_for(tenant)
        link = self._links.get(tenant.id, workspace_id)
        if link:
            generation = self._sites.generation(tenant.id, workspace_id)
            unlinked = UnlinkedWorkspace(tenant.id, workspace_id, link.ids, generation)
            self._queue.send_unlinked(unlinked, DRAIN_SECONDS)
        if site:
            self._unlink_in_jira(site, workspace_id)
            if link:
                self._delete_now(WorkspaceJira(site, link.ids))
        self._links.unlink(tenant.id, workspace_id)

    def _delete_now(self, jira: WorkspaceJira) -> None:
        try:
            jira.delete_all()
        except JiraError as error:
            logger.warning("Unlinked data will be deleted later", reason=error.reason)

    def delete_again(self, unlinked: UnlinkedWorkspace, time_left: TimeLeft) -> None:
        """Delete what a delivery under way may have delivered after the first deletion, and the
        outcomes and debts of the link, which nothing else would find without it.

        `time_left` returns seconds; what is left then is deleted by another message. JiraErrors are
        retried through the queue, up to _ATTEMPTS_MAX times.
        """
        if not self._is_linked(unlinked):
            for _ in self._retention.remove_link(unlinked.workspace_id, unlinked.tenant_id):
                if time_left() < _JIRA_SECONDS:
                    self._queue.send_unlinked(unlinked, 0)
                    return
        tenant = self._tenants.get(unlinked.tenant_id)
        site = self._sites.client_for(tenant) if tenant else None
        if tenant is None or site is None:
            return
        if not self._is_linked(unlinked):
            try:
                WorkspaceJira(site, unlinked.ids).delete_all()
            except JiraError as error:
                self._try_again(unlinked, error)
        if self._is_linked(unlinked) and self._was_relinked(unlinked):
            # The two were linked again. Relay's or Jira's deletion may have removed what was
            # delivered since, and Jira reports the end of neither.
            self._starter.replay_all(tenant, unlinked.workspace_id, LINKED, Stage.COMPONENTS)
        self._replay_plain(tenant, unlinked.workspace_id, unlinked.ids)

    def clear(self, tenant_id: str, workspace_id: str, ids: WorkspaceIds) -> None:
        """Unlink a workspace in Jira that is unlinked in Relay, and delete its data there, once no
        delivery is under way. Does nothing if the site has uninstalled the app.

        Repeating is safe. Raises NotFound, and JiraError if Jira does not.
        """
        # The data is at the site of the tenant that this one was merged into, if it was.
        tenant = self._tenants.current(tenant_id)
        site = self._sites.client_for(tenant) if tenant else None
        if tenant and site:
            self._unlink_in_jira(site, workspace_id)
            try:
                WorkspaceJira(site, ids).delete_all()
            finally:
                # A deletion that fails may have deleted a part, and succeed much later or never.
                self._replay_plain(tenant, workspace_id, ids)

    def _unlink_in_jira(self, site: "JiraClient", workspace_id: str) -> None:
        try:
            site.delete_workspaces([workspace_id])
        except NothingThere:
            # A 404 counts as unlinked, unless Jira still lists the workspace.
            if site.has_workspace(workspace_id):
                raise

    def _replay_plain(self, tenant: Tenant, workspace_id: str, ids: WorkspaceIds) -> None:
        """Replay another workspace with the same plain ids: the deletion may have removed its
        data."""
        if ids.plain:
            for link in self._links.of_tenant(tenant.id):
                if link.ids.plain and link.workspace_id != workspace_id:
                    self._starter.replay_all(tenant, link.workspace_id, LINKED, Stage.COMPONENTS)

    def _is_linked(self, unlinked: UnlinkedWorkspace) -> bool:
        return self._links.get(unlinked.tenant_id, unlinked.workspace_id) is not None

    def _was_relinked(self, unlinked: UnlinkedWorkspace) -> bool:
        """Whether the two were linked again, and are not just still linked after a failure."""
        link = self._links.get(unlinked.tenant_id, unlinked.workspace_id)
        if link and link.ids.key != unlinked.ids.key:
            # The workspace was erased and created again.
            return True
        generation = self._sites.generation(unlinked.tenant_id, unlinked.workspace_id)
        return generation > unlinked.generation

    def _try_again(self, unlinked: UnlinkedWorkspace, error: JiraError) -> None:
        last = unlinked.attempt >= _ATTEMPTS_MAX
        with logger.append_context_keys(
            tenant_id=unlinked.tenant_id, workspace_id=unlinked.workspace_id
        ):
            log = logger.error if last else logger.warning
            log("Unlinked data could not be deleted", reason=error.reason, gave_up=last)
        if not last:
            following = replace(unlinked, attempt=unlinked.attempt + 1)
            self._queue.send_unlinked(following, DELAY_MAX)
