"""Calls to one site until it fails, or until there is no time left for another."""

from collections.abc import Callable
from typing import TypeVar

from relay.delivery.decisions import Verdict, row_of
from relay.delivery.health import SiteHealth
from relay.jira.client import DEADLINE_SECONDS
from relay.jira.errors import JiraError
from relay.jira.workspace_jira import WorkspaceJira
from relay.telemetry import Metric, count, logger

# A call ends by its own deadline; none is begun without time to see to its outcome, too.
CALL_SECONDS = DEADLINE_SECONDS + 1
OUT_OF_TIME = "Its turn has not come yet."

TimeLeft = Callable[[], float]
AnswerT = TypeVar("AnswerT")


class Stopped(Exception):
    """Nothing more may be sent to the site now; `reason` is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Suspected(Exception):
    """A call failed while the site answers others: it may be for what the call holds.

    `reason` is for people. Where it turns out that it was not, the visit's `blame` ends it.
    """

    def __init__(self, error: JiraError) -> None:
        super().__init__(error.message)
        self.error = error
        self.reason = error.message


class Visit:
    """`recovered` turns true where the site was in trouble, and answers again."""

    def __init__(
        self, jira: WorkspaceJira, health: SiteHealth, time_left: TimeLeft, workspace_id: str
    ) -> None:
        self.jira = jira
        self.recovered = False
        self.stopped_by = ""
        self._health = health
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
        """Make this call to Jira, which raises what the caller has to see to, or Stopped.

        The caller sees to a request that may be split, and to the errors of `but_for`; and to
        Suspected, where the call holds entities.
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
                # The site answers, if with a no.
                self.recovered |= self._health.answered()
                raise
            cause = self._trouble_behind(error) if holds_entities else error
            if cause is None:
                logger.warning("A call failed at a site that answers", reason=error.reason)
                raise Suspected(error) from error
            self.blame(cause)
            raise Stopped(self.stopped_by) from error
        self.recovered |= self._health.answered()
        return answer

    def ask(self) -> bool:
        """Ask the site something cheap: whether it has any workspace, this one or another, as it
        has not without the app. Raises Stopped."""
        try:
            self._has_any = self._has_any or bool(self.call(self.jira.site.workspaces))
        except JiraError:
            # A no is an answer, too.
            self._has_any = False
        self._answers = True
        return self._has_any

    def blame(self, error: JiraError) -> None:
        """The site is what failed: leave it alone for a while."""
        logger.warning("Jira could not take a call", reason=error.reason)
        self._health.failed(error)
        self.stopped_by = error.message

    def _trouble_behind(self, error: JiraError) -> JiraError | None:
        """What the site is in trouble for; None where it answers, and the request is suspect.

        It is asked only once: what passes later says more.
        """
        if not self._health.is_suspect(error):
            return error
        if self._answers:
            return None
        if not (self._health.is_worth_asking(error) and self._has_time()):
            return error
        count(Metric.JIRA_CALLS)
        try:
            self._is_linked()
        except JiraError as failure:
            if not _is_of_the_request(failure):
                # Of the two, the one that can't be the request's fault says more.
                return error if self._health.is_suspect(failure) else failure
        self._answers = True
        return None

    def _is_linked(self) -> bool:
        return self.jira.site.has_workspace(self._workspace_id)

    def _has_time(self) -> bool:
        return self._time_left() >= CALL_SECONDS


def _is_of_the_request(error: JiraError) -> bool:
    return row_of(error).verdict is Verdict.SPLIT
