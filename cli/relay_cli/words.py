"""Relay's states, times and numbers as text."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_BACK = re.compile(r"(\d{1,9})\s*([smhdw])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}

# An entity's state at a site: its style on a terminal, and its meaning.
STATES = {
    "accepted": ("green", "Jira accepted it."),
    "deleted": ("green", "It is deleted at the site."),
    "owed": ("yellow", "It is recorded in Relay, but not delivered yet."),
    "rejected": ("red", "Jira refused it. It needs a newer state that Jira accepts."),
    "unknown project keys": (
        "red",
        "Jira ignored it: it is associated only with projects that this site does not have.",
    ),
    "absent": (
        "red",
        "Jira accepted it, but did not show it later. `relay replay SITE --all` delivers it again.",
    ),
    "unaccounted": (
        "red",
        "Jira accepted the request, but its answer does not name this entity. This may be normal "
        "for a review.",
    ),
}


def moment(date_time: str) -> str:
    """A timestamp in UTC, to the second. Any other text is returned unchanged."""
    parsed = parsed_moment(date_time)
    return f"{parsed:%Y-%m-%d %H:%M:%S} UTC" if parsed else date_time


def moment_and_age(date_time: str, now: datetime | None = None) -> str:
    """Like `moment`, with the age in parentheses."""
    parsed = parsed_moment(date_time)
    if parsed is None:
        return date_time
    return f"{moment(date_time)} ({age((now or datetime.now(UTC)) - parsed)})"


def time_of_day(date_time: str, now: datetime | None = None) -> str:
    """A timestamp in UTC, without today's date. Any other text is returned unchanged."""
    parsed = parsed_moment(date_time)
    if parsed is None or parsed.date() != (now or datetime.now(UTC)).date():
        return moment(date_time)
    return f"{parsed:%H:%M:%S} UTC"


def parsed_moment(date_time: str) -> datetime | None:
    """An ISO 8601 timestamp in UTC; a time without a zone is UTC. None for any other text."""
    try:
        parsed = datetime.fromisoformat(date_time)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def parsed_since(text: str, now: datetime) -> datetime | None:
    """The start of a span up to now, such as `90m`, `2h` or `3d`, or a date with or without a time.

    A time without a zone is UTC. None for any other text.
    """
    back = _BACK.fullmatch(text.strip())
    if back is None:
        return parsed_moment(text.strip())
    try:
        return now - timedelta(seconds=int(back[1]) * _SECONDS[back[2]])
    except OverflowError:
        return None


def age(passed: timedelta) -> str:
    """The time passed, such as `2 hours ago`; `now` for less than a second."""
    lasted = span(passed.total_seconds())
    return f"{lasted} ago" if lasted else "now"


def span(seconds: float) -> str:
    """The time in its largest unit, such as `2 hours`; empty for less than a second."""
    for size, unit in _UNITS:
        if seconds >= size:
            return counted(int(seconds // size), unit)
    return ""


def counted(number: int, what: str, plural: str = "") -> str:
    """A number with its noun, such as `1 site` or `2,000 sites`."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def state_style(state: str) -> str:
    """The style of an entity's state on a terminal; empty for an unknown state."""
    return STATES.get(state, ("", ""))[0]
