"""The errors that end a command, each with its exit code.

    Failure              1  Relay refused the call: an unknown id, a broken rule
    ├── Misuse           2  the command line, the configuration or the input is wrong
    ├── Unavailable      3  Relay, or AWS, is unreachable or unavailable
    ├── Refused          4  the API key is unknown, or has no access
    └── Stopped        130  the user stopped the command

The exit code is 0 on success. It is also 1 if a command succeeded only in part: an entity was
rejected, or a check of `relay doctor` failed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

NOT_ALL = 1

Detail = Mapping[str, str]


class Failure(Exception):
    """`code`, `message` and `details` are those of the API's error, if it answered one.

    `status` is the HTTP status that Relay answered, `jira_status` the one that Jira answered to
    Relay; each is None without such an answer. `correlation_id` finds the call in Relay's logs.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        code: str = "failed",
        details: Sequence[Detail] = (),
        status: int | None = None,
        correlation_id: str = "",
        jira_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = tuple(details)
        self.status = status
        self.correlation_id = correlation_id
        self.jira_status = jira_status

    def document(self) -> dict[str, Any]:
        """The error in the API's shape, with `correlationId` if the call has one."""
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "details": list(self.details),
        }
        found: dict[str, Any] = {"error": error}
        if self.jira_status is not None:
            error["jiraStatus"] = self.jira_status
        return found | ({"correlationId": self.correlation_id} if self.correlation_id else {})


class Misuse(Failure):
    """The command line, the configuration or the input is wrong. No call was made."""

    exit_code = 2

    def __init__(self, message: str, code: str = "usage") -> None:
        super().__init__(message, code)


class Unavailable(Failure):
    """Relay, or AWS, is unreachable or unavailable. A retry may succeed."""

    exit_code = 3


class Refused(Failure):
    """Relay did not accept the API key, or the key has no access."""

    exit_code = 4


class Stopped(Failure):
    """The user stopped the command with Ctrl-C."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("Stopped.", "stopped")
