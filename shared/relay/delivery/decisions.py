"""What follows from each answer of Jira: the one table of it.

A 202 needs no decision here: its own lists say what became of each entity (see `protocol`). For
the rest the table below says whether the request is split, or how long the site is left alone, and
what its trouble is called. The documents print this table.

Some answers may be of the request alone, such as a firewall's to a certain text: before a site is
left alone for one of these, it is asked something cheap (see `visit`).
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
    """What to do about an answer.

    `split`: halve the request; an entity that is refused alone is rejected. `retry`: the site is
    slowed, and tried again by itself. `attention`: the same, more seldom, and someone must look.
    """

    SPLIT = "split"
    RETRY = "retry"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Row:
    """`code` names the trouble in the API; `means` is for the documents and for people.
    `suspect`: the answer may be of what the request holds, and not of the site."""

    answer: str
    error: type[JiraError]
    reaction: Reaction
    code: str
    means: str
    suspect: bool = False


_NOT_JIRAS = Row(
    "not Jira's", Unreadable, Reaction.RETRY, "unreadable", "something else answered", suspect=True
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
        "no answer, or a broken one",
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
        "Jira's contract has no such",
        suspect=True,
    ),
)
# A site that answers nothing else for so long will hardly do by itself.
SUSPENDED = Row(
    "503 for an hour", SiteDown, Reaction.ATTENTION, "suspended", "the site is suspended"
)
NOT_JIRA = Row(
    "not Jira's for an hour", Unreadable, Reaction.ATTENTION, "not_jira", "no Jira is at the URL"
)
LASTING_SECONDS = 3600.0

# Seconds between tries, where Jira names none: doubled each time, from the first to the longest.
_BACKOFF = {Reaction.RETRY: (2.0, 900.0), Reaction.ATTENTION: (60.0, 3600.0)}
# The same for what a site does not take although it takes others.
_ENTITY_BACKOFF = (60.0, 86_400.0)
# What Jira asks for is obeyed within these: at least a second's rest, and never as good as forever.
RETRY_AFTER_MIN, RETRY_AFTER_MAX = 1.0, 3600.0
_SERVICE_UNAVAILABLE = 503
_DOUBLINGS_MAX = 16


@dataclass(frozen=True, slots=True)
class Decision:
    """`after` is in seconds; zero for a split."""

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

    `attempt` counts the tries that failed before this one, `failing_for` the seconds since the
    first of them, or of those in a row of one lasting kind; `now` is in epoch seconds, for a
    `Retry-After` that is a date.
    """
    row = row_of(error)
    if failing_for >= LASTING_SECONDS:
        row = lasting(row.code, status_of(error)) or row
    if row.reaction is Reaction.SPLIT:
        return Decision(row)
    asked = retry_after(error, now)
    return Decision(row, back_off(row.reaction, attempt, jitter) if asked is None else asked)


def retry_after(error: JiraError, now: float) -> float | None:
    """The seconds that Jira asks for, held within bounds; None where it asks for none.

    A 5xx may ask, too. What can't be read, as neither a number nor a date, counts as none.
    """
    said = error.rate_limit.retry_after if isinstance(error, RateLimited | SiteDown) else None
    seconds = _seconds_of(said.strip(), now) if said else None
    if seconds is None:
        return None
    return min(max(seconds, RETRY_AFTER_MIN), RETRY_AFTER_MAX)


def back_off(
    reaction: Reaction, attempt: int, jitter: Callable[[], float] = random.random
) -> float:
    """Seconds: doubled with every attempt, less a random part of at most a half."""
    return _doubled(_BACKOFF[reaction], attempt, jitter)


def entity_back_off(tries: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds until an entity is sent again that the site did not take, `tries` times before."""
    return _doubled(_ENTITY_BACKOFF, tries, jitter)


def is_suspect(error: JiraError, now: float) -> bool:
    """The answer may be of the request, and not of the site.

    Not where the site asks to be left alone for a while; nor where it was not reached, or not in
    time: a search for the one entity would then cost more than it could find.
    """
    if isinstance(error, JiraUnreachable):
        return isinstance(error, CutOff)
    return row_of(error).suspect and retry_after(error, now) is None


def _doubled(bounds: tuple[float, float], attempt: int, jitter: Callable[[], float]) -> float:
    first, longest = bounds
    whole = min(first * 2 ** min(attempt, _DOUBLINGS_MAX), longest)
    return float(whole * (1 - jitter() / 2))


def status_of(error: JiraError) -> int | None:
    """None where there was no answer."""
    return error.answer_status if isinstance(error, JiraAnswered) else None


def lasting(code: str, status: int | None) -> Row | None:
    """What the trouble of this code and status becomes once nothing else came for an hour."""
    if code in (_NOT_JIRAS.code, NOT_JIRA.code):
        return NOT_JIRA
    return SUSPENDED if status == _SERVICE_UNAVAILABLE else None


def row_of(error: JiraError) -> Row:
    # The table goes from the particular to the general: every answer finds a row.
    return next(row for row in TABLE if isinstance(error, row.error))


def _seconds_of(said: str, now: float) -> float | None:
    try:
        seconds = float(said)
    except ValueError:
        return _seconds_until(said, now)
    return seconds if math.isfinite(seconds) else None


def _seconds_until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
    except (ValueError, OverflowError):
        return None
