"""Relay's terms and times in words that a person understands."""

from datetime import UTC, datetime, timedelta

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))

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


def parsed_moment(date_time: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(date_time)
    except (ValueError, TypeError):
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def age(passed: timedelta) -> str:
    seconds = int(passed.total_seconds())
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{counted(seconds // size, unit)} ago"
    return "now"


def counted(number: int, what: str, plural: str = "") -> str:
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def state_style(state: str) -> str:
    return STATES.get(state, ("", ""))[0]
