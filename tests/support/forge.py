"""Forge's side of its calls: really signed invocation tokens, and the key set that verifies them.

The payload and the kid have Atlassian's own shapes.
"""

import copy
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from relay.identity.caller import Request
from tests.support.key_server import KeyServer, Reply, key_server

APP_ID = "ari:cloud:ecosystem::app/8f1b0c52-6f0e-4d57-9a3e-2f6f0c9a7b11"
OTHER_APP_ID = "ari:cloud:ecosystem::app/5a3c1d7e-0b44-4c1e-8d0f-77d1b6a2c9e0"
INSTALLATION_ID = "ari:cloud:ecosystem::installation/11c7bb1e-51f3-4f43-9c4b-6f0d2f5f7a21"
CLOUD_ID = "4c822e2f-510f-48b9-b8d2-8419d0932949"
API_BASE_URL = f"https://api.atlassian.com/ex/jira/{CLOUD_ID}"


class Absent(Enum):
    """Stands for a missing value."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True)
class ForgeKey:
    """A key pair that stands for one of Atlassian's."""

    kid: str = "forge/invocation-token/wf-9b0e6b8c-4f0e-4d57-9a3e-2f6f0c9a7b11"
    private: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """The public key as in the key set."""
        public = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        numbers = {name: public[name] for name in ("kty", "n", "e")}
        return changed(numbers | {"kid": self.kid, "use": "sig", "alg": "RS256"}, changes)


def changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with other values by dotted path: `{"app.module.key": ABSENT}`."""
    copied = copy.deepcopy(document)
    for path, value in changes.items():
        *parents, name = path.split(".")
        within = copied
        for parent in parents:
            within = within[parent]
        if value is ABSENT:
            del within[name]
        else:
            within[name] = value
    return copied


def payload(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The payload of a scheduled trigger's token; `changes` as for `changed`."""
    now = int(time.time())
    standard = {
        "app": {
            "id": APP_ID,
            "version": "5",
            "appVersion": "2.4.0",
            "installationId": INSTALLATION_ID,
            "apiBaseUrl": API_BASE_URL,
            "environment": {
                "type": "PRODUCTION",
                "id": "ari:cloud:ecosystem::environment/8f1b0c52-6f0e-4d57-9a3e-2f6f0c9a7b11/1e46",
            },
            "module": {"type": "core:endpoint", "key": "forge-tick"},
            "installation": {
                "id": INSTALLATION_ID,
                "contexts": [{"name": "jira", "apiBaseUrl": API_BASE_URL}],
            },
        },
        "context": {
            "cloudId": CLOUD_ID,
            "moduleKey": "hourly",
            "userAccess": {"enabled": False},
        },
        "aud": APP_ID,
        "iss": "forge/invocation-token",
        "iat": now,
        "nbf": now,
        "exp": now + 25,
        "jti": "c900303226dd9b698199667c9c7c2b91d7cef2ff",
    }
    return changed(standard, changes or {})


def module_of(path: str) -> dict[str, str]:
    """The module that the token for a call of this path names (see the app's manifest)."""
    if path.startswith("/forge/migrations/"):
        return {"type": "migration:dataResidency", "key": "data-residency"}
    if path.startswith("/page/"):
        return {"type": "core:endpoint", "key": "relay-page"}
    return {"type": "core:endpoint", "key": path.strip("/").replace("/", "-")}


def signed(key: ForgeKey, content: dict[str, Any] | None = None, **header: Any) -> str:
    content = payload() if content is None else content
    return jwt.encode(content, key.private, algorithm="RS256", headers={"kid": key.kid} | header)


def request(authorization: str | None, path: str = "/forge/tick", **headers: str) -> Request:
    """A call of Forge's; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if authorization is not None:
        named["authorization"] = authorization
    return Request(
        method="POST",
        raw_path=path,
        raw_query="",
        headers=named,
        base_url="https://relay.example.com",
    )


@dataclass(frozen=True)
class KeySetServer:
    """`requests` are the requested paths."""

    server: KeyServer

    @property
    def url(self) -> str:
        return f"{self.server.url}/jwks.json"

    @property
    def requests(self) -> list[str]:
        return self.server.requests

    def publish(self, *members: Any) -> None:
        """Serve only these keys from now on."""
        self.answer(Reply(body=json.dumps({"keys": members}).encode()))

    def answer(self, reply: Reply) -> None:
        self.server.trouble = reply


@contextmanager
def key_set_server() -> Iterator[KeySetServer]:
    with key_server() as server:
        yield KeySetServer(server)
