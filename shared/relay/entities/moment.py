"""When it was that a date and time of RFC 3339 names."""

from datetime import UTC, datetime


def moment_of(date_time: str) -> datetime:
    """RFC 3339 allows a lower-case separator and a leap second, which Python does not read."""
    text = date_time.upper().replace(":60", ":59")
    moment = datetime.fromisoformat(text)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # In UTC it would be before the first year, or after the last.
        return moment.replace(tzinfo=UTC)
