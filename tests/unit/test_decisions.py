"""What follows from each answer of Jira: the decision table row by row, and the waits."""

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.delivery.decisions import (
    LASTING_SECONDS,
    NOT_JIRA,
    RETRY_AFTER_MAX,
    RETRY_AFTER_MIN,
    SUSPENDED,
    TABLE,
    Reaction,
    Row,
    back_off,
    decide,
    retry_after,
)
from relay.jira.errors import (
    JiraAnswered,
    JiraError,
    JiraUnreachable,
    SiteDown,
    Unreadable,
    error_type,
)

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC).timestamp()
AN_HOUR = 3600.0
# Seconds: the first wait and the longest.
RETRY, ATTENTION = (2.0, 900.0), (60.0, 3600.0)

attempts = st.integers(0, 10_000)
portions = st.floats(0, 1, exclude_max=True)


def answered(status: int, said: str | None = None) -> JiraAnswered:
    """The error that the client raises for an answer, with this Retry-After."""
    return error_type(status)(status, ("Jira's words",), said)


def row_of(error: JiraError, failing_for: float = 0) -> Row:
    return decide(error, 0, failing_for, NOW).row


# --- The table ---


@pytest.mark.parametrize(
    ("error", "answer", "verdict", "code"),
    [
        (answered(400), "400", Reaction.SPLIT, "refused"),
        (answered(413), "413", Reaction.SPLIT, "too_large"),
        (answered(429), "429", Reaction.RETRY, "rate_limited"),
        (answered(500), "5xx", Reaction.RETRY, "site_down"),
        (answered(502), "5xx", Reaction.RETRY, "site_down"),
        (answered(503), "5xx", Reaction.RETRY, "site_down"),
        (answered(504), "5xx", Reaction.RETRY, "site_down"),
        (JiraUnreachable("no answer"), "none", Reaction.RETRY, "unreachable"),
        (answered(200), "not Jira's", Reaction.RETRY, "unreadable"),
        (answered(202), "not Jira's", Reaction.RETRY, "unreadable"),
        (Unreadable(400), "not Jira's", Reaction.RETRY, "unreadable"),
        (Unreadable(403), "not Jira's", Reaction.RETRY, "unreadable"),
        (answered(401), "401", Reaction.ATTENTION, "credential_refused"),
        (answered(403), "403", Reaction.ATTENTION, "access_refused"),
        (answered(404), "404", Reaction.ATTENTION, "nothing_there"),
        (answered(301), "3xx", Reaction.ATTENTION, "moved"),
        (answered(302), "3xx", Reaction.ATTENTION, "moved"),
        (answered(308), "3xx", Reaction.ATTENTION, "moved"),
        (answered(405), "other 4xx", Reaction.ATTENTION, "unexpected"),
        (answered(409), "other 4xx", Reaction.ATTENTION, "unexpected"),
        (answered(418), "other 4xx", Reaction.ATTENTION, "unexpected"),
    ],
)
def test_each_answer_matches_its_row(
    error: JiraError, answer: str, verdict: Reaction, code: str
) -> None:
    row = row_of(error)

    assert (row.answer, row.reaction, row.code) == (answer, verdict, code)
    assert row in TABLE


@given(st.integers(100, 599), attempts, st.floats(0, AN_HOUR, exclude_max=True))
def test_every_status_matches_exactly_one_row(
    status: int, attempt: int, failing_for: float
) -> None:
    error = answered(status)

    found = [row for row in TABLE if row.error is type(error)]

    assert [decide(error, attempt, failing_for, NOW).row] == found


def test_no_two_rows_share_an_answer_error_or_code() -> None:
    every = (*TABLE, SUSPENDED, NOT_JIRA)

    assert len({row.error for row in TABLE}) == len(TABLE)
    assert len({row.code for row in every}) == len({row.answer for row in every}) == len(every)
    assert all(row.means for row in every)


def test_a_specific_row_precedes_the_general_one() -> None:
    for number, row in enumerate(TABLE):
        assert not any(issubclass(later.error, row.error) for later in TABLE[number + 1 :])


# --- A suspended site ---


@pytest.mark.parametrize(
    ("failing_for", "row"),
    [
        (0.0, "site_down"),
        (LASTING_SECONDS - 0.001, "site_down"),
        (LASTING_SECONDS, "suspended"),
        (AN_HOUR * 1000, "suspended"),
    ],
)
def test_a_site_is_suspended_after_an_hour_of_503(failing_for: float, row: str) -> None:
    assert row_of(answered(503), failing_for).code == row


def test_a_suspended_site_is_tried_as_rarely_as_one_that_needs_attention() -> None:
    decision = decide(answered(503), 0, AN_HOUR, NOW, lambda: 0)

    assert decision.row is SUSPENDED
    assert (decision.row.reaction, decision.row.error) == (Reaction.ATTENTION, SiteDown)
    assert decision.after == ATTENTION[0]


@pytest.mark.parametrize("status", [200, 202, 400, 403, 413])
def test_an_hour_of_answers_by_another_server_needs_attention(status: int) -> None:
    assert row_of(Unreadable(status), LASTING_SECONDS - 0.001).code == "unreadable"

    decision = decide(Unreadable(status), 0, LASTING_SECONDS, NOW, lambda: 0)

    assert (decision.row, decision.row.reaction) == (NOT_JIRA, Reaction.ATTENTION)
    assert decision.after == ATTENTION[0]


@given(st.integers(300, 599).filter(lambda status: status != 503))
def test_no_other_answer_escalates_however_long_it_lasts(status: int) -> None:
    assert row_of(answered(status), AN_HOUR * 1000) is row_of(answered(status))
    assert row_of(JiraUnreachable("no answer"), AN_HOUR * 1000).code == "unreachable"


