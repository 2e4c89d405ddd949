"""What is said of one operation, beside its route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel

from infra.openapi.template import Route
from relay.errors import RelayError

JSON = "application/json"
HTML = "text/html"
SVG = "image/svg+xml"


class Caller(StrEnum):
    """Who may call; the value is the name of the security scheme.

    Forge calls as itself, and as a site where the operation says so.
    """

    ANYONE = ""
    PROVIDER = "apiKey"
    SITE = "jiraCallback"
    JIRA = "jiraInstall"
    FORGE = "forgeInvocation"


@dataclass(frozen=True)
class Parameter:
    """`schema` is a type that pydantic knows, with its limits; one in the path is required."""

    name: str
    schema: Any
    description: str
    where: Literal["path", "query", "header"] = "path"
    required: bool = False
    # Every parameter of a query of its own: OpenAPI's form of "any name".
    explode: bool = False


@dataclass(frozen=True)
class Answer:
    """`model` describes JSON; without one there is no body, or one of another `media`."""

    status: int
    description: str
    model: type[BaseModel] | None = None
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """A request and the answer that it gets; a test makes it, and holds that it is so.

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
    """`errors` are those that only some operations have: the rest follow from the caller."""

    route: Route
    id: str
    tag: str
    caller: Caller
    summary: str
    answers: Sequence[Answer]
    examples: Sequence[Example]
    description: str = ""
    parameters: Sequence[Parameter] = ()
    body: type[BaseModel] | None = None
    body_required: bool = True
    errors: Sequence[RelayError] = ()
    # A site that has the app under Forge calls it with Forge's token.
    by_forge_too: bool = False

    @property
    def schemes(self) -> list[str]:
        """The names of the security schemes, any one of which will do."""
        named = [self.caller, *([Caller.FORGE] if self.by_forge_too else [])]
        return [caller.value for caller in named if caller.value]
