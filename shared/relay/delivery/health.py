"""Whether a site may be called now, and what its answers make of that."""

import time
from collections.abc import Callable

from relay.delivery.decisions import (
    Decision,
    Verdict,
    decide,
    is_suspect,
    lasting,
    row_of,
    status_of,
)
from relay.delivery.sites import LinkedSite
from relay.jira.errors import JiraError, without_words
from relay.telemetry import Metric, count, logger
from relay.tenants import Trouble, TroubleStore

# A site that goes on failing in the same way is seldom asked more than the one call of each trial.
_ASKED_AT_FIRST = 4
_ASKED_EVERY = 12

Clock = Callable[[], float]


class SiteHealth:
    """The gate before a site in trouble: shut until its time has come, then open for one caller
    at a time, and for all once that one was answered. Knows one link during one invocation."""

    def __init__(self, troubles: TroubleStore, site: LinkedSite, clock: Clock = time.time) -> None:
        self._troubles = troubles
        self._tenant_id = site.tenant.id
        self._clock = clock
        self.trouble = site.trouble

    def may_call(self) -> bool:
        """Take the site for a trial, where it was in trouble and its time has come."""
        if self.trouble is None:
            return True
        now = self._now()
        if self.trouble.until > now:
            return False
        return self._troubles.try_again(self._tenant_id, self.trouble, now)

    @property
    def reason(self) -> str:
        """Why it may not be called, for people. Jira may have said it to another workspace."""
        return without_words(self.trouble.message) if self.trouble else ""

    def answered(self) -> bool:
        """The site took a call; True where it was in trouble before."""
        if self.trouble is None:
            return False
        self._troubles.clear(self._tenant_id)
        logger.info("A site answers again", tenant_id=self._tenant_id)
        count(Metric.SITES_RECOVERED)
        self.trouble = None
        return True

    def failed(self, error: JiraError) -> Decision:
        """Decide what follows from a call that failed, and keep the trouble, if it is one."""
        now = self._clock()
        since = self._failing_since(error, int(now * 1000))
        attempts = self.trouble.attempts if self.trouble else 0
        decision = decide(error, attempts, now - since / 1000, now)
        if decision.row.verdict is not Verdict.SPLIT:
            self._keep(error, decision, since, attempts)
        return decision

    def is_suspect(self, error: JiraError) -> bool:
        return is_suspect(error, self._clock())

    def is_worth_asking(self, error: JiraError) -> bool:
        """Whether to find out if the request alone failed. In a long trouble not at each trial, so
        that it stays at about one call for each, but at some: a request that fails by itself
        must not keep it in trouble."""
        trouble = self.trouble
        if trouble is None or status_of(error) != trouble.status:
            return True
        return trouble.attempts < _ASKED_AT_FIRST or trouble.attempts % _ASKED_EVERY == 0

    def _failing_since(self, error: JiraError, now: int) -> int:
        """The beginning of the trouble. It begins anew with the first answer of a kind that means
        more once nothing else came for an hour."""
        if self.trouble is None:
            return now
        kind = lasting(row_of(error).code, status_of(error))
        goes_on = kind is None or kind is lasting(self.trouble.code, self.trouble.status)
        return self.trouble.since if goes_on else now

    def _keep(self, error: JiraError, decision: Decision, since: int, attempts: int) -> None:
        now = self._now()
        trouble = Trouble(
            code=decision.row.code,
            message=error.message,
            needs_attention=decision.row.verdict is Verdict.ATTENTION,
            since=since,
            at=now,
            until=now + int(decision.after * 1000),
            attempts=attempts + 1,
            status=status_of(error),
        )
        # Of several callers that failed at once, one is enough: who has not had it for a trial
        # must not cut short what another one was asked to wait.
        known = self._troubles.of(self._tenant_id) if self.trouble else None
        self._troubles.put(self._tenant_id, trouble, known)
        self.trouble = trouble
        logger.warning(
            "A site is in trouble",
            tenant_id=self._tenant_id,
            code=trouble.code,
            status=trouble.status,
            attempts=trouble.attempts,
            seconds=round(decision.after, 1),
        )
        count(Metric.SITE_TROUBLES)

    def _now(self) -> int:
        return int(self._clock() * 1000)
