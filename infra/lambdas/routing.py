"""API Gateway's choice of a route: the template's routes, and which of them a call takes."""

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
    """The key of the route that takes the call, and the path's parameters.

    A path that matches in full comes before a greedy one, and of several the most literal; where
    none matches, it is the default route. `path` is as API Gateway decodes it.
    """
    best, parameters = DEFAULT, dict[str, str]()
    for key in sorted(route_keys, key=_rank):
        route_method, _, route_path = key.partition(" ")
        found = _pattern(route_path).fullmatch(path) if route_method == method else None
        if found:
            best, parameters = key, found.groupdict()
    return best, parameters


def _rank(route_key: str) -> tuple[bool, int]:
    """The higher, the more specific."""
    return "+}" not in route_key, -route_key.count("{")


@cache
def _pattern(route_path: str) -> re.Pattern[str]:
    parts = re.split(r"{(\w+\+?)}", route_path)
    # Between two pieces of plain path stands the name of a parameter.
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = [
        f"(?P<{name[:-1]}>.+)" if name.endswith("+") else f"(?P<{name}>[^/]+)"
        for name in parts[1::2]
    ]
    return re.compile("".join(parts), re.DOTALL)
