"""Who has installed the app: tenants, their secrets, and the workspaces linked to them."""

from relay.tenants.links import LinkStore
from relay.tenants.site_url import checked_site_url
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Installation, LifecycleToken, Tenant, TenantState

__all__ = [
    "Installation",
    "LifecycleToken",
    "LinkStore",
    "Tenant",
    "TenantState",
    "TenantStore",
    "checked_site_url",
]
