"""Which module of the app's manifest calls each of Forge's own routes (see `relay forge manifest`).

A token names the module that it was made for: `core:endpoint` and the endpoint's key, says
Atlassian's page of the remote contract, unless a user's page made the call. Without this check a
token for one route would be good for all of them: an upgrade's could uninstall.
"""

from dataclasses import dataclass

from relay.errors import Unauthenticated
from relay.identity.forge_claims import ForgeClaims

# Below it Forge alone calls; every route there has its modules.
FORGES_OWN = "/forge/"


@dataclass(frozen=True, slots=True)
class Caller:
    types: frozenset[str]
    keys: frozenset[str]


def _endpoint(*keys: str) -> Caller:
    """The endpoint, or the module that leads to it, which the page's example could also mean."""
    return Caller(frozenset({"core:endpoint"}), frozenset(keys))


# This module has no endpoint, and no page says what its tokens name.
_RESIDENCY = Caller(
    frozenset({"core:endpoint", "migration:dataResidency"}), frozenset({"data-residency"})
)

CALLERS = {
    "/forge/installed": _endpoint("forge-installed", "on-installed"),
    "/forge/upgraded": _endpoint("forge-upgraded", "on-upgraded"),
    "/forge/uninstalled": _endpoint("forge-uninstalled", "on-uninstalled"),
    "/forge/tick": _endpoint("forge-tick", "hourly"),
    **{
        f"/forge/migrations/{step}": _RESIDENCY
        for step in ("schedule", "start", "commit", "rollback", "status")
    },
}


def check_module(path: str, claims: ForgeClaims) -> None:
    """Raises Unauthenticated where a route of Forge's own is called by another module, or for a
    person; other routes are open to every module."""
    if not path.startswith(FORGES_OWN):
        return
    if claims.principal is not None:
        raise Unauthenticated("the token is of a person's call")
    caller, module = CALLERS.get(path), claims.app.module
    if caller is None or module.type not in caller.types or module.key not in caller.keys:
        raise Unauthenticated("the token is of another module")
