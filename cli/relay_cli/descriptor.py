"""Jira's rules for the app's descriptor, as far as they can be checked from outside."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MODULE = "jiraOperationsInfoProvider"
_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_MODULE_KEY = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
_SCOPES = {"READ", "WRITE", "DELETE"}
# The last two are optional in Jira; Relay requires them.
_ACTIONS = ("fetchWorkspaces", "searchContainers", "onEntityAssociated", "onEntityDisassociated")
_EVENTS = ("installed", "uninstalled")


@dataclass(frozen=True)
class Problem:
    """`field` is the path in the descriptor, such as `lifecycle.installed`; `what` is a phrase."""

    field: str
    what: str

    def __str__(self) -> str:
        return f"{self.field} {self.what}"


def problems(descriptor: Mapping[str, Any], url: str) -> Iterator[Problem]:
    """The problems of the descriptor that the app at `url` serves; none if it is complete."""
    if not _KEY.fullmatch(str(descriptor.get("key", ""))):
        yield Problem("key", "is missing or not valid")
    if not descriptor.get("name"):
        yield Problem("name", "is missing")
    base_url = str(descriptor.get("baseUrl", ""))
    if base_url != url:
        yield Problem("baseUrl", f"is {base_url or 'missing'}, not {url}: Jira signs calls for it")
    if _of(descriptor, "authentication").get("type") != "jwt":
        yield Problem("authentication.type", "is not jwt")
    missing = _SCOPES - set(descriptor.get("scopes") or ())
    if missing:
        yield Problem("scopes", f"lack {', '.join(sorted(missing))}")
    yield from _lifecycle_problems(descriptor)
    yield from _module_problems(_of(descriptor, "modules").get(MODULE))


def _lifecycle_problems(descriptor: Mapping[str, Any]) -> Iterator[Problem]:
    lifecycle = _of(descriptor, "lifecycle")
    for event in _EVENTS:
        if not str(lifecycle.get(event, "")).startswith("/"):
            yield Problem(f"lifecycle.{event}", "is not a path")
    migrations = _of(descriptor, "apiMigrations")
    if migrations.get("signed-install") is not True:
        yield Problem("apiMigrations.signed-install", "is not true: Jira would not sign installs")


def _module_problems(module: Any) -> Iterator[Problem]:
    path = f"modules.{MODULE}"
    if not isinstance(module, Mapping):
        yield Problem(path, "is missing")
        return
    if not _MODULE_KEY.fullmatch(str(module.get("key", ""))):
        yield Problem(f"{path}.key", "is missing or not valid")
    if not _of(module, "name").get("value"):
        yield Problem(f"{path}.name.value", "is missing")
    if not module.get("homeUrl"):
        yield Problem(f"{path}.homeUrl", "is missing")
    actions = _of(module, "actions")
    for action in _ACTIONS:
        if not _of(actions, action).get("templateUrl"):
            yield Problem(f"{path}.actions.{action}.templateUrl", "is missing")


def _of(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}
