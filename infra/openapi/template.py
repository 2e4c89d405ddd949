"""The routes of template.yaml."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class Route(NamedTuple):
    """`path` has OpenAPI's form: API Gateway's greedy `{id+}` becomes `{id}`."""

    method: str
    path: str


class _Loader(yaml.SafeLoader):
    """Loads CloudFormation's short forms, such as `!Ref X`, as None."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def routes() -> Iterator[Route]:
    """Yields the routes in the template's order, without the default and without HEAD."""
    template = yaml.load(TEMPLATE.read_text("utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    for resource in template["Resources"].values():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            yield from _route(event)


class Throttling(NamedTuple):
    """API Gateway's limits of a route: calls per second, and calls in a burst."""

    rate: int
    burst: int


def throttling() -> dict[str, Throttling]:
    """The limits by route, as `METHOD /path`; the empty name is the default for the others."""
    template = yaml.load(TEMPLATE.read_text("utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    [api] = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if "DefaultRouteSettings" in resource.get("Properties", {})
    ]
    settings = {"": api["DefaultRouteSettings"], **api["RouteSettings"]}
    return {
        route: Throttling(one["ThrottlingRateLimit"], one["ThrottlingBurstLimit"])
        for route, one in settings.items()
        if route != "$default"
    }


def _route(event: dict[str, Any]) -> Iterator[Route]:
    properties = event["Properties"]
    if event["Type"] == "HttpApi" and properties.get("Method", "HEAD") != "HEAD":
        yield Route(properties["Method"], properties["Path"].replace("+}", "}"))
