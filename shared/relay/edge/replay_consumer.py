"""Processing the messages of the replays queue."""

from typing import Any

from relay.delivery.confirmation import Confirmation
from relay.delivery.session import TimeLeft
from relay.provider.erasing import Eraser
from relay.provider.unlinking import WorkspaceUnlinker
from relay.queues.replays import ErasureTask, Sample, Task, UnlinkedWorkspace, parse_task
from relay.replays.replayer import Replayer
from relay.telemetry import logger


class ReplayConsumer:
    """Carries out the task of each message."""

    def __init__(
        self,
        replayer: Replayer,
        confirmation: Confirmation,
        unlinker: WorkspaceUnlinker,
        eraser: Eraser,
    ) -> None:
        self._replayer = replayer
        self._confirmation = confirmation
        self._unlinker = unlinker
        self._eraser = eraser

    def consume(self, event: dict[str, Any], time_left: TimeLeft) -> None:
        """Process an SQS event; `time_left` returns seconds.

        Raises ValueError for a message that can't be read, Unavailable or an AWS error; SQS then
        redelivers the message, and it becomes a dead letter at last.
        """
        for record in event["Records"]:
            try:
                task = parse_task(record["body"])
            except ValueError as error:
                message_id = record["messageId"]
                logger.error("A message can't be read", message_id=message_id, reason=str(error))
                raise
            self._carry_out(task, time_left)

    def _carry_out(self, task: Task, time_left: TimeLeft) -> None:
        match task:
            case Sample():
                self._confirmation.check(task)
            case UnlinkedWorkspace():
                self._unlinker.delete_again(task, time_left)
            case ErasureTask():
                self._eraser.step(task.subject, time_left)
            case _:
                self._replayer.step(task.tenant_id, task.workspace_id, time_left)
