"""A tenant: our record of one installation of the app in one Jira site."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from relay.secrets import EncryptedSecret


class TenantState(StrEnum):
    ACTIVE = "active"
    UNINSTALLED = "uninstalled"


@dataclass(frozen=True, slots=True)
class LifecycleToken:
    """What orders lifecycle calls: when the token was issued (epoch seconds), and which it was."""

    issued_at: int
    digest: str


@dataclass(frozen=True, slots=True)
class Installation:
    """What a site says of itself when it installs the app."""

    client_key: str
    base_url: str
    shared_secret: str
    display_url: str | None = None
    installation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """`id` is ours and never changes; clientKey, baseUrl, cloudId, installationId find it.

    `tokens_seen` are the digests of the lifecycle tokens issued at `lifecycle_at`: one token is
    good for one change. `version` counts the writes of this record, and `installs` how often the
    site has begun anew, without anything that it was sent before.
    """

    id: str
    client_key: str
    base_url: str
    state: TenantState
    installed_at: datetime
    lifecycle_at: int
    tokens_seen: frozenset[str]
    version: int
    installs: int = 0
    secret: EncryptedSecret | None = None
    display_url: str | None = None
    cloud_id: str | None = None
    installation_id: str | None = None

    @property
    def owner(self) -> dict[str, str]:
        """Whose this tenant's secrets are (see `relay.secrets`)."""
        return {"tenantId": self.id}
