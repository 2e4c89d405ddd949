"""The Forge manifest of a Relay, made of the Connect descriptor that it serves.

Forge has no module of its own for operations, so the manifest carries Connect's: Jira goes on to
call the same paths, with the same tokens. Beside them stand the calls by which Forge tells of its
installations, and hands over the token that Jira's API takes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relay_cli.descriptor import MODULE as OPERATIONS

COMPONENTS = "jiraDevOpsComponentProvider"
# Where Atlassian lets a customer pin an app's data.
REGIONS = ("AU", "CA", "CH", "DE", "EU", "GB", "IN", "JP", "KR", "SG", "US")
REMOTE = "relay"
MIGRATIONS_PATH = "/forge/migrations"

# Forge demands one, though nothing of Relay runs on it.
_RUNTIME = "nodejs22.x"
# What the manifest's schema knows of the operations module; Connect's own has one more.
_ACTIONS = ("fetchWorkspaces", "searchContainers", "onEntityAssociated", "onEntityDisassociated")
_API_SCOPES = {OPERATIONS: "operations-info:jira", COMPONENTS: "devops-component-info:jira"}
_API_VERBS = ("read", "write", "delete")


@dataclass(frozen=True)
class Deployment:
    """The app's id on Forge, and where Atlassian reaches Relay: https, without a slash at the end.

    `regions` has the URL of each region that has a Relay of its own; `base_url` is for all others.
    `guide_url` is a page that tells admins of the move from Connect to Forge.
    """

    app_id: str
    base_url: str
    regions: Mapping[str, str] = field(default_factory=dict)
    guide_url: str | None = None


@dataclass(frozen=True)
class Manifest:
    """`left_out` says, in a sentence each, what the descriptor has and the manifest can't hold."""

    document: Mapping[str, Any]
    left_out: Sequence[str] = ()


def manifest_of(descriptor: Mapping[str, Any], deployment: Deployment) -> Manifest:
    """The descriptor is one without problems (see `relay_cli.descriptor`)."""
    moved = _moved(descriptor, deployment.base_url)
    guide = deployment.guide_url or _guide_url(moved[OPERATIONS], deployment.base_url)
    document = {
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
        "modules": _modules(guide),
    }
    return Manifest(document, tuple(_left_out(moved[OPERATIONS], guide)))


def _moved(descriptor: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """The descriptor's modules, with this URL in place of its own."""
    text = json.dumps(descriptor["modules"]).replace(descriptor["baseUrl"], base_url)
    modules: dict[str, Any] = json.loads(text)
    return modules


def _guide_url(module: Mapping[str, Any], base_url: str) -> str | None:
    """The documentation, unless it is the app's own page, which says nothing of a move."""
    url = str(module.get("documentationUrl", ""))
    is_own = url.rstrip("/") == base_url or url.startswith(f"{base_url}/")
    return url if url.startswith("https://") and not is_own else None


def _remote(deployment: Deployment) -> dict[str, Any]:
    """It computes, and stores: associations that users make, and incidents that may quote them."""
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
    """Connect's for the calls that Connect signs; Forge's own for those with its token."""
    asked = [scope.lower().replace("_", "-") for scope in descriptor["scopes"]]
    for verb in asked:
        yield f"{verb}:connect-jira"
    for module, api in _API_SCOPES.items():
        if module in descriptor["modules"]:
            yield from (f"{verb}:{api}" for verb in asked if verb in _API_VERBS)
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
    """An endpoint is named after its path; the module that leads there, after what happens."""
    triggers = [
        {"key": f"on-{event}", "endpoint": f"forge-{event}", "events": [f"avi:forge:{event}:app"]}
        for event in ("installed", "upgraded")
    ]
    modules: dict[str, list[Any]] = {
        "trigger": triggers,
        # Forge has no event for what is uninstalled already.
        "preUninstall": [{"key": "on-uninstalled", "endpoint": "forge-uninstalled"}],
        # A token is good for two hours at least, and comes with no other call by itself.
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
    """A new one each time: YAML would point from one place to the other."""
    return {"appSystemToken": {"enabled": True}}


def _left_out(module: Mapping[str, Any], guide_url: str | None) -> Iterator[str]:
    for name in module["actions"]:
        if name not in _ACTIONS:
            yield f"The action {name} is left out: no Forge manifest knows it."
    if not guide_url:
        yield (
            "connectToForgeMigration is left out: it names a page that tells admins of the move. "
            "Where there is one, name it: --guide-url"
        )
