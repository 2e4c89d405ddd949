"""The manifest module that calls each route of Forge and of the page (see `relay forge manifest`).

A token names the module that it was made for. By Atlassian's remote contract, that is
`core:endpoint` and the endpoint's key, unless a user's page made the call. Without this check, a
token for one route would be valid for all of them: the token of an upgrade could uninstall the app,
and that of a page, which any of its users may send anywhere, could call an action.
"""

from dataclasses import dataclass

from relay.errors import Unauthenticated
from relay.identity.caller import FORGE_PREFIX, PAGE_PREFIX
from relay.identity.forge_claims import ForgeClaims


@dataclass(frozen=True, slots=True)
class ModuleCaller:
    """The module types and module keys that a route accepts."""

    types: frozenset[str]
    keys: frozenset[str]


def _endpoint(*keys: str) -> ModuleCaller:
    """The endpoint's key, or the key of the module that names it: the contract's example allows
    both readings."""
    return ModuleCaller(frozenset({"core:endpoint"}), frozenset(keys))


# This module has no endpoint, and Atlassian does not document what its tokens name.
_RESIDENCY = ModuleCaller(
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

# Atlassian's documents allow the page's own module as well as its endpoint.
PAGE = ModuleCaller(
    frozenset({"core:endpoint", "jira:adminPage"}), frozenset({"relay-page", "relay-admin-page"})
)


def check_module(path: str, claims: ForgeClaims) -> None:
    """Raises Unauthenticated if a route under `/forge/` is called by another module or on behalf of
    a user, a route under `/page/` by another module than the page, or another route by the page.
    """
    module = claims.app.module
    if path.startswith(PAGE_PREFIX):
        caller: ModuleCaller | None = PAGE
    elif path.startswith(FORGE_PREFIX):
        if claims.principal is not None:
            raise Unauthenticated("the token is for a user's call")
        caller = CALLERS.get(path)
    elif module.key in PAGE.keys:
        raise Unauthenticated("the token is for the page's own routes")
    else:
        return
    if caller is None or module.type not in caller.types or module.key not in caller.keys:
        raise Unauthenticated("the token is for another module")
