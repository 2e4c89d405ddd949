"""Reading whole partitions, several at once, within a budget of calls."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from relay.aws import AT_ONCE, side_by_side

PageT = TypeVar("PageT")


@dataclass(slots=True)
class ReadBudget:
    """How many calls of DynamoDB, each of at most a megabyte, may still be made.

    `ran_out` is whether something was left to read.
    """

    left: int
    ran_out: bool = False

    def take(self, calls: int) -> int:
        """How many of these calls may be made."""
        taken = min(calls, max(self.left, 0))
        self.left -= taken
        return taken


def pages_of(
    read: Callable[[str, str], tuple[PageT, str]], pks: Sequence[str], budget: ReadBudget
) -> Iterator[PageT]:
    """The pages of these partitions, in no order, until the budget runs out.

    `read` makes one call for a pk and the sk after which to start; it returns a page, and the last
    sk, or "" at the end.
    """
    waiting = [(pk, "") for pk in pks]
    while waiting:
        now = waiting[: budget.take(min(AT_ONCE, len(waiting)))]
        if not now:
            budget.ran_out = True
            return
        found = side_by_side(lambda one: read(*one), now)
        yield from (page for page, _ in found)
        unfinished = [(pk, last) for (pk, _), (_, last) in zip(now, found, strict=True) if last]
        waiting = waiting[len(now) :] + unfinished
