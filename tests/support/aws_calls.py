"""The boundary to AWS: calls can be counted, made to fail, or raced."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError

Hook = Callable[[], object]


@dataclass
class AwsCalls:
    """`names` are the operations called so far, `parameters` their parameters; `before` and `after`
    run around each call.
    """

    names: list[str] = field(default_factory=list)
    parameters: list[dict[str, Any]] = field(default_factory=list)
    before: Callable[[str], None] = field(default=lambda _: None)
    after: Callable[[str], None] = field(default=lambda _: None)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _own: threading.local = field(default_factory=threading.local)

    def begin(self, operation: str, parameters: dict[str, Any]) -> None:
        """Note a call. Some are made side by side, so each thread knows its own call's number."""
        with self._turn:
            self.names.append(operation)
            self.parameters.append(parameters)
            self._own.number = len(self.names)

    @property
    def number(self) -> int:
        """The number of this thread's last call, from 1 on."""
        number: int = self._own.number
        return number

    def given(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of each call of this operation."""
        return [
            parameters
            for name, parameters in zip(self.names, self.parameters, strict=True)
            if name == operation
        ]

    def fail(self, error: Exception, at: int) -> None:
        """Let the call with this number (0 is the next one) fail before it reaches AWS."""
        position = len(self.names) + at + 1

        def raise_there(_: str) -> None:
            if self.number == position:
                raise error

        self.before = raise_there

    def race(self, operation: str, *rivals: Hook) -> None:
        """Run the next rival before each call of this operation, until none is left."""
        waiting = list(rivals)

        def let_one_pass(name: str) -> None:
            if name == operation and waiting:
                rival, self.before = waiting.pop(0), _nothing
                rival()
                self.before = let_one_pass

        self.before = let_one_pass

    def no_more_trouble(self) -> None:
        self.before = self.after = _nothing


def _nothing(_: str) -> None:
    pass


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "from a test"}}, "Operation")


def unreachable() -> EndpointConnectionError:
    return EndpointConnectionError(endpoint_url="https://dynamodb.eu-west-1.amazonaws.com")


@contextmanager
def aws_calls() -> Iterator[AwsCalls]:
    calls = AwsCalls()
    reach_aws = BaseClient._make_api_call  # type: ignore[attr-defined]

    def make_api_call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        calls.begin(operation, parameters)
        calls.before(operation)
        answer = reach_aws(self, operation, parameters)
        calls.after(operation)
        return answer

    with patch.object(BaseClient, "_make_api_call", make_api_call):
        yield calls
