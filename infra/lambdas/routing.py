"""API Gateway's routing: the template's routes, and the route of a call."""

import re
from collections.abc import Iterable
from functools import cache

from infra.lambdas.template import functions, routes

DEFAULT = "$default"


@cache
def owners() -> dict[str, str]:
    """The function of each route in the template, by the route's key."""
    return {
        DEFAULT if path == "*" else f"{method} {path}": name
        for name in functions()
        for method, path in routes(name)
    }


def matched(route_keys: Iterable[str], method: str, path: str) -> tuple[str, dict[str, str]]:
    """Returns the key of the call's route and the path's parameters.

    A full match has precedence over a greedy one, and a path with fewer parameters over one with
    more; without a match, it is the default route. `path` is decoded as by API Gateway.
    """
    best, parameters = DEFAULT, dict[str, str]()
    for key in sorted(route_keys, key=_rank):
        route_method, _, route_path = key.partition(" ")
        found = _pattern(route_path).fullmatch(path) if route_method == method else None
        if found:
            best, parameters = key, found.groupdict()
    return best, parameters


def _rank(route_key: str) -> tuple[bool, int]:
    """A higher rank is more specific."""
    return "+}" not in route_key, -route_key.count("{")


@cache
def _pattern(route_path: str) -> re.Pattern[str]:
    parts = re.split(r"{(\w+\+?)}", route_path)
    # Literal parts and names of parameters alternate.
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = [
        f"(?P<{name[:-1]}>.+)" if name.endswith("+") else f"(?P<{name}>[^/]+)"
        for name in parts[1::2]
    ]
    return re.compile("".join(parts), re.DOTALL)
