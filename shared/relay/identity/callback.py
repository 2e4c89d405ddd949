"""Calls of a site that has the app: HS256 with the secret that the site shares with us."""

import secrets
import time
from collections.abc import Callable

from relay.errors import Unauthenticated
from relay.identity.caller import Request, SiteCaller
from relay.identity.connect_token import token_of, unverified_issuer, verified_claims
from relay.tenants import Tenant, TenantState, TenantStore

# A secret that is replaced, or a site that leaves, is not heard of for so long by a Lambda that
# has just proven one of its calls.
KEPT_SECONDS = 5
_KEPT_MAX = 1000


class CallbackVerifier:
    """A site whose call was proven is not read again for a few seconds: Jira calls in bursts.

    A call that does not pass by what is kept is proven anew, so that a refusal always takes as
    long. `clock` gives seconds; it is the wall clock, as any other may stand still while a Lambda
    is frozen.
    """

    def __init__(self, tenants: TenantStore, clock: Callable[[], float] = time.time) -> None:
        self._tenants = tenants
        self._clock = clock
        self._kept: dict[str, tuple[float, Tenant]] = {}
        # What the token of an unknown site is checked against, so that it takes its time, too.
        self._nobodys_secret = secrets.token_urlsafe(64)

    def verify(self, request: Request) -> SiteCaller:
        token = token_of(request)
        client_key = unverified_issuer(token)
        read_at, tenant = self._kept.get(client_key, (0.0, None))
        if tenant and 0 <= self._clock() - read_at < KEPT_SECONDS:
            try:
                return self._proven(request, token, tenant)
            except Unauthenticated:
                del self._kept[client_key]
        read_at = self._clock()
        caller = self._proven(request, token, self._tenants.find_by_client_key(client_key))
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        self._kept[client_key] = read_at, caller.tenant
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
