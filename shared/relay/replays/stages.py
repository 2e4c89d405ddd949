"""The stages of a replay. Each delivers one page, and returns the replay with its new progress."""

from collections.abc import Mapping
from dataclasses import replace

from relay import keys
from relay.catalog.containers import ContainerStore
from relay.delivery.session import OUT_OF_TIME, SiteSession, Stopped
from relay.delivery.site_delivery import DeliveryResult, SiteDelivery
from relay.delivery.sites import LinkedSite
from relay.entities.model import EntityKey
from relay.jira.errors import JiraError, NotLinked
from relay.record.store import RecordStore
from relay.replays.debts import DebtPayment, DebtRecorder
from relay.replays.selection import Selection
from relay.telemetry import logger
from relay.tenants.replay import Replay, Stage

# Components are read and sent in hundreds; a page of this size fits into a step's time.
_COMPONENTS = 500


class ReplayStages:
    """Delivers the pages of each stage. `delivers_components`: the components module is enabled."""

    def __init__(
        self,
        record: RecordStore,
        containers: ContainerStore,
        delivery: SiteDelivery,
        debt_recorder: DebtRecorder,
        payment: DebtPayment,
        delivers_components: bool,
    ) -> None:
        self._record = record
        self._containers = containers
        self._delivery = delivery
        self._debt_recorder = debt_recorder
        self._payment = payment
        self._delivers_components = delivers_components

    def next_page(
        self, session: SiteSession, linked: LinkedSite, replay: Replay, now: int
    ) -> Replay:
        """Deliver the next page of the replay's stage, and return the replay with its progress.

        If the site can't accept more now, `session.stopped_by` gives the reason, and the progress
        stays at the start of the page. `now` is in epoch milliseconds. Raises Unavailable, or an
        AWS error; repeating is safe.
        """
        match replay.stage:
            case Stage.LINK:
                return self._link(session, linked, replay)
            case Stage.COMPONENTS:
                return self._deliver_components(session, linked, replay)
            case Stage.COUNT:
                return self._count(linked, replay)
            case Stage.WALK:
                return self._walk(session, linked, replay)
            case Stage.PAY:
                return self._pay(session, linked, replay, now)
            case Stage.DONE:
                return replay

    def _link(self, session: SiteSession, linked: LinkedSite, replay: Replay) -> Replay:
        """Link the workspace in Jira, which drops its links when the app is uninstalled."""
        workspace = linked.workspace_id
        try:
            site = session.jira.site
            accepted = session.call(lambda: site.submit_workspaces([workspace]))
            # Jira may not name a workspace that was already linked.
            if workspace not in accepted and not session.call(
                lambda: site.has_workspace(workspace)
            ):
                session.stopped_by = NotLinked().message
                return replay
        except Stopped:
            return replay
        except JiraError as error:
            # Jira would refuse it again, and the rest can still be delivered.
            logger.error("Jira refused a link", reason=error.reason)
        return _next(replay, Stage.COMPONENTS)

    def _deliver_components(
        self, session: SiteSession, linked: LinkedSite, replay: Replay
    ) -> Replay:
        if not self._delivers_components:
            return _next(replay, Stage.COUNT)
        page = self._containers.page(linked.workspace_id, replay.cursor, _COMPONENTS)
        logos = {container.id: linked.link.logo_url for container in page}
        result = self._delivery.deliver(session, linked, logos=logos)
        self._debt_recorder.postpone(linked, result, logos)
        if self._is_unfinished(session, linked, result, logos):
            return replay
        if len(page) < _COMPONENTS:
            return _next(replay, Stage.COUNT)
        return replace(replay, cursor=page[-1].id)

    def _count(self, linked: LinkedSite, replay: Replay) -> Replay:
        counted, next_one = self._record.count(linked.workspace_id, _cursor(replay))
        counted += replay.counted
        if next_one:
            return replace(replay, counted=counted, cursor=keys.entity_sk(next_one))
        return replace(_next(replay, Stage.WALK), counted=counted, total=counted)

    def _walk(self, session: SiteSession, linked: LinkedSite, replay: Replay) -> Replay:
        selection = Selection(self._record, linked, replay.since, replay.started_at)
        chunk = selection.chunk(_cursor(replay))
        result = self._delivery.deliver(session, linked, chunk.states, chunk.deleted)
        walked = replace(replay, refused=replay.refused + result.refused)
        self._debt_recorder.postpone(linked, result, {})
        if self._is_unfinished(session, linked, result, {}):
            # Entities that were answered are not selected again.
            return walked
        done = replay.done + chunk.passed
        # More may have been recorded since the count.
        walked = replace(walked, done=done, total=max(replay.total or 0, done))
        if chunk.next is None:
            return _next(walked, Stage.PAY)
        return replace(walked, cursor=keys.entity_sk(chunk.next))

    def _pay(self, session: SiteSession, linked: LinkedSite, replay: Replay, now: int) -> Replay:
        try:
            payment = self._payment.pay_next(session, linked, now)
        except Stopped:
            return replay
        if payment is None:
            total = None if replay.total is None else replay.done
            again = self._payment.first_postponed(linked)
            return replace(_next(replay, Stage.DONE), again=again, total=total)
        result = payment.result
        if result.waiting or result.components.waiting:
            _stop(session, result)
        done = replay.done + payment.paid
        return replace(
            replay,
            done=done,
            total=max(replay.total or 0, done),
            refused=replay.refused + result.refused,
        )

    def _is_unfinished(
        self,
        session: SiteSession,
        linked: LinkedSite,
        result: DeliveryResult,
        logos: Mapping[str, str],
    ) -> bool:
        """Whether the page must be delivered again from its start.

        Not if entities at fault have used up the time: they would do so each time. The rest of the
        page is then recorded as owed, and is paid before anything postponed.
        """
        if not (result.waiting or result.components.waiting):
            return False
        _stop(session, result)
        at_fault = result.components.at_fault or len(result.owed) > len(result.waiting)
        if session.stopped_by != OUT_OF_TIME or not at_fault:
            return True
        self._debt_recorder.record(linked, result, logos)
        return False


def _next(replay: Replay, stage: Stage) -> Replay:
    return replace(replay, stage=stage, cursor="")


def _cursor(replay: Replay) -> EntityKey | None:
    return keys.entity_of(replay.cursor) if replay.cursor else None


def _stop(session: SiteSession, result: DeliveryResult) -> None:
    """Stop the session, so that another step delivers the rest.

    If the session has no reason yet, the site started over during the delivery: all is owed again.
    """
    if not session.stopped_by:
        session.stopped_by = result.waiting[0].messages[0] if result.waiting else OUT_OF_TIME
