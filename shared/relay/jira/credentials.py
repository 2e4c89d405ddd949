"""How Relay proves to Jira who calls: an httpx.Auth per identity, Connect's and Forge's."""

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import jwt

from relay.jira.canonical_request import query_string_hash

# Atlassian asks for at most 180 seconds.
_LIFETIME_SECONDS = 170


@dataclass(frozen=True)
class ConnectCredential(httpx.Auth):
    """A Connect JWT, new for every request, signed with the secret that the site shares with us."""

    app_key: str
    client_key: str
    base_url: str
    shared_secret: str = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"JWT {self._token(request)}"
        yield request

    def _token(self, request: httpx.Request) -> str:
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        now = int(time.time())
        claims = {
            "iss": self.app_key,
            "aud": [self.client_key],
            "iat": now,
            "exp": now + _LIFETIME_SECONDS,
            "qsh": query_string_hash(request.method, path, query, urlsplit(self.base_url).path),
        }
        return jwt.encode(claims, self.shared_secret, algorithm="HS256")


@dataclass(frozen=True)
class BearerCredential(httpx.Auth):
    """Forge's system token, opaque to us; it goes to the apiBaseUrl that Forge named, only."""

    system_token: str = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.system_token}"
        yield request
