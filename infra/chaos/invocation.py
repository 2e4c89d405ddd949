"""What goes to a worker process and comes back."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Invocation:
    """`seconds` is what Lambda would give the function, `offset` that of the clock.

    `seed` decides which calls of AWS fail. The worker kills itself at the `dies_at`-th time that
    a call to AWS or Jira begins or ends: where something has just changed, or is about to.
    """

    function: str
    event: dict[str, Any]
    seconds: float
    offset: float
    seed: int = 0
    aws_error_rate: float = 0.0
    dies_at: int | None = None


@dataclass(frozen=True)
class Ended:
    """`error` is the type of what the handler raised, which Lambda takes for a failure."""

    answer: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    killed: bool = False
    aws_errors: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.killed or bool(self.error)
