"""Rules for the page inside Jira: what Relay's own checks of Forge's tokens expect of a manifest.

Atlassian's validator knows neither Relay's keys nor that a Connect page would be a second entry.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relay.identity.forge_modules import PAGE

ADMIN_PAGE = "jira:adminPage"
_CONNECT_PAGES = ("jira:adminPages", "jira:configurePage", "jira:webSections")
_CONDITION = {"canAdministerJira": True}


def page_problems(document: Any) -> Iterator[str]:
    """The problems of the page's modules. A manifest without the page has none.

    The document may have any content.
    """
    manifest = _mapping(document)
    modules = _mapping(manifest.get("modules"))
    pages = [_mapping(page) for page in _list(modules.get(ADMIN_PAGE))]
    if not pages:
        return
    for name in _CONNECT_PAGES:
        if name in _mapping(manifest.get("connectModules")):
            yield f"connectModules.{name} must be left out: Jira would show the page twice"
    resources = {_mapping(one).get("key") for one in _list(manifest.get("resources"))}
    endpoints = {one.get("key"): one for one in map(_mapping, _list(modules.get("endpoint")))}
    for page in pages:
        yield from _module_problems(page, resources)
        yield from _endpoint_problems(page, endpoints, _remote(manifest))


def _module_problems(page: Mapping[str, Any], resources: set[Any]) -> Iterator[str]:
    key, resource = page.get("key"), page.get("resource")
    if key not in PAGE.keys:
        yield f"{ADMIN_PAGE} has the key {key}. Relay accepts the page's calls from {_known()} only"
    if resource not in resources:
        yield f"{ADMIN_PAGE}.resource is {resource}, which resources does not have"
    if page.get("displayConditions") != _CONDITION:
        yield f"{ADMIN_PAGE}.displayConditions must be canAdministerJira: the page is for admins"


def _endpoint_problems(
    page: Mapping[str, Any], endpoints: Mapping[Any, Mapping[str, Any]], remote: Any
) -> Iterator[str]:
    key = _mapping(page.get("resolver")).get("endpoint")
    if key not in endpoints:
        yield (
            f"{ADMIN_PAGE}.resolver.endpoint is {key}, which modules.endpoint does not have: the "
            "page could not call Relay"
        )
        return
    if key not in PAGE.keys:
        yield f"The page's endpoint has the key {key}. Relay accepts calls from {_known()} only"
    endpoint = endpoints[key]
    if endpoint.get("remote") != remote:
        yield f"The page's endpoint calls the remote {endpoint.get('remote')}, not {remote}"
    if "route" in endpoint:
        yield "The page's endpoint must have no route: the page names the path of each call"


def _remote(manifest: Mapping[str, Any]) -> Any:
    """The app's remote, which is Relay."""
    return _mapping(_mapping(manifest.get("app")).get("connect")).get("remote")


def _known() -> str:
    return ", ".join(sorted(PAGE.keys))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []
