"""One step of a replay: as much as one invocation has time for.

A step saves its progress and continues through the queue. It may be cut off anywhere: the next step
starts at the last saved progress, and delivering something twice changes nothing.
"""

from dataclasses import replace

from relay.delivery.session import CALL_SECONDS, OUT_OF_TIME, Stopped, TimeLeft
from relay.delivery.sites import LinkedSite, Sites
from relay.replays.debts import DebtRecorder
from relay.replays.schedule import ReplaySchedule
from relay.replays.stages import ReplayStages
from relay.replays.starter import LINKED
from relay.telemetry import logger
from relay.tenants.replay import Replay, Stage
from relay.tenants.replays import ReplayStore
from relay.tenants.tenant import TenantState
from relay.tenants.troubles import TroubleStore

# Seconds for a page, apart from its calls to Jira: reading a thousand entries, writing outcomes.
_PAGE_SECONDS = 15
# After this, another worker may continue the replay of a worker that was cut off.
_LEASE_MS = 180_000
# The pause if a site can't be called although it is not in trouble.
_PAUSE_MS = 60_000
# A link is written a moment after its replay has started.
_LINKING_MS = 60_000


class Replayer:
    """Continues replays, one step per call."""

    def __init__(
        self,
        replays: ReplayStore,
        sites: Sites,
        troubles: TroubleStore,
        schedule: ReplaySchedule,
        debt_recorder: DebtRecorder,
        stages: ReplayStages,
    ) -> None:
        self._replays = replays
        self._sites = sites
        self._troubles = troubles
        self._schedule = schedule
        self._debt_recorder = debt_recorder
        self._stages = stages

    def step(self, tenant_id: str, workspace_id: str, time_left: TimeLeft) -> None:
        """Continue this link's replay for as long as time allows. Does nothing if it is not due, or
        if another worker holds its lease.

        `time_left` returns seconds. Raises Unavailable, or an AWS error; the replay then continues
        once its lease has ended.
        """
        replay = self._replays.get(tenant_id, workspace_id)
        now = self._schedule.now()
        if replay and replay.is_due_again(now):
            # Postponed debts are due.
            self._replays.owe(self._debt_recorder.replay_of(tenant_id, workspace_id))
            replay = self._replays.get(tenant_id, workspace_id)
        if replay:
            replay = self._replays.lease(replay, now, _LEASE_MS)
        if replay is None:
            return
        linked = self._sites.link(tenant_id, workspace_id)
        with logger.append_context_keys(
            tenant_id=tenant_id, workspace_id=workspace_id, run=replay.run
        ):
            if linked is None:
                self._forget(replay)
            else:
                self._continue(replay, linked, time_left)

    def _continue(self, replay: Replay, linked: LinkedSite, time_left: TimeLeft) -> None:
        try:
            session = self._sites.session(linked, time_left)
        except Stopped as stopped:
            self._pause(replay, linked, stopped.reason)
            return
        if replay.stage is Stage.PAY:
            replay = replace(replay, total=replay.done + self._debt_recorder.count(linked))
        while time_left() > CALL_SECONDS + _PAGE_SECONDS:
            replay = self._stages.next_page(session, linked, replay, self._schedule.now())
            if session.recovered:
                session.recovered = False
                self._schedule.wake(replay.tenant_id)
            if session.stopped_by:
                self._pause(replay, linked, session.stopped_by)
                return
            if replay.is_done:
                replay = self._ended(replay)
            if replay.is_done or not self._saved(replay):
                return
        self._pause(replay, linked, OUT_OF_TIME)

    def _ended(self, replay: Replay) -> Replay:
        """End the replay. If debts were recorded in the meantime, it continues with them."""
        if self._replays.end(replay, self._schedule.now()):
            logger.info("Replayed", done=replay.done, refused=replay.refused)
            if replay.again:
                self._schedule.send(replace(replay, due=replay.again))
            return replay
        stored = self._replays.get(replay.tenant_id, replay.workspace_id)
        if stored is None or stored.run != replay.run:
            return replay
        return replace(replay, stage=Stage.PAY, owed=stored.owed, again=0)

    def _saved(self, replay: Replay) -> bool:
        """Save the progress and extend the lease; False if another run has replaced this one."""
        now = self._schedule.now()
        return self._replays.save(
            replace(replay, reason=None, updated_at=now, leased=now + _LEASE_MS)
        )

    def _pause(self, replay: Replay, linked: LinkedSite, reason: str) -> None:
        """End the lease, and schedule the next step."""
        now = self._schedule.now()
        trouble = self._troubles.of(replay.tenant_id)
        due = now if reason == OUT_OF_TIME else now + _PAUSE_MS
        paused = replace(
            replay,
            due=max(trouble.until, now) if trouble else due,
            leased=0,
            updated_at=now,
            reason=None if reason == OUT_OF_TIME else reason,
        )
        logger.info("Replay paused", reason=trouble.code if trouble else "time", done=paused.done)
        # A site that has uninstalled the app starts over when it installs it again.
        if self._replays.save(paused) and linked.tenant.state is TenantState.ACTIVE:
            self._schedule.send(paused)

    def _forget(self, replay: Replay) -> None:
        """Drop a replay without a link, unless the link is just about to be written."""
        now = self._schedule.now()
        if replay.why == LINKED and replay.started_at > now - _LINKING_MS:
            self._replays.save(replace(replay, leased=0))
            return
        self._debt_recorder.forget(replay.tenant_id, replay.workspace_id)
        self._replays.end(replace(replay, again=0), now)
