"""Jira's side of the lifecycle calls: sites, and their tokens and bodies."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import Any
from uuid import uuid4

from tests.support.key_server import key_server
from tests.support.lambdas import APP_KEY, BASE_URL, Answer, call, load
from tests.support.tokens import InstallKey, claims, signed_callback, signed_install

INSTALLED = "/lifecycle/installed"
UNINSTALLED = "/lifecycle/uninstalled"
ENABLED = "/lifecycle/enabled"
DISABLED = "/lifecycle/disabled"


@dataclass(frozen=True)
class Site:
    """A site with the app; the secret has the length of Jira's."""

    client_key: str = "6f4d2f9c-0f4e-3b6e-9e3a-acme00000001"
    base_url: str = "https://acme.atlassian.net"
    secret: str = "ATCO-acme-first-secret-that-only-jira-and-relay-share"

    def with_secret(self, secret: str) -> "Site":
        return replace(self, secret=secret)

    def body(self, event: str = "installed", **fields: Any) -> dict[str, Any]:
        """The body that Jira sends; a field given as None is omitted."""
        standard = {
            "key": APP_KEY,
            "clientKey": self.client_key,
            "sharedSecret": self.secret,
            "baseUrl": self.base_url,
            "displayUrl": self.base_url,
            "productType": "jira",
            "description": "Atlassian Jira",
            "eventType": event,
            "serverVersion": "1001.0.0-SNAPSHOT",
            "pluginsVersion": "1001.0.0.SNAPSHOT",
            "oauthClientId": "eyJob3N0S2V5IjoiLi4uIn0",
            "publicKey": "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ",
        }
        return {name: value for name, value in (standard | fields).items() if value is not None}


ACME = Site()
GLOBEX = Site(
    client_key="0b7c9c52-55d1-36b3-a8a5-globex000002",
    base_url="https://globex.jira.com",
    secret="ATCO-globex-secret-that-only-jira-and-relay-share-too",
)


@dataclass(frozen=True)
class Jira:
    """Calls the lifecycle function as Jira does; arguments override Jira's own values."""

    function: ModuleType
    key: InstallKey
    app_url: str = BASE_URL

    def at_another_lambda(self) -> "Jira":
        """The same calls to a new instance of the function, like a second container."""
        return replace(self, function=load("lifecycle"))

    def claims(self, site: Site, path: str = INSTALLED, **others: Any) -> dict[str, Any]:
        """The claims of a signed install, always unique; a claim given as None is omitted."""
        own = {"aud": self.app_url, "jti": uuid4().hex}
        return claims(site.client_key, "POST", path, **(own | others))

    def token(self, site: Site, path: str = INSTALLED, **others: Any) -> str:
        return signed_install(self.key, self.claims(site, path, **others))

    def installed(self, site: Site, token: str = "", body: Any = None, **others: Any) -> Answer:
        return self._signed(INSTALLED, site, token, body, others)

    def uninstalled(self, site: Site, token: str = "", body: Any = None, **others: Any) -> Answer:
        return self._signed(UNINSTALLED, site, token, body, others)

    def enabled(self, site: Site, token: str = "", path: str = ENABLED, **others: Any) -> Answer:
        payload = claims(site.client_key, "POST", path, **others)
        return self.post(path, token or signed_callback(site.secret, payload), site.body("enabled"))

    def post(self, path: str, token: str | None, body: Any) -> Answer:
        """Text and bytes are sent unchanged."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"JWT {token}"
        sent = body if isinstance(body, bytes | str) else json.dumps(body)
        return call(self.function, "POST", path, sent, headers)

    def _signed(
        self, path: str, site: Site, token: str, body: Any, others: dict[str, Any]
    ) -> Answer:
        sent = site.body(path.rpartition("/")[2]) if body is None else body
        return self.post(path, token or self.token(site, path, **others), sent)


@cache
def install_key() -> InstallKey:
    return InstallKey()


@contextmanager
def jira_with_its_key_server(load_function: Callable[..., ModuleType]) -> Iterator[Jira]:
    with key_server() as server:
        server.serve(install_key())
        yield Jira(load_function("lifecycle", INSTALL_KEYS_URL=server.url), install_key())
