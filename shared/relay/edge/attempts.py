"""Which messages are worked on together, by how often the function was cut off with them.

A message that kills the function, as one that takes all of its memory, leaves no error behind: the
batch just comes again. So the messages that come again are narrowed down, until one is alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relay.record.attempts import AttemptStore
from relay.table import TABLE_ERRORS
from relay.telemetry import logger

Record = dict[str, Any]

# The most messages worked on together, by the attempts that were cut off; then it is given up.
_TOGETHER = (1000, 32, 1, 1, 1)
_ALONE = _TOGETHER.count(1)


class MessageAttempts:
    """Notes attempts at messages that come again; one that comes for the first time costs nothing.

    Nothing is raised: where AWS fails, the messages come again.
    """

    def __init__(self, attempts: AttemptStore) -> None:
        self._attempts = attempts

    def attempts_at(self, records: Sequence[Record]) -> Mapping[str, int] | None:
        """By message id; None where that can't be known now."""
        try:
            return self._attempts.of([record["messageId"] for record in records])
        except TABLE_ERRORS:
            logger.exception("Attempts could not be read")
            return None

    def begin(self, records: Sequence[Record], attempts: int) -> bool:
        """One more attempt at each of these; False where it could not be noted."""
        try:
            self._attempts.note({record["messageId"]: attempts + 1 for record in records})
        except TABLE_ERRORS:
            logger.exception("Attempts could not be noted")
            return False
        return True

    def end(self, records: Sequence[Record]) -> None:
        """The function was not cut off with them, whatever became of them."""
        try:
            self._attempts.strike(record["messageId"] for record in records)
        except TABLE_ERRORS:
            logger.exception("Attempts could not be struck off")


def is_first(record: Record) -> bool:
    return received(record) == 1


def received(record: Record) -> int:
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))


def given_up(attempts: int) -> str | None:
    """Why a message with so many attempts that were cut off is not tried again, if it is not."""
    if attempts < len(_TOGETHER):
        return None
    return f"The function was cut off {_ALONE} times while it worked on this message alone"


def together(
    records: Sequence[Record], attempts: Mapping[str, int]
) -> Iterator[tuple[int, list[Record]]]:
    """(attempts, messages to be worked on together): those cut off least come first."""
    for count, size in enumerate(_TOGETHER):
        those = [record for record in records if attempts.get(record["messageId"], 0) == count]
        for start in range(0, len(those), size):
            yield count, those[start : start + size]
