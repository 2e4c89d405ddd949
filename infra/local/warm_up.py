"""Triggers all cold starts at once, so that the first calls do not wait for one each."""

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from infra.local.aws import LocalAws
from infra.local.routes import Route

# The functions from the install to the first delivery, by logical id.
NEEDED_FIRST = {
    "DescriptorFunction",
    "LifecycleFunction",
    "LinksFunction",
    "SubmissionsFunction",
    "SubmitterFunction",
    "WorkspacesFunction",
}
SECONDS = 60.0
PATH_PARAMETER = re.compile(r"\{\w+\}")


def warm_up(aws: LocalAws, api: str, routes: Sequence[Route], functions: Mapping[str, str]) -> None:
    """Calls the functions that are needed first: without a token or a message, so nothing changes.

    `functions` maps logical to physical ids.
    """
    called = {route.function: route.key for route in sorted(routes, key=_harmless_last)}
    with ThreadPoolExecutor(len(NEEDED_FIRST)) as pool:
        for logical_id in NEEDED_FIRST & functions.keys():
            if logical_id in called:
                pool.submit(_call, api, called[logical_id])
            else:
                pool.submit(_invoke, aws, functions[logical_id])


def _harmless_last(route: Route) -> bool:
    return route.key.startswith("GET ")


def _call(api: str, key: str) -> None:
    method, _, path = key.partition(" ")
    httpx.request(method, api + PATH_PARAMETER.sub("x", path), timeout=SECONDS, trust_env=False)


def _invoke(aws: LocalAws, name: str) -> None:
    aws.functions.invoke(FunctionName=name, Payload=json.dumps({"Records": []}))
