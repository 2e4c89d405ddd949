"""Scheduling the next step of a replay through its queue."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from relay.aws import AWS_ERRORS
from relay.queues.delays import DELAY_MAX
from relay.queues.replays import ReplaysQueue
from relay.telemetry import logger
from relay.tenants.replay import Replay
from relay.tenants.replays import ReplayStore

if TYPE_CHECKING:
    from relay.delivery.session import Clock


class ReplaySchedule:
    """Sends messages for replays that can continue.

    If a message is lost, the sweeper finds the replay: the table holds what is due.
    """

    def __init__(
        self, replays: ReplayStore, queue: ReplaysQueue, clock: "Clock" = time.time
    ) -> None:
        self._replays = replays
        self._queue = queue
        self._clock = clock

    def send(self, replay: Replay) -> None:
        """Send a message that arrives when the replay is due.

        Sends none if that is further away than SQS can delay a message. An AWS error is logged and
        not raised: the sweeper finds the replay.
        """
        delay = -(-max(replay.due - self.now(), 0) // 1000)
        if delay > DELAY_MAX:
            return
        try:
            self._queue.send(replay.tenant_id, replay.workspace_id, delay)
        except AWS_ERRORS:
            logger.exception("A replay could not be queued", workspace_id=replay.workspace_id)

    def wake(self, tenant_id: str) -> None:
        """Make all unfinished replays of the site due now, because it answers again."""
        now = self.now()
        for replay in self._replays.of_tenant(tenant_id):
            if not replay.is_done and self._replays.continue_now(replay, now):
                self.send(replace(replay, due=now))

    def now(self) -> int:
        """The current time in epoch milliseconds."""
        return int(self._clock() * 1000)
