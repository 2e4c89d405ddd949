"""Calls of the admin page inside Jira, by a person whom Jira or Forge names."""

from collections.abc import Callable
from dataclasses import dataclass, field

from relay.errors import Unauthenticated
from relay.identity.callback import SiteTokens
from relay.identity.caller import ForgeCaller, Request, Verifier
from relay.identity.connect_token import header_token_of, verified_context_claims
from relay.identity.site import ForgeSites
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant


@dataclass(frozen=True, slots=True)
class PageCaller:
    """A user of a site. `account_id` is Atlassian's id of the account; it is not stored."""

    tenant: Tenant
    account_id: str = field(repr=False)


class PageVerifier:
    """Verifies Forge's invocation token for `Bearer`, and Connect's context token otherwise.

    A context token is bound to no request: accept it on the page's own routes only. The token of
    the page's first load, which is bound to that request, is refused here. `forge` returns Forge's
    verifier, and is called when it is first needed.
    """

    def __init__(self, tenants: TenantStore, forge: Callable[[], Verifier[ForgeCaller]]) -> None:
        self._sites = ForgeSites(tenants)
        self._tokens = SiteTokens(tenants)
        self._forge = forge

    def verify(self, request: Request) -> PageCaller:
        """The user, whichever token the page sent. Raises Unauthenticated; Unavailable or an AWS
        error if the tenant or a key can't be read."""
        scheme, _, _ = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._under_forge(self._forge().verify(request))
        token = header_token_of(request)
        tenant, claims = self._tokens.proven(
            token, lambda secret: verified_context_claims(token, secret)
        )
        return PageCaller(tenant, claims.account_id)

    def _under_forge(self, caller: ForgeCaller) -> PageCaller:
        if caller.account_id is None:
            raise Unauthenticated("the token names no user")
        return PageCaller(self._sites.of(caller), caller.account_id)
