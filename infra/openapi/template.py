"""The routes of template.yaml."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class Route(NamedTuple):
    """`path` is OpenAPI's: API Gateway's `{id+}`, which takes slashes, is `{id}` here."""

    method: str
    path: str


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as `!Ref X`, as nothing."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def routes() -> Iterator[Route]:
    """In the template's order; HEAD, which is answered as GET is, and the default are left out."""
    template = yaml.load(TEMPLATE.read_text("utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    for resource in template["Resources"].values():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            yield from _route(event)


class Throttling(NamedTuple):
    """What API Gateway lets through of a route: calls per second, and calls at once."""

    rate: int
    burst: int


def throttling() -> dict[str, Throttling]:
    """By the route, as `METHOD /path`; that of every other route has the empty name."""
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
    }


def _route(event: dict[str, Any]) -> Iterator[Route]:
    properties = event["Properties"]
    if event["Type"] == "HttpApi" and properties.get("Method", "HEAD") != "HEAD":
        yield Route(properties["Method"], properties["Path"].replace("+}", "}"))
