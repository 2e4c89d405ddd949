"""Calls from a site that has the app: HS256 with the site's shared secret."""

import secrets
from collections.abc import Callable
from typing import TypeVar

from relay.errors import Unauthenticated
from relay.identity.caller import Request, SiteCaller
from relay.identity.connect_token import token_of, unverified_issuer, verified_claims
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant, TenantState

# Tenant ids that a function caches.
IDS_MAX = 1000

ClaimsT = TypeVar("ClaimsT")


class SiteTokens:
    """Finds the site that a token claims to come from, and checks the token with its secret.

    The tenant id of a clientKey is cached: it changes only if the site is forgotten. The tenant
    itself is read at every call, so a site that has uninstalled the app is refused at once.
    """

    def __init__(self, tenants: TenantStore) -> None:
        self._tenants = tenants
        # Tenant ids by clientKey. Only verified calls add to it, so strangers can't fill it.
        self._tenant_ids: dict[str, str] = {}
        # Tokens of unknown sites are verified with this secret, so that they take as long.
        self._unmatched_secret = secrets.token_urlsafe(64)

    def proven(self, token: str, check: Callable[[str], ClaimsT]) -> tuple[Tenant, ClaimsT]:
        """The site, and what `check` returns for its secret. Raises Unauthenticated, as `check`
        does; Unavailable or an AWS error if the tenant can't be read."""
        client_key = unverified_issuer(token)
        cached_id = self._tenant_ids.get(client_key)
        tenant_id = cached_id or self._tenants.id_of_client_key(client_key)
        try:
            tenant, claims = self._checked(self._tenants.current(tenant_id), check)
        except Unauthenticated:
            if cached_id is None:
                raise
            # As many reads as the refusal of an unknown site.
            tenant_id = self._tenants.id_of_client_key(client_key)
            if tenant_id in (None, cached_id):
                raise
            # The site was forgotten, and has installed the app again.
            tenant, claims = self._checked(self._tenants.current(tenant_id), check)
        if len(self._tenant_ids) >= IDS_MAX:
            self._tenant_ids.clear()
        self._tenant_ids[client_key] = tenant.id
        return tenant, claims

    def _checked(
        self, tenant: Tenant | None, check: Callable[[str], ClaimsT]
    ) -> tuple[Tenant, ClaimsT]:
        secret = self._secret_of(tenant)
        claims = check(secret or self._unmatched_secret)
        if tenant is None or secret is None:
            raise Unauthenticated("the site is unknown or has uninstalled the app")
        return tenant, claims

    def _secret_of(self, tenant: Tenant | None) -> str | None:
        if tenant is None or tenant.state is not TenantState.ACTIVE:
            return None
        return self._tenants.secret_of(tenant)


class CallbackVerifier:
    """Verifies Jira's calls under Connect: each token is valid for one request."""

    def __init__(self, tenants: TenantStore) -> None:
        self._tokens = SiteTokens(tenants)

    def verify(self, request: Request) -> SiteCaller:
        """The calling site. Raises Unauthenticated; Unavailable or an AWS error if its tenant can't
        be read."""
        token = token_of(request)
        tenant, _ = self._tokens.proven(
            token, lambda secret: verified_claims(token, secret, "HS256", request)
        )
        return SiteCaller(tenant)
