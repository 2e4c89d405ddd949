"""Compares what AWS's rules report with the exceptions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Failure:
    """A rule that a resource does not follow; `message` is the rule's own, with its fix."""

    rule: str
    resource: str
    message: str


@dataclass(frozen=True)
class RuleException:
    """Resources that need not follow a rule. `resources` is a pattern of their logical ids."""

    rule: str
    resources: str
    reason: str

    def covers(self, failure: Failure) -> bool:
        """Whether this is the failure's rule and one of these resources."""
        return failure.rule == self.rule and bool(re.fullmatch(self.resources, failure.resource))


def problems(failures: Sequence[Failure], exceptions: Sequence[RuleException]) -> list[str]:
    """The failures without an exception, and the exceptions without a failure, for people."""
    return [*_failed(failures, exceptions), *_unused(failures, exceptions)]


def _failed(failures: Sequence[Failure], exceptions: Sequence[RuleException]) -> Iterator[str]:
    without = [one for one in failures if not any(other.covers(one) for other in exceptions)]
    for (rule, message), group in groupby(without, lambda one: (one.rule, one.message)):
        yield f"{', '.join(one.resource for one in group)}: {rule}: {message}"


def _unused(failures: Sequence[Failure], exceptions: Sequence[RuleException]) -> Iterator[str]:
    for exception in exceptions:
        if not any(exception.covers(failure) for failure in failures):
            yield f"The exception for {exception.rule} covers nothing. Remove it."
