"""Whether a user is an admin of a site's Jira: Jira's own answer, kept for minutes in memory."""

import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from relay.errors import Forbidden, Unavailable
from relay.jira.errors import JiraError
from relay.telemetry import logger
from relay.tenants.tenant import Tenant

if TYPE_CHECKING:
    from relay.jira.client import JiraClient

# Seconds. A new admin should not wait; a former one loses the page's buttons within minutes.
_YES_SECONDS = 300
_NO_SECONDS = 60
_ANSWERS_MAX = 1000


class _Answer(NamedTuple):
    is_admin: bool
    until: float


class Administrators:
    """Asks Jira who administers a site.

    `client_for` returns the client of a site's Jira, None if the site has uninstalled the app.
    `clock` returns epoch seconds. Answers are kept by a hash, so that memory holds no account id.
    """

    def __init__(
        self,
        client_for: Callable[[Tenant], "JiraClient | None"],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client_for = client_for
        self._clock = clock
        # Oldest first.
        self._answers: dict[bytes, _Answer] = {}

    def check(self, tenant: Tenant, account_id: str) -> None:
        """Raises Forbidden unless the account is an admin, and Unavailable if Jira does not say."""
        key = hashlib.sha256(f"{tenant.id}\0{account_id}".encode()).digest()
        now = self._clock()
        known = self._answers.get(key)
        if known is None or not now <= known.until <= now + _YES_SECONDS:
            known = self._keep(key, self._ask(tenant, account_id), now)
        if not known.is_admin:
            raise Forbidden("Only an admin of this Jira may use this page.", code="not_an_admin")

    def _ask(self, tenant: Tenant, account_id: str) -> bool:
        client = self._client_for(tenant)
        if client is None:
            raise _unknown()
        try:
            return client.is_admin(account_id)
        except JiraError as error:
            # Not Jira's own words, which may name the account.
            logger.warning("Jira did not say who is an admin", reason=error.reason)
            raise _unknown() from None

    def _keep(self, key: bytes, is_admin: bool, now: float) -> _Answer:
        self._answers.pop(key, None)
        if len(self._answers) >= _ANSWERS_MAX:
            del self._answers[next(iter(self._answers))]
        answer = _Answer(is_admin, now + (_YES_SECONDS if is_admin else _NO_SECONDS))
        self._answers[key] = answer
        return answer


def _unknown() -> Unavailable:
    return Unavailable(
        "Jira did not tell Relay whether you are an admin; try again.", code="jira_unavailable"
    )
