"""Finding, in as few requests as it takes, what a request was refused for, without I/O.

It works on batches of anything: it yields one, is sent what the site answered to it, and ends with
the answer for each part.
"""

import random
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from relay.jira.answers import SubmitAnswer

# So many fail alone while nothing of their kind passes, and it is taken for the site's failure.
ALONE_MAX = 3


class Divisible(Protocol):
    """One request: so many states of one kind."""

    @property
    def kind(self) -> str: ...
    @property
    def states(self) -> Sequence[Any]: ...
    def of(self, states: Any, /) -> Self:
        """The same with these states."""

    def cut(self, too_large: Self, /) -> Iterable[Self]:
        """This one in parts of at most half the bytes of one that was too large."""


BatchT = TypeVar("BatchT", bound=Divisible)


@dataclass(frozen=True, slots=True)
class Refused:
    """The request was refused as a whole for what is in it (400)."""

    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The request was refused for its size (413)."""

    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """The site answers, and this request failed: for what it holds, or as any of its kind would.

    `proven` says that others of its kind pass now, so that it is for what it holds.
    """

    reason: str
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The site can't take anything now; `reason` says why."""

    reason: str


Answer = SubmitAnswer | Refused | TooLarge | Suspect | Failed
Settled = list[tuple[BatchT, Answer]]


def settle(
    batches: Iterable[BatchT],
    suspected: bool = False,
    pick: Callable[[int], int] = random.randrange,
) -> Generator[BatchT, Answer, Settled[BatchT]]:
    """Submit these batches, and whatever parts of them it takes, until each part has its answer.

    A request that is refused, or suspect, is halved until the one is found that it is for; where
    one was too large, all that wait are cut to half of its bytes. What is suspect alone is at fault
    once another of its kind has passed, and its answer then is Suspect. As long as none has, one at
    random is tried alone: it passes, unless most would fail. Where none does, it is the site's
    failure: nothing more is sent, and the answer for what is left is Failed.

    `suspected`: all of these failed before while others passed, so that they are held to be at
    fault again where none passes.
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
                        waiting.extendleft(reversed(_one_out(waiting.popleft(), pick)))
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


def _one_out(batch: BatchT, pick: Callable[[int], int]) -> list[BatchT]:
    """One of them, and the rest."""
    place = pick(len(batch.states))
    one, rest = batch.states[place : place + 1], [*batch.states[:place], *batch.states[place + 1 :]]
    return [batch.of(states) for states in (one, rest) if states]
