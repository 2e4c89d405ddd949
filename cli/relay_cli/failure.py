"""What ends a command before it is done, each with its exit code.

    Failure              1  Relay says no: an unknown id, a broken rule
    ├── Misuse           2  the command line, the configuration or the input is wrong
    ├── Unavailable      3  Relay can't be reached, or can't do it now
    ├── Refused          4  the API key is unknown, or not for this
    └── Stopped        130  by the user

Exit code 0 is for what was done; 1 also for what was done, but not all of it: an entity that was
rejected, a check of `relay doctor` that failed.
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
    exit_code = 2

    def __init__(self, message: str, code: str = "usage") -> None:
        super().__init__(message, code)


class Unavailable(Failure):
    exit_code = 3


class Refused(Failure):
    exit_code = 4


class Stopped(Failure):
    exit_code = 130

    def __init__(self) -> None:
        super().__init__("Stopped.", "stopped")
