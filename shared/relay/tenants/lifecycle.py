"""The order of a site's lifecycle calls, by their tokens.

A token counts time in seconds and does not cover the body. Its `iat` may lie ahead of our clock,
by as much as tokens are allowed to. So a call is ordered by its `iat`, but never later than when
it was first seen: a call that really comes later has a later place, whatever the first one claimed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from relay.errors import Unavailable

# Only Atlassian makes such tokens, and for one site not this many within a few seconds.
TOKENS_MAX = 50


def _seconds_now() -> int:
    return int(time.time())


# Tests replace it.
clock: Callable[[], int] = _seconds_now


@dataclass(frozen=True, slots=True)
class LifecycleToken:
    """When the token was issued, which one it is, and when we saw it; times in epoch seconds."""

    issued_at: int
    digest: str
    seen_at: int = field(default_factory=lambda: clock())


@dataclass(frozen=True, slots=True)
class TokenHistory:
    """The tokens that changed a tenant, as far as they could be used again.

    `at` is the place of the newest call, in epoch seconds. A token with an earlier `iat` is
    outdated, so `used` holds the others only: by first sight, the newest last.
    """

    at: int = 0
    used: tuple[LifecycleToken, ...] = ()

    def is_outdated(self, token: LifecycleToken) -> bool:
        return token.issued_at < self.at

    def first_use(self, token: LifecycleToken) -> LifecycleToken | None:
        """The token as it was first seen; None where it has not been used."""
        return next((used for used in self.used if used.digest == token.digest), None)

    def is_newest(self, token: LifecycleToken) -> bool:
        return bool(self.used) and self.used[-1].digest == token.digest

    def including(self, token: LifecycleToken) -> "TokenHistory":
        """Raises Unavailable when there are too many to remember, as none may be forgotten."""
        at = max(self.at, min(token.issued_at, token.seen_at))
        added = () if self.first_use(token) else (token,)
        used = tuple(each for each in self.used + added if each.issued_at >= at)
        if len(used) > TOKENS_MAX:
            raise Unavailable("Too many lifecycle calls within a few seconds; try again.")
        return TokenHistory(at, used)
