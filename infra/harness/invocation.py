"""The messages to and from a worker process."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Invocation:
    """One call of a function, with its faults.

    `seconds` is the function's time limit, `offset` the seconds by which its clock is ahead. `seed`
    determines which calls to AWS fail, at `aws_error_rate`. The worker kills itself at the
    `dies_at`-th time that a call to AWS or Jira starts or ends. It is killed from outside after
    `killed_after` seconds.
    """

    function: str
    event: dict[str, Any]
    seconds: float
    offset: float
    seed: int = 0
    aws_error_rate: float = 0.0
    dies_at: int | None = None
    killed_after: float | None = None


@dataclass(frozen=True)
class InvocationResult:
    """`error` is the type of the exception that the handler raised; empty if it raised none."""

    answer: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    killed: bool = False
    aws_errors: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether Lambda would count it as a failed invocation."""
        return self.killed or bool(self.error)
