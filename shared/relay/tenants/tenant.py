"""A tenant: Relay's record of one installation of the app in a Jira site."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from relay.secrets import EncryptedSecret
from relay.tenants.lifecycle import TokenHistory


class TenantState(StrEnum):
    """Whether the app is installed at the site, under Connect or Forge."""

    ACTIVE = "active"
    UNINSTALLED = "uninstalled"


@dataclass(frozen=True, slots=True)
class Installation:
    """The content of Connect's `installed` call."""

    client_key: str
    base_url: str
    shared_secret: str
    display_url: str | None = None
    installation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ForgeInstallation:
    """An installation as Forge's lifecycle call and its verified token describe it.

    `client_key` is the Connect identity of the same site, if Jira returned it to this installation.
    """

    installation_id: str
    cloud_id: str
    api_base_url: str
    system_token: str | None = field(default=None, repr=False)
    client_key: str | None = None


@dataclass(frozen=True, slots=True)
class ForgeIdentity:
    """A tenant's identity under Forge.

    `system_token` is the newest from Forge; `tokens` are the invocation tokens of its lifecycle
    calls. After an uninstall, only `cloud_id` and `tokens` remain.
    """

    cloud_id: str
    installation_id: str | None = None
    api_base_url: str | None = None
    system_token: EncryptedSecret | None = None
    tokens: TokenHistory = field(default_factory=TokenHistory)


@dataclass(frozen=True, slots=True)
class Tenant:
    """`id` is Relay's own and never changes; clientKey, baseUrl and Forge's ids point to it.

    Under Connect, a site has a clientKey and a secret; under Forge, a `forge` identity; while it
    moves from one to the other, both. `tokens` are those of Connect's lifecycle calls: each is
    valid for one change. `version` counts the writes of this tenant. `installs` counts how often
    the site has started over without the entities that it had. `resets_min` is the lowest `resets`
    of a new link's replay, as an erased workspace's had fewer. `merged_into` is the id of the
    tenant that this one was merged into, when both proved to be the same site.
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
    resets_min: int = 0

    @property
    def owner(self) -> dict[str, str]:
        """The owner of this tenant's secrets (see `relay.secrets`)."""
        return {"tenantId": self.id}

    @property
    def is_forge_installed(self) -> bool:
        """Whether the app is installed under Forge."""
        return self.forge is not None and self.forge.installation_id is not None
