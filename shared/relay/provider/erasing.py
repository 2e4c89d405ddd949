"""Erasing a workspace or a site, one step per call: in Jira, and in every table."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from relay import keys
from relay.aws import AWS_ERRORS
from relay.catalog.erasures import Erasure, ErasureStage, ErasureStore
from relay.queues.replays import ReplaysQueue
from relay.telemetry import logger

if TYPE_CHECKING:
    from relay.delivery.session import Clock, TimeLeft
    from relay.provider.erasure_stages import ErasureStages
    from relay.provider.site_erasure import SiteErasureStages

# A replayer has two minutes, a submitter one, a call of the API half of one.
WAIT_MS = 180_000
# Seconds: a part of a stage may unlink the workspace at a site that is slow to answer.
_PART_SECONDS = 40
# After this, another worker may continue the erasure of one that was cut off.
_LEASE_MS = 180_000
# The longest delay of an SQS message.
_DELAY_MAX_MS = 900_000


class ErasureSchedule:
    """Begins erasures, and sends a message for each that can continue.

    A message is only a hint: the table holds what is due, and the sweeper finds it there.
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

    def wake(self) -> None:
        """Send a message for each erasure that is due. Raises TABLE_ERRORS."""
        for subject in self._erasures.due(self.now()):
            self._send(subject, 0)

    def send(self, erasure: Erasure) -> None:
        """Send a message that arrives when the erasure is due. An AWS error is logged."""
        delay = min(max(erasure.due - self.now(), 0), _DELAY_MAX_MS)
        self._send(erasure.subject, -(-delay // 1000))

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
        workspaces: "ErasureStages",
        sites: "SiteErasureStages",
        schedule: ErasureSchedule,
    ) -> None:
        self._erasures = erasures
        self._workspaces = workspaces
        self._sites = sites
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
        is_site = keys.erased_site(erasure.subject)
        stages = self._sites if is_site else self._workspaces
        while erasure.stage is not ErasureStage.DONE:
            for progress in stages.run(erasure, self._schedule.now()):
                now = self._schedule.now()
                erasure = replace(progress, updated_at=now)
                if erasure.due > now or time_left() < _PART_SECONDS:
                    self._pause(erasure)
                    return
                if not self._erasures.save(erasure, now + _LEASE_MS):
                    return
        self._erasures.end(erasure, self._schedule.now())
        logger.info("Erased", deleted=erasure.deleted)

    def _pause(self, erasure: Erasure) -> None:
        """End the lease, and schedule the next step."""
        logger.info("Erasure paused", stage=erasure.stage.value, reason=erasure.reason or "time")
        if self._erasures.save(erasure, leased=0):
            self._schedule.send(erasure)
