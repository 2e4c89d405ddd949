"""The stages of a replay. Each delivers a page of its work, and says where the replay then is."""

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

# Components are read and sent by hundreds; a page of these is within a step's time.
_COMPONENTS = 500


class ReplayStages:
    """`delivers_components`: the component module is on."""

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
        self.payment = payment
        self._delivers_components = delivers_components

    def next_page(
        self, session: SiteSession, linked: LinkedSite, replay: Replay, now: int
    ) -> Replay:
        """Deliver the next page of the replay's stage. Where the site can't accept more now,
        `session.stopped_by` says why, and the replay stays where the page began.

        `now` is in epoch milliseconds. Raises Unavailable, or an AWS error; repeating is safe.
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
        """Link in Jira, which has forgotten its links with the app that was uninstalled."""
        wanted = linked.workspace_id
        try:
            site = session.jira.site
            accepted = session.call(lambda: site.submit_workspaces([wanted]))
            # Jira may not name a workspace that was linked already.
            if wanted not in accepted and not session.call(lambda: site.has_workspace(wanted)):
                session.stopped_by = NotLinked().message
                return replay
        except Stopped:
            return replay
        except JiraError as error:
            # It would be refused again, and there is more to deliver.
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
            # What was answered is not selected again.
            return walked
        done = replay.done + chunk.passed
        # More may have been recorded since it was counted.
        walked = replace(walked, done=done, total=max(replay.total or 0, done))
        if chunk.next is None:
            return _next(walked, Stage.PAY)
        return replace(walked, cursor=keys.entity_sk(chunk.next))

    def _pay(self, session: SiteSession, linked: LinkedSite, replay: Replay, now: int) -> Replay:
        try:
            payment = self.payment.pay_next(session, linked, now)
        except Stopped:
            return replay
        if payment is None:
            total = None if replay.total is None else replay.done
            again = self.payment.first_postponed(linked)
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
        """Whether the page is to be delivered again from its start, as part of it was not.

        Not where the time ran out on what is at fault: it would do so every time. The rest of the
        page is then noted as owed, and paid where nothing postponed comes before it.
        """
        if not (result.waiting or result.components.waiting):
            return False
        _stop(session, result)
        at_fault = result.components.at_fault or len(result.owed) > len(result.waiting)
        if session.stopped_by != OUT_OF_TIME or not at_fault:
            return True
        self._debt_recorder.note(linked, result, logos)
        return False


def _next(replay: Replay, stage: Stage) -> Replay:
    return replace(replay, stage=stage, cursor="")


def _cursor(replay: Replay) -> EntityKey | None:
    return keys.entity_of(replay.cursor) if replay.cursor else None


def _stop(session: SiteSession, result: DeliveryResult) -> None:
    """What is owed although the site accepted it, as it has started over meanwhile, is left to
    another step."""
    if not session.stopped_by:
        session.stopped_by = result.waiting[0].messages[0] if result.waiting else OUT_OF_TIME
