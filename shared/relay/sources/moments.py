"""The time stamps of operations tools, as integers: microseconds since 1970.

A microsecond is what `updateSequenceNumber` counts, and what a date-time of Python holds.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Go's zero time, and what Alertmanager sends for an alert that has not ended.
_NEVER = "0001-01-01"
# RFC 3339, and what tools make of it: a space for the T, no colon in the offset, a space before it,
# UTC for Z, more digits than nanoseconds have.
_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d{1,30})? ?([Zz]|UTC|[+-]\d{2}:?\d{2})",
    re.ASCII,
)
_LONGEST = 64
# The last second of the year 9999: no later time can be written.
END_OF_TIME = 253_402_300_799_000_000


def micros_of(text: str) -> int:
    """The microseconds of a date-time; finer digits are cut off. Raises ValueError.

    A date-time without an offset is refused: its zone would be a guess.
    """
    match = _DATE_TIME.fullmatch(text) if len(text) <= _LONGEST else None
    if not match:
        raise ValueError("not a date-time")
    date, clock, fraction, zone = match.groups()
    offset = "+00:00" if zone in ("Z", "z", "UTC") else zone
    # Python knows no leap second; it becomes the second before it.
    clock = clock.replace(":60", ":59")
    moment = datetime.fromisoformat(f"{date}T{clock}{(fraction or '')[:7]}{offset}")
    return (moment - _EPOCH) // _MICROSECOND


def date_time(micros: int) -> str:
    """RFC 3339 in UTC, such as 2026-01-31T09:30:00.123456Z. Raises ValueError beyond year 9999."""
    try:
        moment = _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise ValueError("not a time between the years 1 and 9999") from None
    return moment.replace(tzinfo=None).isoformat() + "Z"


def _text(value: object) -> int | None:
    if value is None or (isinstance(value, str) and (not value or value.startswith(_NEVER))):
        return None
    try:
        if isinstance(value, str):
            return _checked(micros_of(value))
    except ValueError:
        pass
    raise PydanticCustomError(
        "date_time", "Input should be a date-time with an offset, like 2026-01-31T09:30:00Z"
    )


def _epoch(units_per_second: int, name: str) -> BeforeValidator:
    def parse(value: object) -> int | None:
        if value is None:
            return None
        # Some tools write the number as text. A float has lost digits already.
        digits = (
            value if isinstance(value, str) and re.fullmatch(r"\d{1,20}", value, re.ASCII) else ""
        )
        number = int(digits) if digits else value
        try:
            if isinstance(number, int) and not isinstance(number, bool):
                return _checked(number * 1_000_000 // units_per_second)
        except ValueError:
            pass
        raise PydanticCustomError(
            "epoch_time", "Input should be {name} since 1970, a whole number", {"name": name}
        )

    return BeforeValidator(parse)


def _checked(micros: int) -> int:
    date_time(micros)
    return micros


# Fields of payloads. A time that has not come yet (null, "", 0001-01-01) is None, which a field of
# the type `Moment` refuses, and one of `Lenient[Moment]` keeps.
Moment = Annotated[int, BeforeValidator(_text)]
Milliseconds = Annotated[int, _epoch(1_000, "milliseconds")]
Nanoseconds = Annotated[int, _epoch(1_000_000_000, "nanoseconds")]
