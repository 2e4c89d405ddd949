"""A tenant: our record of one installation of the app in one Jira site."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from relay.secrets import EncryptedSecret
from relay.tenants.lifecycle import TokenHistory


class TenantState(StrEnum):
    ACTIVE = "active"
    UNINSTALLED = "uninstalled"


@dataclass(frozen=True, slots=True)
class Installation:
    """What a site says of itself when it installs the app."""

    client_key: str
    base_url: str
    shared_secret: str
    display_url: str | None = None
    installation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ForgeInstallation:
    """What Forge says of an installation, proven by its token.

    `client_key` is the Connect identity of the same site, where Jira told it to this very
    installation.
    """

    installation_id: str
    cloud_id: str
    api_base_url: str
    system_token: str | None = field(default=None, repr=False)
    client_key: str | None = None


@dataclass(frozen=True, slots=True)
class ForgeIdentity:
    """A tenant as Forge knows it.

    `system_token` is the newest that Forge brought; `tokens` are the invocation tokens of its
    lifecycle calls. An uninstall leaves `cloud_id` and `tokens` only.
    """

    cloud_id: str
    installation_id: str | None = None
    api_base_url: str | None = None
    system_token: EncryptedSecret | None = None
    tokens: TokenHistory = field(default_factory=TokenHistory)


@dataclass(frozen=True, slots=True)
class Tenant:
    """`id` is ours and never changes; clientKey, baseUrl and Forge's ids find it.

    A site under Connect alone has a clientKey and a secret; under Forge alone a `forge` identity;
    while it moves from one to the other, both. `tokens` are those of Connect's lifecycle calls: one
    token is good for one change. `version` counts the writes of this record, and `installs` how
    often the site has begun anew, without anything that it was sent before. `merged_into` is the
    tenant that took over all of this one, once both were found to be the same site.
    """

    id: str
    client_key: str | None
    base_url: str
    state: TenantState
    installed_at: datetime
    version: int
    tokens: TokenHistory = field(default_factory=TokenHistory)
    installs: int = 0
    secret: EncryptedSecret | None = None
    display_url: str | None = None
    installation_id: str | None = None
    forge: ForgeIdentity | None = None
    merged_into: str | None = None

    @property
    def owner(self) -> dict[str, str]:
        """Whose this tenant's secrets are (see `relay.secrets`)."""
        return {"tenantId": self.id}

    @property
    def is_forge_installed(self) -> bool:
        return self.forge is not None and self.forge.installation_id is not None
