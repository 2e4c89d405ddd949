"""Parameters of a query, each with its rule."""

from urllib.parse import parse_qs

from relay.errors import BadRequest, Detail
from relay.identity import Request

PAGE_MAX = 100


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
    if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= PAGE_MAX):
        rule = Detail("limit", "range", f"A whole number from 1 to {PAGE_MAX}")
        raise BadRequest("The limit is out of range.", [rule])
    return int(value)
