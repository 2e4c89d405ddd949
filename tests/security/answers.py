"""What the security tests expect of answers."""

from typing import Any

from tests.support.lambdas import Answer

_UNAUTHENTICATED = {
    "error": {
        "code": "unauthenticated",
        "message": "This call needs a valid token or API key.",
        "details": [],
    }
}


def refused(answer: Answer) -> bool:
    """The one answer to everything that is not proven; it never says which rule failed."""
    return answer.status == 401 and answer.json() == _UNAUTHENTICATED


def is_error(answer: Answer, status: int, code: str) -> bool:
    """An error in the one shape of all errors."""
    error: dict[str, Any] = answer.json()["error"]
    return (
        answer.status == status
        and error["code"] == code
        and bool(error["message"])
        and isinstance(error["details"], list)
    )
