"""The one exception: a call that the simulator answers with an error, in the words of its giver."""

import secrets
from typing import Any, ClassVar


class Refusal(Exception):
    """Answer `status`, and tell every reason in `messages`, as Jira's operations API does."""

    # Of the header that HTTP asks for beside a 401.
    scheme: ClassVar[str] = "JWT"

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.status = status
        self.messages = messages

    def document(self) -> Any:
        return error_messages(self.messages)


class GatewayRefusal(Refusal):
    """The gateway of api.atlassian.com refuses a call before Jira sees it."""

    scheme: ClassVar[str] = "Bearer"

    def document(self) -> Any:
        return {"code": self.status, "message": str(self)}


class PropertyRefusal(Refusal):
    """Jira's answer where an app property can't be read."""

    def document(self) -> Any:
        return {"message": str(self), "statusCode": self.status}


def error_messages(messages: list[str] | tuple[str, ...]) -> list[dict[str, str]]:
    """Jira's error shape; the trace id is what Jira's support would ask for."""
    return [{"message": text, "errorTraceId": secrets.token_hex(8)} for text in messages]
