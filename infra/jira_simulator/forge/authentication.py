"""Who calls the REST APIs below `/ex/jira/{cloudId}`: the remote, by a system token of the site's.

The gateway of api.atlassian.com stands before Jira there, and words its refusals in its own shape.
What it answers a token without the right scope is known: 401. Why a token is refused, it does not
say; this is a developer's tool, and does.
"""

from ..authentication import check_module
from ..operations import Operation
from ..refusal import GatewayRefusal
from ..sites import Site
from ..wire import WireCall


def authenticate_system_token(site: Site, call: WireCall) -> None:
    """Raise a Refusal (401) unless the call carries a system token of the site's installation."""
    scheme, _, token = (call.authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("the header Authorization: Bearer <token> is missing")
    if site.forge is None:
        raise _unauthorized(f"no Forge app is installed in the site {site.name}")
    reason = site.forge.tokens.refusal(token.strip())
    if reason is not None:
        raise _unauthorized(reason)


def authorize_system_token(site: Site, operation: Operation) -> None:
    """Raise a Refusal unless the manifest has the scope (401), and Connect's module (403).

    An app of Forge alone has no modules of Connect's, and is not asked for one.
    """
    installation = site.forge_installation()
    api = operation.api
    if operation.scope and f"{operation.scope.lower()}:{api.resource}" not in installation.scopes:
        raise _unauthorized("scope does not match")
    if installation.connect:
        check_module(site.installed_app(), api.module)


def _unauthorized(reason: str) -> GatewayRefusal:
    return GatewayRefusal(401, f"Unauthorized; {reason}")
