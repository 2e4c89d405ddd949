"""Forgetting a site: the erasure of a tenant.

It begins by deleting the tenant itself, with the pointer by which an install finds it: from then on
no call is of this site, and an install makes a new tenant. The rest is as for a workspace.
"""

from collections.abc import Sequence
from uuid import uuid4

from relay import keys
from relay.aws import AWS_ERRORS
from relay.catalog.erasure import Erasure, ErasureStage
from relay.catalog.erasures import ErasureStore
from relay.delivery.sites import Sites
from relay.errors import Conflict, Unavailable
from relay.queues.delays import DRAIN_SECONDS
from relay.telemetry import logger
from relay.tenants.generation_minimum import GenerationMinimum
from relay.tenants.store import TENANT_ID, TenantStore
from relay.tenants.tenant import Tenant, TenantState

_ATTEMPTS = 3


class SiteForgetter:
    """Begins the erasure of sites. Every method raises TABLE_ERRORS."""

    def __init__(
        self,
        tenants: TenantStore,
        minimum: GenerationMinimum,
        sites: Sites,
        erasures: ErasureStore,
    ) -> None:
        self._tenants = tenants
        self._minimum = minimum
        self._sites = sites
        self._erasures = erasures

    def forget(self, tenant_id: str, now: int, is_gone: bool = False) -> list[Erasure]:
        """Begin the erasure of the site, and of tenants that were merged into it; the site's is
        the first. `now` is in epoch milliseconds.

        `is_gone` says that the site no longer exists, or no longer has the app, although it never
        sent `uninstalled`. It is not believed while Jira lists workspaces as linked. Raises
        NotFound; Conflict if the site has the app, or was merged into another.
        """
        for _ in range(_ATTEMPTS):
            known = self.last(tenant_id)
            if known and known.stage is not ErasureStage.DONE:
                return [known]
            tenant = self._tenants.existing(tenant_id)
            self._check(tenant, is_gone)
            merged = [one for one in self._tenants.all() if one.merged_into == tenant.id]
            started = self._started([tenant, *merged], now)
            if started:
                return started
        raise Unavailable("Other calls are changing this tenant; try again.")

    def last(self, tenant_id: str) -> Erasure | None:
        """The site's erasure that is under way, or that is done; None if there is none."""
        is_id = TENANT_ID.fullmatch(tenant_id)
        return self._erasures.last(keys.site_subject(tenant_id)) if is_id else None

    def _check(self, tenant: Tenant, is_gone: bool) -> None:
        if tenant.merged_into is not None:
            message = f"The site was merged into {tenant.merged_into}."
            raise Conflict(message, code="merged")
        if tenant.state is TenantState.UNINSTALLED:
            return
        if not is_gone:
            raise Conflict("The site has the app. Uninstall it there first.", code="installed")
        if self._has_linked(tenant):
            message = "The site has the app: Jira lists workspaces as linked to it."
            raise Conflict(message, code="installed")

    def _has_linked(self, tenant: Tenant) -> bool:
        try:
            site = self._sites.client_for(tenant)
            # A site that no longer exists answers 404, as one without linked workspaces.
            return bool(site and site.workspaces())
        except (*AWS_ERRORS, Unavailable) as error:
            logger.warning("A site is forgotten without `uninstalled`", reason=type(error).__name__)
            return False

    def _started(self, tenants: Sequence[Tenant], now: int) -> list[Erasure]:
        """The erasures of all these tenants; none if one of them has changed."""
        stage, due = ErasureStage.WAIT, now + DRAIN_SECONDS * 1000
        started = [
            Erasure(keys.site_subject(one.id), uuid4().hex, stage, now, now, due) for one in tenants
        ]
        is_started = self._erasures.begin(started, self._minimum.forget_actions(tenants))
        return started if is_started else []
