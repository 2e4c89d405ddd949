"""The queue of submissions, as the submitter takes messages from it; and their dead letters."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relay.delivery.session import TimeLeft
from relay.edge.attempts import MessageAttempts, Record, given_up, is_first, received, together
from relay.provider.submissions import SubmissionDelivery
from relay.queues.dead_letters import DeadLetters
from relay.queues.submissions import Message, SubmissionsQueue, parse_message
from relay.telemetry import Metric, count, logger

if TYPE_CHECKING:
    pass

# A message that makes the code fail alone, so many times over, is no bad luck.
_RECEIVES_MAX = 5
# What has come so often goes before what is new, which could else take all of the time for good.
_RECEIVES_OVERDUE = 5
# A slice is recorded and delivered within seconds, and held in little memory. The entities are a
# multiple of the thousand that Jira takes at once; the bytes are of the messages' JSON, and what is
# made of them takes about ten times as much. The message that reaches a bound is still part of it.
_SLICE_ENTITIES = 5000
_SLICE_BYTES = 8 * 1024 * 1024
# Seconds that a slice may take: its transactions, and a call to Jira that lasts.
_SLICE_SECONDS = 35


class SubmissionConsumer:
    """Processes SQS events; the answers name the messages that must come again.

    A message that is none of ours, that makes the code fail, or that kills the function goes to the
    dead letters with its reason, and takes no other with it.
    """

    def __init__(
        self,
        delivery: SubmissionDelivery,
        queue: SubmissionsQueue,
        dead_letters: DeadLetters,
        suspects: MessageAttempts,
    ) -> None:
        self._delivery = delivery
        self._queue = queue
        self._dead_letters = dead_letters
        self._suspects = suspects

    def consume(self, event: dict[str, Any], time_left: TimeLeft) -> dict[str, Any]:
        """An event holds 6 MB, deflated: a slice of it at a time, as long as there is time."""
        records: list[Record] = event["Records"]
        first = [record for record in records if is_first(record)]
        again = [record for record in records if not is_first(record)]
        if any(received(record) > _RECEIVES_OVERDUE for record in again):
            come_again = self._consume_again(again, [], time_left)
            in_time = time_left() > _SLICE_SECONDS
            come_again |= self._consume(first, time_left) if in_time else _ids(first)
        else:
            come_again = self._consume(first, time_left)
            done = [record for record in first if record["messageId"] not in come_again]
            if again:
                come_again |= self._consume_again(again, done, time_left)
        return {"batchItemFailures": [{"itemIdentifier": one} for one in sorted(come_again)]}

    def _consume_again(
        self, records: Sequence[Record], done: list[Record], time_left: TimeLeft
    ) -> set[str]:
        """The function may have been cut off with any of these. Before it works on one that it was
        cut off with, it acknowledges those that are `done`: else they would come again, too."""
        attempts = self._suspects.attempts_at(records)
        if attempts is None:
            return _ids(records)
        come_again = self._give_up(records, attempts)
        for cut_off, group in together(records, attempts):
            if time_left() < _SLICE_SECONDS:
                come_again |= _ids(group)
                continue
            if cut_off:
                self._queue.acknowledge(done)
                done = []
                ids = sorted(_ids(group))
                logger.warning("The function was cut off with these", times=cut_off, messages=ids)
            if not self._suspects.begin(group, cut_off):
                come_again |= _ids(group)
                continue
            left = self._consume(group, time_left)
            self._suspects.end(group)
            come_again |= left
            done += [record for record in group if record["messageId"] not in left]
        return come_again

    def _give_up(self, records: Sequence[Record], attempts: Mapping[str, int]) -> set[str]:
        """Put aside what was cut off too often; returns what could not be put anywhere. The notes
        stay, as SQS may deliver even what is done once more."""
        left = set()
        for record in records:
            reason = given_up(attempts.get(record["messageId"], 0))
            if reason:
                # Not from the body, which is not read once more.
                known = {
                    "reason": f"{reason}; its log has it under this id: {record['messageId']}",
                    "workspaceId": record["attributes"].get("MessageGroupId", ""),
                }
                logger.error("A message is given up", message_id=record["messageId"])
                if not self._buried(record, known):
                    left.add(record["messageId"])
        return left

    def _consume(self, records: Sequence[Record], time_left: TimeLeft) -> set[str]:
        """Process these messages, slice by slice; returns those that must come again."""
        waiting = deque(records)
        come_again = self._consume_slice(waiting, time_left)
        while waiting and time_left() > _SLICE_SECONDS:
            come_again |= self._consume_slice(waiting, time_left)
        if waiting:
            logger.warning("No time for all messages", messages=len(waiting))
        return come_again | _ids(waiting)

    def _consume_slice(self, waiting: deque[dict[str, Any]], time_left: TimeLeft) -> set[str]:
        """Process the next messages, up to a slice's bounds; returns those that must come again."""
        records: dict[str, Any] = {}
        messages: dict[str, Message] = {}
        come_again: set[str] = set()
        entities = size = 0
        while waiting and entities < _SLICE_ENTITIES and size < _SLICE_BYTES:
            record = waiting.popleft()
            message_id = record["messageId"]
            records[message_id] = record
            try:
                messages[message_id] = parse_message(record["body"])
            except ValueError as error:
                logger.error("A message can't be read", message_id=message_id, reason=str(error))
                if not self._buried(record, {"reason": str(error)}):
                    come_again.add(message_id)
            else:
                entities += len(messages[message_id].states)
                size += messages[message_id].size
        unfinished = self._process(messages, records, time_left)
        for message_id, message in messages.items():
            _log_end(message_id, message, done=message_id not in unfinished)
        return come_again | unfinished

    def _process(
        self, messages: dict[str, Message], records: Mapping[str, Any], time_left: TimeLeft
    ) -> set[str]:
        try:
            unfinished = self._delivery.process(list(messages.values()), time_left)
        except Exception as error:
            # A fault of ours, and this is the edge: the message that brings it out is found by
            # halves, as the others are still to cost few calls.
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
        """Whether the message has gone to the dead letters; before, it comes again a few times."""
        if received(record) < _RECEIVES_MAX:
            return False
        # Not the error's words, which may repeat what the message holds.
        reason = f"{type(error).__name__} while it was processed; the log has it under this id: "
        known = {
            "reason": reason + record["messageId"],
            "workspaceId": message.workspace_id,
            "correlationId": message.correlation_id,
        }
        return self._buried(record, known)

    def _buried(self, record: dict[str, Any], known: Mapping[str, str]) -> bool:
        count(Metric.POISON_MESSAGES)
        return self._dead_letters.send(record["body"], known)


def _ids(records: Iterable[Record]) -> set[str]:
    return {record["messageId"] for record in records}


def _halves(messages: dict[str, Message]) -> list[dict[str, Message]]:
    every = list(messages.items())
    middle = len(every) // 2
    return [dict(every[:middle]), dict(every[middle:])]


def _log_end(message_id: str, message: Message, done: bool) -> None:
    logger.info(
        "Message done" if done else "Message comes again",
        message_id=message_id,
        workspace_id=message.workspace_id,
        correlation_id=message.correlation_id,
        entities=len(message.states),
    )
