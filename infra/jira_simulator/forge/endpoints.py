"""The endpoints of the remote, with the keys that the app's manifest is assumed to use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """`key` is the endpoint's key in the manifest, `module_key` that of the module that uses it."""

    path: str
    key: str
    module_key: str
    type: str = "core:endpoint"


INSTALLED = Endpoint("/forge/installed", "forge-installed", "on-installed")
UPGRADED = Endpoint("/forge/upgraded", "forge-upgraded", "on-upgraded")
UNINSTALLED = Endpoint("/forge/uninstalled", "forge-uninstalled", "on-uninstalled")
TICK = Endpoint("/forge/tick", "forge-tick", "hourly")


def migration_hook(hook: str) -> Endpoint:
    """The endpoint of a hook; all hooks share the keys of the module."""
    key = "data-residency"
    return Endpoint(f"/forge/migrations/{hook}", key, key, "migration:dataResidency")


def page_call(path: str) -> Endpoint:
    """The endpoint of calls by the app's own page; `path` may have a query."""
    return Endpoint(path, "relay-page", "relay-admin-page")


def any_endpoint(path: str) -> Endpoint:
    """The manifest's endpoint of this path, or an endpoint with the key `any`."""
    if path.startswith("/forge/migrations/"):
        return migration_hook(path.rpartition("/")[2])
    if path.startswith("/page/"):
        return page_call(path)
    known = (INSTALLED, UPGRADED, UNINSTALLED, TICK)
    return next((one for one in known if one.path == path), Endpoint(path, "any", "any"))
