"""Who has installed the app: tenants, their secrets, and the workspaces linked to them."""

from relay.tenants.credentials import Choice, ChoiceStore, Identity
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.links import Link, LinkStore
from relay.tenants.migrations import MigrationState, MigrationStore
from relay.tenants.replays import Replay, ReplayStore, Stage, What
from relay.tenants.site_url import checked_site_url
from relay.tenants.standing import Standing, StandingStore
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
    "Choice",
    "ChoiceStore",
    "ForgeIdentity",
    "ForgeInstallation",
    "Identity",
    "Installation",
    "LifecycleToken",
    "Link",
    "LinkStore",
    "MigrationState",
    "MigrationStore",
    "Replay",
    "ReplayStore",
    "Stage",
    "Standing",
    "StandingStore",
    "Tenant",
    "TenantState",
    "TenantStore",
    "Trouble",
    "TroubleStore",
    "What",
    "checked_site_url",
]
