"""One operation, as the document describes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from infra.openapi.parameters import Parameter
from infra.openapi.template import Route
from relay.errors import RelayError

JSON = "application/json"


class Caller(StrEnum):
    """Who may call; the value is the name of the security scheme."""

    ANYONE = ""
    PROVIDER = "apiKey"
    SITE = "jiraCallback"
    JIRA = "jiraInstall"
    FORGE = "forgeInvocation"
    PAGE = "jiraContext"


@dataclass(frozen=True)
class Answer:
    """`model` is the shape of a JSON body; without it, there is no body or one of `media`."""

    status: int
    description: str
    model: type | None = None
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """A request and its answer; a test makes the request and compares the answer.

    `path` and `query` are values of the parameters, `answer` is an example of the body.
    """

    name: str
    status: int
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    answer: Any = None


@dataclass(frozen=True)
class Operation:
    """`errors` are this operation's own, without those that `errors_of` derives.

    Any of the `callers` may call it; if there are none, anyone may.
    """

    route: Route
    id: str
    tag: str
    summary: str
    answers: Sequence[Answer]
    examples: Sequence[Example]
    parameters: Sequence[Parameter]
    description: str = ""
    callers: Sequence[Caller] = ()
    body: type | None = None
    body_required: bool = True
    errors: Sequence[RelayError] = ()

    @property
    def caller(self) -> Caller:
        """The usual caller."""
        return self.callers[0] if self.callers else Caller.ANYONE
