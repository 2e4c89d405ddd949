"""Calls of a site that has the app: HS256 with the secret that the site shares with us."""

import secrets

from relay.errors import Unauthenticated
from relay.identity.caller import Request, SiteCaller
from relay.identity.connect_token import token_of, unverified_issuer, verified_claims
from relay.tenants import Tenant, TenantState, TenantStore


class CallbackVerifier:
    def __init__(self, tenants: TenantStore) -> None:
        self._tenants = tenants
        # What the token of an unknown site is checked against, so that it takes its time, too.
        self._nobodys_secret = secrets.token_urlsafe(64)

    def verify(self, request: Request) -> SiteCaller:
        token = token_of(request)
        tenant = self._tenants.find_by_client_key(unverified_issuer(token))
        secret = self._secret_of(tenant)
        verified_claims(token, secret or self._nobodys_secret, "HS256", request)
        if tenant is None or secret is None:
            raise Unauthenticated("the site is unknown or has uninstalled the app")
        return SiteCaller(tenant)

    def _secret_of(self, tenant: Tenant | None) -> str | None:
        if tenant is None or tenant.state is not TenantState.ACTIVE:
            return None
        return self._tenants.secret_of(tenant)
