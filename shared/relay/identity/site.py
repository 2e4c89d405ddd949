"""Calls from a site that has the app, under Connect or under Forge."""

from collections.abc import Callable

from relay.errors import Unauthenticated
from relay.identity.callback import IDS_MAX, CallbackVerifier
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
        self._sites = ForgeSites(tenants)

    def verify(self, request: Request) -> SiteCaller:
        """The calling site, whichever token it sent. Raises Unauthenticated; Unavailable or an AWS
        error if its tenant or a key can't be read."""
        scheme, _, _ = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" and not request.raw_path.startswith(FORGE_PREFIX):
            return self._callback.verify(request)
        return SiteCaller(self._sites.of(self._forge().verify(request)))


class ForgeSites:
    """Finds the site of an installation under Forge.

    The tenant id of an installation is cached. The tenant itself is read at every call, so a site
    that has uninstalled the app is refused at once. If the cached tenant was merged, it names the
    other one; if it does not have the installation, the id is looked up again.
    """

    def __init__(self, tenants: TenantStore) -> None:
        self._tenants = tenants
        # Tenant ids by installation id. Only verified calls of known sites add to it.
        self._tenant_ids: dict[str, str] = {}

    def of(self, caller: ForgeCaller) -> Tenant:
        """The caller's site. Raises Unauthenticated if the installation is unknown or was removed;
        Unavailable or an AWS error if the tenant can't be read."""
        installation_id = caller.installation_id
        cached_id = self._tenant_ids.get(installation_id)
        tenant = self._tenants.current(cached_id) if cached_id else None
        if not _has(tenant, installation_id):
            tenant = self._tenants.find_by_installation_id(installation_id)
        if tenant is None or not _has(tenant, installation_id):
            raise Unauthenticated("the installation is unknown or was removed")
        if len(self._tenant_ids) >= IDS_MAX:
            self._tenant_ids.clear()
        self._tenant_ids[installation_id] = tenant.id
        return tenant


def _has(tenant: Tenant | None, installation_id: str) -> bool:
    return (
        tenant is not None
        and tenant.state is TenantState.ACTIVE
        and tenant.forge is not None
        and tenant.forge.installation_id == installation_id
    )
