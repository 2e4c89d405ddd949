"""Recording what was submitted, and what came of each state of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from relay.catalog.erasures import ErasureStore
from relay.delivery.components import logos_of
from relay.delivery.session import CALL_SECONDS, TimeLeft
from relay.provider.receipts import receipts_of
from relay.provider.services import ServiceContainers
from relay.queues.submissions import Message
from relay.record.entry import Head
from relay.record.receipts import Effect, Receipt, ReceiptStore
from relay.record.store import Recorded, RecordStore
from relay.table import TABLE_ERRORS
from relay.telemetry import Metric, count, logger

# With less time left, the receipts are not written: the function could be cut off.
_RECEIPTS_SECONDS = 5
# Left for the delivery: reading the links, and a call to Jira, which does not start with less.
_DELIVERY_SECONDS = CALL_SECONDS + 4


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes in one workspace's messages; `logos` are the logo URLs of changed containers."""

    recorded: Recorded
    deleted: Sequence[Head]
    logos: dict[str, str]
    receipts: Sequence[Receipt]


class SubmissionRecorder:
    """Records a workspace's messages before they are delivered."""

    def __init__(
        self,
        record: RecordStore,
        receipts: ReceiptStore,
        services: ServiceContainers,
        erasures: ErasureStore,
    ) -> None:
        self._record = record
        self._receipts = receipts
        self._services = services
        self._erasures = erasures

    def without_erased(self, messages: Sequence[Message]) -> list[Message]:
        """The messages without those of a workspace that was erased since they were accepted.

        These are dropped: a receipt would be of the workspace, too. Raises TABLE_ERRORS.
        """
        until = self._erasures.erased_until({message.workspace_id for message in messages})
        kept = []
        for message in messages:
            if message.accepted_at > until.get(message.workspace_id, -1):
                kept.append(message)
                continue
            count(Metric.ERASED, len(message.keys))
            # The only note of it. It does not name the workspace, of which nothing is to be kept.
            logger.warning(
                "Dropped: the workspace was erased after this was accepted",
                submission_id=message.submission_id,
                entities=len(message.keys),
            )
        return kept

    def record(
        self, workspace_id: str, messages: Sequence[Message], time_left: TimeLeft
    ) -> Changes:
        """Record the newest states; the containers of services that sources name, too.

        `time_left` returns seconds. Raises TABLE_ERRORS; repeating is safe.
        """
        states = [state for message in messages for state in message.states]
        # A message that returns to the queue waits there for minutes.
        seconds = time_left() - _DELIVERY_SECONDS
        recorded = self._record.put_newest(workspace_id, states, seconds)
        receipts = list(receipts_of(messages, recorded, int(time.time() * 1000)))
        conflicting = sum(receipt.counts[Effect.CONFLICTING] for receipt in receipts)
        count(Metric.RECORDED, len(recorded.new))
        count(Metric.OUTDATED, len(recorded.outdated))
        count(Metric.CONFLICTING, conflicting)
        logger.info(
            "Recorded",
            new=len(recorded.new),
            same=len(recorded.same),
            outdated=len(recorded.outdated),
            conflicting=conflicting,
        )
        logos = logos_of(messages) | self._services.keep(workspace_id, messages)
        return Changes(recorded, self._still_deleted(workspace_id, messages), logos, receipts)

    def save_receipts(self, receipts: Sequence[Receipt], time_left: TimeLeft) -> None:
        """Save the receipts, if possible: what they account for is done without them.

        `time_left` returns seconds.
        """
        if not receipts:
            return
        if time_left() < _RECEIPTS_SECONDS:
            logger.warning("No time left for receipts", receipts=len(receipts))
            return
        try:
            self._receipts.save(receipts)
        except TABLE_ERRORS:
            logger.exception("Receipts could not be written", receipts=len(receipts))

    def _still_deleted(self, workspace_id: str, messages: Sequence[Message]) -> list[Head]:
        """The entities to delete, without those that were submitted again since."""
        keys = {key for message in messages for key in message.deleted}
        return [head for head in self._record.heads_of(workspace_id, keys) if head.is_deleted]
