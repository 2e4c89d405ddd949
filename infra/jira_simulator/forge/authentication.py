"""Authenticates calls below `/ex/jira/{cloudId}`: the remote's, by the site's system token.

There, the gateway of api.atlassian.com is in front of Jira and has its own error shape. It is known
to answer 401 to a token without the required scope. Unlike the gateway, this developer's tool also
returns the reason.
"""

from ..authentication import check_module
from ..operations import Operation
from ..refusal import GatewayRefusal
from ..sites import Site
from ..wire import WireCall


def authenticate_system_token(site: Site, call: WireCall) -> None:
    """Raises a Refusal (401) unless the call has a system token of the site's installation."""
    scheme, _, token = (call.authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("the header Authorization: Bearer <token> is missing")
    if site.forge is None:
        raise _unauthorized(f"no Forge app is installed in the site {site.name}")
    reason = site.forge.tokens.refusal(token.strip())
    if reason is not None:
        raise _unauthorized(reason)


def authorize_system_token(site: Site, operation: Operation) -> None:
    """Raises a Refusal unless the manifest has the scope (401) and Connect's module (403).

    Forge alone has no Connect modules, and needs none.
    """
    installation = site.forge_installation()
    api = operation.api
    if operation.scope and f"{operation.scope.lower()}:{api.resource}" not in installation.scopes:
        raise _unauthorized("scope does not match")
    if installation.connect:
        check_module(site.installed_app(), api.module)


def _unauthorized(reason: str) -> GatewayRefusal:
    return GatewayRefusal(401, f"Unauthorized; {reason}")
