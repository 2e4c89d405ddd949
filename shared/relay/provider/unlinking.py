"""Unlinking a workspace from a site, with all that Jira holds of it.

Jira documents that it deletes a workspace's entities once the workspace is unlinked, and nothing
proves it. So they are also deleted by the property that each of them carries: at once, and once
more when every delivery that was under way has ended.
"""

from dataclasses import replace

from relay.delivery.sites import Sites
from relay.jira.errors import JiraError, NothingThere
from relay.jira.workspace_jira import WorkspaceJira
from relay.queues.replays import ReplaysQueue, UnlinkedWorkspace
from relay.replays.starter import ReplayStarter
from relay.telemetry import logger
from relay.tenants.links import LinkStore
from relay.tenants.replay import Stage
from relay.tenants.store import TenantStore

# Seconds. A delivery under way has ended by then: a replayer has two minutes, and the call that
# unlinks half a minute.
_ONCE_MORE_AFTER = 180
# As long as a queue can wait. A site in trouble is asked again for a day.
_TRY_AGAIN_AFTER = 900
_ATTEMPTS_MAX = 100


class WorkspaceUnlinker:
    def __init__(
        self,
        tenants: TenantStore,
        links: LinkStore,
        sites: Sites,
        starter: ReplayStarter,
        queue: ReplaysQueue,
    ) -> None:
        self._tenants = tenants
        self._links = links
        self._sites = sites
        self._starter = starter
        self._queue = queue

    def unlink(self, tenant_id: str, workspace_id: str) -> None:
        """Jira first, then here: repeating is safe. A site without the app holds nothing any more.

        Raises NotFound, and JiraError where Jira does not unlink; what it does not delete at once,
        it is asked to delete later.
        """
        tenant = self._tenants.existing(tenant_id)
        site = self._sites.client_for(tenant)
        if site:
            link = self._links.get(tenant.id, workspace_id)
            if link:
                generation = self._sites.generation(tenant.id, workspace_id)
                unlinked = UnlinkedWorkspace(tenant.id, workspace_id, link.ids, generation)
                self._queue.send_unlinked(unlinked, _ONCE_MORE_AFTER)
            try:
                site.delete_workspaces([workspace_id])
            except NothingThere:
                # Gone is unlinked, as long as Jira does not list it.
                if site.has_workspace(workspace_id):
                    raise
            if link:
                self._delete_now(WorkspaceJira(site, link.ids))
        self._links.unlink(tenant.id, workspace_id)

    def _delete_now(self, jira: WorkspaceJira) -> None:
        try:
            jira.delete_all()
        except JiraError as error:
            logger.warning("An unlinked workspace is to be deleted later", reason=error.reason)

    def delete_again(self, unlinked: UnlinkedWorkspace) -> None:
        """What a delivery under way may have brought after the first deletion."""
        tenant = self._tenants.get(unlinked.tenant_id)
        site = self._sites.client_for(tenant) if tenant else None
        if tenant is None or site is None:
            return
        if not self._is_linked(unlinked):
            try:
                WorkspaceJira(site, unlinked.ids).delete_all()
            except JiraError as error:
                self._try_again(unlinked, error)
        if self._is_linked(unlinked) and self._started_over(unlinked):
            # What it was brought since may be among what was deleted, here or by Jira itself, which
            # says of neither when it is done.
            self._starter.replay_all(tenant, unlinked.workspace_id, Stage.COMPONENTS)
        if unlinked.ids.plain:
            # So may be what another one was brought that took its place, and has its ids.
            for link in self._links.of_tenant(tenant.id):
                if link.ids.plain and link.workspace_id != unlinked.workspace_id:
                    self._starter.replay_all(tenant, link.workspace_id, Stage.COMPONENTS)

    def _is_linked(self, unlinked: UnlinkedWorkspace) -> bool:
        return self._links.get(unlinked.tenant_id, unlinked.workspace_id) is not None

    def _started_over(self, unlinked: UnlinkedWorkspace) -> bool:
        """Linked once more, and not still linked as the unlinking failed."""
        generation = self._sites.generation(unlinked.tenant_id, unlinked.workspace_id)
        return generation > unlinked.generation

    def _try_again(self, unlinked: UnlinkedWorkspace, error: JiraError) -> None:
        last = unlinked.attempt >= _ATTEMPTS_MAX
        with logger.append_context_keys(
            tenant_id=unlinked.tenant_id, workspace_id=unlinked.workspace_id
        ):
            log = logger.error if last else logger.warning
            log("An unlinked workspace could not be deleted", reason=error.reason, gave_up=last)
        if not last:
            following = replace(unlinked, attempt=unlinked.attempt + 1)
            self._queue.send_unlinked(following, _TRY_AGAIN_AFTER)
