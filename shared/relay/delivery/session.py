"""Calls to one site: until it fails, or until there is no time left for another.

A site in trouble is closed until its time has come. It is then open for one caller at a time, and
for all of them once that caller was answered.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from relay.delivery.decisions import (
    Reaction,
    decide,
    is_suspect,
    lasting,
    row_of,
    status_of,
)
from relay.jira.client import DEADLINE_SECONDS
from relay.jira.errors import JiraError, without_words
from relay.jira.workspace_jira import WorkspaceJira
from relay.telemetry import Metric, count, logger
from relay.tenants.troubles import Trouble, TroubleStore

# A call ends by its own deadline. None is begun without time to record its outcome, too.
CALL_SECONDS = DEADLINE_SECONDS + 1
OUT_OF_TIME = "Its turn has not come yet."
# A site that keeps failing in the same way seldom gets more than the one call of each trial.
_ASKED_AT_FIRST = 4
_ASKED_EVERY = 12

TimeLeft = Callable[[], float]
Clock = Callable[[], float]
AnswerT = TypeVar("AnswerT")


class Stopped(Exception):
    """Nothing more may be sent to the site now; `reason` is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RequestSuspected(Exception):
    """A call failed while the site answers others: its content may be the cause.

    `reason` is for people. Where it turns out that the site is the cause, `SiteSession.blame` ends
    the session.
    """

    def __init__(self, error: JiraError) -> None:
        super().__init__(error.message)
        self.error = error
        self.reason = error.message


class SiteTrouble:
    """What is known to be wrong with a site, during one invocation. `trouble` is None where
    nothing is."""

    def __init__(
        self,
        troubles: TroubleStore,
        tenant_id: str,
        trouble: Trouble | None,
        clock: Clock = time.time,
    ) -> None:
        self._troubles = troubles
        self._tenant_id = tenant_id
        self._clock = clock
        self.trouble = trouble

    def check_may_call(self) -> None:
        """Take the site for a trial where it was in trouble and its time has come.

        Raises Stopped where it may not be called now.
        """
        if self.trouble is None:
            return
        now = self._now()
        is_due = self.trouble.until <= now
        if not (is_due and self._troubles.try_again(self._tenant_id, self.trouble, now)):
            # Jira may have said these words to another workspace.
            raise Stopped(without_words(self.trouble.message))

    def answered(self) -> bool:
        """The site answered a call; True where it was in trouble before."""
        if self.trouble is None:
            return False
        self._troubles.clear(self._tenant_id)
        logger.info("A site answers again", tenant_id=self._tenant_id)
        count(Metric.SITES_RECOVERED)
        self.trouble = None
        return True

    def failed(self, error: JiraError) -> None:
        """Record the trouble that a failed call means, and when the site is tried again."""
        now = self._clock()
        since = self._failing_since(error, int(now * 1000))
        attempts = self.trouble.attempts if self.trouble else 0
        decision = decide(error, attempts, now - since / 1000, now)
        row = decision.row
        if row.reaction is Reaction.SPLIT:
            return
        trouble = Trouble(
            code=row.code,
            message=error.message,
            needs_attention=row.reaction is Reaction.ATTENTION,
            since=since,
            at=int(now * 1000),
            until=int(now * 1000) + int(decision.after * 1000),
            attempts=attempts + 1,
            status=status_of(error),
        )
        # Of several callers that failed at once, one is enough: a caller that did not have the
        # site for a trial must not shorten the wait that another one was asked for.
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

    def is_suspect(self, error: JiraError) -> bool:
        """Whether the answer may concern the request's content, and not the site."""
        return is_suspect(error, self._clock())

    def is_worth_asking(self, error: JiraError) -> bool:
        """Whether to find out if the request alone failed. In a long trouble not at every trial, so
        that each costs about one call, but at some: a request that fails by itself must not keep
        the site in trouble."""
        trouble = self.trouble
        if trouble is None or status_of(error) != trouble.status:
            return True
        return trouble.attempts < _ASKED_AT_FIRST or trouble.attempts % _ASKED_EVERY == 0

    def _failing_since(self, error: JiraError, now: int) -> int:
        """The beginning of the trouble. An answer that means more once nothing else came for an
        hour counts from the first of its kind."""
        if self.trouble is None:
            return now
        kind = lasting(row_of(error).code, status_of(error))
        goes_on = kind is None or kind is lasting(self.trouble.code, self.trouble.status)
        return self.trouble.since if goes_on else now

    def _now(self) -> int:
        return int(self._clock() * 1000)


class SiteSession:
    """`recovered` turns true where the site was in trouble and answers again; `stopped_by` is the
    reason why nothing more is sent, or empty."""

    def __init__(
        self, jira: WorkspaceJira, trouble: SiteTrouble, time_left: TimeLeft, workspace_id: str
    ) -> None:
        self.jira = jira
        self.recovered = False
        self.stopped_by = ""
        self._trouble = trouble
        self._time_left = time_left
        self._workspace_id = workspace_id
        self._answers = False
        self._has_any = False

    def call(
        self,
        call: Callable[[], AnswerT],
        but_for: tuple[type[JiraError], ...] = (),
        holds_entities: bool = False,
    ) -> AnswerT:
        """Make this call to Jira.

        Raises Stopped; the error of a request that may be split, and those of `but_for`; and
        RequestSuspected, where the call holds entities.
        """
        if not self.stopped_by and not self._has_time():
            self.stopped_by = OUT_OF_TIME
        if self.stopped_by:
            raise Stopped(self.stopped_by)
        count(Metric.JIRA_CALLS)
        try:
            answer = call()
        except JiraError as error:
            if isinstance(error, but_for):
                raise
            if _is_of_the_request(error):
                # A refusal is an answer, too.
                self.recovered |= self._trouble.answered()
                raise
            cause = self._trouble_behind(error) if holds_entities else error
            if cause is None:
                logger.warning("A call failed at a site that answers", reason=error.reason)
                raise RequestSuspected(error) from error
            self.blame(cause)
            raise Stopped(self.stopped_by) from error
        self.recovered |= self._trouble.answered()
        return answer

    def ask(self) -> bool:
        """Ask the site something cheap: whether it has any workspace at all, which it has not
        without the app. Raises Stopped."""
        try:
            self._has_any = self._has_any or bool(self.call(self.jira.site.workspaces))
        except JiraError:
            # A refusal is an answer, too.
            self._has_any = False
        self._answers = True
        return self._has_any

    def blame(self, error: JiraError) -> None:
        """The site is what failed: stop calling it for a while."""
        logger.warning("A call to Jira failed", reason=error.reason)
        self._trouble.failed(error)
        self.stopped_by = error.message

    def _trouble_behind(self, error: JiraError) -> JiraError | None:
        """What the site is in trouble for; None where it answers, and the request is suspect.

        It is asked only once: calls that pass later say more.
        """
        if not self._trouble.is_suspect(error):
            return error
        if self._answers:
            return None
        if not (self._trouble.is_worth_asking(error) and self._has_time()):
            return error
        count(Metric.JIRA_CALLS)
        try:
            self.jira.site.has_workspace(self._workspace_id)
        except JiraError as failure:
            if not _is_of_the_request(failure):
                # Of the two, the one that can't be the request's fault says more.
                return error if self._trouble.is_suspect(failure) else failure
        self._answers = True
        return None

    def _has_time(self) -> bool:
        return self._time_left() >= CALL_SECONDS


def _is_of_the_request(error: JiraError) -> bool:
    return row_of(error).reaction is Reaction.SPLIT
