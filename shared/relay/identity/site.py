"""Calls of a site, whichever way it has the app: under Connect, or under Forge."""

from collections.abc import Callable

from relay.errors import Unauthenticated
from relay.identity.callback import CallbackVerifier
from relay.identity.caller import ForgeCaller, Request, SiteCaller, Verifier
from relay.tenants.store import TenantStore
from relay.tenants.tenant import TenantState

# Below it Forge alone calls: what a site's Connect secret proves opens nothing there.
_FORGES_OWN = "/forge/"


class SiteVerifier:
    """`Bearer` is Forge's invocation token, anything else Connect's; either proves a tenant, and
    what serves the call can't tell which it was. Forge's own routes take Forge's token alone.
    `forge` makes Forge's verifier when it is needed.
    """

    def __init__(
        self,
        callback: CallbackVerifier,
        forge: Callable[[], Verifier[ForgeCaller]],
        tenants: TenantStore,
    ) -> None:
        self._callback = callback
        self._forge = forge
        self._tenants = tenants

    def verify(self, request: Request) -> SiteCaller:
        scheme, _, _ = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" and not request.raw_path.startswith(_FORGES_OWN):
            return self._callback.verify(request)
        caller = self._forge().verify(request)
        tenant = self._tenants.find_by_installation_id(caller.installation_id)
        if (
            tenant is None
            or tenant.state is not TenantState.ACTIVE
            or tenant.forge is None
            or tenant.forge.installation_id != caller.installation_id
        ):
            raise Unauthenticated("the installation is unknown, or was removed")
        return SiteCaller(tenant)
