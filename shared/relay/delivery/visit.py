"""Calls to one site until it fails, or until there is no time left for another."""

from collections.abc import Callable
from typing import TypeVar

from relay.delivery.decisions import Verdict
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


class Visit:
    """`recovered` turns true where the site was in trouble, and answers again."""

    def __init__(self, jira: WorkspaceJira, health: SiteHealth, time_left: TimeLeft) -> None:
        self.jira = jira
        self.recovered = False
        self.stopped_by = ""
        self._health = health
        self._time_left = time_left

    def call(
        self, call: Callable[[], AnswerT], but_for: tuple[type[JiraError], ...] = ()
    ) -> AnswerT:
        """Make this call to Jira, which raises what the caller has to see to, or Stopped.

        The caller sees to a request that may be split, and to the errors of `but_for`.
        """
        if not self.stopped_by and self._time_left() < CALL_SECONDS:
            self.stopped_by = OUT_OF_TIME
        if self.stopped_by:
            raise Stopped(self.stopped_by)
        count(Metric.JIRA_CALLS)
        try:
            answer = call()
        except JiraError as error:
            if isinstance(error, but_for):
                raise
            if self._is_of_the_request(error):
                # The site answers, if with a no.
                self.recovered |= self._health.answered()
                raise
            logger.warning("Jira could not take a call", reason=error.reason)
            self.stopped_by = error.message
            raise Stopped(error.message) from error
        self.recovered |= self._health.answered()
        return answer

    def _is_of_the_request(self, error: JiraError) -> bool:
        return self._health.failed(error).row.verdict is Verdict.SPLIT
