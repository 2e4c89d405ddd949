"""Jira sites, each under a path of the simulator's URL."""

import math
import re
import secrets
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from .admin.visitors import AdminArea
from .credentials import Credential, Switches
from .descriptor import App
from .forge.installation import ForgeInstallation
from .refusal import GatewayRefusal, Refusal
from .schemas import Kind
from .settings import Settings
from .store import Store

DEFAULT_PROJECT_KEYS = ("OPS", "WEB", "PAY")

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_PROJECT_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,254}", re.ASCII)


class State(StrEnum):
    """Whether an app is installed; `new` until the first install."""

    NEW = "new"
    INSTALLED = "installed"
    UNINSTALLED = "uninstalled"


@dataclass
class Site:
    """One Jira Cloud site. Its `client_key` and `cloud_id` never change later, the secret may.

    `base_url` accepts Connect's tokens, `api_base_url` Forge's. `installed_at` is the time of the
    last accepted install, in seconds of the monotonic clock. `connect_key` is the key of the last
    app that Connect installed, also after its removal. A site has only `app` for Connect alone,
    only `forge` for Forge alone, and both for Connect on Forge. `users` are account ids, each with
    whether it administers the site.
    """

    name: str
    base_url: str
    api_base_url: str
    cloud_id: str
    project_keys: frozenset[str]
    store: Store
    shared_secret: str
    client_key: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: State = State.NEW
    installed_at: float = -math.inf
    app: App | None = None
    connect_key: str | None = None
    forge: ForgeInstallation | None = None
    users: dict[str, bool] = field(default_factory=dict)
    switches: Switches = field(default_factory=Switches)
    admin_area: AdminArea = field(default_factory=AdminArea)

    @property
    def base_path(self) -> str:
        """The path of the site's base URL."""
        return urlsplit(self.base_url).path

    def path_for(self, credential: Credential) -> str:
        """The prefix of the paths of calls with this credential."""
        url = self.base_url if credential is Credential.CONNECT else self.api_base_url
        return urlsplit(url).path

    def forge_installation(self) -> ForgeInstallation:
        """The site's Forge app. Raises a Refusal (409) if there is none."""
        if self.forge is None:
            raise Refusal(409, f"No Forge app is installed in the site {self.name}.")
        return self.forge

    def installed_app(self) -> App:
        """The site's Connect app. Raises a Refusal (409) if there is none."""
        if self.state is not State.INSTALLED or self.app is None:
            raise Refusal(409, f"No app is installed in the site {self.name}.")
        return self.app

    def document(self) -> dict[str, Any]:
        """Everything, shared secret included: for the control endpoint only."""
        return {
            "name": self.name,
            "state": self.state.value,
            "baseUrl": self.base_url,
            "apiBaseUrl": self.api_base_url,
            "clientKey": self.client_key,
            "sharedSecret": self.shared_secret,
            "cloudId": self.cloud_id,
            "projectKeys": sorted(self.project_keys),
            "incidents": self._counts(Kind.INCIDENT),
            "reviews": self._counts(Kind.REVIEW),
            "components": self._counts(Kind.COMPONENT),
            "linkedWorkspaces": list(self.store.workspaces.visible),
            "app": self.app.document() if self.app else None,
            "forge": self.forge.document() if self.forge else None,
            "users": dict(self.users),
            "credentials": self.switches.document(),
            "admin": self.admin_area.document(),
        }

    def _counts(self, kind: Kind) -> dict[str, int]:
        entities = self.store.entities[kind]
        return {"visible": len(entities.visible), "pending": entities.pending}


def new_secret() -> str:
    """A random secret: 43 characters, 256 bits."""
    return secrets.token_urlsafe(32)


class Sites:
    """All sites by name."""

    def __init__(self, simulator_url: str, settings: Settings) -> None:
        self._simulator_url = simulator_url
        self._settings = settings
        self._sites: dict[str, Site] = {}
        self._by_cloud_id: dict[str, Site] = {}

    def create(self, name: str, project_keys: list[str] | None = None) -> Site:
        """Creates a site. Raises a Refusal: 400 if a name or key is invalid, 409 if it exists."""
        keys = list(DEFAULT_PROJECT_KEYS) if project_keys is None else project_keys
        if not _NAME.fullmatch(name):
            raise Refusal(400, f"name: {name!r} must be lower-case letters, digits and hyphens")
        wrong = [key for key in keys if not _PROJECT_KEY.fullmatch(key)]
        if wrong:
            raise Refusal(400, f"projectKeys: {wrong[0]!r} must be upper-case letters and digits")
        if name in self._sites:
            raise Refusal(409, f"The site {name} already exists.")
        cloud_id = str(uuid.uuid4())
        site = Site(
            name=name,
            base_url=f"{self._simulator_url}/sites/{name}",
            api_base_url=f"{self._simulator_url}/ex/jira/{cloud_id}",
            cloud_id=cloud_id,
            project_keys=frozenset(keys),
            store=Store(self._settings),
            shared_secret=new_secret(),
        )
        site.users.update(site.admin_area.users())
        self._sites[name] = site
        self._by_cloud_id[cloud_id] = site
        return site

    def get(self, name: str) -> Site:
        """The site of this name. Raises a Refusal (404)."""
        if name not in self._sites:
            raise Refusal(404, f"There is no site {name}.")
        return self._sites[name]

    def of_cloud_id(self, cloud_id: str) -> Site:
        """The site of this cloudId. Raises a GatewayRefusal (404)."""
        if cloud_id not in self._by_cloud_id:
            raise GatewayRefusal(404, f"There is no site with the cloudId {cloud_id}.")
        return self._by_cloud_id[cloud_id]

    def all(self) -> list[Site]:
        """All sites, in the order of their creation."""
        return list(self._sites.values())
