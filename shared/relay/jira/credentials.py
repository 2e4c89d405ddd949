"""How Relay proves to Jira who calls: an httpx.Auth that signs each request's own URL."""

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
