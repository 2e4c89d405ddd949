"""Processing the messages of the submissions queue, and moving bad ones to the dead letters."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from relay.delivery.session import TimeLeft
from relay.edge.attempts import (
    MessageAttempts,
    Record,
    give_up_reason,
    groups_by_attempts,
    is_first_receive,
    receive_count,
)
from relay.provider.submissions import SubmissionDelivery
from relay.queues.dead_letters import DeadLetters
from relay.queues.formats import NewerFormat
from relay.queues.submissions import Message, SubmissionsQueue, parse_message
from relay.telemetry import Metric, count, logger

# A message that makes the code fail alone is moved to the dead letters at this receive.
_RECEIVES_MAX = 5
# Messages received more often than this come before new ones, which could use up all of the time.
_RECEIVES_OVERDUE = 5
# One slice: small enough to record and deliver within seconds and little memory. The number of
# entities is a multiple of the thousand that Jira accepts per request. The bytes are those of the
# messages' JSON; parsed, it needs about ten times as much. The message that reaches a bound is
# included.
SLICE_ENTITIES = 5000
_SLICE_BYTES = 8 * 1024 * 1024
# Seconds that a slice may need: its transactions, and a slow call to Jira.
SLICE_SECONDS = 35


class SubmissionConsumer:
    """Processes SQS events.

    A message that can't be parsed, makes the code fail, or kills the function is moved to the dead
    letters with a reason, and does not affect other messages. One of a newer version returns to the
    queue a few times before.
    """

    def __init__(
        self,
        delivery: SubmissionDelivery,
        queue: SubmissionsQueue,
        dead_letters: DeadLetters,
        attempts: MessageAttempts,
    ) -> None:
        self._delivery = delivery
        self._queue = queue
        self._dead_letters = dead_letters
        self._attempts = attempts

    def consume(self, event: dict[str, Any], time_left: TimeLeft) -> dict[str, Any]:
        """Process an SQS event; returns its `batchItemFailures`. `time_left` returns seconds.

        An event holds up to 6 MB of compressed messages. They are processed in slices while time
        is left; the rest returns to the queue.
        """
        records: list[Record] = event["Records"]
        new = [record for record in records if is_first_receive(record)]
        redelivered = [record for record in records if not is_first_receive(record)]
        if any(map(_is_overdue, redelivered)):
            failed = self._consume_redelivered(redelivered, [], time_left)
            in_time = time_left() > SLICE_SECONDS
            failed |= self._consume(new, time_left) if in_time else _ids(new)
        else:
            failed = self._consume(new, time_left)
            done = [record for record in new if record["messageId"] not in failed]
            if redelivered:
                failed |= self._consume_redelivered(redelivered, done, time_left)
        return {"batchItemFailures": [{"itemIdentifier": one} for one in sorted(failed)]}

    def _consume_redelivered(
        self, records: Sequence[Record], done: list[Record], time_left: TimeLeft
    ) -> set[str]:
        """Process redelivered messages; returns the ids of those that failed.

        The function may have been cut off with any of these. Before it works on one that it was cut
        off with, it acknowledges those that are `done`: they would otherwise be redelivered too.
        """
        attempts = self._attempts.attempts_at(records)
        if attempts is None:
            return _ids(records)
        failed = self._give_up(records, attempts)
        for cut_off, group in groups_by_attempts(records, attempts):
            if time_left() < SLICE_SECONDS:
                failed |= _ids(group)
                continue
            if cut_off:
                self._queue.acknowledge(done)
                done = []
                ids = sorted(_ids(group))
                logger.warning(
                    "The function was cut off with these messages", times=cut_off, messages=ids
                )
            if not self._attempts.begin(group, cut_off):
                failed |= _ids(group)
                continue
            failed_in_group = self._consume(group, time_left)
            self._attempts.end(group)
            failed |= failed_in_group
            done += [record for record in group if record["messageId"] not in failed_in_group]
        return failed

    def _give_up(self, records: Sequence[Record], attempts: Mapping[str, int]) -> set[str]:
        """Move messages that were cut off too often to the dead letters; returns the ids of those
        that could not be moved. The stored attempts stay: SQS may redeliver even a done message."""
        left = set()
        for record in records:
            reason = give_up_reason(attempts.get(record["messageId"], 0))
            if reason:
                # The body is not parsed again: it may be what kills the function.
                known = {
                    "reason": f"{reason}; its log has it under this id: {record['messageId']}",
                    "workspaceId": _group_of(record),
                }
                logger.error("A message becomes a dead letter", message_id=record["messageId"])
                if not self._moved_to_dead_letters(record, known):
                    left.add(record["messageId"])
        return left

    def _consume(self, records: Sequence[Record], time_left: TimeLeft) -> set[str]:
        """Process these messages in slices; returns the ids of those that failed."""
        waiting = deque(_smallest_workspace_first(records))
        failed = self._consume_slice(waiting, time_left)
        while waiting and time_left() > SLICE_SECONDS:
            failed |= self._consume_slice(waiting, time_left)
        if waiting:
            logger.warning("No time left for all messages", messages=len(waiting))
        return failed | _ids(waiting)

    def _consume_slice(self, waiting: deque[dict[str, Any]], time_left: TimeLeft) -> set[str]:
        """Process the next slice of messages; returns the ids of those that failed."""
        records: dict[str, Any] = {}
        messages: dict[str, Message] = {}
        failed: set[str] = set()
        entities = size = 0
        while waiting and entities < SLICE_ENTITIES and size < _SLICE_BYTES:
            record = waiting.popleft()
            message_id = record["messageId"]
            records[message_id] = record
            try:
                messages[message_id] = parse_message(record["body"])
            except ValueError as error:
                logger.error("A message can't be read", message_id=message_id, reason=str(error))
                if _may_reach_newer_code(record, error) or not self._moved_to_dead_letters(
                    record, {"reason": str(error)}
                ):
                    failed.add(message_id)
            else:
                entities += len(messages[message_id].states)
                size += messages[message_id].size
        unfinished = self._process(messages, records, time_left)
        for message_id, message in messages.items():
            _log_end(message_id, message, done=message_id not in unfinished)
        return failed | unfinished

    def _process(
        self, messages: dict[str, Message], records: Mapping[str, Any], time_left: TimeLeft
    ) -> set[str]:
        try:
            unfinished = self._delivery.process(list(messages.values()), time_left)
        except Exception as error:
            # A bug. Halving the batch finds the message that causes it, in few calls.
            logger.exception("Messages made the code fail", messages=len(messages))
            if len(messages) > 1:
                return set().union(
                    *(self._process(half, records, time_left) for half in _halves(messages))
                )
            [(message_id, message)] = messages.items()
            return set() if self._given_up(records[message_id], message, error) else {message_id}
        return {
            message_id
            for message_id, message in messages.items()
            if any(message is other for other in unfinished)
        }

    def _given_up(self, record: dict[str, Any], message: Message, error: Exception) -> bool:
        """Whether the message was moved to the dead letters; it is retried a few times first."""
        if receive_count(record) < _RECEIVES_MAX:
            return False
        # Without the error's text, which may quote the message.
        reason = f"{type(error).__name__} while it was processed; the log has it under this id: "
        known = {
            "reason": reason + record["messageId"],
            "workspaceId": message.workspace_id,
            "correlationId": message.correlation_id,
        }
        return self._moved_to_dead_letters(record, known)

    def _moved_to_dead_letters(self, record: dict[str, Any], known: Mapping[str, str]) -> bool:
        count(Metric.POISON_MESSAGES)
        return self._dead_letters.send(record["body"], known)


def _may_reach_newer_code(record: Record, error: ValueError) -> bool:
    """Whether the message returns: during a deployment, the function is the newer one soon."""
    return isinstance(error, NewerFormat) and receive_count(record) < _RECEIVES_MAX


def _ids(records: Iterable[Record]) -> set[str]:
    return {record["messageId"] for record in records}


def _smallest_workspace_first(records: Sequence[Record]) -> list[Record]:
    """The records in the order of their workspace's bytes: one that floods delays no other.

    Overdue ones come first, or those of a large workspace would return each time.
    """
    sizes: Counter[str] = Counter()
    for record in records:
        sizes[_group_of(record)] += len(record["body"])
    return sorted(records, key=lambda one: (not _is_overdue(one), sizes[_group_of(one)]))


def _is_overdue(record: Record) -> bool:
    return receive_count(record) > _RECEIVES_OVERDUE


def _group_of(record: Record) -> str:
    group: str = record["attributes"].get("MessageGroupId", "")
    return group


def _halves(messages: dict[str, Message]) -> list[dict[str, Message]]:
    every = list(messages.items())
    middle = len(every) // 2
    return [dict(every[:middle]), dict(every[middle:])]


def _log_end(message_id: str, message: Message, done: bool) -> None:
    logger.info(
        "Message done" if done else "Message will be retried",
        message_id=message_id,
        workspace_id=message.workspace_id,
        correlation_id=message.correlation_id,
        entities=len(message.states),
    )
