"""Orders a site's lifecycle calls by their tokens.

A token has a resolution of one second and does not cover the body. Its `iat` may be ahead of
Relay's clock, within the allowed leeway. So the time of a call is its `iat`, or the time it was
first seen if that is earlier: a call that arrives later is then never older, whatever the first
one's `iat`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from relay.errors import Unavailable

# Only Atlassian issues these tokens, and never this many for one site within a few seconds.
TOKENS_MAX = 50


def _seconds_now() -> int:
    return int(time.time())


# Tests replace this clock. Epoch seconds.
clock: Callable[[], int] = _seconds_now


@dataclass(frozen=True, slots=True)
class LifecycleToken:
    """`issued_at` is its `iat`, `digest` identifies it, `seen_at` is its arrival; epoch seconds."""

    issued_at: int
    digest: str
    seen_at: int = field(default_factory=lambda: clock())


@dataclass(frozen=True, slots=True)
class TokenHistory:
    """The tokens that changed a tenant and could still be replayed.

    `at` is the time of the newest call, in epoch seconds. Tokens with an earlier `iat` are
    outdated; `used` holds the others, in the order in which they were first seen.
    """

    at: int = 0
    used: tuple[LifecycleToken, ...] = ()

    def is_outdated(self, token: LifecycleToken) -> bool:
        """Whether a newer call was handled."""
        return token.issued_at < self.at

    def first_use(self, token: LifecycleToken) -> LifecycleToken | None:
        """The token as it was first seen; None if it has not been used."""
        return next((used for used in self.used if used.digest == token.digest), None)

    def is_newest(self, token: LifecycleToken) -> bool:
        """Whether no other token was used after this one."""
        return bool(self.used) and self.used[-1].digest == token.digest

    def including(self, token: LifecycleToken) -> "TokenHistory":
        """The history with this token. Raises Unavailable if that would exceed TOKENS_MAX."""
        at = max(self.at, min(token.issued_at, token.seen_at))
        added = () if self.first_use(token) else (token,)
        used = tuple(each for each in self.used + added if each.issued_at >= at)
        if len(used) > TOKENS_MAX:
            raise Unavailable("Too many lifecycle calls within a few seconds; try again.")
        return TokenHistory(at, used)
