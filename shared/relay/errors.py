"""Every error that Relay raises on purpose, in one tree.

    RelayError
    ├── BadRequest            400  the caller's input breaks a rule; `details` say which
    │   ├── UnsupportedMedia  415
    │   ├── TooLarge          413
    │   └── AnswerTooLarge    413  Lambda would not take what was to be answered
    ├── Unauthenticated       401  who calls is not proven; never says which rule failed
    ├── Forbidden             403  who calls is known, and may not do this
    ├── NotFound              404
    ├── Conflict              409  a newer state is already there
    └── Unavailable           503  one of our own parts, or Jira, can't answer now; try again

They are raised anywhere and caught at the edge alone, where the status beside each is answered.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Detail:
    """One broken rule: where (`incidents[3].summary`), which rule, and what to do about it."""

    path: str
    rule: str
    message: str


class RelayError(Exception):
    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, details: Sequence[Detail] = (), code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.error_code = code or self.code

    def as_body(self) -> dict[str, Any]:
        """The one shape of every error answer."""
        return {
            "error": {
                "code": self.error_code,
                "message": self.message,
                "details": [asdict(detail) for detail in self.details],
            }
        }


class BadRequest(RelayError):
    status = 400
    code = "bad_request"


class UnsupportedMedia(BadRequest):
    status = 415
    code = "unsupported_media_type"


class TooLarge(BadRequest):
    status = 413
    code = "too_large"


class AnswerTooLarge(BadRequest):
    status = 413
    code = "answer_too_large"

    def __init__(self) -> None:
        super().__init__("The answer would be larger than AWS Lambda's limit of 6 MB.")


class Unauthenticated(RelayError):
    """`reason` is for our own log; the caller gets the same words whatever failed."""

    status = 401
    code = "unauthenticated"

    def __init__(self, reason: str) -> None:
        super().__init__("This call needs a valid token.")
        self.reason = reason


class Forbidden(RelayError):
    status = 403
    code = "forbidden"


class NotFound(RelayError):
    status = 404
    code = "not_found"


class Conflict(RelayError):
    status = 409
    code = "conflict"


class Unavailable(RelayError):
    status = 503
    code = "unavailable"
