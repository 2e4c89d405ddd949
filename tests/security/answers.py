"""What the security tests expect of responses."""

from typing import Any

from tests.support.lambdas import Answer

_UNAUTHENTICATED = {
    "error": {
        "code": "unauthenticated",
        "message": "This call needs a valid token, API key or signature.",
        "details": [],
    }
}


def refused(answer: Answer) -> bool:
    """Whether this is the one response to every unauthenticated call, which never names the failed
    rule.
    """
    return answer.status == 401 and answer.json() == _UNAUTHENTICATED


def is_error(answer: Answer, status: int, code: str) -> bool:
    """Whether this is an error in the common shape."""
    error: dict[str, Any] = answer.json()["error"]
    return (
        answer.status == status
        and error["code"] == code
        and bool(error["message"])
        and isinstance(error["details"], list)
    )
