"""Recording what was submitted, and delivering it to every linked site."""

from collections.abc import Sequence

from relay.aws import AWS_ERRORS
from relay.delivery.session import Stopped, TimeLeft
from relay.delivery.site_delivery import SiteDelivery, nothing_delivered
from relay.delivery.sites import LinkedSite, Sites
from relay.entities.model import EntityState
from relay.errors import Unavailable
from relay.provider.recording import Changes, SubmissionRecorder
from relay.queues.submissions import Message
from relay.record.receipts import Receipt
from relay.record.store import Recorded, RecordStore
from relay.replays.debts import DebtRecorder
from relay.replays.schedule import ReplaySchedule
from relay.telemetry import logger
from relay.tenants.tenant import TenantState

_RETRYABLE = (*AWS_ERRORS, Unavailable)


class SubmissionDelivery:
    """Processes submission messages.

    A message is done once all of it is recorded, and each linked site has answered for it or is
    owed the rest. So a site's trouble never makes a message return to the queue.
    """

    def __init__(
        self,
        recorder: SubmissionRecorder,
        record: RecordStore,
        sites: Sites,
        delivery: SiteDelivery,
        debt_recorder: DebtRecorder,
        schedule: ReplaySchedule,
    ) -> None:
        self._recorder = recorder
        self._record = record
        self._sites = sites
        self._delivery = delivery
        self._debt_recorder = debt_recorder
        self._schedule = schedule

    def process(self, messages: Sequence[Message], time_left: TimeLeft) -> list[Message]:
        """Record and deliver; returns the messages that must be received again, as AWS failed.

        Messages of erased workspaces are dropped. `time_left` returns seconds.
        """
        try:
            kept = self._recorder.without_erased(messages)
        except _RETRYABLE:
            logger.exception("The messages could not be processed")
            return list(messages)
        by_workspace: dict[str, list[Message]] = {}
        for message in kept:
            by_workspace.setdefault(message.workspace_id, []).append(message)
        receipts: list[Receipt] = []
        try:
            return [
                message
                for workspace_id, group in by_workspace.items()
                if not self._processed(workspace_id, group, time_left, receipts)
                for message in group
            ]
        finally:
            # Last, so that they delay no delivery.
            self._recorder.save_receipts(receipts, time_left)

    def _processed(
        self,
        workspace_id: str,
        messages: list[Message],
        time_left: TimeLeft,
        receipts: list[Receipt],
    ) -> bool:
        """Whether the messages are done. Adds their receipts once they are recorded."""
        correlation_ids = sorted({message.correlation_id for message in messages})
        with logger.append_context_keys(workspace_id=workspace_id, correlation_ids=correlation_ids):
            try:
                changes = self._recorder.record(workspace_id, messages, time_left)
                receipts += changes.receipts
                self._deliver_all(workspace_id, changes, time_left)
            except _RETRYABLE:
                logger.exception("The workspace's messages could not be processed")
                return False
        return True

    def _deliver_all(self, workspace_id: str, changes: Changes, time_left: TimeLeft) -> None:
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

    def _deliver(self, linked: LinkedSite, changes: Changes, time_left: TimeLeft) -> None:
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
