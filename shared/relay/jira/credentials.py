"""The credentials of calls to Jira: one httpx.Auth for Connect and one for Forge."""

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import jwt

from relay.jira.canonical_request import query_string_hash

# Atlassian allows at most 180 seconds.
_LIFETIME_SECONDS = 170


@dataclass(frozen=True)
class ConnectCredential(httpx.Auth):
    """Signs every request with a new Connect JWT, by the site's shared secret."""

    app_key: str
    client_key: str
    base_url: str
    shared_secret: str = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set `Authorization: JWT <token>`; httpx calls this for each request."""
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
    """Forge's opaque system token. Send it only to the apiBaseUrl that came with it."""

    system_token: str = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set `Authorization: Bearer <token>`; httpx calls this for each request."""
        request.headers["Authorization"] = f"Bearer {self.system_token}"
        yield request
