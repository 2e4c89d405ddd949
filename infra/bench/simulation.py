"""A discrete-event simulation of a submission's way: API, queue, event source, submitter, Jira.

It models what AWS documents, and is seeded: the same seed gives the same run. Assumed, because AWS
does not publish it: an event source's poller holds one batch at a time, receives ten messages per
call, and a message goes to any of the pollers that wait for one.

Event source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from infra.bench.simulated_queue import Message, Queue
from infra.harness.event_source import BATCH_BYTES_MAX, POLLERS, RECEIVE_MAX

# While messages wait, the event source adds 300 pollers a minute.
_POLLERS_PER_SECOND = 5
# A caller repeats a refused call after this many seconds, then after twice as many, up to a limit.
_REPEATED_AFTER, _REPEATED_AFTER_MAX = 1.0, 32.0


# Of a batch that starts at a time: for each message, the seconds until Jira answered, or None if it
# returns to the queue; and the seconds that the function runs.
Processed = tuple[Sequence[float | None], float]
Process = Callable[[float, list[Message]], Processed]


@dataclass(frozen=True)
class Settings:
    """The API's throttle per second, and the event source and queue; times in seconds."""

    rate: float
    burst: float
    batch: int
    window: float
    concurrency: int
    visibility: float
    receive: float = 0.01
    fair: bool = True


@dataclass
class Run:
    """What became of the messages; `refused` are the API's 429 by workspace.

    `returned` counts messages that were not processed in time and were received again later.
    """

    messages: list[Message]
    refused: Counter[int] = field(default_factory=Counter)
    returned: int = 0


class _Loop:
    """Calls actions in the order of their time; those of the same time in the order they came."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._due, (self.now + seconds, self._number, action))

    def run(self, until: float) -> None:
        while self._due and self._due[0][0] <= until:
            self.now, _, action = heapq.heappop(self._due)
            action()


@dataclass(eq=False)
class _Poller:
    """Gathers one batch, until it is full or its window ends; `turn` counts its batches."""

    batch: list[Message] = field(default_factory=list)
    size: int = 0
    turn: int = 0


class _EventSource:
    """Lambda's pollers of the queue."""

    def __init__(
        self, loop: _Loop, queue: Queue, settings: Settings, process: Process, run: Run
    ) -> None:
        self._loop = loop
        self._queue = queue
        self._settings = settings
        self._process = process
        self._run = run
        self._pollers = 0
        # Those that found the queue empty, and wait for its next message.
        self._waiting: list[_Poller] = []
        for _ in range(min(POLLERS, settings.concurrency)):
            self._start()
        self._grow()

    def put(self, message: Message, chance: random.Random) -> None:
        """A message arrives in the queue."""
        self._queue.put(message)
        if self._waiting:
            place = chance.randrange(len(self._waiting))
            self._waiting[place], self._waiting[-1] = self._waiting[-1], self._waiting[place]
            self._poll_later(self._waiting.pop())

    def _start(self) -> None:
        self._pollers += 1
        self._waiting.append(_Poller())

    def _grow(self) -> None:
        if self._pollers < self._settings.concurrency:
            if self._queue:
                self._start()
                self._poll_later(self._waiting.pop())
            self._loop.after(1 / _POLLERS_PER_SECOND, self._grow)

    def _poll_later(self, poller: _Poller) -> None:
        turn = poller.turn
        self._loop.after(self._settings.receive, lambda: self._poll(poller, turn))

    def _poll(self, poller: _Poller, turn: int) -> None:
        if turn != poller.turn:
            return
        room = self._settings.batch - len(poller.batch)
        found = self._queue.take(min(RECEIVE_MAX, room), BATCH_BYTES_MAX - poller.size)
        if found and not poller.batch:
            self._loop.after(self._settings.window, lambda: self._close(poller, turn))
        poller.batch += found
        poller.size += sum(message.size for message in found)
        if len(found) == room or (not found and self._queue):
            self._close(poller, turn)
        elif found:
            self._poll_later(poller)
        else:
            self._waiting.append(poller)

    def _close(self, poller: _Poller, turn: int) -> None:
        """The batch is full, or its window has ended: invoke the function."""
        if turn != poller.turn:
            return
        if poller in self._waiting:
            self._waiting.remove(poller)
        poller.turn += 1
        batch, poller.batch, poller.size = poller.batch, [], 0
        ends, seconds = self._process(self._loop.now, batch)
        returning = []
        for message, end in zip(batch, ends, strict=True):
            if end is None:
                returning.append(message)
            else:
                message.delivered = self._loop.now + end
        self._loop.after(seconds, lambda: self._end(poller, batch, returning))

    def _end(self, poller: _Poller, batch: list[Message], returning: list[Message]) -> None:
        self._queue.end(batch)
        self._run.returned += len(returning)
        # AWS shows a message again once its visibility timeout has ended.
        for message in returning:
            self._loop.after(self._settings.visibility, partial(self._return, message))
        self._poll(poller, poller.turn)

    def _return(self, message: Message) -> None:
        self.put(message, random.Random(message.receives))  # noqa: S311 - a simulation


class _Api:
    """A route with a throttle: a token bucket, which all callers share."""

    def __init__(
        self, loop: _Loop, settings: Settings, run: Run, accept: Callable[[Message], None]
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._run = run
        self._accept = accept
        self._tokens = settings.burst
        self._at = 0.0

    def call(self, message: Message, again_after: float = _REPEATED_AFTER) -> None:
        """202, or 429 and the call is repeated later."""
        now = self._loop.now
        gained = (now - self._at) * self._settings.rate
        self._tokens = min(self._settings.burst, self._tokens + gained)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            message.accepted = now
            self._accept(message)
            return
        self._run.refused[message.workspace] += 1
        longer = min(2 * again_after, _REPEATED_AFTER_MAX)
        self._loop.after(again_after, lambda: self.call(message, longer))


def simulate(
    messages: Sequence[Message], settings: Settings, process: Process, seed: int, until: float
) -> Run:
    """Runs these calls until this time; messages that are not done by then are not delivered."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    loop, run = _Loop(), Run(list(messages))
    source = _EventSource(loop, Queue(settings.fair), settings, process, run)
    api = _Api(loop, settings, run, lambda message: source.put(message, chance))
    for message in messages:
        loop.after(message.called, partial(api.call, message))
    loop.run(until)
    return run
