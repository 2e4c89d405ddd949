"""The contract's two string formats, checked after their RFCs, and Python's regular expressions.

The packages that `jsonschema` would use for them take longer to import than the whole simulator
takes to start.
"""

import re
from datetime import UTC, datetime
from ipaddress import IPv6Address

from jsonschema import FormatChecker

_DATE_TIME = re.compile(
    r"(?P<minute>\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d):(?P<second>[0-5]\d|60)"
    r"(?P<rest>(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))",
    re.ASCII,
)

# RFC 3986, appendix A: a scheme, an authority if there is a `//`, then a path, query, fragment.
_SUB = r"A-Za-z0-9\-._~!$&'()*+,;="
_ENCODED = "%[0-9A-Fa-f]{2}"
_REST = rf"(?:[{_SUB}:@/?]|{_ENCODED})*"
_URI = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):"
    rf"(?://(?:(?:[{_SUB}:]|{_ENCODED})*@)?"
    rf"(?P<host>\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?:[{_SUB}]|{_ENCODED})*)(?::\d*)?(?=[/?#]|$)|(?!//))"
    rf"{_REST}(?:#{_REST})?",
    re.ASCII,
)

FORMATS = FormatChecker(formats=())


def parse_date_time(text: str) -> datetime:
    """Parses an RFC 3339 timestamp, to the microsecond; a leap second becomes the previous second.

    Raises ValueError.
    """
    match = _DATE_TIME.fullmatch(text.upper())
    if match is None:
        raise ValueError(f"not an RFC 3339 timestamp: {text!r}")
    leaps = match["second"] == "60"
    moment = datetime.fromisoformat(
        f"{match['minute']}:{'59' if leaps else match['second']}{match['rest']}"
    )
    if leaps and f"{in_utc(moment):%H:%M}" != "23:59":
        raise ValueError(f"{text!r} can't be a leap second")
    return moment


def in_utc(moment: datetime) -> datetime:
    """Converts to UTC. Returns the moment unchanged if UTC would leave Python's range of years."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or bool(parse_date_time(value))


@FORMATS.checks("uri", raises=ValueError)
def _is_uri(value: object) -> bool:
    if not isinstance(value, str):
        return True
    match = _URI.fullmatch(value)
    if match is None:
        return False
    if match["ipv6"]:
        IPv6Address(match["ipv6"])
    # RFC 9110, 4.2.1: an http URI with an empty host is invalid.
    return bool(match["host"]) or match["scheme"].lower() not in {"http", "https"}


@FORMATS.checks("regex", raises=(re.error, OverflowError, RecursionError))
def _is_regular_expression(value: object) -> bool:
    return not isinstance(value, str) or bool(re.compile(value))
