"""What a call to Jira can come to when it does not succeed.

JiraError(Unavailable)
├── JiraUnreachable       no answer: a timeout, a refused or broken connection
└── JiraAnswered          an answer other than success; its status and Jira's own words
    ├── RequestRefused    400: wrong as a whole
    └── RequestTooLarge   413
"""

from relay.errors import Unavailable


class JiraError(Unavailable):
    """Uncaught, it reaches the caller as 503: Jira could not do now what was asked."""

    code = "jira_unavailable"

    @property
    def reason(self) -> str:
        """For the log: nothing that Jira said, which may repeat what it was sent."""
        return type(self).__name__


class JiraUnreachable(JiraError):
    """Jira may or may not have taken the request."""


class JiraAnswered(JiraError):
    def __init__(self, answer_status: int, messages: tuple[str, ...]) -> None:
        words = ": " + "; ".join(messages) if messages else ""
        super().__init__(f"Jira answered {answer_status}{words}")
        self.answer_status = answer_status
        self.messages = messages

    @property
    def reason(self) -> str:
        return f"status {self.answer_status}"


class RequestRefused(JiraAnswered):
    code = "jira_refused"


class RequestTooLarge(JiraAnswered):
    code = "jira_refused"
