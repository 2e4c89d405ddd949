"""The one exception: a call that the simulator answers with an error."""

import secrets


class Refusal(Exception):
    """Answer `status`, and tell every reason in `messages`."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.status = status
        self.messages = messages


def error_messages(messages: list[str] | tuple[str, ...]) -> list[dict[str, str]]:
    """Jira's error shape; the trace id is what Jira's support would ask for."""
    return [{"message": text, "errorTraceId": secrets.token_hex(8)} for text in messages]
