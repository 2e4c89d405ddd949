"""Tokens as Jira makes them."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from relay.jira.canonical_request import query_string_hash


@dataclass(frozen=True)
class InstallKey:
    """A key pair that stands for one of Atlassian's."""

    kid: str = "9b0e6b8c-test-key"
    private: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    @property
    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )


def claims(issuer: str, method: str, url: str, base_url: str = "", **others: Any) -> dict[str, Any]:
    """The claims of a token for this request; a claim given as None is omitted."""
    parts = urlsplit(url)
    now = int(time.time())
    standard = {
        "iss": issuer,
        "iat": now,
        "exp": now + 180,
        "qsh": query_string_hash(method, parts.path, parts.query, urlsplit(base_url).path),
    }
    return {name: value for name, value in (standard | others).items() if value is not None}


def signed_install(key: InstallKey, payload: dict[str, Any], **header: Any) -> str:
    return jwt.encode(payload, key.private, algorithm="RS256", headers={"kid": key.kid} | header)


def signed_callback(secret: str, payload: dict[str, Any]) -> str:
    return jwt.encode(payload, secret, algorithm="HS256")
