"""All cold starts at once, where the first calls would have them one after the other."""

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from infra.local.aws import LocalAws
from infra.local.routes import Route

# What it takes from the install to the first delivery, by logical id.
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
    """Calls what is needed first, in a way that changes nothing: without a token, or no message.

    `functions` has the physical id of each by its logical one.
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
