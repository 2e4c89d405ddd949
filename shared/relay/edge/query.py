"""Parameters of a query, each with its rule."""

import re
from collections import Counter
from collections.abc import Collection
from urllib.parse import parse_qs, parse_qsl

from relay.entities.fields import ID_MAX, SITE_ID_MAX
from relay.entities.submission_id import SUBMISSION_ID_PATTERN
from relay.errors import BadRequest, Detail
from relay.identity.caller import Request

PAGE_MAX = 100
_DIGITS_MAX = 3
_NEXT = "The `next` of the previous page"
_NO_CURSOR = "`after` is not a valid cursor."


def check_query(request: Request, known: Collection[str] | None) -> None:
    """Raises BadRequest, which names each unknown or repeated parameter.

    `known` is None if a parameter may have any name.
    """
    names = Counter(name for name, _ in parse_qsl(request.raw_query, keep_blank_values=True))
    unknown = [
        Detail(name, "unknown_parameter", _known(known))
        for name in names
        if known is not None and name not in known
    ]
    repeated = [
        Detail(name, "repeated_parameter", "At most once")
        for name, times in names.items()
        if times > 1
    ]
    if unknown or repeated:
        raise BadRequest(
            "The query has unknown or repeated parameters; nothing was done.", unknown + repeated
        )


def _known(names: Collection[str]) -> str:
    return f"Allowed: {', '.join(sorted(names))}" if names else "This route has no parameters"


def query_values(request: Request, name: str) -> list[str]:
    """A parameter's values: it may be repeated, and each value may be a list with commas."""
    values = parse_qs(request.raw_query).get(name, [])
    return [part for value in values for part in value.split(",") if part]


def first_query_value(request: Request, name: str) -> str | None:
    """A parameter's first value, with its commas; None if it is absent or empty."""
    return next(iter(parse_qs(request.raw_query).get(name, [])), None)


def query_id(request: Request, name: str) -> str:
    """A parameter's first value, an id at a site; empty if it is absent. Raises BadRequest if it is
    longer than any id."""
    value = first_query_value(request, name) or ""
    if len(value) > SITE_ID_MAX:
        rule = Detail(name, "max_length", f"At most {SITE_ID_MAX} characters")
        raise BadRequest(f"`{name}` is not a valid id.", [rule])
    return value


def query_value(request: Request, name: str) -> str | None:
    """A parameter's value; None if it is absent. Raises BadRequest if it is empty."""
    values = parse_qs(request.raw_query, keep_blank_values=True).get(name)
    if values == [""]:
        raise BadRequest(f"`{name}` must have a value.", [Detail(name, "missing", "A value")])
    return values[0] if values else None


def flag(request: Request, name: str) -> bool:
    """A boolean parameter: false if absent, true if it has no value. Raises BadRequest for a value
    other than true or false."""
    values = parse_qs(request.raw_query, keep_blank_values=True).get(name, ["false"])
    if values[0] not in ("", "true", "false"):
        raise BadRequest(
            f"`{name}` must be true or false.", [Detail(name, "boolean", "true or false")]
        )
    return values[0] != "false"


def page_limit(request: Request) -> int:
    """`limit`, by default 100. Raises BadRequest unless it is a number from 1 to 100."""
    value = query_value(request, "limit") or str(PAGE_MAX)
    digits = value.isascii() and value.isdecimal() and len(value) <= _DIGITS_MAX
    if not (digits and 1 <= int(value) <= PAGE_MAX):
        rule = Detail("limit", "range", f"A whole number from 1 to {PAGE_MAX}")
        raise BadRequest("`limit` is out of range.", [rule])
    return int(value)


def submission_cursor(request: Request) -> str:
    """`after`, a submission's id; empty for the first page. Raises BadRequest unless it can be the
    `next` of an earlier page."""
    value = query_value(request, "after") or ""
    if value and not re.fullmatch(SUBMISSION_ID_PATTERN, value):
        rule = Detail("after", "cursor", _NEXT)
        raise BadRequest(_NO_CURSOR, [rule])
    return value


def page_start(request: Request) -> str:
    """`after`, an id; empty for the first page. Raises BadRequest if it is longer than any id."""
    value = query_value(request, "after") or ""
    if len(value) > ID_MAX:
        rule = Detail("after", "max_length", _NEXT)
        raise BadRequest(_NO_CURSOR, [rule])
    return value
