"""Every error that Relay raises on purpose, in one tree.

    RelayError
    ├── BadRequest            400  the input breaks a rule; `details` name it
    │   ├── UnsupportedMedia  415
    │   ├── TooLarge          413
    │   └── AnswerTooLarge    413  the response would exceed Lambda's limit
    ├── Unauthenticated       401  the caller is not authenticated; the response gives no reason
    ├── Forbidden             403  the caller is authenticated, but not permitted to do this
    ├── NotFound              404
    ├── Conflict              409  the current state does not allow this
    └── Unavailable           503  Jira or a part of Relay is temporarily unavailable; try again

Any room may raise them. The edge turns one that reaches it into a response with the status shown.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Detail:
    """One broken rule: its place (`incidents[3].summary`), its stable name, and how to comply."""

    path: str
    rule: str
    message: str


class RelayError(Exception):
    """The base of all errors. `code` in the constructor replaces the code of the class."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, details: Sequence[Detail] = (), code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.error_code = code or self.code

    @property
    def is_final(self) -> bool:
        """Whether the same call would fail again, as the caller is at fault."""
        return self.status < _SERVER_ERROR

    def as_body(self) -> dict[str, Any]:
        """The JSON body of every error response."""
        return {
            "error": {
                "code": self.error_code,
                "message": self.message,
                "details": [asdict(detail) for detail in self.details],
            }
        }


class BadRequest(RelayError):
    """The input breaks a rule; `details` name each one."""

    status = 400
    code = "bad_request"


class UnsupportedMedia(BadRequest):
    """The request's Content-Type or Content-Encoding is not supported."""

    status = 415
    code = "unsupported_media_type"


class TooLarge(BadRequest):
    """The request exceeds a limit on its size; `details` name the limit."""

    status = 413
    code = "too_large"


class AnswerTooLarge(BadRequest):
    """The response would exceed Lambda's limit; a request for less at once succeeds."""

    status = 413
    code = "answer_too_large"

    def __init__(self) -> None:
        super().__init__("The response would exceed AWS Lambda's limit of 6 MB.")


class Unauthenticated(RelayError):
    """`reason` is logged, not returned: the caller gets the same message whatever check failed."""

    status = 401
    code = "unauthenticated"

    def __init__(self, reason: str) -> None:
        super().__init__("This call needs a valid token, API key or signature.")
        self.reason = reason


class Forbidden(RelayError):
    """The caller is authenticated, but not permitted to do this."""

    status = 403
    code = "forbidden"


class NotFound(RelayError):
    """The resource does not exist; `code` names its kind, such as `unknown_site`."""

    status = 404
    code = "not_found"


class Conflict(RelayError):
    """The current state does not allow this; the same request fails until that changes."""

    status = 409
    code = "conflict"


class Unavailable(RelayError):
    """Jira or a part of Relay is temporarily unavailable; the request can be repeated."""

    status = 503
    code = "unavailable"
