"""Parameters of a query, each with its rule."""

from urllib.parse import parse_qs

from relay.entities.fields import ID_MAX
from relay.errors import BadRequest, Detail
from relay.identity.caller import Request

PAGE_MAX = 100
_DIGITS_MAX = 3


def query_values(request: Request, name: str) -> list[str]:
    """A parameter's values, given several times or with commas between."""
    values = parse_qs(request.raw_query).get(name, [])
    return [part for value in values for part in value.split(",") if part]


def first_query_value(request: Request, name: str) -> str | None:
    """A parameter's first value, commas and all; None where there is none, or an empty one."""
    return next(iter(parse_qs(request.raw_query).get(name, [])), None)


def flag(request: Request, name: str) -> bool:
    """Raises BadRequest for a value other than true and false."""
    value = first_query_value(request, name) or "false"
    if value not in ("true", "false"):
        raise BadRequest(f"{name} is true or false.", [Detail(name, "boolean", "true or false")])
    return value == "true"


def page_limit(request: Request) -> int:
    """`limit`, 100 unless given. Raises BadRequest for what is no number from 1 to 100."""
    value = first_query_value(request, "limit") or str(PAGE_MAX)
    digits = value.isascii() and value.isdecimal() and len(value) <= _DIGITS_MAX
    if not (digits and 1 <= int(value) <= PAGE_MAX):
        rule = Detail("limit", "range", f"A whole number from 1 to {PAGE_MAX}")
        raise BadRequest("The limit is out of range.", [rule])
    return int(value)


def page_start(request: Request) -> str:
    """`after`, an id; empty for the first page. Raises BadRequest for what no id can be."""
    value = first_query_value(request, "after") or ""
    if len(value) > ID_MAX:
        rule = Detail("after", "max_length", "`next` of the page before")
        raise BadRequest("This is no page's beginning.", [rule])
    return value
