"""The errors of calls to Jira: one type per meaning.

JiraError(Unavailable)
├── JiraUnreachable       no answer: a timeout, a refused or broken connection
│   └── CutOff            the connection was closed during the call
└── JiraAnswered          an answer other than success, with Jira's messages
    ├── RequestRefused    400: the request as a whole is invalid
    ├── CredentialRefused 401: the token is missing, invalid or expired
    ├── AccessRefused     403: the app lacks the module or the scope
    ├── NothingThere      404
    ├── RequestTooLarge   413
    ├── RateLimited       429
    ├── SiteMoved         3xx: a renamed site points to its new host
    ├── NotLinked         202, but the workspace is not linked
    ├── SiteDown          5xx; a suspended site answers 503
    └── Unreadable        2xx or 4xx that Jira does not document: something else answered
"""

import re
from typing import Any

from relay.errors import Unavailable

_ANSWERED = re.compile(r"[A-Za-z ]+ answered \d{3}", re.ASCII)


def without_details(message: str) -> str:
    """An error's message without Jira's own text, which may quote another workspace's data."""
    answered = _ANSWERED.match(message)
    return answered[0] if answered else message


class JiraError(Unavailable):
    """A call to Jira failed. Uncaught, it is answered with 503."""

    code = "jira_unavailable"

    @property
    def reason(self) -> str:
        """A reason for the log, without Jira's own text, which may quote what it was sent."""
        return type(self).__name__


class JiraUnreachable(JiraError):
    """Jira did not answer. It may or may not have processed the request."""


class CutOff(JiraUnreachable):
    """The connection was closed before the answer was complete."""


class JiraAnswered(JiraError):
    """An answer other than success. Uncaught, it is answered with 502: a retry would not help.

    `messages` are Jira's, each with its errorTraceId if it has one; `retry_after` is the header of
    this name, unparsed. `location` is the origin that a redirect points to.
    """

    status = 502
    code = "jira_refused"
    who = "Jira"
    is_jiras = True

    def __init__(
        self,
        answer_status: int,
        messages: tuple[str, ...] = (),
        retry_after: str | None = None,
        location: str = "",
    ) -> None:
        details = ": " + "; ".join(messages) if messages else ""
        target = f", and points to {location}" if location else ""
        super().__init__(f"{self.who} answered {answer_status}{target}{details}")
        self.answer_status = answer_status
        self.messages = messages
        self.retry_after = retry_after

    def as_body(self) -> dict[str, Any]:
        """The body of every error answer, with `jiraStatus`: the HTTP status of Jira's answer."""
        body = super().as_body()
        if self.is_jiras:
            body["error"]["jiraStatus"] = self.answer_status
        return body

    @property
    def reason(self) -> str:
        """`status <number>`, for the log."""
        return f"status {self.answer_status}"


class RequestRefused(JiraAnswered):
    """400: the request as a whole is invalid."""


class CredentialRefused(JiraAnswered):
    """401: the token is missing, invalid or expired."""


class AccessRefused(JiraAnswered):
    """403: the app lacks the module or the scope."""


class NothingThere(JiraAnswered):
    """404: Jira does not have the resource, or the site or its app is gone."""


class RequestTooLarge(JiraAnswered):
    """413: the request is larger than Jira accepts."""


class RateLimited(JiraAnswered):
    """429: the site asks for fewer calls. Uncaught, it is answered with 503."""

    status = 503
    code = "jira_unavailable"


class SiteMoved(JiraAnswered):
    """3xx: a renamed site points to its new host. Redirects are not followed."""


class NotLinked(JiraAnswered):
    """Jira accepted a request to link a workspace, but does not list the workspace as linked."""

    def __init__(self) -> None:
        super().__init__(202, ("Jira did not name the workspace as linked.",))


class SiteDown(JiraAnswered):
    """5xx: the site can't answer now. Uncaught, it is answered with 503."""

    status = 503
    code = "jira_unavailable"


class Unreadable(JiraAnswered):
    """2xx or 4xx that Jira does not document. Uncaught, it is answered with 503."""

    status = 503
    code = "jira_unavailable"
    who = "Something other than Jira"
    is_jiras = False


_BY_STATUS: dict[int, type[JiraAnswered]] = {
    400: RequestRefused,
    401: CredentialRefused,
    403: AccessRefused,
    404: NothingThere,
    413: RequestTooLarge,
    429: RateLimited,
}
_BY_CLASS: dict[int, type[JiraAnswered]] = {2: Unreadable, 3: SiteMoved, 5: SiteDown}


def error_type(status: int) -> type[JiraAnswered]:
    """The error for an answer's HTTP status; JiraAnswered itself for any other 4xx."""
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, JiraAnswered)
