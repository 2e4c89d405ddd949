"""The Forge manifest of a Relay, built from the Connect descriptor that it serves.

Forge has no operations module of its own, so the manifest contains Connect's: Jira calls the same
paths with the same tokens. The manifest adds Forge's lifecycle calls, which also deliver the token
for Jira's API.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relay_cli.descriptor import MODULE as OPERATIONS
from relay_cli.forge_page import SCOPE, has_page, page_modules, page_resources

COMPONENTS = "jiraDevOpsComponentProvider"
# The regions to which a customer can pin an app's data.
REGIONS = ("AU", "CA", "CH", "DE", "EU", "GB", "IN", "JP", "KR", "SG", "US")
REMOTE = "relay"
MIGRATIONS_PATH = "/forge/migrations"

# Forge requires a runtime, although Relay runs nothing on it.
_RUNTIME = "nodejs22.x"
# The actions in the manifest's schema. Connect's operations module has one more.
_ACTIONS = ("fetchWorkspaces", "searchContainers", "onEntityAssociated", "onEntityDisassociated")
_API_SCOPES = {OPERATIONS: "operations-info:jira", COMPONENTS: "devops-component-info:jira"}
_API_VERBS = ("read", "write", "delete")


@dataclass(frozen=True)
class Deployment:
    """The app's id on Forge, and Relay's URLs: https, without a trailing slash.

    `regions` maps a region with its own Relay to its URL; `base_url` serves all others. `guide_url`
    is a page that explains the move from Connect to Forge to admins.
    """

    app_id: str
    base_url: str
    regions: Mapping[str, str] = field(default_factory=dict)
    guide_url: str | None = None


@dataclass(frozen=True)
class Manifest:
    """The manifest, and a sentence for each part of the descriptor that it can't contain."""

    document: Mapping[str, Any]
    left_out: Sequence[str] = ()


def manifest_of(descriptor: Mapping[str, Any], deployment: Deployment) -> Manifest:
    """Builds the manifest. The descriptor must have no problems (see `relay_cli.descriptor`)."""
    moved = _moved(descriptor, deployment.base_url)
    guide = deployment.guide_url or _guide_url(moved[OPERATIONS], deployment.base_url)
    modules = _modules(guide)
    if has_page(descriptor):
        for name, entries in page_modules(REMOTE).items():
            modules.setdefault(name, []).extend(entries)
    document: dict[str, Any] = {
        "app": {
            "id": deployment.app_id,
            "description": descriptor.get("description") or descriptor["name"],
            "runtime": {"name": _RUNTIME},
            "connect": {
                "key": descriptor["key"],
                "remote": REMOTE,
                "authentication": descriptor["authentication"]["type"],
            },
        },
        "remotes": [_remote(deployment)],
        "permissions": {"scopes": list(_scopes(descriptor))},
        "connectModules": _connect_modules(descriptor["lifecycle"], moved),
        "modules": modules,
    }
    if has_page(descriptor):
        document["resources"] = page_resources()
    return Manifest(document, tuple(_left_out(moved[OPERATIONS], guide)))


def _moved(descriptor: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """The descriptor's modules for Jira's providers, with `base_url` in place of the descriptor's.

    Its other modules are the page inside Jira. With Forge's own module for it, Jira would show the
    page twice.
    """
    own = {name: one for name, one in descriptor["modules"].items() if name in _API_SCOPES}
    text = json.dumps(own).replace(descriptor["baseUrl"], base_url)
    modules: dict[str, Any] = json.loads(text)
    return modules


def _guide_url(module: Mapping[str, Any], base_url: str) -> str | None:
    """The documentation's URL, unless it is the app's own page, which does not explain a move."""
    url = str(module.get("documentationUrl", ""))
    is_own = url.rstrip("/") == base_url or url.startswith(f"{base_url}/")
    return url if url.startswith("https://") and not is_own else None


def _remote(deployment: Deployment) -> dict[str, Any]:
    """Relay stores end-user data: users' associations, and incidents that may quote users."""
    base_url: Any = deployment.base_url
    if deployment.regions:
        base_url = {"default": base_url, **dict(sorted(deployment.regions.items()))}
    return {
        "key": REMOTE,
        "baseUrl": base_url,
        "operations": ["storage", "compute"],
        "auth": _system_token(),
        "storage": {"inScopeEUD": True},
    }


def _scopes(descriptor: Mapping[str, Any]) -> Iterator[str]:
    """Connect's scopes for calls signed by Connect, and Forge's for calls with its token."""
    asked = [scope.lower().replace("_", "-") for scope in descriptor["scopes"]]
    for verb in asked:
        yield f"{verb}:connect-jira"
    for module, api in _API_SCOPES.items():
        if module in descriptor["modules"]:
            yield from (f"{verb}:{api}" for verb in asked if verb in _API_VERBS)
    if has_page(descriptor):
        yield SCOPE
    yield "read:app-system-token"


def _connect_modules(
    lifecycle: Mapping[str, Any], modules: Mapping[str, Any]
) -> dict[str, list[Any]]:
    made = {"jira:lifecycle": [{"key": "connect-lifecycle", **lifecycle}]}
    for name, module in modules.items():
        made[f"jira:{name}"] = [_known(module) if name == OPERATIONS else module]
    return made


def _known(module: Mapping[str, Any]) -> dict[str, Any]:
    actions = {name: action for name, action in module["actions"].items() if name in _ACTIONS}
    return {**module, "actions": actions}


def _modules(guide_url: str | None) -> dict[str, list[Any]]:
    """An endpoint is named after its path, and the module that calls it after the event."""
    triggers = [
        {"key": f"on-{event}", "endpoint": f"forge-{event}", "events": [f"avi:forge:{event}:app"]}
        for event in ("installed", "upgraded")
    ]
    modules: dict[str, list[Any]] = {
        "trigger": triggers,
        # Forge has no event after an uninstall.
        "preUninstall": [{"key": "on-uninstalled", "endpoint": "forge-uninstalled"}],
        # A token is valid for at least two hours. No other call delivers one regularly.
        "scheduledTrigger": [{"key": "hourly", "endpoint": "forge-tick", "interval": "hour"}],
        "endpoint": [
            {
                "key": f"forge-{name}",
                "remote": REMOTE,
                "route": {"path": f"/forge/{name}"},
                "auth": _system_token(),
            }
            for name in ("installed", "upgraded", "uninstalled", "tick")
        ],
        "migration:dataResidency": [
            {"key": "data-residency", "remote": REMOTE, "path": MIGRATIONS_PATH}
        ],
    }
    if guide_url:
        modules["connectToForgeMigration"] = [
            {
                "key": "connect-to-forge",
                "migrationGuideUrl": guide_url,
                "willMigrateToForgeBeforeEOS": "YES",
            }
        ]
    return modules


def _system_token() -> dict[str, Any]:
    """A new dictionary for each use: YAML would write a shared one as an alias."""
    return {"appSystemToken": {"enabled": True}}


def _left_out(module: Mapping[str, Any], guide_url: str | None) -> Iterator[str]:
    for name in module["actions"]:
        if name not in _ACTIONS:
            yield f"The action {name} is left out: a Forge manifest can't contain it."
    if not guide_url:
        yield (
            "connectToForgeMigration is left out: it needs a page that explains the move. "
            "Pass its URL as --guide-url."
        )
