"""System tokens, with which a remote calls Jira's REST APIs."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from ..settings import Settings

Clock = Callable[[], float]

# About as long as Atlassian's, whose content is opaque.
_BYTES = 768


class SystemTokens:
    """The tokens of one installation; several may be valid at a time, each with its own expiry."""

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._ends: dict[str, float] = {}

    def issue(self) -> str:
        """Returns a new token, valid for the setting `system_token_seconds`."""
        token = secrets.token_urlsafe(_BYTES)
        self._ends[token] = self._clock() + self._settings.system_token_seconds
        return token

    def newest(self) -> str:
        """The newest valid token, because Forge reuses one for a while; otherwise a new one."""
        valid = self._valid()
        return valid[-1] if valid else self.issue()

    def refusal(self, token: str) -> str | None:
        """The reason why the token is invalid; None for a valid one."""
        if token not in self._ends:
            return "the token is unknown, or belongs to another site"
        if self._ends[token] <= self._clock():
            return "the token has expired"
        return None

    def expire(self) -> None:
        """Revokes all tokens issued so far."""
        self._ends = dict.fromkeys(self._ends, self._clock())

    def document(self) -> list[dict[str, Any]]:
        """The valid tokens, newest last, with the remaining seconds of each."""
        now = self._clock()
        return [
            {"token": token, "secondsLeft": round(self._ends[token] - now, 1)}
            for token in self._valid()
        ]

    def _valid(self) -> list[str]:
        now = self._clock()
        return [token for token, end in self._ends.items() if end > now]
