"""Calls to one site, until it fails or no time is left.

A site in trouble is not called until its trouble's `until`. Then one caller at a time may try it.
Once the site answers, all callers may call it again.
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
from relay.jira.deadline import DEADLINE_SECONDS
from relay.jira.errors import JiraError, without_details
from relay.jira.workspace_jira import WorkspaceJira
from relay.telemetry import Metric, count, logger
from relay.tenants.troubles import Trouble, TroubleStore

# Seconds. No call starts unless there is time for its deadline and for recording its outcome.
CALL_SECONDS = DEADLINE_SECONDS + 1
OUT_OF_TIME = "There was no time left to deliver it."
# A site that keeps failing in the same way is probed at the first trials and then at every
# twelfth, so that most trials cost one call.
_PROBES_AT_FIRST = 4
_PROBE_EVERY = 12

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

    `reason` is for people. If the site turns out to be the cause, call `SiteSession.blame`.
    """

    def __init__(self, error: JiraError) -> None:
        super().__init__(error.message)
        self.error = error
        self.reason = error.message


class SiteTrouble:
    """The trouble of a site during one invocation; `trouble` is None if there is none."""

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
        """Reserve the site for a trial if it is in trouble and its `until` has passed.

        Raises Stopped if the site may not be called now. Returns at once if there is no trouble.
        """
        if self.trouble is None:
            return
        now = self._now()
        is_due = self.trouble.until <= now
        if not (is_due and self._troubles.try_again(self._tenant_id, self.trouble, now)):
            # Jira's text may come from a call for another workspace.
            raise Stopped(without_details(self.trouble.message))

    def answered(self) -> bool:
        """Clear the trouble, as the site has answered a call. Returns whether there was any."""
        if self.trouble is None:
            return False
        self._troubles.clear(self._tenant_id)
        logger.info("A site answers again", tenant_id=self._tenant_id)
        count(Metric.SITES_RECOVERED)
        self.trouble = None
        return True

    def failed(self, error: JiraError) -> None:
        """Store the trouble that a failed call means, and the time of the next trial."""
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
        # Only one of several callers that failed at once may write: a caller without the trial
        # must not shorten the wait that Jira asked another caller for.
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
        """Whether the answer may concern the request's content instead of the site."""
        return is_suspect(error, self._clock())

    def is_worth_probing(self, error: JiraError) -> bool:
        """Whether to find out if only the request failed.

        In a long trouble, only some trials probe, so that a trial costs about one call. But some
        must: a request that always fails must not keep the site in trouble.
        """
        trouble = self.trouble
        if trouble is None or status_of(error) != trouble.status:
            return True
        return trouble.attempts < _PROBES_AT_FIRST or trouble.attempts % _PROBE_EVERY == 0

    def _failing_since(self, error: JiraError, now: int) -> int:
        """The start of the trouble in epoch milliseconds. For an answer that `lasting` names, it is
        the first answer of that kind in a row."""
        if self.trouble is None:
            return now
        kind = lasting(row_of(error).code, status_of(error))
        continues = kind is None or kind is lasting(self.trouble.code, self.trouble.status)
        return self.trouble.since if continues else now

    def _now(self) -> int:
        return int(self._clock() * 1000)


class SiteSession:
    """Calls to one site for one workspace, during one invocation.

    `recovered` becomes true if the site was in trouble and answers again. `stopped_by` is the
    reason why nothing more is sent, or empty. `time_left` returns seconds.
    """

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
        self._has_any_workspace = False

    def call(
        self,
        call: Callable[[], AnswerT],
        but_for: tuple[type[JiraError], ...] = (),
        holds_entities: bool = False,
    ) -> AnswerT:
        """Make this call to Jira, and return its result.

        Raises Stopped if the site may not be called (any more); RequestRefused or RequestTooLarge
        for a request that may be split; the errors in `but_for`; and RequestSuspected, if the call
        `holds_entities` and they may be the cause.
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
                logger.warning("A call failed at a site that answers others", reason=error.reason)
                raise RequestSuspected(error) from error
            self.blame(cause)
            raise Stopped(self.stopped_by) from error
        self.recovered |= self._trouble.answered()
        return answer

    def probe(self) -> bool:
        """Check with a cheap call that the site answers. Returns whether any workspace is linked,
        which is never so without the app. Raises Stopped."""
        try:
            self._has_any_workspace = self._has_any_workspace or bool(
                self.call(self.jira.site.workspaces)
            )
        except JiraError:
            # A refusal is an answer, too.
            self._has_any_workspace = False
        self._answers = True
        return self._has_any_workspace

    def blame(self, error: JiraError) -> None:
        """Record that the site is the cause of this error, and end the session."""
        logger.warning("A call to Jira failed", reason=error.reason)
        self._trouble.failed(error)
        self.stopped_by = error.message

    def _trouble_behind(self, error: JiraError) -> JiraError | None:
        """The error that the site is in trouble for; None if it answers, so the request is suspect.

        The site is probed only once per session.
        """
        if not self._trouble.is_suspect(error):
            return error
        if self._answers:
            return None
        if not (self._trouble.is_worth_probing(error) and self._has_time()):
            return error
        count(Metric.JIRA_CALLS)
        try:
            self.jira.site.has_workspace(self._workspace_id)
        except JiraError as failure:
            if not _is_of_the_request(failure):
                # Prefer the error that the request can't have caused.
                return error if self._trouble.is_suspect(failure) else failure
        self._answers = True
        return None

    def _has_time(self) -> bool:
        return self._time_left() >= CALL_SECONDS


def _is_of_the_request(error: JiraError) -> bool:
    return row_of(error).reaction is Reaction.SPLIT
