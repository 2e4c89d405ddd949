"""The scheduled sweep: it continues work whose message was lost."""

from collections import Counter
from dataclasses import replace

from relay.aws import AWS_ERRORS
from relay.delivery.session import CALL_SECONDS, Stopped, TimeLeft
from relay.delivery.sites import LinkedSite, Sites
from relay.errors import Unavailable
from relay.jira.errors import JiraError
from relay.replays.schedule import ReplaySchedule
from relay.replays.starter import ReplayStarter
from relay.telemetry import Metric, count, logger
from relay.tenants.links import LinkStore
from relay.tenants.replay import Replay, is_behind
from relay.tenants.replays import ReplayStore
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant, TenantState

_NOT_SWEPT = (*AWS_ERRORS, Unavailable)


class Sweeper:
    """Starts and continues replays, and tries sites in trouble that no replay would call."""

    def __init__(
        self,
        tenants: TenantStore,
        links: LinkStore,
        replays: ReplayStore,
        sites: Sites,
        schedule: ReplaySchedule,
        starter: ReplayStarter,
    ) -> None:
        self._tenants = tenants
        self._links = links
        self._replays = replays
        self._sites = sites
        self._schedule = schedule
        self._starter = starter

    def sweep(self, time_left: TimeLeft) -> None:
        """Sweep all sites; `time_left` returns seconds.

        Starts the replays that a reinstall should have started, queues those that are due, and
        tries the sites that are in trouble and owed nothing. Counts waiting replays, overdue ones
        and sites in trouble as metrics. Raises the first AWS error or Unavailable after sweeping
        all sites.
        """
        counted: Counter[Metric] = Counter()
        failed: list[Exception] = []
        for tenant in self._tenants.all():
            try:
                self._starter.take_over(tenant)
                if tenant.state is TenantState.ACTIVE:
                    counted += self._sweep(tenant, time_left)
            except _NOT_SWEPT as error:
                logger.exception("A site could not be swept", tenant_id=tenant.id)
                failed.append(error)
        for metric, value in counted.items():
            count(metric, value)
        if failed:
            raise failed[0]

    def _sweep(self, tenant: Tenant, time_left: TimeLeft) -> Counter[Metric]:
        replays = {replay.workspace_id: replay for replay in self._replays.of_tenant(tenant.id)}
        for workspace_id in self._links.workspaces_of(tenant.id):
            if is_behind(replays.get(workspace_id), tenant.installs):
                self._starter.replay_reinstalled(tenant, workspace_id)
        waiting = [replay for replay in replays.values() if not replay.is_done]
        count(Metric.REPLAYS_OVERDUE, _overdue(waiting, self._schedule.now()))
        for replay in replays.values():
            self._queue_if_due(replay)
        # No workspace is needed to call the site itself.
        linked = self._sites.without_workspace(tenant)
        if linked.trouble and not waiting:
            self._try(linked, time_left)
        return _counted(linked, waiting)

    def _queue_if_due(self, replay: Replay) -> None:
        now = self._schedule.now()
        is_due = not replay.is_done and replay.due <= now and replay.leased <= now
        if is_due or replay.is_due_again(now):
            self._schedule.send(replace(replay, due=now))

    def _try(self, linked: LinkedSite, time_left: TimeLeft) -> None:
        """Try the site with a read-only call, because nothing is owed that could be delivered."""
        if time_left() < CALL_SECONDS:
            return
        try:
            session = self._sites.session(linked, time_left)
            session.call(session.jira.site.workspaces)
        except Stopped:
            return
        except JiraError as error:
            # Jira refused the request, so the site has answered.
            logger.warning("Jira refused a trial call", reason=error.reason)
        logger.info("A site was tried, and answers", tenant_id=linked.tenant.id)


def _overdue(waiting: list[Replay], now: int) -> int:
    """Whole seconds since the first of the replays could have continued; 0 if none could."""
    since = (max(replay.due, replay.leased, replay.updated_at) for replay in waiting)
    return max(0, now - min(since, default=now)) // 1000


def _counted(linked: LinkedSite, waiting: list[Replay]) -> Counter[Metric]:
    counted = Counter({Metric.REPLAYS_WAITING: len(waiting)})
    if linked.trouble:
        needs_attention = linked.trouble.needs_attention
        counted[Metric.SITES_NEEDING_ATTENTION if needs_attention else Metric.SITES_SLOWED] = 1
    return counted
