"""What Jira asks of the app's descriptor, as far as it can be seen from outside."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

MODULE = "jiraOperationsInfoProvider"
_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_MODULE_KEY = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
_SCOPES = {"READ", "WRITE", "DELETE"}
# The last two are optional to Jira; Relay needs them.
_ACTIONS = ("fetchWorkspaces", "searchContainers", "onEntityAssociated", "onEntityDisassociated")
_EVENTS = ("installed", "uninstalled")


def problems(descriptor: Mapping[str, Any], url: str) -> Iterator[str]:
    """What is wrong with the descriptor of the app at this URL; nothing, if it is right."""
    if not _KEY.fullmatch(str(descriptor.get("key", ""))):
        yield "key is missing, or is none"
    if not descriptor.get("name"):
        yield "name is missing"
    base_url = str(descriptor.get("baseUrl", ""))
    if base_url != url:
        yield f"baseUrl is {base_url or 'missing'}, and not {url}: Jira's signed calls name it"
    if _of(descriptor, "authentication").get("type") != "jwt":
        yield "authentication.type is not jwt"
    missing = _SCOPES - set(descriptor.get("scopes") or ())
    if missing:
        yield f"scopes lack {', '.join(sorted(missing))}"
    yield from _lifecycle_problems(descriptor)
    yield from _module_problems(_of(descriptor, "modules").get(MODULE))


def _lifecycle_problems(descriptor: Mapping[str, Any]) -> Iterator[str]:
    lifecycle = _of(descriptor, "lifecycle")
    for event in _EVENTS:
        if not str(lifecycle.get(event, "")).startswith("/"):
            yield f"lifecycle.{event} is no path"
    migrations = _of(descriptor, "apiMigrations")
    if migrations.get("signed-install") is not True:
        yield "apiMigrations.signed-install is not true: installs would not be signed"


def _module_problems(module: Any) -> Iterator[str]:
    if not isinstance(module, Mapping):
        yield f"modules.{MODULE} is missing"
        return
    if not _MODULE_KEY.fullmatch(str(module.get("key", ""))):
        yield f"modules.{MODULE}.key is missing, or is none"
    if not _of(module, "name").get("value"):
        yield f"modules.{MODULE}.name.value is missing"
    if not module.get("homeUrl"):
        yield f"modules.{MODULE}.homeUrl is missing"
    actions = _of(module, "actions")
    for action in _ACTIONS:
        if not _of(actions, action).get("templateUrl"):
            yield f"modules.{MODULE}.actions.{action}.templateUrl is missing"


def _of(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}
