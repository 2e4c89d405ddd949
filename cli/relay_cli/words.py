"""Relay's terms and times in words that a person understands."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_BACK = re.compile(r"(\d{1,9})\s*([smhdw])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}

# What became of an entity at a site; with the style that a terminal shows it in.
STATES = {
    "accepted": ("green", "Jira has taken it."),
    "deleted": ("green", "It is deleted there."),
    "owed": ("yellow", "It is recorded here, and not delivered yet."),
    "rejected": ("red", "Jira refused it. It needs a newer state that Jira takes."),
    "unknown project keys": (
        "red",
        "Jira dropped it: it is associated only with projects that this site does not have.",
    ),
    "absent": (
        "red",
        "Jira took it, and showed nothing of it later. A replay with --since or --all brings it "
        "there again.",
    ),
    "unaccounted": ("red", "Jira took the request, and did not say what became of this entity."),
}


def moment(date_time: str) -> str:
    """In UTC, to the second; as it is where it is no date."""
    parsed = parsed_moment(date_time)
    return f"{parsed:%Y-%m-%d %H:%M:%S} UTC" if parsed else date_time


def moment_and_age(date_time: str, now: datetime | None = None) -> str:
    parsed = parsed_moment(date_time)
    if parsed is None:
        return date_time
    return f"{moment(date_time)} ({age((now or datetime.now(UTC)) - parsed)})"


def time_of_day(date_time: str, now: datetime | None = None) -> str:
    """Without the date where that is today's."""
    parsed = parsed_moment(date_time)
    if parsed is None or parsed.date() != (now or datetime.now(UTC)).date():
        return moment(date_time)
    return f"{parsed:%H:%M:%S} UTC"


def parsed_moment(date_time: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(date_time)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def parsed_since(text: str, now: datetime) -> datetime | None:
    """Of `90m`, `2h`, `3d`, which lead back from now, or of a date, with a time or without; in UTC
    where it names no zone. None for anything else."""
    back = _BACK.fullmatch(text.strip())
    if back is None:
        return parsed_moment(text.strip())
    try:
        return now - timedelta(seconds=int(back[1]) * _SECONDS[back[2]])
    except OverflowError:
        return None


def age(passed: timedelta) -> str:
    lasted = span(passed.total_seconds())
    return f"{lasted} ago" if lasted else "now"


def span(seconds: float) -> str:
    """In the largest unit that it fills; empty for less than a second."""
    for size, unit in _UNITS:
        if seconds >= size:
            return counted(int(seconds // size), unit)
    return ""


def counted(number: int, what: str, plural: str = "") -> str:
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def state_style(state: str) -> str:
    return STATES.get(state, ("", ""))[0]
