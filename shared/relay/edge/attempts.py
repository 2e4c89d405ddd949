"""Narrowing down redelivered messages to the one that kills the function.

A message that kills the function, such as by using all of its memory, leaves no error: its batch is
just redelivered. So redelivered messages are processed in smaller and smaller groups, by how often
the function was cut off with them, until the message is alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relay.record.attempts import AttemptStore
from relay.table import TABLE_ERRORS
from relay.telemetry import logger

Record = dict[str, Any]

# The size of a group by the number of attempts that were cut off. After the last, a message is
# given up.
_GROUP_SIZES = (1000, 32, 1, 1, 1)
_ALONE = _GROUP_SIZES.count(1)


class MessageAttempts:
    """Stores attempts at redelivered messages; new messages cost no call.

    Raises nothing: if AWS fails, the messages return to the queue.
    """

    def __init__(self, attempts: AttemptStore) -> None:
        self._attempts = attempts

    def attempts_at(self, records: Sequence[Record]) -> Mapping[str, int] | None:
        """The number of attempts that were cut off, by message id; None if they can't be read."""
        try:
            return self._attempts.of([record["messageId"] for record in records])
        except TABLE_ERRORS:
            logger.exception("Attempts could not be read")
            return None

    def begin(self, records: Sequence[Record], attempts: int) -> bool:
        """Store one more attempt at each of these; False if that failed.

        `attempts` is the number before this one.
        """
        try:
            self._attempts.note({record["messageId"]: attempts + 1 for record in records})
        except TABLE_ERRORS:
            logger.exception("Attempts could not be stored")
            return False
        return True

    def end(self, records: Sequence[Record]) -> None:
        """Remove the attempts, as the function was not cut off with these messages."""
        try:
            self._attempts.clear(record["messageId"] for record in records)
        except TABLE_ERRORS:
            logger.exception("Attempts could not be removed")


def is_first_receive(record: Record) -> bool:
    """Whether SQS delivers the message for the first time."""
    return receive_count(record) == 1


def receive_count(record: Record) -> int:
    """How often SQS has delivered the message, this time included."""
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))


def give_up_reason(attempts: int) -> str | None:
    """Why a message becomes a dead letter after this many cut-off attempts; None if it does not."""
    if attempts < len(_GROUP_SIZES):
        return None
    return f"The function was cut off {_ALONE} times while it worked on this message alone"


def groups_by_attempts(
    records: Sequence[Record], attempts: Mapping[str, int]
) -> Iterator[tuple[int, list[Record]]]:
    """Groups of messages to process together, as (attempts that were cut off, messages).

    The fewest attempts come first. Messages that are given up are left out.
    """
    for count, size in enumerate(_GROUP_SIZES):
        matching = [record for record in records if attempts.get(record["messageId"], 0) == count]
        for start in range(0, len(matching), size):
            yield count, matching[start : start + size]
