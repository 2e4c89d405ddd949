"""One installation of a Forge app in a site."""

import secrets
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from .migration import Migration
from .system_tokens import SystemTokens


def _new_installation_id() -> str:
    return f"ari:cloud:ecosystem::installation/{uuid.uuid4()}"


@dataclass(frozen=True)
class NativePage:
    """The manifest's `jira:adminPage`; `resource` is the folder with its files."""

    title: str
    resource: str


@dataclass(frozen=True)
class ForgeInstallation:
    """A Forge app in a site. An upgrade may change the first five fields, and only those.

    `app_id` is `ari:cloud:ecosystem::app/<uuid>`. `connect` is whether the manifest has Connect's
    modules and lifecycle. `scopes` are the manifest's, such as `read:operations-info:jira`.
    """

    remote_url: str
    connect: bool
    scopes: frozenset[str]
    app_version: str
    admin_page: NativePage | None

    app_id: str
    tokens: SystemTokens
    environment_type: str = "PRODUCTION"
    installation_id: str = field(default_factory=_new_installation_id)
    environment_uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    installer_account_id: str = field(default_factory=lambda: secrets.token_hex(12))
    migrations: list[Migration] = field(default_factory=list)

    @property
    def environment_id(self) -> str:
        """The environment's resource name, `ari:cloud:ecosystem::environment/…`."""
        app_uuid = self.app_id.rpartition("/")[2]
        return f"ari:cloud:ecosystem::environment/{app_uuid}/{self.environment_uuid}"

    def document(self) -> dict[str, Any]:
        """Everything, system tokens included: for the control endpoint only."""
        return {
            "appId": self.app_id,
            "appVersion": self.app_version,
            "environment": self.environment_type,
            "installationId": self.installation_id,
            "remoteUrl": self.remote_url,
            "connect": self.connect,
            "scopes": sorted(self.scopes),
            "adminPage": asdict(self.admin_page) if self.admin_page else None,
            "systemTokens": self.tokens.document(),
        }
