"""Date-times of RFC 3339."""

from datetime import UTC, datetime


def moment_of(date_time: str) -> datetime:
    """A valid date-time of RFC 3339, in UTC.

    RFC 3339 allows lower-case letters and a leap second, which Python does not parse; a leap second
    becomes the second before it.
    """
    text = date_time.upper().replace(":60", ":59")
    moment = datetime.fromisoformat(text)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # In UTC its year would be outside Python's range.
        return moment.replace(tzinfo=UTC)


def date_time_of(milliseconds: int) -> str:
    """Epoch milliseconds as a date-time of RFC 3339, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