# --- Retry-After ---


def date(seconds: float) -> str:
    """An HTTP date this many seconds from now."""
    return format_datetime(datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds), True)


READABLE = [
    ("1", 1),
    ("30", 30),
    (" 30\t", 30),
    ("2.5", 2.5),
    ("3600", 3600),
    (date(90), 90),
    (date(3600), 3600),
    ("Sat, 31 Jan 2026 10:31:00 +0100", 60),
    # Without a zone, and with the zone -0000: both count as UTC.
    ("Sat, 31 Jan 2026 09:31:00", 60),
    ("Sat, 31 Jan 2026 09:31:00 -0000", 60),
    # The two other HTTP date formats.
    ("Saturday, 31-Jan-26 09:31:00 GMT", 60),
    ("Sat Jan 31 09:31:00 2026", 60),
    # Never immediately, and never practically never.
    ("0", RETRY_AFTER_MIN),
    ("0.2", RETRY_AFTER_MIN),
    ("-1", RETRY_AFTER_MIN),
    ("-99999999999999999999", RETRY_AFTER_MIN),
    (date(0), RETRY_AFTER_MIN),
    (date(-86_400), RETRY_AFTER_MIN),
    ("3601", RETRY_AFTER_MAX),
    ("99999999999999999999", RETRY_AFTER_MAX),
    ("1e300", RETRY_AFTER_MAX),
    (date(86_400 * 365), RETRY_AFTER_MAX),
]
UNREADABLE = [
    None,
    "",
    " ",
    "\t \t",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "soon",
    "30 seconds",
    "0x10",
    "Sat, 99 Jan 2026 09:31:00 GMT",
    "Sat, 31 Foo 2026 09:31:00 GMT",
    "2026-01-31T09:31:00Z",
]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize(("said", "seconds"), READABLE)
def test_retry_after_is_obeyed_within_bounds(status: int, said: str, seconds: float) -> None:
    error = answered(status, said)

    assert retry_after(error, NOW) == pytest.approx(seconds)
    # For any attempt, and without randomness.
    for attempt in (0, 7, 100):
        assert decide(error, attempt, 0, NOW).after == pytest.approx(seconds)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("said", UNREADABLE)
def test_an_invalid_retry_after_counts_as_absent(status: int, said: str | None) -> None:
    error = answered(status, said)

    assert retry_after(error, NOW) is None
    assert decide(error, 3, 0, NOW, lambda: 0).after == 16


@pytest.mark.parametrize("status", [202, 302, 401, 403, 404, 409])
def test_retry_after_counts_only_for_429_and_5xx(status: int) -> None:
    error = answered(status, "7")

    assert retry_after(error, NOW) is None
    assert decide(error, 0, 0, NOW, lambda: 0).after != 7


@pytest.mark.parametrize("status", [400, 413])
def test_a_request_is_split_immediately_whatever_retry_after_says(status: int) -> None:
    assert decide(answered(status, "30"), 5, AN_HOUR, NOW).after == 0


@given(st.text(), st.sampled_from([429, 500, 503]), attempts)
@example("Sun, 00 Jan 0000 00:00:00 +9999", 429, 0)
@example("1 Jan 1", 429, 0)
@example("٣٠", 429, 0)
def test_any_retry_after_yields_a_valid_wait(said: str, status: int, attempt: int) -> None:
    after = decide(answered(status, said), attempt, 0, NOW).after

    assert RETRY_AFTER_MIN <= after <= RETRY_AFTER_MAX


def test_a_suspended_sites_retry_after_is_obeyed() -> None:
    decision = decide(answered(503, "30"), 0, AN_HOUR, NOW)

    assert (decision.row, decision.after) == (SUSPENDED, 30)


# --- Back-off ---


@pytest.mark.parametrize(
    ("verdict", "waits"),
    [
        (Reaction.RETRY, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]),
        (Reaction.ATTENTION, [60, 120, 240, 480, 960, 1920, 3600, 3600]),
    ],
)
def test_the_wait_doubles_up_to_the_maximum(verdict: Reaction, waits: list[float]) -> None:
    assert [back_off(verdict, attempt, lambda: 0) for attempt in range(len(waits))] == waits


@given(st.sampled_from([(Reaction.RETRY, RETRY), (Reaction.ATTENTION, ATTENTION)]), attempts)
def test_the_wait_never_exceeds_the_maximum(
    which: tuple[Reaction, tuple[float, float]], attempt: int
) -> None:
    verdict, (first, longest) = which

    after = back_off(verdict, attempt)

    assert math.isfinite(after)
    assert first / 2 <= after <= longest


@given(st.sampled_from([Reaction.RETRY, Reaction.ATTENTION]), attempts, portions)
def test_at_most_half_of_the_wait_is_random(
    verdict: Reaction, attempt: int, portion: float
) -> None:
    whole = back_off(verdict, attempt, lambda: 0)

    after = back_off(verdict, attempt, lambda: portion)

    assert whole / 2 <= after <= whole
    assert after == pytest.approx(whole * (1 - portion / 2))


def test_two_callers_wait_differently() -> None:
    assert len({decide(answered(500), 5, 0, NOW).after for _ in range(20)}) > 1


@given(st.integers(100, 599), attempts, st.floats(0, 10 * AN_HOUR))
def test_a_decision_waits_unless_it_splits(status: int, attempt: int, failing_for: float) -> None:
    decision = decide(answered(status), attempt, failing_for, NOW)

    assert (decision.after == 0) == (decision.row.reaction is Reaction.SPLIT)
    assert 0 <= decision.after <= ATTENTION[1]
