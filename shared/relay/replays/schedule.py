"""Telling a worker that a replay may go on."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from relay.aws import AWS_ERRORS
from relay.queues.replays import ReplaysQueue
from relay.telemetry import logger
from relay.tenants.replay import Replay
from relay.tenants.replays import ReplayStore

if TYPE_CHECKING:
    from relay.delivery.session import Clock

# SQS delays no message for longer.
_DELAY_MAX_MS = 900_000


class ReplaySchedule:
    """A message is a hint alone: what is due is in the table, and the sweeper looks there."""

    def __init__(
        self, replays: ReplayStore, queue: ReplaysQueue, clock: "Clock" = time.time
    ) -> None:
        self._replays = replays
        self._queue = queue
        self._clock = clock

    def send(self, replay: Replay) -> None:
        """At the time that it is due; not at all where a queue can't wait for so long."""
        delay = max(replay.due - self.now(), 0)
        if delay > _DELAY_MAX_MS:
            return
        try:
            self._queue.send(replay.tenant_id, replay.workspace_id, -(-delay // 1000))
        except AWS_ERRORS:
            logger.exception("A replay could not be handed on", workspace_id=replay.workspace_id)

    def wake(self, tenant_id: str) -> None:
        """The site answers again: whatever waits for it may go on at once."""
        now = self.now()
        for replay in self._replays.of_tenant(tenant_id):
            if not replay.is_done and self._replays.hasten(replay, now):
                self.send(replace(replay, due=now))

    def now(self) -> int:
        """Epoch milliseconds."""
        return int(self._clock() * 1000)
