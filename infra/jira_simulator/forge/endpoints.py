"""The endpoints of the remote, as the app's manifest is taken to name them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """`key` is the endpoint's own in the manifest, `module_key` that of what leads to it."""

    path: str
    key: str
    module_key: str
    type: str = "core:endpoint"


INSTALLED = Endpoint("/forge/installed", "forge-installed", "on-installed")
UPGRADED = Endpoint("/forge/upgraded", "forge-upgraded", "on-upgraded")
UNINSTALLED = Endpoint("/forge/uninstalled", "forge-uninstalled", "on-uninstalled")
TICK = Endpoint("/forge/tick", "forge-tick", "hourly")


def migration_hook(hook: str) -> Endpoint:
    key = "data-residency"
    return Endpoint(f"/forge/migrations/{hook}", key, key, "migration:dataResidency")


def any_endpoint(path: str) -> Endpoint:
    """The one of this path, where the manifest has it."""
    if path.startswith("/forge/migrations/"):
        return migration_hook(path.rpartition("/")[2])
    known = (INSTALLED, UPGRADED, UNINSTALLED, TICK)
    return next((one for one in known if one.path == path), Endpoint(path, "any", "any"))
