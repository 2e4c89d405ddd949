"""System tokens: what Forge hands to a remote, and Jira's REST APIs take from it."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from ..settings import Settings

Clock = Callable[[], float]

# Atlassian's own are about as long; what is in them is nobody's business.
_BYTES = 768


class SystemTokens:
    """Those of one installation; several hold at once, each until its own end."""

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._ends: dict[str, float] = {}

    def issue(self) -> str:
        token = secrets.token_urlsafe(_BYTES)
        self._ends[token] = self._clock() + self._settings.system_token_seconds
        return token

    def newest(self) -> str:
        """The newest that holds, as Forge keeps one for a while; or a new one."""
        valid = self._valid()
        return valid[-1] if valid else self.issue()

    def refusal(self, token: str) -> str | None:
        """Why the token is good for nothing; None if it is good."""
        if token not in self._ends:
            return "the token is unknown, or another site's"
        if self._ends[token] <= self._clock():
            return "the token has expired"
        return None

    def expire(self) -> None:
        """End all that were handed out so far."""
        self._ends = dict.fromkeys(self._ends, self._clock())

    def document(self) -> list[dict[str, Any]]:
        """Those that hold, the newest last, with the seconds that each has left."""
        now = self._clock()
        return [
            {"token": token, "secondsLeft": round(self._ends[token] - now, 1)}
            for token in self._valid()
        ]

    def _valid(self) -> list[str]:
        now = self._clock()
        return [token for token, end in self._ends.items() if end > now]
