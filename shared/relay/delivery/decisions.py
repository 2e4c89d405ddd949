"""The decision for each answer of Jira, as one table. `docs/reliability.md` prints it.

A 202 needs no decision: its lists give the result of each entity (see `protocol`). For any other
answer, the table decides whether to split the request or how long to pause the site, and names the
trouble.

Some answers may concern only the request, such as a firewall's answer to a certain text. Before a
site is paused for one of these, it is probed with a cheap call (see `session`).
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum

from relay.jira.errors import (
    AccessRefused,
    CredentialRefused,
    CutOff,
    JiraAnswered,
    JiraError,
    JiraUnreachable,
    NothingThere,
    RateLimited,
    RequestRefused,
    RequestTooLarge,
    SiteDown,
    SiteMoved,
    Unreadable,
)


class Reaction(StrEnum):
    """The reaction to an answer.

    `split`: halve the request; an entity that is refused alone is rejected. `retry`: pause the site
    and retry automatically. `attention`: the same, less often, and an operator must act.
    """

    SPLIT = "split"
    RETRY = "retry"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    `code` names the trouble in the API; `means` describes it for people. `suspect`: the answer may
    concern the content of the request instead of the site.
    """

    answer: str
    error: type[JiraError]
    reaction: Reaction
    code: str
    means: str
    suspect: bool = False


_NOT_JIRAS = Row(
    "not Jira's",
    Unreadable,
    Reaction.RETRY,
    "unreadable",
    "something other than Jira answered",
    suspect=True,
)
TABLE = (
    Row("400", RequestRefused, Reaction.SPLIT, "refused", "something in the request is wrong"),
    Row("413", RequestTooLarge, Reaction.SPLIT, "too_large", "the request is too large"),
    Row("429", RateLimited, Reaction.RETRY, "rate_limited", "the site asks for fewer calls"),
    Row("5xx", SiteDown, Reaction.RETRY, "site_down", "the site can't answer now", suspect=True),
    Row(
        "none",
        JiraUnreachable,
        Reaction.RETRY,
        "unreachable",
        "no answer, or an incomplete one",
        suspect=True,
    ),
    _NOT_JIRAS,
    Row(
        "401", CredentialRefused, Reaction.ATTENTION, "credential_refused", "the secret is refused"
    ),
    Row(
        "403",
        AccessRefused,
        Reaction.ATTENTION,
        "access_refused",
        "a module or scope is missing",
        suspect=True,
    ),
    Row("404", NothingThere, Reaction.ATTENTION, "nothing_there", "the site or the app is gone"),
    Row("3xx", SiteMoved, Reaction.ATTENTION, "moved", "the site was renamed"),
    Row(
        "other 4xx",
        JiraAnswered,
        Reaction.ATTENTION,
        "unexpected",
        "a status that Jira does not document",
        suspect=True,
    ),
)
# A site that gives only this answer for LASTING_SECONDS is unlikely to recover by itself.
SUSPENDED = Row(
    "503 for an hour", SiteDown, Reaction.ATTENTION, "suspended", "the site is suspended"
)
NOT_JIRA = Row(
    "not Jira's for an hour",
    Unreadable,
    Reaction.ATTENTION,
    "not_jira",
    "the URL does not lead to Jira",
)
LASTING_SECONDS = 3600.0

# The first and the longest delay between attempts, in seconds. It doubles each time, unless Jira
# sends a Retry-After.
_BACKOFF = {Reaction.RETRY: (2.0, 900.0), Reaction.ATTENTION: (60.0, 3600.0)}
# The same for an entity that a site does not accept although it accepts others.
_ENTITY_BACKOFF = (60.0, 86_400.0)
# A Retry-After is obeyed within these bounds, in seconds.
RETRY_AFTER_MIN, RETRY_AFTER_MAX = 1.0, 3600.0
_SERVICE_UNAVAILABLE = 503
_DOUBLINGS_MAX = 16


@dataclass(frozen=True, slots=True)
class Decision:
    """The row of an answer, and the seconds until the next attempt; `after` is 0 for a split."""

    row: Row
    after: float = 0.0


def decide(
    error: JiraError,
    attempt: int,
    failing_for: float,
    now: float,
    jitter: Callable[[], float] = random.random,
) -> Decision:
    """The decision for an answer other than success.

    `attempt` is the number of failed attempts before this one. `failing_for` is in seconds, since
    the first of them, or since the first of a series that `lasting` names. `now` is in epoch
    seconds, for a `Retry-After` that is a date.
    """
    row = row_of(error)
    if failing_for >= LASTING_SECONDS:
        row = lasting(row.code, status_of(error)) or row
    if row.reaction is Reaction.SPLIT:
        return Decision(row)
    requested = retry_after(error, now)
    after = back_off(row.reaction, attempt, jitter) if requested is None else requested
    return Decision(row, after)


def retry_after(error: JiraError, now: float) -> float | None:
    """The `Retry-After` of a 429 or 5xx in seconds, clamped to RETRY_AFTER_MIN and _MAX.

    None if it is missing, or neither a number nor a date.
    """
    header = error.retry_after if isinstance(error, RateLimited | SiteDown) else None
    seconds = _seconds_of(header.strip(), now) if header else None
    if seconds is None:
        return None
    return min(max(seconds, RETRY_AFTER_MIN), RETRY_AFTER_MAX)


def back_off(
    reaction: Reaction, attempt: int, jitter: Callable[[], float] = random.random
) -> float:
    """The delay in seconds: doubled with each attempt, less a random part of at most half."""
    return _doubled(_BACKOFF[reaction], attempt, jitter)


def entity_back_off(tries: int, jitter: Callable[[], float] = random.random) -> float:
    """The delay in seconds before an entity that the site failed on is sent again; `tries` is the
    number of delays before this one."""
    return _doubled(_ENTITY_BACKOFF, tries, jitter)


def is_suspect(error: JiraError, now: float) -> bool:
    """Whether the answer may concern the request instead of the site.

    False if the site sent a Retry-After, could not be reached, or did not answer in time: a search
    for the one entity at fault would then cost too many calls. `now` is in epoch seconds.
    """
    if isinstance(error, JiraUnreachable):
        return isinstance(error, CutOff)
    return row_of(error).suspect and retry_after(error, now) is None


def _doubled(bounds: tuple[float, float], attempt: int, jitter: Callable[[], float]) -> float:
    first, longest = bounds
    whole = min(first * 2 ** min(attempt, _DOUBLINGS_MAX), longest)
    return float(whole * (1 - jitter() / 2))


def status_of(error: JiraError) -> int | None:
    """The HTTP status of the answer; None if there was no answer."""
    return error.answer_status if isinstance(error, JiraAnswered) else None


def lasting(code: str, status: int | None) -> Row | None:
    """The row that a trouble of this code and status becomes if it lasts for LASTING_SECONDS; None
    if it stays the same."""
    if code in (_NOT_JIRAS.code, NOT_JIRA.code):
        return NOT_JIRA
    return SUSPENDED if status == _SERVICE_UNAVAILABLE else None


def row_of(error: JiraError) -> Row:
    """The row of the table for this error; every JiraError has one."""
    # Subclasses come before their base classes, so the first match is the most specific one.
    return next(row for row in TABLE if isinstance(error, row.error))


def _seconds_of(header: str, now: float) -> float | None:
    try:
        seconds = float(header)
    except ValueError:
        return _seconds_until(header, now)
    return seconds if math.isfinite(seconds) else None


def _seconds_until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
    except (ValueError, OverflowError):
        return None
