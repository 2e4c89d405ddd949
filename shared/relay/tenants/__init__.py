"""Who has installed the app: tenants, their secrets, and the workspaces linked to them."""

from relay.tenants.identity_choice import Identity, IdentityChoice, IdentityChoiceStore
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.links import Link, LinkStore
from relay.tenants.migrations import MigrationState, MigrationStore
from relay.tenants.replay import Replay, ReplayScope, Stage
from relay.tenants.replays import ReplayStore
from relay.tenants.site_url import checked_site_url
from relay.tenants.snapshots import SiteSnapshot, SiteSnapshotStore
from relay.tenants.store import TenantStore
from relay.tenants.tenant import (
    ForgeIdentity,
    ForgeInstallation,
    Installation,
    Tenant,
    TenantState,
)
from relay.tenants.troubles import Trouble, TroubleStore

__all__ = [
    "ForgeIdentity",
    "ForgeInstallation",
    "Identity",
    "IdentityChoice",
    "IdentityChoiceStore",
    "Installation",
    "LifecycleToken",
    "Link",
    "LinkStore",
    "MigrationState",
    "MigrationStore",
    "Replay",
    "ReplayScope",
    "ReplayStore",
    "SiteSnapshot",
    "SiteSnapshotStore",
    "Stage",
    "Tenant",
    "TenantState",
    "TenantStore",
    "Trouble",
    "TroubleStore",
    "checked_site_url",
]
