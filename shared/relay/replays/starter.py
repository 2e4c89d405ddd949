"""Starting replays: for a new link, after a reinstall, or on request."""

from relay.aws import AWS_ERRORS
from relay.errors import Conflict, Unavailable
from relay.replays.schedule import ReplaySchedule
from relay.telemetry import logger
from relay.tenants.identity_choice import IdentityChoiceStore
from relay.tenants.links import LinkStore, unknown_link
from relay.tenants.replay import Replay, ReplayScope, Stage, generation, is_behind, new_run
from relay.tenants.replays import ReplayStore
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant, TenantState
from relay.tenants.troubles import TroubleStore

# The reason why a replay was started; the API shows it.
LINKED = "linked"

_REFUSALS = ("credential_refused", "access_refused")


class ReplayStarter:
    """Starts replays. Each link has one: a new replay replaces the one that is under way.

    Every method raises Unavailable, or an AWS error, unless its docstring says otherwise.
    """

    def __init__(
        self,
        tenants: TenantStore,
        links: LinkStore,
        replays: ReplayStore,
        troubles: TroubleStore,
        choices: IdentityChoiceStore,
        schedule: ReplaySchedule,
    ) -> None:
        self._tenants = tenants
        self._choices = choices
        self._links = links
        self._replays = replays
        self._troubles = troubles
        self._schedule = schedule

    def installed(self, tenant: Tenant) -> None:
        """Clear the trouble of a site that has installed the app, and deliver what it is owed.

        Delivers everything if the site has started over. Raises nothing: if AWS fails, the sweeper
        starts the replays.
        """
        try:
            self._catch_up(tenant)
        except (*AWS_ERRORS, Unavailable):
            logger.exception("Replays are left to the sweeper", tenant_id=tenant.id)

    def token_renewed(self, tenant: Tenant) -> None:
        """Try a site again that refused its old token, and continue all of its replays."""
        trouble = self._troubles.of(tenant.id)
        if trouble and trouble.code in _REFUSALS:
            self._troubles.clear(tenant.id)
            self._schedule.wake(tenant.id)

    def _catch_up(self, tenant: Tenant) -> None:
        self._troubles.clear(tenant.id)
        self._choices.forget(tenant.id)
        for workspace_id in self._links.workspaces_of(tenant.id):
            if is_behind(self._replays.get(tenant.id, workspace_id), tenant.installs):
                self.replay_reinstalled(tenant, workspace_id)
        self._schedule.wake(tenant.id)

    def take_over(self, merged: Tenant) -> None:
        """Move links and offers to the tenant that this one was merged into, if it was.

        Repeating is safe. Raises NotFound if that tenant does not exist.
        """
        if merged.merged_into is None:
            return
        tenant = self._tenants.existing(merged.merged_into)
        for workspace_id in self._links.workspaces_of(merged.id):
            self._take_over(merged, tenant, workspace_id)
        for workspace_id in self._links.offers_to(merged.id):
            self._links.offer(tenant.id, workspace_id)
            self._links.withdraw_offer(merged.id, workspace_id)

    def _take_over(self, merged: Tenant, tenant: Tenant, workspace_id: str) -> None:
        link = self._links.get(merged.id, workspace_id)
        try:
            if link:
                plain = link.ids.plain
                self.link(tenant, workspace_id, link.logo_url, Stage.LINK, plain=plain)
        except Conflict as conflict:
            # With plain ids a site can have only one workspace; the operator must choose it.
            logger.error("A link can't be moved", tenant_id=tenant.id, reason=conflict.message)
            return
        self._links.unlink(merged.id, workspace_id)

    def replay_reinstalled(self, tenant: Tenant, workspace_id: str) -> Replay:
        """Start a replay that links the workspace in Jira and delivers everything."""
        scope = ReplayScope.OWED
        return self._sent(self._stored(tenant, workspace_id, scope, "reinstalled", Stage.LINK))

    def replay_all(
        self,
        tenant: Tenant,
        workspace_id: str,
        why: str = "deleted and submitted",
        stage: Stage = Stage.COUNT,
    ) -> Replay:
        """Start a replay of everything, whatever the site has, because its state is unknown."""
        return self._sent(self._stored(tenant, workspace_id, ReplayScope.ALL, why, stage))

    def link(
        self,
        tenant: Tenant,
        workspace_id: str,
        logo_url: str,
        stage: Stage = Stage.COMPONENTS,
        above: int = -1,
        plain: bool | None = None,
    ) -> None:
        """Store the link, and start a replay of everything.

        An existing link is not changed. It is replayed only if its generation is not higher than
        `above`: the generation at an installation that the tenant replaces, because Jira may still
        have the sequences sent from there. `plain` is whether ids were plain there. Raises Conflict
        as `LinkStore.check_free` does.
        """
        is_new = self._links.get(tenant.id, workspace_id) is None
        if not is_new and generation(tenant, self._replays.get(tenant.id, workspace_id)) > above:
            return
        if is_new:
            self._links.check_free(tenant.id, workspace_id, plain)
        # Start the replay before the link exists: if this is cut off, the link is still replayed.
        resets = max(above + 1 - tenant.installs, tenant.resets_min)
        replay = self._stored(tenant, workspace_id, ReplayScope.ALL, LINKED, stage, resets=resets)
        if is_new:
            self._links.link(tenant.id, workspace_id, logo_url, plain)
        self._sent(replay)

    def request(
        self, tenant: Tenant, scope: ReplayScope, since: str | None, workspace_id: str | None
    ) -> list[Replay]:
        """Start replays of one linked workspace, or of all if `workspace_id` is None.

        `since` is RFC 3339. Raises NotFound if the workspace is not linked, and Conflict if the
        site has uninstalled the app.
        """
        if tenant.state is TenantState.UNINSTALLED:
            raise Conflict("The site has uninstalled the app.", code="uninstalled")
        workspace_ids = self._links.workspaces_of(tenant.id)
        if workspace_id is not None:
            if workspace_id not in workspace_ids:
                raise unknown_link()
            workspace_ids = [workspace_id]
        stage = Stage.LINK if scope is ReplayScope.ALL else Stage.COUNT
        return [
            self._sent(self._stored(tenant, one, scope, "requested", stage, since))
            for one in workspace_ids
        ]

    def _sent(self, replay: Replay) -> Replay:
        self._schedule.send(replay)
        return replay

    def _stored(
        self,
        tenant: Tenant,
        workspace_id: str,
        scope: ReplayScope,
        why: str,
        stage: Stage,
        since: str | None = None,
        resets: int = 0,
    ) -> Replay:
        now = self._schedule.now()
        fresh = Replay(
            tenant.id,
            workspace_id,
            resets=resets,
            run=new_run(),
            scope=scope,
            why=why,
            since=since,
            stage=stage,
            due=now,
            started_at=now,
            updated_at=now,
        )
        return self._replays.start(fresh, tenant.installs)
