"""Recording what was submitted, and delivering it to every linked site."""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.aws import AWS_ERRORS
from relay.delivery.components import logos_of
from relay.delivery.session import Stopped, TimeLeft
from relay.delivery.site_delivery import SiteDelivery, nothing_delivered
from relay.delivery.sites import LinkedSite, Sites
from relay.entities.model import EntityState
from relay.errors import Unavailable
from relay.provider.services import ServiceContainers
from relay.queues.submissions import Message
from relay.record.entry import Head
from relay.record.store import Recorded, RecordStore
from relay.replays.debts import DebtRecorder
from relay.replays.schedule import ReplaySchedule
from relay.telemetry import Metric, count, logger
from relay.tenants.tenant import TenantState

_RETRYABLE = (*AWS_ERRORS, Unavailable)


@dataclass(frozen=True, slots=True)
class _Changes:
    """The changes in one workspace's messages."""

    recorded: Recorded
    deleted: Sequence[Head]
    logos: dict[str, str]


class SubmissionDelivery:
    """Processes submission messages.

    A message is done once all of it is recorded, and each linked site has answered for it or is
    owed the rest. So a site's trouble never makes a message return to the queue.
    """

    def __init__(
        self,
        record: RecordStore,
        sites: Sites,
        delivery: SiteDelivery,
        debt_recorder: DebtRecorder,
        schedule: ReplaySchedule,
        services: ServiceContainers,
    ) -> None:
        self._record = record
        self._sites = sites
        self._delivery = delivery
        self._debt_recorder = debt_recorder
        self._schedule = schedule
        self._services = services

    def process(self, messages: Sequence[Message], time_left: TimeLeft) -> list[Message]:
        """Record and deliver; returns the messages that must be received again, as AWS failed.

        `time_left` returns seconds.
        """
        by_workspace: dict[str, list[Message]] = {}
        for message in messages:
            by_workspace.setdefault(message.workspace_id, []).append(message)
        return [
            message
            for workspace_id, group in by_workspace.items()
            if not self._processed(workspace_id, group, time_left)
            for message in group
        ]

    def _processed(self, workspace_id: str, messages: list[Message], time_left: TimeLeft) -> bool:
        correlation_ids = sorted({message.correlation_id for message in messages})
        with logger.append_context_keys(workspace_id=workspace_id, correlation_ids=correlation_ids):
            try:
                self._record_and_deliver(workspace_id, messages, time_left)
            except _RETRYABLE:
                logger.exception("The workspace's messages could not be processed")
                return False
        return True

    def _record_and_deliver(
        self, workspace_id: str, messages: list[Message], time_left: TimeLeft
    ) -> None:
        changes = _Changes(
            self._record_newest(workspace_id, messages),
            self._still_deleted(workspace_id, messages),
            logos_of(messages) | self._services.keep(workspace_id, messages),
        )
        failed: list[Exception] = []
        for linked in self._sites.linked_to(workspace_id):
            # A site that has uninstalled the app is replayed when it installs it again.
            if linked.tenant.state is TenantState.ACTIVE:
                try:
                    self._deliver(linked, changes, time_left)
                except _RETRYABLE as error:
                    failed.append(error)
        if failed:
            raise failed[0]

    def _deliver(self, linked: LinkedSite, changes: _Changes, time_left: TimeLeft) -> None:
        states = self._still_to_deliver(linked, changes.recorded)
        if not (states or changes.deleted or changes.logos):
            return
        try:
            session = self._sites.session(linked, time_left)
        except Stopped as stopped:
            result = nothing_delivered(states, changes.deleted, changes.logos, stopped.reason)
        else:
            result = self._delivery.deliver(session, linked, states, changes.deleted, changes.logos)
            if session.recovered:
                self._schedule.wake(linked.tenant.id)
        self._debt_recorder.owe(linked, result, changes.logos)

    def _record_newest(self, workspace_id: str, messages: list[Message]) -> Recorded:
        states = [state for message in messages for state in message.states]
        recorded = self._record.put_newest(workspace_id, states)
        count(Metric.RECORDED, len(recorded.new))
        count(Metric.OUTDATED, len(recorded.outdated))
        logger.info(
            "Recorded",
            new=len(recorded.new),
            same=len(recorded.same),
            outdated=len(recorded.outdated),
        )
        return recorded

    def _still_deleted(self, workspace_id: str, messages: list[Message]) -> list[Head]:
        """The entities to delete, without those that were submitted again since."""
        keys = {key for message in messages for key in message.deleted}
        return [head for head in self._record.heads_of(workspace_id, keys) if head.is_deleted]

    def _still_to_deliver(self, linked: LinkedSite, recorded: Recorded) -> list[EntityState]:
        """New states, and states that were recorded before without an outcome: those of a message
        that was received again.

        Outdated states are left out: the message with the newer state delivers that.
        """
        keys = [state.key for state in recorded.same]
        tenant_id = linked.tenant.id
        known = self._record.outcomes_of(linked.workspace_id, tenant_id, keys) if keys else {}
        unanswered = [
            state
            for state in recorded.same
            if state.key not in known
            or known[state.key].sequence < state.sequence
            or known[state.key].generation < linked.generation
        ]
        return [*recorded.new, *unanswered]
