"""What a call to Jira can come to when it does not succeed: one type per meaning.

JiraError(Unavailable)
├── JiraUnreachable       no answer: a timeout, a refused or broken connection
│   └── CutOff            the connection was closed in the midst of the call
└── JiraAnswered          an answer other than success, with Jira's own words
    ├── RequestRefused    400: wrong as a whole
    ├── CredentialRefused 401: the token is missing, or not valid (any more)
    ├── AccessRefused     403: the app lacks the module or the scope
    ├── NothingThere      404
    ├── RequestTooLarge   413
    ├── RateLimited       429
    ├── SiteMoved         3xx: a renamed site points to its new host
    ├── NotLinked         202, and the workspace is not among those linked
    ├── SiteDown          5xx; a suspended site answers 503
    └── Unreadable        2xx or 4xx, and not what Jira documents: something else answered
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from relay.errors import Unavailable

_ANSWERED = re.compile(r"[A-Za-z ]+ answered \d{3}", re.ASCII)


def without_words(message: str) -> str:
    """An error's message without what Jira said, which may repeat what somebody else sent."""
    answered = _ANSWERED.match(message)
    return answered[0] if answered else message


class JiraError(Unavailable):
    """Uncaught, it reaches the caller as 503: Jira could not do now what was asked."""

    code = "jira_unavailable"

    @property
    def reason(self) -> str:
        """For the log: nothing that Jira said, which may repeat what it was sent."""
        return type(self).__name__


class JiraUnreachable(JiraError):
    """Jira may or may not have taken the request."""


class CutOff(JiraUnreachable):
    """The connection was made, and closed before there was a whole answer."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What an answer said of the rate limit, word for word; none of it is guaranteed."""

    retry_after: str | None = None
    limit: str | None = None
    remaining: str | None = None
    reset: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "RateLimit":
        return cls(
            retry_after=headers.get("retry-after"),
            limit=headers.get("x-ratelimit-limit"),
            remaining=headers.get("x-ratelimit-remaining"),
            reset=headers.get("x-ratelimit-reset"),
            reason=headers.get("ratelimit-reason"),
        )


class JiraAnswered(JiraError):
    """`messages` are Jira's words, each with its errorTraceId where it has one; `location` is the
    origin that a redirect points to.

    Asking again as it is would not help, so the caller is answered 502.
    """

    status = 502
    code = "jira_refused"
    who = "Jira"

    def __init__(
        self,
        answer_status: int,
        messages: tuple[str, ...] = (),
        rate_limit: RateLimit | None = None,
        location: str = "",
    ) -> None:
        words = ": " + "; ".join(messages) if messages else ""
        place = f", and points to {location}" if location else ""
        super().__init__(f"{self.who} answered {answer_status}{place}{words}")
        self.answer_status = answer_status
        self.messages = messages
        self.rate_limit = rate_limit or RateLimit()

    @property
    def reason(self) -> str:
        return f"status {self.answer_status}"


class RequestRefused(JiraAnswered):
    pass


class CredentialRefused(JiraAnswered):
    pass


class AccessRefused(JiraAnswered):
    pass


class NothingThere(JiraAnswered):
    pass


class RequestTooLarge(JiraAnswered):
    pass


class RateLimited(JiraAnswered):
    status = 503
    code = "jira_unavailable"


class SiteMoved(JiraAnswered):
    pass


class NotLinked(JiraAnswered):
    """Jira took the request to link a workspace, and does not say that it is linked."""

    def __init__(self) -> None:
        super().__init__(202, ("Jira did not name the workspace as linked.",))


class SiteDown(JiraAnswered):
    status = 503
    code = "jira_unavailable"


class Unreadable(JiraAnswered):
    status = 503
    code = "jira_unavailable"
    who = "Something other than Jira"


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
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, JiraAnswered)
