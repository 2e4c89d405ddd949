"""What the expressions of a custom mapping give, as parts of an incident.

Each function raises Unusable for a value that it can't read; the message names the value's type and
what is expected, never the value.
"""

import re
from typing import Any, cast

from relay.entities.json_text import is_text
from relay.entities.model import IncidentStatus
from relay.sources.changes import Service
from relay.sources.expressions import Unusable
from relay.sources.moments import date_time, micros_of

_STATUSES = ("open", "resolved", "unknown")
# Digits of seconds, milliseconds, microseconds and nanoseconds since 1970, between the years 2001
# and 2286. Any other number of digits could be one unit or another.
_UNITS = {10: 1_000_000, 13: 1_000, 16: 1, 19: 0}
_TYPES = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}
# Of a longer number, only the first digits may have been read.
_BITS_MAX = 64


def text_of(value: Any) -> str:
    """A text, or a whole number as text."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _BITS_MAX:
        return str(value)
    if isinstance(value, str) and is_text(value):
        return value
    raise unfit(value, "a text or a whole number")


def id_of(value: Any) -> str:
    """A text that is not empty, or a whole number as text."""
    text = text_of(value).strip()
    if not text:
        raise unfit(value, "a text that is not empty")
    return text


def status_of(value: Any) -> IncidentStatus:
    """One of Jira's statuses, in any case."""
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in _STATUSES:
        raise unfit(value, "open, resolved or unknown")
    return cast(IncidentStatus, text)


def micros_from(value: Any) -> int:
    """The microseconds of a date-time, or of a whole number in a unit that its digits show."""
    number = str(value) if isinstance(value, int) and value.bit_length() <= _BITS_MAX else value
    text = number.strip() if isinstance(number, str) else ""
    if re.fullmatch(r"[1-9][0-9]*", text) and len(text) in _UNITS:
        return int(text) * _UNITS[len(text)] or int(text) // 1_000
    try:
        micros = micros_of(text)
        date_time(micros)
    except ValueError:
        raise unfit(
            value, "a date-time with an offset, or 10, 13, 16 or 19 digits since 1970"
        ) from None
    # Go's zero time.
    if text.startswith("0001-01-01"):
        raise unfit(value, "a time that has come")
    return micros


def services_of(value: Any) -> list[Service]:
    """A name, an object with an `id` or a `name`, or a list of these; empty ones are left out."""
    found = [_service(one) for one in (value if isinstance(value, list) else [value]) if one]
    return [one for one in found if one.id or one.name]


def _service(value: Any) -> Service:
    if not isinstance(value, dict):
        return Service(name=text_of(value).strip())
    parts = {name: value.get(name) for name in ("id", "name", "url")}
    given = {name: text_of(part).strip() for name, part in parts.items() if part is not None}
    return Service(**given)


def texts_of(value: Any) -> list[str]:
    """A text or a list of texts; nulls are left out."""
    return [text_of(one) for one in (value if isinstance(value, list) else [value]) if one]


def is_true(value: Any) -> bool:
    """As JMESPath sees it: the number 0 is true."""
    return not (value is None or value is False or value in ("", [], {}))


def unfit(value: Any, expected: str) -> Unusable:
    """The error for a value that is not what is expected."""
    found = _TYPES.get(type(value), "no JSON")
    return Unusable(f"The expression gives {found}; it should give {expected}.", "mapping")
