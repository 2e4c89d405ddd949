"""Erasing a workspace or a site, one step per call: in Jira, and in every table."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from relay.aws import AWS_ERRORS
from relay.catalog.erasure import Erasure, ErasureStage
from relay.catalog.erasures import ErasureStore
from relay.queues.delays import DELAY_MAX
from relay.queues.replays import ReplaysQueue
from relay.telemetry import Metric, count, logger

if TYPE_CHECKING:
    from relay.delivery.session import Clock, TimeLeft
    from relay.provider.erasure_stages import ErasureStages

# After this, another worker may continue the erasure of one that was cut off.
_LEASE_MS = 180_000
# An erasure that was started longer ago is counted.
_EXPECTED_MS = 86_400_000


class ErasureSchedule:
    """Begins erasures, and sends a message for each that can continue.

    If a message is lost, the sweeper finds the erasure: the table holds what is due.
    """

    def __init__(
        self, erasures: ErasureStore, queue: ReplaysQueue, clock: "Clock" = time.time
    ) -> None:
        self._erasures = erasures
        self._queue = queue
        self._clock = clock

    def start(self, workspace_id: str) -> Erasure:
        """Begin the workspace's erasure, or return the one that is under way. Raises
        TABLE_ERRORS."""
        erasure = self._erasures.start(workspace_id, self.now())
        self.send(erasure)
        return erasure

    def send_due(self) -> None:
        """Send a message for each erasure that is due; count those that should be done. Raises
        TABLE_ERRORS."""
        now = self.now()
        for subject in self._erasures.due(now):
            self._send(subject, 0)
        count(Metric.ERASURES_OVERDUE, self._erasures.count(now - _EXPECTED_MS))

    def send(self, erasure: Erasure) -> None:
        """Send a message that arrives when the erasure is due, unless SQS can't delay it so long.
        An AWS error is logged."""
        delay = -(-max(erasure.due - self.now(), 0) // 1000)
        if delay <= DELAY_MAX:
            self._send(erasure.subject, delay)

    def _send(self, subject: str, seconds: int) -> None:
        try:
            self._queue.send_erasure(subject, seconds)
        except AWS_ERRORS:
            logger.exception("An erasure could not be queued", subject=subject)

    def now(self) -> int:
        """The current time in epoch milliseconds."""
        return int(self._clock() * 1000)


class Eraser:
    """Continues erasures, one step per call."""

    def __init__(
        self,
        erasures: ErasureStore,
        stages: "ErasureStages",
        schedule: ErasureSchedule,
    ) -> None:
        self._erasures = erasures
        self._stages = stages
        self._schedule = schedule

    def step(self, subject: str, time_left: "TimeLeft") -> None:
        """Continue this subject's erasure for as long as time allows. Does nothing if it is not
        due, or if another worker holds its lease.

        `time_left` returns seconds. Raises TABLE_ERRORS; the erasure then continues once its lease
        has ended.
        """
        erasure = self._erasures.lease(subject, self._schedule.now(), _LEASE_MS)
        if erasure is None:
            return
        with logger.append_context_keys(subject=subject, run=erasure.run):
            self._continue(erasure, time_left)

    def _continue(self, erasure: Erasure, time_left: "TimeLeft") -> None:
        while erasure.stage is not ErasureStage.DONE:
            for progress in self._stages.run(erasure):
                now = self._schedule.now()
                erasure = replace(progress, updated_at=now)
                needed = self._stages.seconds_of_part(erasure.stage)
                if erasure.due > now or time_left() < needed:
                    self._pause(erasure)
                    return
                if not self._erasures.save(erasure, now + _LEASE_MS):
                    return
        self._erasures.end(erasure, self._schedule.now())
        unreached = [site.tenant_id for site in erasure.unreached]
        logger.info("Erased", deleted=erasure.deleted, unreached=unreached)

    def _pause(self, erasure: Erasure) -> None:
        """End the lease, and schedule the next step."""
        logger.info("Erasure paused", stage=erasure.stage.value, due=erasure.due)
        if self._erasures.save(erasure, leased=0):
            self._schedule.send(erasure)
