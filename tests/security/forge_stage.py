"""Forge's side of its calls to the real functions: installations, their tokens, and their Jira."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

from relay.actions.forge_lifecycle import CLIENT_KEY_PROPERTY
from relay.tenants.tenant import Tenant
from tests.integration.relay_stage import JSON, Relay
from tests.support.forge import ForgeKey, key_set_server, module_of, payload, signed
from tests.support.key_server import KeyServer, key_server
from tests.support.lambdas import APP_KEY, Answer

LIFECYCLE = ["/forge/installed", "/forge/upgraded", "/forge/tick", "/forge/uninstalled"]
INSTALLED, _, TICK, UNINSTALLED = LIFECYCLE
SCHEDULE, *STEPS = [
    f"/forge/migrations/{step}" for step in ("schedule", "start", "commit", "rollback")
]
STATUS = "/forge/migrations/status"
ROUTES = [("POST", path) for path in (*LIFECYCLE, SCHEDULE, *STEPS)] + [("GET", STATUS)]


@dataclass(frozen=True)
class ForgeSite:
    """A site that has the app under Forge."""

    name: str
    cloud_id: str = field(default_factory=lambda: str(uuid4()))
    number: str = field(default_factory=lambda: str(uuid4()))

    @property
    def installation_id(self) -> str:
        return f"ari:cloud:ecosystem::installation/{self.number}"

    @property
    def system_token(self) -> str:
        return f"system-token-of-{self.name}-which-nobody-else-may-ever-hold"


@cache
def forge_key() -> ForgeKey:
    return ForgeKey()


@dataclass(frozen=True)
class Forge:
    """`api` stands for Jira behind api.atlassian.com; it has no clientKey until one is set. Every
    token is unique.
    """

    keys_url: str
    api: KeyServer

    def api_base_url(self, site: ForgeSite) -> str:
        return f"{self.api.url.removesuffix('/keys')}/ex/jira/{site.cloud_id}"

    def token(self, site: ForgeSite, path: str = TICK, **changes: Any) -> str:
        """A token for a call of this path. In claim names, `__` stands for a dot; changing `iat`
        shifts the other times with it.
        """
        own = {
            "app.module": module_of(path),
            "app.installationId": site.installation_id,
            "app.installation.id": site.installation_id,
            "app.apiBaseUrl": self.api_base_url(site),
            "context.cloudId": site.cloud_id,
            "jti": uuid4().hex,
        }
        if "iat" in changes:
            own |= {"nbf": changes["iat"], "exp": changes["iat"] + 25}
        changes = {name.replace("__", "."): value for name, value in changes.items()}
        return signed(forge_key(), payload(own | changes))

    def property_path(self, site: ForgeSite) -> str:
        of_the_app = f"addons/{APP_KEY}/properties/{CLIENT_KEY_PROPERTY}"
        return f"/ex/jira/{site.cloud_id}/rest/atlassian-connect/1/{of_the_app}"

    def tells_client_key(self, site: ForgeSite, client_key: str) -> None:
        document = {"key": CLIENT_KEY_PROPERTY, "value": client_key}
        self.api.keys[self.property_path(site)] = json.dumps(document).encode()

    def says_admin(self, site: ForgeSite, *permissions: str) -> None:
        """Jira answers about every user of the site with these global permissions."""
        path = f"/ex/jira/{site.cloud_id}/rest/api/3/permissions/check"
        document = {"globalPermissions": permissions, "projectPermissions": []}
        self.api.keys[path] = json.dumps(document).encode()


@contextmanager
def running_forge() -> Iterator[Forge]:
    with key_set_server() as key_set, key_server() as api:
        key_set.publish(forge_key().jwk())
        yield Forge(key_set.url, api)


@dataclass(frozen=True)
class ForgeCalls:
    """Calls to Relay as Forge makes them, for any site."""

    relay: Relay
    forge: Forge

    def call(
        self,
        path: str,
        token: str,
        body: Any = None,
        method: str = "POST",
        system_token: str | None = None,
    ) -> Answer:
        headers = JSON | {"authorization": f"Bearer {token}"}
        if system_token is not None:
            headers["x-forge-oauth-system"] = system_token
        return self.relay.call(method, path, body, headers)

    def lifecycle(self, path: str, site: ForgeSite, **changes: Any) -> Answer:
        """A lifecycle call with the site's own system token."""
        token = self.forge.token(site, path, **changes)
        return self.call(path, token, {"id": "event"}, system_token=site.system_token)

    def install(self, site: ForgeSite, **changes: Any) -> Tenant:
        """Install, by default some time ago, so that any call now is newer."""
        answer = self.lifecycle(INSTALLED, site, **({"iat": int(time.time()) - 40} | changes))
        assert answer.status == 204, answer.body
        return self.tenant(site)

    def tenant(self, site: ForgeSite) -> Tenant:
        tenant = self.relay.tenants.find_by_installation_id(site.installation_id)
        assert tenant
        return tenant

    def migration(self, path: str, site: ForgeSite, migration_id: int, **more: Any) -> Answer:
        """Any call of a migration."""
        token = self.forge.token(site, path)
        if path == STATUS:
            return self.call(f"{path}?migrationId={migration_id}", token, method="GET")
        return self.call(path, token, {"migrationId": migration_id} | more)
