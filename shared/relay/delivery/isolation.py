"""Isolating the parts that make a request fail, in few requests and without I/O.

A generator yields one batch at a time, is sent the site's answer, and returns the answer for each
part. It works on batches of any kind.
"""

import random
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from relay.jira.answers import SubmitAnswer

# If this many fail alone and nothing of their kind passes, the site is considered failed.
ALONE_MAX = 3


class Divisible(Protocol):
    """One request: states of one kind."""

    @property
    def kind(self) -> str:
        """What the states are: one kind passing shows nothing about another kind."""

    @property
    def states(self) -> Sequence[Any]:
        """The parts of the request."""

    def of(self, states: Any, /) -> Self:
        """The same request with these states instead."""

    def cut(self, too_large: Self, /) -> Iterable[Self]:
        """This request in parts of at most half the size of `too_large`."""


BatchT = TypeVar("BatchT", bound=Divisible)


@dataclass(frozen=True, slots=True)
class Refused:
    """The request was refused as a whole for its content (400)."""

    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The request was refused for its size (413)."""

    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """The site answers, but this request failed: for its content, or as any of its kind would.

    `proven`: others of its kind pass now, so the content is the cause.
    """

    reason: str
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The site can't accept anything now, for this `reason`."""

    reason: str


Answer = SubmitAnswer | Refused | TooLarge | Suspect | Failed
Settled = list[tuple[BatchT, Answer]]


def settle(
    batches: Iterable[BatchT],
    suspected: bool = False,
    pick: Callable[[int], int] = random.randrange,
) -> Generator[BatchT, Answer, Settled[BatchT]]:
    """Submit these batches, and parts of them, until each part has its answer.

    A refused or suspect request is halved until the state at fault is found. After a request that
    was too large, all waiting batches are cut to half of its size. A state that is suspect alone is
    at fault if another of its kind has passed; its answer is then Suspect. Until one has passed,
    single states chosen at random are tried: one of them passes, unless most would fail. If
    ALONE_MAX fail and none passes, the site has failed: nothing more is sent, and the answer for
    the rest is Failed.

    `suspected`: all of these failed before while others passed, so they are considered at fault
    again if none passes. `pick(n)` chooses an index below n.
    """
    waiting, settled = deque(batches), Settled[BatchT]()
    alone: list[tuple[BatchT, Suspect]] = []
    proven: set[str] = set()
    left: Answer | None = None
    while waiting and left is None:
        batch = waiting.popleft()
        answer = yield batch
        is_one, kind = len(batch.states) == 1, batch.kind
        if isinstance(answer, SubmitAnswer | Refused) or _is_proof(answer):
            proven.add(kind)
        match answer:
            case Failed():
                waiting.appendleft(batch)
                left = answer
            case Suspect():
                if is_one:
                    alone.append((batch, answer))
                elif kind in proven:
                    waiting.extendleft(reversed(_halves(batch)))
                else:
                    waiting.appendleft(batch)
                if kind not in proven:
                    if waiting and sum(one.kind == kind for one, _ in alone) >= ALONE_MAX:
                        left = answer if suspected else Failed(answer.reason)
                    elif waiting and waiting[0].kind == kind:
                        waiting.extendleft(reversed(_one_and_rest(waiting.popleft(), pick)))
            case SubmitAnswer():
                settled.append((batch, answer))
            case _ if is_one:
                settled.append((batch, answer))
            case TooLarge():
                waiting = deque(part for each in (batch, *waiting) for part in each.cut(batch))
            case Refused():
                waiting.extendleft(reversed(_halves(batch)))
    for batch, suspect in alone:
        at_fault = suspected or batch.kind in proven
        settled.append((batch, suspect if at_fault else Failed(suspect.reason)))
    return settled + [(batch, left) for batch in waiting if left]


def _is_proof(answer: Answer) -> bool:
    return isinstance(answer, Suspect) and answer.proven


def _halves(batch: BatchT) -> list[BatchT]:
    middle = len(batch.states) // 2
    return [batch.of(batch.states[:middle]), batch.of(batch.states[middle:])]


def _one_and_rest(batch: BatchT, pick: Callable[[int], int]) -> list[BatchT]:
    index = pick(len(batch.states))
    one, rest = batch.states[index : index + 1], [*batch.states[:index], *batch.states[index + 1 :]]
    return [batch.of(states) for states in (one, rest) if states]
