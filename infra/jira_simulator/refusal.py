"""The exceptions: calls that the simulator answers with an error, in the shape of its origin."""

import secrets
from typing import Any, ClassVar


class Refusal(Exception):
    """Answered with `status` and all `messages`, in the shape of Jira's operations API."""

    # The scheme in the header that HTTP requires with a 401.
    scheme: ClassVar[str] = "JWT"

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.status = status
        self.messages = messages

    def document(self) -> Any:
        """The answer's JSON."""
        return error_messages(self.messages)


class GatewayRefusal(Refusal):
    """An error of the gateway of api.atlassian.com, which refuses a call before Jira gets it."""

    scheme: ClassVar[str] = "Bearer"

    def document(self) -> Any:
        """The answer's JSON: `{"code", "message"}`."""
        return {"code": self.status, "message": str(self)}


class PropertyRefusal(Refusal):
    """Jira's answer if an app property can't be read."""

    def document(self) -> Any:
        """The answer's JSON: `{"message", "statusCode"}`."""
        return {"message": str(self), "statusCode": self.status}


def error_messages(messages: list[str] | tuple[str, ...]) -> list[dict[str, str]]:
    """Jira's error shape; the trace id is random."""
    return [{"message": text, "errorTraceId": secrets.token_hex(8)} for text in messages]
