"""Calls from a site that has the app, under Connect or under Forge."""

from collections.abc import Callable

from relay.errors import Unauthenticated
from relay.identity.callback import CallbackVerifier
from relay.identity.caller import FORGE_PREFIX, ForgeCaller, Request, SiteCaller, Verifier
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant, TenantState


class SiteVerifier:
    """Verifies Forge's invocation token for `Bearer`, and Connect's token otherwise.

    Routes under `/forge/` accept only Forge's token. `forge` returns Forge's verifier, and is
    called when it is first needed.
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
        """The calling site, whichever token it sent. Raises Unauthenticated; Unavailable or an AWS
        error if its tenant or a key can't be read."""
        scheme, _, _ = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" and not request.raw_path.startswith(FORGE_PREFIX):
            return self._callback.verify(request)
        return SiteCaller(tenant_under_forge(self._tenants, self._forge().verify(request)))


def tenant_under_forge(tenants: TenantStore, caller: ForgeCaller) -> Tenant:
    """The site of an installation. Raises Unauthenticated if it is unknown or was removed."""
    tenant = tenants.find_by_installation_id(caller.installation_id)
    if (
        tenant is None
        or tenant.state is not TenantState.ACTIVE
        or tenant.forge is None
        or tenant.forge.installation_id != caller.installation_id
    ):
        raise Unauthenticated("the installation is unknown or was removed")
    return tenant
