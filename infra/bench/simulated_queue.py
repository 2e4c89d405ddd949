"""The queue of the simulation: standard, with message groups, and fair.

AWS describes fair queues on this page. Of its two measures, only the share of messages in flight is
modelled; the other one, the share of processing time, would detect a noisy group earlier.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

# A group is noisy with more than this share of the messages in flight, and at least this many.
NOISY_SHARE, NOISY_MESSAGES = 0.1, 30


@dataclass(slots=True, eq=False)
class Message:
    """A submission of one workspace; times are in seconds from the start of the run.

    `accepted` is the time of the API's 202, `delivered` that of Jira's; -1 until then. An owed
    message, which a replay delivers later, is delivered at infinity.
    """

    workspace: int
    called: float
    entities: int = 1
    size: int = 700
    accepted: float = -1.0
    delivered: float = -1.0
    receives: int = 0

    @property
    def freshness(self) -> float:
        """Seconds from the API's 202 to Jira's."""
        return self.delivered - self.accepted


class Queue:
    """A standard queue with message groups; without `fair`, all messages are in one line."""

    def __init__(self, fair: bool) -> None:
        self._fair = fair
        self._line: deque[Message] = deque()
        # The messages of noisy groups, which were moved here from the line.
        self._noisy: dict[int, deque[Message]] = {}
        self._in_flight: Counter[int] = Counter()
        self._all_in_flight = 0
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def put(self, message: Message) -> None:
        """A new or a returned message."""
        self._line.append(message)
        self._waiting += 1

    def take(self, count: int, room: int) -> list[Message]:
        """Up to `count` messages with up to `room` bytes; quiet groups come first."""
        taken: list[Message] = []
        while len(taken) < count and (line := self._next_line()):
            if line[0].size > room:
                break
            message = line.popleft()
            room -= message.size
            message.receives += 1
            self._in_flight[message.workspace] += 1
            taken.append(message)
        self._all_in_flight += len(taken)
        self._waiting -= len(taken)
        if self._fair:
            for workspace in {message.workspace for message in taken}:
                self._judge(workspace)
        return taken

    def end(self, messages: Iterable[Message]) -> None:
        """These are no longer in flight."""
        for message in messages:
            self._in_flight[message.workspace] -= 1
            self._all_in_flight -= 1

    def _judge(self, workspace: int) -> None:
        own = self._in_flight[workspace]
        if own >= NOISY_MESSAGES and own > NOISY_SHARE * self._all_in_flight:
            self._noisy.setdefault(workspace, deque())

    def _next_line(self) -> deque[Message] | None:
        while self._line and (own := self._noisy.get(self._line[0].workspace)) is not None:
            own.append(self._line.popleft())
        if self._line:
            return self._line
        # A group whose backlog is gone is quiet again.
        for workspace in [one for one, own in self._noisy.items() if not own]:
            del self._noisy[workspace]
        if not self._noisy:
            return None
        return self._noisy[min(self._noisy, key=self._in_flight.__getitem__)]
