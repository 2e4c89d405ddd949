"""Calls of a site that has the app: HS256 with the secret that the site shares with us."""

import secrets

from relay.errors import Unauthenticated
from relay.identity.caller import Request, SiteCaller
from relay.identity.connect_token import token_of, unverified_issuer, verified_claims
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant, TenantState

_IDS_MAX = 1000


class CallbackVerifier:
    """Keeps which tenant a clientKey is of, as that never changes; the tenant is read every time,
    so a site that has uninstalled the app is refused at once.
    """

    def __init__(self, tenants: TenantStore) -> None:
        self._tenants = tenants
        # Of sites whose call was proven, so that strangers can't fill it.
        self._tenant_ids: dict[str, str] = {}
        # What the token of an unknown site is checked against, so that it takes its time, too.
        self._nobodys_secret = secrets.token_urlsafe(64)

    def verify(self, request: Request) -> SiteCaller:
        token = token_of(request)
        client_key = unverified_issuer(token)
        kept_id = self._tenant_ids.get(client_key)
        tenant_id = kept_id or self._tenants.id_of_client_key(client_key)
        try:
            caller = self._proven(request, token, self._tenants.current(tenant_id))
        except Unauthenticated:
            if kept_id is not None:
                # A refusal reads as much as that of a site that is not known here.
                self._tenants.id_of_client_key(client_key)
            raise
        if len(self._tenant_ids) >= _IDS_MAX:
            self._tenant_ids.clear()
        self._tenant_ids[client_key] = caller.tenant.id
        return caller

    def _proven(self, request: Request, token: str, tenant: Tenant | None) -> SiteCaller:
        secret = self._secret_of(tenant)
        verified_claims(token, secret or self._nobodys_secret, "HS256", request)
        if tenant is None or secret is None:
            raise Unauthenticated("the site is unknown or has uninstalled the app")
        return SiteCaller(tenant)

    def _secret_of(self, tenant: Tenant | None) -> str | None:
        if tenant is None or tenant.state is not TenantState.ACTIVE:
            return None
        return self._tenants.secret_of(tenant)
